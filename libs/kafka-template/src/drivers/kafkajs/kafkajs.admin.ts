/**
 * kafkajs' admin client behind the port: connects with the first call, one topic at a time, errors in Kafka's names.
 */
import type { DriverAdmin, DriverNewTopic, OffsetCommit, PartitionInfo, TopicDescription } from '../driver.js';
import { KafkaJsError, closedError, driverErrorOf } from './kafkajs.error.js';
import type { KafkaJsAdminClient } from './kafkajs.types.js';

/** Puts kafkajs' admin client behind the port. */
export class KafkaJsAdmin implements DriverAdmin {
  readonly #client: KafkaJsAdminClient;
  #connecting: Promise<void> | undefined;
  #isClosed = false;

  constructor(client: KafkaJsAdminClient) {
    this.#client = client;
  }

  listTopics(): Promise<string[]> {
    return this.#call('listing topics', (client) => client.listTopics());
  }

  async describeTopics(names: readonly string[]): Promise<TopicDescription[]> {
    // kafkajs' look-up would create a topic that is missing.
    const known = new Set(await this.listTopics());
    const topics = names.filter((name) => known.has(name));
    if (topics.length === 0) return [];
    const described = await this.#call('describing topics', (client) => client.fetchTopicMetadata({ topics }));
    return described.topics.map(({ name, partitions }) => ({ name, partitions: partitions.length }));
  }

  async createTopic({ name, partitions = -1, replicas = -1, configs = {} }: DriverNewTopic): Promise<void> {
    const configEntries = Object.entries(configs).map(([key, value]) => ({ name: key, value }));
    const topic = { topic: name, numPartitions: partitions, replicationFactor: replicas, configEntries };
    const isNew = await this.#call(`creating topic ${name}`, (client) => client.createTopics({ topics: [topic] }));
    if (!isNew) throw new KafkaJsError('TOPIC_ALREADY_EXISTS', `Topic ${name} already exists.`);
  }

  async createPartitions(topic: string, count: number): Promise<void> {
    await this.#call(`growing topic ${topic}`, (client) =>
      client.createPartitions({ topicPartitions: [{ topic, count }] }),
    );
  }

  async listConsumerGroupOffsets(groupId: string): Promise<OffsetCommit[]> {
    const committed = await this.#call(`reading the offsets of group ${groupId}`, (client) =>
      client.fetchOffsets({ groupId }),
    );
    return committed
      .flatMap(({ topic, partitions }) =>
        partitions.map(({ partition, offset }) => ({ topic, partition, offset: Number(offset) })),
      )
      .filter(({ offset }) => offset >= 0);
  }

  /** For the producer, whose own client cannot tell. */
  async partitionsFor(topic: string): Promise<PartitionInfo[]> {
    const { topics } = await this.#call(`looking up topic ${topic}`, (client) =>
      client.fetchTopicMetadata({ topics: [topic] }),
    );
    return topics.flatMap(({ partitions }) =>
      partitions.map(({ partitionId, leader }) => ({ topic, partition: partitionId, leader })),
    );
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#connecting !== undefined) await this.#client.disconnect();
  }

  async #call<T>(during: string, work: (client: KafkaJsAdminClient) => Promise<T>): Promise<T> {
    if (this.#isClosed) throw closedError('admin client');
    try {
      this.#connecting ??= this.#client.connect();
      await this.#connecting;
    } catch (error) {
      this.#connecting = undefined;
      throw driverErrorOf(error, 'connecting');
    }
    try {
      return await work(this.#client);
    } catch (error) {
      throw driverErrorOf(error, during);
    }
  }
}
