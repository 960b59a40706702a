/**
 * The contract of a commit rule: told what happened, it answers which offsets may be committed now.
 *
 * A strategy holds counters and positions, never a consumer: committing is the container's business. Offsets it returns
 * are those of the next record to read. It never returns an offset twice, nor one behind an earlier one of the same
 * partition, nor one past a record that has failed. `undefined` means nothing to commit now.
 */
import type { OffsetCommit, TopicPartition } from '../drivers/driver.js';

/** A record as far as committing is concerned. */
export interface RecordRef extends TopicPartition {
  /** Of the record itself. */
  readonly offset: number;
  /** Which assignment of its partition the record came with: an acknowledgement after a revocation is void. */
  readonly epoch?: number;
}

/** Offsets to commit, at most one per partition. */
export type Offsets = readonly OffsetCommit[];

/** Decides which offsets may be committed now. `now` is epoch milliseconds. */
export interface CommitStrategy {
  /** Whether only `onAcknowledged` makes a record eligible; listeners then get an Acknowledgment. */
  readonly manual: boolean;
  /** The listener has finished one record. */
  onProcessed(record: RecordRef, now: number): Offsets | undefined;
  /** A batch listener has finished these records, in order. */
  onBatchProcessed(records: readonly RecordRef[], now: number): Offsets | undefined;
  /** All records of a poll have been handled; `count` is how many there were, 0 for an empty poll. */
  onPollDone(count: number, now: number): Offsets | undefined;
  /** The listener has acknowledged this record, and with it all earlier ones of its partition. */
  onAcknowledged(record: RecordRef, now: number): Offsets | undefined;
  /** This record has failed. Returns what was earned before it: that is committed before the error is handled. */
  onFailed(record: RecordRef): Offsets | undefined;
  /** Partitions are being taken away, or the container stops. Returns what they have earned and forgets them. */
  onRevoked(partitions: readonly TopicPartition[]): Offsets | undefined;
  /** The position of a partition was moved by hand: what it had earned is void, and it may go back. */
  onSeek(partition: TopicPartition): void;
  /** Hands out everything earned so far, whatever the rule says. Absent: nothing is ever waiting. */
  onFlush?(now: number): Offsets | undefined;
  /**
   * The listener commits offsets of its own choice. Returns those that lead on; none behind them is handed out after that.
   * Absent: all of them are fine.
   */
  onChosen?(offsets: Offsets): Offsets;
}
