/**
 * What reading one partition of a fetch gave.
 */
import type { TopicImage } from '../../cluster/image.js';
import type { Partition, ReadOutcome } from '../../replication/partition.js';
import type { FetchEntry } from './fetch-entry.js';

/** One partition of a fetch and the topic it belongs to at the moment. */
export interface FetchTarget {
  readonly entry: FetchEntry;
  readonly topic: TopicImage | undefined;
  readonly byId: boolean;
}

/** What one partition gave. */
export interface FetchResult {
  readonly target: FetchTarget;
  readonly partition: Partition | null;
  readonly errorCode: number;
  /** Null on every error. */
  readonly outcome: ReadOutcome | null;
  /** Where the reader's log and ours part (KIP-595). */
  readonly diverging: { readonly epoch: number; readonly endOffset: number } | null;
}
