/**
 * What an application is told about the partitions it gets and gives up.
 *
 * Guarantees that every call is awaited: partitions are not given to another member before `onPartitionsRevoked` has
 * finished, and no record of a partition is returned before `onPartitionsAssigned` has. All calls happen inside
 * `poll`, `unsubscribe` or `close`, never at the same time.
 */
import type { TopicPartition } from './topic-partition.js';

/**
 * The calls of a rebalance. A listener that throws fails the `poll` it ran in (LISTENER_FAILED); the rebalance goes on.
 * A listener may seek, pause and commit; it must not await `poll`, `unsubscribe` or `close`, which wait for it.
 */
export interface RebalanceListener {
  /** New partitions were assigned (possibly none). The place to `seek`. */
  onPartitionsAssigned?(partitions: TopicPartition[]): void | Promise<void>;
  /** These partitions are about to be given up and are still owned: the place to finish work and to commit. Never empty. */
  onPartitionsRevoked?(partitions: TopicPartition[]): void | Promise<void>;
  /**
   * These partitions are gone already, because the group has gone on without this member: nothing can be committed.
   * Without this method `onPartitionsRevoked` is called instead, as in Java. Never empty.
   */
  onPartitionsLost?(partitions: TopicPartition[]): void | Promise<void>;
}
