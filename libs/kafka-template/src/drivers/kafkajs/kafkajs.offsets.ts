/**
 * Offsets that are asked of the partition leaders: beginning, end, by time. And where a partition without a commit begins.
 */
import type { Clock } from '../../io/clock.js';
import type { OffsetCommit, TopicPartition } from '../driver.js';
import { partitionName } from '../driver.js';
import { driverErrorOf, KafkaJsError } from './kafkajs.error.js';
import type { KafkaJsCluster } from './kafkajs.types.js';

/** How long a look-up is tried again, as when a leader moves or a topic is new. Times in milliseconds. */
export interface LookupLimits {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly retryBackoffMs: number;
}

/** Looks offsets up through kafkajs' cluster. */
export class KafkaJsOffsets {
  readonly #cluster: KafkaJsCluster;
  readonly #limits: LookupLimits;

  constructor(cluster: KafkaJsCluster, limits: LookupLimits) {
    this.#cluster = cluster;
    this.#limits = limits;
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

  async #list(partitions: readonly TopicPartition[], from: ListFrom): Promise<OffsetCommit[]> {
    if (partitions.length === 0) return [];
    const { clock, timeoutMs, retryBackoffMs } = this.#limits;
    const deadlineMs = clock.now() + timeoutMs;
    for (;;) {
      try {
        return await this.#listOnce(partitions, from);
      } catch (thrown) {
        const error = driverErrorOf(thrown, 'looking up offsets');
        if (!error.retriable || clock.now() + retryBackoffMs > deadlineMs) throw error;
        await new Promise<void>((resolve) => clock.setTimer(retryBackoffMs, resolve));
        // Another broker may lead now. If that cannot be found out, the next attempt says so.
        await this.#cluster.refreshMetadata().catch(() => undefined);
      }
    }
  }

  async #listOnce(partitions: readonly TopicPartition[], from: ListFrom): Promise<OffsetCommit[]> {
    const topics = [...new Set(partitions.map(({ topic }) => topic))];
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
  }
}

type ListFrom = { readonly fromBeginning: boolean } | { readonly fromTimestamp: number };
