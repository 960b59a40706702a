/**
 * One partition replica as the rest of the broker sees it. `LocalPartition` implements it on a log.
 * Guarantees: answers of `append` come in the order of the calls; nothing becomes readable before the operating system
 * has accepted it; buffers handed out by `read` are not written to before they are released.
 * Leaves out where the partition lives and who leads it: that is `partitions.ts` and the cluster image.
 */
import type { AppendOutcome } from '../log/append-outcome.js';
import type { BatchRules, RecordError } from '../log/batch-validation.js';
import type { ProducerBatch, ProducerEntry, Verification } from '../log/producer-state.js';
import type { TimestampOffset } from '../log/timestamp-lookup.js';

export type { AppendOutcome, BatchRules, ProducerEntry, RecordError, TimestampOffset, Verification };

/** Who appends, and under which promises. */
export interface AppendOptions extends BatchRules {
  readonly acks: -1 | 0 | 1;
  /** Kept for replication: how long `acks: -1` may wait for other replicas. */
  readonly timeoutMs: number;
}

/** What a reader wants. */
export interface ReadRequest {
  readonly fetchOffset: number;
  readonly maxBytes: number;
  /** Return the first batch even when it is larger than `maxBytes`, so that a reader is never stuck. */
  readonly minOneBatch: boolean;
  /** Stop at the last stable offset instead of the high watermark, and list aborted transactions. */
  readonly readCommitted: boolean;
}

/** A transaction whose records inside the returned range must be skipped. Sorted by `firstOffset`. */
export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

/** What a reader gets: whole batches, the first of which contains the fetch offset. */
export interface ReadOutcome {
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  /** Bytes to send one after the other; empty when there is nothing to read. Immutable until `release`. */
  readonly records: readonly Buffer[];
  readonly sizeBytes: number;
  /** More readable bytes follow these: a fetch that got less than its minimum must answer, not park. */
  readonly hasMore: boolean;
  /** Null unless `readCommitted`. */
  readonly abortedTransactions: readonly AbortedTransaction[] | null;
  /**
   * Says that nobody looks at `records` any more (the socket has taken them), so that their memory can be used again.
   * Calling it is optional: what is not released is left to the garbage collector. Only the first call counts.
   */
  release(): void;
}

/** How a transaction ended, as its coordinator says it. */
export interface EndMarker {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly committed: boolean;
  readonly coordinatorEpoch: number;
  /** Version of transactions: from 2 on every end has an epoch of its own. */
  readonly transactionVersion: number;
}

/** Where an epoch ends in this log; both -1 when the log knows nothing about it (KIP-101, KIP-279). */
export interface EpochEndOffset {
  readonly leaderEpoch: number;
  readonly endOffset: number;
}

/** See the file comment. Offsets are numbers below 2^53. */
export interface Partition {
  readonly topic: string;
  readonly partition: number;
  /** Kafka's 22 character form. */
  readonly topicId: string;
  /** Epoch stamped on new batches. */
  readonly leaderEpoch: number;
  /** First offset that may be read. */
  readonly logStartOffset: number;
  /** Offset after the last record the operating system accepted. */
  readonly logEndOffset: number;
  /** Offset up to which (not including) records are visible. */
  readonly highWatermark: number;
  /** Offset up to which no transaction is undecided; what `read_committed` sees. Never above the high watermark. */
  readonly lastStableOffset: number;
  /**
   * False after a disk error: appends and reads answer KAFKA_STORAGE_ERROR until the broker is restarted. A disk that is
   * full is none: appends answer KAFKA_STORAGE_ERROR until there is room again, reads go on.
   */
  readonly isOnline: boolean;
  /** Bytes of the log on disk. */
  readonly sizeBytes: number;
  /** Bytes made visible below the high watermark since this replica was opened; only ever grows. */
  readonly visibleBytes: number;
  /** The same for the last stable offset; grows by at least the bytes that became stable. */
  readonly stableBytes: number;

  /**
   * Appends one batch. `done` is called exactly once: at once on a refusal (possibly before `append` returns), else
   * after the operating system accepted the write, in the order of the appends. `records` may be reused on return.
   */
  append(records: Buffer, options: AppendOptions, done: (outcome: AppendOutcome) => void): void;
  /**
   * Before the first batch of a transaction: what `append` has to be given as `verification` once the coordinator has
   * confirmed that the partition belongs to it (KIP-890). Null when the transaction is open here already.
   */
  beginVerification(batch: Pick<ProducerBatch, 'producerId' | 'epoch' | 'baseSequence'>): Verification | null;
  /** Appends the control batch that ends a transaction here. `done` is called as by `append`. */
  appendMarker(marker: EndMarker, timeoutMs: number, done: (outcome: AppendOutcome) => void): void;
  /** The producers this partition remembers, with their open transactions (DescribeProducers). */
  producers(): Iterable<Readonly<ProducerEntry>>;
  /** Reads whole batches; synchronous when the offset is still in memory. Never rejects: errors are in the outcome. */
  read(request: ReadRequest): ReadOutcome | Promise<ReadOutcome>;
  /** First record with a timestamp of at least `timestamp` below the high watermark; null when there is none. */
  offsetForTimestamp(timestamp: number): Promise<TimestampOffset | null>;
  /** The first record that carries the largest timestamp (ListOffsets -3); null for an empty log. */
  offsetOfMaxTimestamp(): Promise<TimestampOffset | null>;
  /** Largest known epoch not above `epoch`, and the offset where it ends (OffsetForLeaderEpoch). */
  epochEndOffset(epoch: number): EpochEndOffset;
  /** Moves the log start forward; `offset` -1 means the high watermark. Resolves with Kafka's error code. */
  deleteRecordsBefore(offset: number): Promise<number>;
  /** From now on new batches carry `leaderEpoch`; remembered even before the first of them. Lower epochs are ignored. */
  becomeLeader(leaderEpoch: number): void;
}
