/**
 * OffsetDelete: v0.
 *
 * Forgets committed offsets of a group. Partitions of topics that members read answer GROUP_SUBSCRIBED_TO_TOPIC, topics
 * that do not exist UNKNOWN_TOPIC_OR_PARTITION; an error of the group itself stands alone.
 */
import { ErrorCode, OffsetDelete } from '@kafka-template/protocol';
import { handler } from '../handler.js';

/** See the head of this file. */
export const offsetDelete = handler(OffsetDelete, { versions: [0, 0] }, async (request, { broker }) => {
  const { image } = broker.controller;
  const exists = (name: string, index: number): boolean => image.topic(name)?.partitions[index] !== undefined;
  const known = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.filter(({ partitionIndex }) => exists(name, partitionIndex)),
  }));
  const answer = await broker.groups.deleteOffsets({
    ...request,
    topics: known.filter(({ partitions }) => partitions.length > 0),
  });
  if (answer.errorCode !== ErrorCode.NONE) return answer;
  const unknown = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions
      .filter(({ partitionIndex }) => !exists(name, partitionIndex))
      .map(({ partitionIndex }) => ({ partitionIndex, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION })),
  }));
  return { ...answer, topics: [...answer.topics, ...unknown.filter(({ partitions }) => partitions.length > 0)] };
});
