/**
 * DescribeTopicPartitions: v0.
 *
 * Topics with their partitions in pages (KIP-966): in the order of the names, from the cursor on, at most as many
 * partitions as the client and `max.request.partition.size.limit` allow. Nothing is created. There are no eligible
 * leader replicas beside the in-sync ones.
 */
import {
  DescribeTopicPartitions,
  ErrorCode,
  ZERO_UUID,
  type DescribeTopicPartitionsRequest,
  type ResponseInput,
} from '@kafka-template/protocol';
import type { ClusterImage, PartitionImage } from '../../cluster/image.js';
import { ALL_TOPIC_OPERATIONS } from '../authorized-operations.js';
import { handler } from '../handler.js';
import { checkTopicName } from '../../cluster/topic-name.js';

type Response = ResponseInput<typeof DescribeTopicPartitions>;
type TopicRow = Response['topics'][number];
type Cursor = NonNullable<DescribeTopicPartitionsRequest['cursor']>;

/** See the head of this file. */
export const describeTopicPartitions = handler(
  DescribeTopicPartitions,
  { versions: [0, 0] },
  (request, { broker }): Response => {
    const { cursor, responsePartitionLimit } = request;
    const { image } = broker.controller;
    if (cursor !== null && cursor.partitionIndex < 0) return refused(request);
    const limit = Math.max(1, Math.min(responsePartitionLimit, broker.settings.describedPartitionsMax));
    return page(image, namesFrom(request, image, cursor), cursor, limit);
  },
);

/** The wanted names in order, without those before the cursor. */
function namesFrom(request: DescribeTopicPartitionsRequest, image: ClusterImage, cursor: Cursor | null): string[] {
  const isAll = request.topics.length === 0;
  const wanted = isAll ? [...image.topics()].map(({ name }) => name) : request.topics.map(({ name }) => name);
  const names = [...new Set(wanted)].sort((left, right) => (left < right ? -1 : 1));
  return cursor === null ? names : names.filter((name) => name >= cursor.topicName);
}

function page(image: ClusterImage, names: readonly string[], cursor: Cursor | null, limit: number): Response {
  const topics: TopicRow[] = [];
  let left = limit;
  for (const name of names) {
    const topic = image.topic(name);
    if (topic === undefined) {
      topics.push(missing(name));
      continue;
    }
    const from = cursor?.topicName === name ? cursor.partitionIndex : 0;
    const states = topic.partitions.slice(from, from + left);
    if (left === 0) return { topics, nextCursor: { topicName: name, partitionIndex: 0 } };
    left -= states.length;
    topics.push({
      errorCode: ErrorCode.NONE,
      name,
      topicId: topic.id,
      isInternal: topic.internal,
      partitions: states.map((state) => partitionRow(image, state)),
      topicAuthorizedOperations: ALL_TOPIC_OPERATIONS,
    });
    const next = from + states.length;
    if (next < topic.partitions.length) return { topics, nextCursor: { topicName: name, partitionIndex: next } };
  }
  return { topics, nextCursor: null };
}

function partitionRow(image: ClusterImage, state: PartitionImage): TopicRow['partitions'][number] {
  const hasLeader = image.broker(state.leader) !== undefined;
  return {
    errorCode: hasLeader ? ErrorCode.NONE : ErrorCode.LEADER_NOT_AVAILABLE,
    partitionIndex: state.partition,
    leaderId: hasLeader ? state.leader : -1,
    leaderEpoch: state.leaderEpoch,
    replicaNodes: state.replicas,
    isrNodes: state.isr,
    eligibleLeaderReplicas: [],
    lastKnownElr: [],
    offlineReplicas: state.replicas.filter((id) => image.broker(id) === undefined),
  };
}

function missing(name: string): TopicRow {
  const errorCode =
    checkTopicName(name) === null ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.INVALID_TOPIC_EXCEPTION;
  return { errorCode, name, topicId: ZERO_UUID, partitions: [], topicAuthorizedOperations: ALL_TOPIC_OPERATIONS };
}

function refused(request: DescribeTopicPartitionsRequest): Response {
  const topics = request.topics.map(({ name }) => ({
    errorCode: ErrorCode.INVALID_REQUEST,
    name,
    topicId: ZERO_UUID,
    partitions: [],
  }));
  return { topics, nextCursor: null };
}
