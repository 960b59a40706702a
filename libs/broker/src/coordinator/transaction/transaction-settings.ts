/**
 * The broker configs that transactions depend on, as typed values.
 *
 * Guarantees: plain values of one configuration; a change at run time is another configuration and other settings.
 */
import type { BrokerConfig } from '../../cluster/broker-config.js';
import type { TransactionRules } from './decide.js';

/** See the file comment. Times in milliseconds; the comment gives Kafka's name. */
export interface TransactionSettings extends TransactionRules {
  /** `transaction.state.log.num.partitions` */
  readonly topicPartitions: number;
  /** `transaction.state.log.load.buffer.size` */
  readonly loadBytes: number;
  /** `transaction.abort.timed.out.transaction.cleanup.interval.ms` */
  readonly timeoutCheckIntervalMs: number;
  /** `transaction.remove.expired.transaction.cleanup.interval.ms` */
  readonly expirationCheckIntervalMs: number;
  /** `transaction.partition.verification.enable` */
  readonly verifies: boolean;
}

/** The settings as the broker is configured now. */
export function transactionSettings(config: BrokerConfig): TransactionSettings {
  return {
    timeoutMaxMs: config.number('transaction.max.timeout.ms'),
    expirationMs: config.number('transactional.id.expiration.ms'),
    topicPartitions: config.number('transaction.state.log.num.partitions'),
    loadBytes: config.number('transaction.state.log.load.buffer.size'),
    timeoutCheckIntervalMs: config.number('transaction.abort.timed.out.transaction.cleanup.interval.ms'),
    expirationCheckIntervalMs: config.number('transaction.remove.expired.transaction.cleanup.interval.ms'),
    verifies: config.boolean('transaction.partition.verification.enable'),
  };
}
