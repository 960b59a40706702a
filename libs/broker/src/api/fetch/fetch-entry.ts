/**
 * What a fetch wants of one partition, from the request itself or remembered by its session.
 */
import type { FetchRequest } from '@kafka-template/protocol';

/** Offset, limits and epochs as the request has them. */
export type FetchPartition = FetchRequest['topics'][number]['partitions'][number];

/** A partition by name or by id, whichever the version has. */
export interface FetchEntry {
  readonly topic: string;
  readonly topicId: string;
  readonly data: FetchPartition;
}

/** The partitions a request names, in its order. */
export function entriesOf(request: FetchRequest): FetchEntry[] {
  return request.topics.flatMap(({ topic, topicId, partitions }) =>
    partitions.map((data) => ({ topic, topicId, data })),
  );
}
