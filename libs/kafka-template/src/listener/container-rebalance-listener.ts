/**
 * What an application may do when partitions come and go: option `rebalanceListener` of a listener.
 *
 * Awaited by the consumer, inside its poll: what they do delays the rebalance. What they throw is logged and changes nothing.
 */
import type { TopicPartition } from '../drivers/driver.js';
import type { Consumer } from './consumer.js';

/** Spring's ConsumerAwareRebalanceListener. All may be async. */
export interface ContainerRebalanceListener {
  /** The partitions go, and what they have earned is not committed yet. */
  onPartitionsRevokedBeforeCommit?(partitions: readonly TopicPartition[], consumer: Consumer): unknown;
  /** The partitions go; what they have earned is committed. */
  onPartitionsRevokedAfterCommit?(partitions: readonly TopicPartition[], consumer: Consumer): unknown;
  /** The partitions belong to someone else already; nothing can be committed. */
  onPartitionsLost?(partitions: readonly TopicPartition[], consumer: Consumer): unknown;
  /** The partitions have come. */
  onPartitionsAssigned?(partitions: readonly TopicPartition[], consumer: Consumer): unknown;
}
