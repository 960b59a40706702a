/**
 * The few broker configs that handlers ask for on every request, read once from their text.
 *
 * Only configs that Kafka calls read-only belong here; what can change while the broker runs is read where it is used.
 */
import type { BrokerConfig } from '../cluster/broker-config.js';

/** Sizes in bytes. */
export interface ApiSettings {
  /** `auto.create.topics.enable`. */
  readonly autoCreateTopicsEnable: boolean;
  /** `delete.topic.enable`. */
  readonly deleteTopicEnable: boolean;
  /** `fetch.max.bytes`: the most one fetch may ask for. */
  readonly fetchMaxBytes: number;
  /** `max.request.partition.size.limit`: the most partitions one DescribeTopicPartitions answer holds. */
  readonly describedPartitionsMax: number;
}

/** Reads the settings of a broker. */
export function readApiSettings(config: BrokerConfig): ApiSettings {
  return {
    autoCreateTopicsEnable: config.boolean('auto.create.topics.enable'),
    deleteTopicEnable: config.boolean('delete.topic.enable'),
    fetchMaxBytes: config.number('fetch.max.bytes'),
    describedPartitionsMax: config.number('max.request.partition.size.limit'),
  };
}
