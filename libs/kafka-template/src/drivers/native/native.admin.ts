/**
 * The client's admin behind the port: one topic at a time, and errors thrown rather than listed.
 */
import type { Admin } from '@kafka-template/client';
import type { DriverAdmin, DriverNewTopic, OffsetCommit, TopicDescription } from '../driver.js';

/** Puts the client's admin behind the port. */
export class NativeAdmin implements DriverAdmin {
  readonly #admin: Admin;

  constructor(admin: Admin) {
    this.#admin = admin;
  }

  async listTopics(): Promise<string[]> {
    return (await this.#admin.listTopics()).map((topic) => topic.name);
  }

  async describeTopics(names: readonly string[]): Promise<TopicDescription[]> {
    const described: TopicDescription[] = [];
    for (const { name, error, partitions } of await this.#admin.describeTopics(names)) {
      if (error === null) described.push({ name, partitions: partitions.length });
      else if (error.code !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error;
    }
    return described;
  }

  async createTopic({ name, partitions, replicas, configs }: DriverNewTopic): Promise<void> {
    const [outcome] = await this.#admin.createTopics([
      { name, numPartitions: partitions, replicationFactor: replicas, configs },
    ]);
    if (outcome?.error != null) throw outcome.error;
  }

  async createPartitions(topic: string, count: number): Promise<void> {
    const [outcome] = await this.#admin.createPartitions([{ topic, totalCount: count }]);
    if (outcome?.error != null) throw outcome.error;
  }

  async listConsumerGroupOffsets(groupId: string): Promise<OffsetCommit[]> {
    const committed = await this.#admin.listConsumerGroupOffsets(groupId);
    return committed.flatMap(({ topic, partition, offset }) => (offset === null ? [] : [{ topic, partition, offset }]));
  }

  close(): Promise<void> {
    return this.#admin.close();
  }
}
