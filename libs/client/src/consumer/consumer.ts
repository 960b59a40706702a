/**
 * The interface of a consumer: what applications and drivers see of it.
 *
 * Guarantees that everything is driven by `poll`: joining a group, giving up and taking partitions, automatic commits.
 * Only heartbeats run by themselves. One `poll` at a time; every other method may be called while one is waiting.
 * A consumer that cannot go on says so: `poll` rejects with the reason.
 */
import type { PartitionInfo } from '../metadata/topic-info.js';
import type { ConsumerMetrics } from './consumer-metrics.js';
import type { ConsumerRecord } from './consumer-record.js';
import type { ConsumerRecords } from './consumer-records.js';
import type { CommittedOffset } from './offsets/committed-offsets.js';
import type { CommitCallback, OffsetCommit } from './offsets/commits.js';
import type { OffsetQuery } from './offsets/list-offsets.js';
import type { RebalanceListener } from './rebalance-listener.js';
import type { TopicPartition } from './topic-partition.js';

/** An end of a partition's log. */
export interface PartitionOffset extends TopicPartition {
  readonly offset: number;
}

/** The first record at or after a time. */
export interface OffsetForTime extends TopicPartition {
  /** Null when there is no such record (yet). */
  readonly offset: number | null;
  /** Of the record, in milliseconds since the epoch; -1 when there is none. */
  readonly timestamp: number;
  /** -1 when unknown. */
  readonly leaderEpoch: number;
}

/** A consumer's place in its group, for committing in transactions (KIP-447). */
export interface ConsumerGroupMetadata {
  readonly groupId: string;
  /** -1 while the consumer is no member. */
  readonly generationId: number;
  /** Empty while the consumer is no member. */
  readonly memberId: string;
  readonly groupInstanceId: string | null;
}

/** Reads records, as a member of a group or from chosen partitions. Made by `createConsumer`. */
export interface Consumer extends AsyncIterable<ConsumerRecord> {
  /**
   * Subscribes to topics, replacing an earlier subscription; the group shares out their partitions at the next `poll`.
   *
   * @param topics names, or a pattern that is matched (`test`) against all topics that are not internal, again after
   *   each refresh of the metadata
   * @throws KafkaError INVALID_ARGUMENT without a `groupId`, or while `assign` is in use
   */
  subscribe(topics: string | readonly string[] | RegExp, listener?: RebalanceListener): void;
  /**
   * Reads the given partitions, replacing earlier ones; no group shares anything out. With a `groupId` offsets are
   * fetched from it and can be committed to it.
   *
   * @throws KafkaError INVALID_ARGUMENT while `subscribe` is in use
   */
  assign(partitions: readonly TopicPartition[]): void;
  /** Leaves the group and gives up all partitions; the listener is awaited and an automatic commit made before. */
  unsubscribe(): Promise<void>;
  /** The topics subscribed to; for a pattern those that match now. */
  subscription(): string[];
  /** The partitions this consumer reads now. */
  assignment(): TopicPartition[];
  /**
   * Waits for records, up to `timeoutMs`, and takes part in the group meanwhile. Resolves with no records when the time
   * is over. Must be called again within `maxPollIntervalMs`.
   *
   * @throws KafkaError NO_OFFSET_FOR_PARTITION; WAKEUP; CLOSED; CORRUPT_MESSAGE; LISTENER_FAILED; or what the broker
   *   refused for good (authorisation, FENCED_INSTANCE_ID …)
   */
  poll(timeoutMs: number): Promise<ConsumerRecords>;
  /** Goes on at this offset with the next `poll`. Commits nothing. @throws KafkaError INVALID_ARGUMENT when not assigned */
  seek(partition: TopicPartition, offset: number): void;
  /** Goes on at the first offset of these (default: all assigned) partitions. */
  seekToBeginning(partitions?: readonly TopicPartition[]): void;
  /** Goes on behind the last record of these (default: all assigned) partitions. */
  seekToEnd(partitions?: readonly TopicPartition[]): void;
  /** Offset of the next record `poll` will return; looked up when it is not known yet. @throws KafkaError TIMEOUT */
  position(partition: TopicPartition): Promise<number>;
  /**
   * Records between the position and the end of the partition (`read_committed`: the last decided record), as of the last
   * fetch; null before it. Asks nobody. @throws KafkaError INVALID_ARGUMENT when not assigned
   */
  currentLag(partition: TopicPartition): number | null;
  /** What the consumer has done so far, in numbers. */
  metrics(): ConsumerMetrics;
  /**
   * `for await (const record of consumer)`: polls when the records of the poll before were all taken, so that the loop sets
   * the pace. The position is behind the record given last; a loop that is left by `break` or an error goes on there. Ends
   * when the consumer is closed; throws what `poll` throws. One loop at a time, and no `poll` beside it.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<ConsumerRecord>;
  /** What the group has committed, in the order of the partitions. @throws KafkaError INVALID_GROUP_ID without a group */
  committed(partitions: readonly TopicPartition[]): Promise<CommittedOffset[]>;
  /**
   * Commits the given offsets, or the positions of all assigned partitions (behind the records of the last `poll`), and
   * waits. Earlier asynchronous commits are finished first. What may pass is tried again for `defaultApiTimeoutMs`.
   *
   * @throws KafkaError COMMIT_FAILED when the partitions may belong to another member by now; REBALANCE_IN_PROGRESS
   *   (retriable after a `poll`); INVALID_GROUP_ID without a group; TIMEOUT
   */
  commitSync(offsets?: readonly OffsetCommit[]): Promise<void>;
  /**
   * Commits in the background. Never throws; the callback gets the outcome, in the order of the commits. Not tried
   * again, whatever fails: a later commit makes up for it. Without a callback failures are logged.
   */
  commitAsync(offsets?: readonly OffsetCommit[], callback?: CommitCallback): void;
  /** Returns no records of these partitions until `resume`; they stay assigned, also over a rebalance. */
  pause(partitions: readonly TopicPartition[]): void;
  /** Ends `pause`. */
  resume(partitions: readonly TopicPartition[]): void;
  /** The paused partitions. */
  paused(): TopicPartition[];
  /** The first offsets there are. @throws KafkaError TIMEOUT */
  beginningOffsets(partitions: readonly TopicPartition[]): Promise<PartitionOffset[]>;
  /** The offsets behind the last records (read_committed: behind the last decided ones). @throws KafkaError TIMEOUT */
  endOffsets(partitions: readonly TopicPartition[]): Promise<PartitionOffset[]>;
  /** The first records at or after the given times. @throws KafkaError TIMEOUT */
  offsetsForTimes(queries: readonly OffsetQuery[]): Promise<OffsetForTime[]>;
  /** The partitions of a topic. @throws KafkaError TIMEOUT when the topic does not appear */
  partitionsFor(topic: string): Promise<readonly PartitionInfo[]>;
  /** @throws KafkaError INVALID_GROUP_ID without a group */
  groupMetadata(): ConsumerGroupMetadata;
  /** Makes the `poll` that waits, or else the next one, reject with WAKEUP. Safe to call at any time. */
  wakeup(): void;
  /**
   * Ends in order: no more records; the listener is awaited; commits (if automatic) and waits for commits under way;
   * leaves the group (a static member does not); disconnects. A waiting `poll` rejects with CLOSED.
   *
   * @param timeoutMs limit for all of it, default 30000; then it disconnects without waiting any longer
   */
  close(timeoutMs?: number): Promise<void>;
  /** Whether `close` was called. */
  readonly closed: boolean;
}
