/**
 * Offsets that are asked of the partition leaders: beginning, end, by time. And where a partition without a commit begins.
 */
import type { OffsetCommit, TopicPartition } from '../driver.js';
import { partitionName } from '../driver.js';
import { driverErrorOf, KafkaJsError } from './kafkajs.error.js';
import type { KafkaJsCluster } from './kafkajs.types.js';

/** Looks offsets up through kafkajs' cluster. */
export class KafkaJsOffsets {
  readonly #cluster: KafkaJsCluster;

  constructor(cluster: KafkaJsCluster) {
    this.#cluster = cluster;
  }

  /** The first offsets there are. */
  beginning(partitions: readonly TopicPartition[]): Promise<OffsetCommit[]> {
    return this.#list(partitions, { fromBeginning: true });
  }

  /** The offsets the next records will get. */
  end(partitions: readonly TopicPartition[]): Promise<OffsetCommit[]> {
    return this.#list(partitions, { fromBeginning: false });
  }

  /** The first offset at or after a time; -1 when there is none. */
  atTime(partition: TopicPartition, timestamp: number): Promise<OffsetCommit[]> {
    return this.#list([partition], { fromTimestamp: timestamp });
  }

  /** Where reading begins by `policy`. Rejects with NO_OFFSET_FOR_PARTITION when that is `none`. */
  async reset(
    partitions: readonly TopicPartition[],
    policy: 'earliest' | 'latest' | 'none',
    reason: string,
  ): Promise<OffsetCommit[]> {
    if (partitions.length === 0) return [];
    if (policy !== 'none') return policy === 'earliest' ? this.beginning(partitions) : this.end(partitions);
    throw new KafkaJsError(
      'NO_OFFSET_FOR_PARTITION',
      `${reason} for ${partitions.map(partitionName).join(', ')}, and autoOffsetReset is "none". ` +
        'Commit an offset, or seek, or choose "earliest" or "latest".',
      { fatal: true },
    );
  }

  /** The partitions of a topic with their leaders. */
  async partitionsOf(topic: string): Promise<{ partitionId: number; leader: number }[]> {
    try {
      await this.#cluster.addMultipleTargetTopics([topic]);
      return this.#cluster.findTopicPartitionMetadata(topic);
    } catch (error) {
      throw driverErrorOf(error, `looking up topic ${topic}`);
    }
  }

  async #list(
    partitions: readonly TopicPartition[],
    from: { fromBeginning: boolean } | { fromTimestamp: number },
  ): Promise<OffsetCommit[]> {
    if (partitions.length === 0) return [];
    const topics = [...new Set(partitions.map(({ topic }) => topic))];
    try {
      await this.#cluster.addMultipleTargetTopics(topics);
      const found = await this.#cluster.fetchTopicsOffset(
        topics.map((topic) => ({
          topic,
          partitions: partitions.filter((one) => one.topic === topic).map(({ partition }) => ({ partition })),
          ...from,
        })),
      );
      return found.flatMap(({ topic, partitions: listed }) =>
        listed.map(({ partition, offset }) => ({ topic, partition, offset: Number(offset) })),
      );
    } catch (error) {
      throw driverErrorOf(error, 'looking up offsets');
    }
  }
}
