/**
 * The broker configs that the store of share group state depends on, as typed values.
 */
import type { BrokerConfig } from '../../../cluster/broker-config.js';

/** The comment gives Kafka's name. */
export interface ShareStateSettings {
  /** `share.coordinator.state.topic.num.partitions` */
  readonly topicPartitions: number;
  /** `share.coordinator.load.buffer.size` */
  readonly loadBytes: number;
  /** `share.coordinator.write.timeout.ms` */
  readonly writeTimeoutMs: number;
  /** `share.coordinator.snapshot.update.records.per.snapshot` */
  readonly updatesPerSnapshot: number;
  /** `share.coordinator.state.topic.prune.interval.ms` */
  readonly pruneIntervalMs: number;
}

/** The settings as the broker is configured now. */
export function shareStateSettings(config: BrokerConfig): ShareStateSettings {
  return {
    topicPartitions: config.number('share.coordinator.state.topic.num.partitions'),
    loadBytes: config.number('share.coordinator.load.buffer.size'),
    writeTimeoutMs: config.number('share.coordinator.write.timeout.ms'),
    updatesPerSnapshot: config.number('share.coordinator.snapshot.update.records.per.snapshot'),
    pruneIntervalMs: config.number('share.coordinator.state.topic.prune.interval.ms'),
  };
}
