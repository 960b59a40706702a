/**
 * OffsetCommit: v2–v10.
 *
 * Passes the partitions that exist to the group coordinator; the others get UNKNOWN_TOPIC_OR_PARTITION, or
 * UNKNOWN_TOPIC_ID from v10 on, where ids replace names. The answer has the topics in the order of the request.
 */
import { ErrorCode, OffsetCommit, type OffsetCommitRequest, type ResponseInput } from '@kafka-template/protocol';
import type { ClusterImage } from '../../cluster/image.js';
import { fromCallback, groupContext } from '../groups.js';
import { handler } from '../handler.js';
import { findTopic, unknownTopic } from '../leader.js';

type Response = ResponseInput<typeof OffsetCommit>;
type TopicRow = Response['topics'][number];
type TopicRequest = OffsetCommitRequest['topics'][number];

const TOPIC_IDS_SINCE_VERSION = 10;

/** See the head of this file. */
export const offsetCommit = handler(OffsetCommit, { versions: [2, 10] }, (request, context) => {
  const byId = context.apiVersion >= TOPIC_IDS_SINCE_VERSION;
  const { known, refused } = sort(request.topics, context.broker.controller.image, byId);
  const answer = fromCallback<Response>((done) =>
    context.broker.groups.commitOffsets({ ...request, topics: known }, groupContext(context), done),
  );
  if (refused.length === 0) return answer;
  return Promise.resolve(answer).then(({ topics }) => ({
    topics: merge(request.topics, [...topics, ...refused], byId),
  }));
});

/** Splits the request into what the coordinator may see, with names, and rows that are refused here. */
function sort(topics: readonly TopicRequest[], image: ClusterImage, byId: boolean) {
  const known: TopicRequest[] = [];
  const refused: TopicRow[] = [];
  for (const data of topics) {
    const topic = findTopic(image, data, byId);
    const exists = (index: number): boolean => topic?.partitions[index] !== undefined;
    const present = data.partitions.filter(({ partitionIndex }) => exists(partitionIndex));
    const absent = data.partitions.filter(({ partitionIndex }) => !exists(partitionIndex));
    if (topic !== undefined && (present.length > 0 || absent.length === 0)) {
      known.push({ name: topic.name, topicId: data.topicId, partitions: present });
    }
    if (absent.length === 0) continue;
    const errorCode = topic === undefined ? unknownTopic(byId) : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    const partitions = absent.map(({ partitionIndex }) => ({ partitionIndex, errorCode }));
    refused.push({ name: data.name, topicId: data.topicId, partitions });
  }
  return { known, refused };
}

function merge(asked: readonly TopicRequest[], rows: readonly TopicRow[], byId: boolean): TopicRow[] {
  const keyOf = (topic: TopicRow | TopicRequest): string => (byId ? topic.topicId : topic.name) ?? '';
  const codes = new Map<string, number>();
  for (const row of rows) {
    for (const { partitionIndex, errorCode } of row.partitions) codes.set(`${keyOf(row)} ${partitionIndex}`, errorCode);
  }
  return asked.map((topic) => ({
    name: topic.name,
    topicId: topic.topicId,
    partitions: topic.partitions.map(({ partitionIndex }) => ({
      partitionIndex,
      errorCode: codes.get(`${keyOf(topic)} ${partitionIndex}`) ?? ErrorCode.UNKNOWN_SERVER_ERROR,
    })),
  }));
}
