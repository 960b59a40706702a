/**
 * OffsetFetch: v1–v10.
 *
 * The committed offsets of one group (up to v7) or of several. From v10 on topics have ids: they are translated both
 * ways here, an unknown id gets UNKNOWN_TOPIC_ID for each of its partitions.
 */
import {
  ErrorCode,
  OffsetFetch,
  ZERO_UUID,
  type OffsetFetchRequest,
  type ResponseInput,
} from '@kafka-template/protocol';
import type { ClusterImage } from '../../cluster/image.js';
import type { RequestContext } from '../context.js';
import { groupContext } from '../groups.js';
import { handler } from '../handler.js';

type Response = ResponseInput<typeof OffsetFetch>;
type GroupRow = NonNullable<Response['groups']>[number];
type TopicRow = GroupRow['topics'][number];
type GroupRequest = OffsetFetchRequest['groups'][number];
type TopicRequest = NonNullable<GroupRequest['topics']>[number];

const TOPIC_IDS_SINCE_VERSION = 10;

/** See the head of this file. */
export const offsetFetch = handler(OffsetFetch, { versions: [1, 10] }, (request, context) => {
  if (context.apiVersion < TOPIC_IDS_SINCE_VERSION) {
    return context.broker.groups.fetchOffsets(request, groupContext(context));
  }
  return byId(request, context);
});

function byId(request: OffsetFetchRequest, context: RequestContext): Response {
  const { image } = context.broker.controller;
  const groups = request.groups.map((group) => ({ ...group, topics: withNames(group.topics, image) }));
  const answer = context.broker.groups.fetchOffsets({ ...request, groups }, groupContext(context));
  return {
    ...answer,
    groups: (answer.groups ?? []).map((group, index) => withIds(group, request.groups[index]!.topics, image)),
  };
}

function withNames(topics: readonly TopicRequest[] | null, image: ClusterImage): TopicRequest[] | null {
  if (topics === null) return null;
  const named: TopicRequest[] = [];
  for (const topic of topics) {
    const name = image.topicById(topic.topicId)?.name;
    if (name !== undefined) named.push({ ...topic, name });
  }
  return named;
}

/** Topics that are gone have no id: they are left out when all were asked for, and an error when they were named. */
function withIds(group: GroupRow, asked: readonly TopicRequest[] | null, image: ClusterImage): GroupRow {
  const topics: TopicRow[] = [];
  for (const topic of group.topics) {
    const topicId = image.topic(topic.name ?? '')?.id ?? ZERO_UUID;
    if (topicId !== ZERO_UUID) topics.push({ ...topic, topicId });
  }
  for (const topic of asked ?? []) {
    if (image.topicById(topic.topicId) === undefined) topics.push(unknown(topic));
  }
  return { ...group, topics };
}

function unknown({ topicId, partitionIndexes }: TopicRequest): TopicRow {
  const partitions = partitionIndexes.map((partitionIndex) => ({
    partitionIndex,
    committedOffset: -1,
    committedLeaderEpoch: -1,
    metadata: '',
    errorCode: ErrorCode.UNKNOWN_TOPIC_ID,
  }));
  return { topicId, partitions };
}
