/**
 * A driver without a broker: topics, groups and answers in memory, every call written down, failures on request.
 *
 * For specs of containers, templates and of applications that want no broker at all. Behaves like Kafka where
 * containers can tell the difference: positions, seeks, pauses, committed offsets per group, callbacks inside `poll`.
 * Leaves out what they cannot: sharing out partitions among members is done by the test, with `assign` and `revoke`.
 */
import { ALL_CAPABILITIES, type DriverCapability } from '../drivers/driver-capabilities.js';
import type { AdminProperties, ConsumerProperties, ProducerProperties } from '../drivers/driver-options.js';
import { partitionName } from '../drivers/driver.js';
import type {
  ConsumerGroupMetadata,
  Driver,
  DriverAdmin,
  DriverError,
  DriverNewTopic,
  DriverProducer,
  DriverProducerRecord,
  OffsetCommit,
  SendCallback,
  TopicPartition,
} from '../drivers/driver.js';
import type { Clock } from '../io/clock.js';
import { ClusterFake, driverError, partitionsOf } from './cluster-fake.js';
import { ConsumerFake } from './consumer-fake.js';

/** A driver for specs. */
export class DriverFake implements Driver {
  readonly name = 'fake';
  /** Everything; a spec may take something away. */
  readonly capabilities: Record<DriverCapability, boolean> = { ...ALL_CAPABILITIES };
  /** The memory that its clients share. */
  readonly cluster = new ClusterFake();
  /** The consumers made so far, in order. */
  readonly consumers: ConsumerFake[] = [];
  /** The producers made so far, in order. */
  readonly producers: ProducerFake[] = [];
  /** What happened on all clients, in order: `producer.close`, `orders-0.commitSync ...`. */
  readonly calls: string[] = [];
  /** Thrown by the next call of a `create` method. */
  createError: DriverError | undefined;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  createProducer(options: ProducerProperties): ProducerFake {
    this.#refuse();
    const producer = new ProducerFake(this.cluster, this.calls, options);
    this.producers.push(producer);
    return producer;
  }

  createConsumer(options: ConsumerProperties): ConsumerFake {
    this.#refuse();
    const consumer = new ConsumerFake({ cluster: this.cluster, clock: this.#clock, calls: this.calls, options });
    this.consumers.push(consumer);
    return consumer;
  }

  createAdmin(options: AdminProperties): AdminFake {
    this.#refuse();
    return new AdminFake(this.cluster, this.calls, options);
  }

  #refuse(): void {
    const error = this.createError;
    this.createError = undefined;
    if (error !== undefined) throw error;
  }
}

/** A producer that answers at once, or when told to. */
export class ProducerFake implements DriverProducer {
  /** Everything that was appended. */
  readonly appended: DriverProducerRecord[] = [];
  /** Whether records are acknowledged by themselves. Default true. */
  isAutomatic = true;
  /** The error the next records get; undefined: they succeed. */
  error: Error | undefined;
  /** Whether `close` was called. */
  isClosed = false;
  /** What the next commit of a transaction is rejected with. */
  commitError: Error | undefined;
  #offsets: { readonly group: string; readonly offsets: readonly OffsetCommit[] } = { group: '', offsets: [] };
  readonly #waiting: { readonly record: DriverProducerRecord; readonly callback: SendCallback }[] = [];

  constructor(
    private readonly cluster: ClusterFake,
    private readonly calls: string[],
    readonly options: ProducerProperties,
  ) {}

  append(record: DriverProducerRecord, callback: SendCallback): void {
    this.appended.push(record);
    this.#waiting.push({ record, callback });
    if (this.isAutomatic) queueMicrotask(() => this.acknowledge());
  }

  /** Answers the oldest record that waits. */
  acknowledge(): void {
    const next = this.#waiting.shift();
    if (next === undefined) return;
    if (this.error !== undefined) {
      next.callback(this.error, null);
      return;
    }
    const partition = next.record.partition ?? 0;
    const offset = this.cluster.append({ ...next.record, partition });
    const sizes = { serializedKeySize: size(next.record.key), serializedValueSize: size(next.record.value) };
    next.callback(null, { topic: next.record.topic, partition, offset, timestamp: 0, ...sizes });
  }

  async initTransactions(): Promise<void> {
    this.calls.push(`${this.options.transactionalId ?? ''}.initTransactions`);
  }

  beginTransaction(): void {
    this.#note('begin');
  }

  async sendOffsetsToTransaction(offsets: readonly OffsetCommit[], group: ConsumerGroupMetadata): Promise<void> {
    this.#note(`offsets ${offsets.map((offset) => `${partitionName(offset)}@${offset.offset}`).join()}`);
    this.#offsets = { group: group.groupId, offsets };
  }

  /** Rejects with `commitError` when it is set. The offsets of the transaction then are as if they had not been sent. */
  async commitTransaction(): Promise<void> {
    await this.flush();
    this.#note('commit');
    const { commitError } = this;
    this.commitError = undefined;
    if (commitError !== undefined) throw commitError;
    const known = this.cluster.offsetsOf(this.#offsets.group);
    for (const offset of this.#offsets.offsets) known.set(partitionName(offset), offset);
  }

  async abortTransaction(): Promise<void> {
    this.#note('abort');
  }

  #note(call: string): void {
    if (call !== 'commit') this.#offsets = { group: '', offsets: [] };
    this.calls.push(`${this.options.transactionalId ?? ''}.${call}`);
  }

  async flush(): Promise<void> {
    while (this.#waiting.length > 0) this.acknowledge();
  }

  async close(): Promise<void> {
    await this.flush();
    this.isClosed = true;
    this.calls.push('producer.close');
  }

  async partitionsFor(topic: string): Promise<TopicPartition[]> {
    return partitionsOf(this.cluster, topic);
  }
}

/** An admin client on the same memory. */
export class AdminFake implements DriverAdmin {
  /** Rejected by the next calls, one each. */
  readonly errors: Error[] = [];

  constructor(
    private readonly cluster: ClusterFake,
    private readonly calls: string[],
    readonly options: AdminProperties,
  ) {}

  async listTopics(): Promise<string[]> {
    this.#fail();
    return [...this.cluster.topics.keys()];
  }

  async describeTopics(names: readonly string[]): Promise<{ name: string; partitions: number }[]> {
    this.#fail();
    return names.flatMap((name) => {
      const partitions = this.cluster.topics.get(name);
      return partitions === undefined ? [] : [{ name, partitions }];
    });
  }

  async createTopic(topic: DriverNewTopic): Promise<void> {
    this.#fail();
    this.calls.push(`admin.createTopic ${topic.name} ${topic.partitions ?? 'default'}`);
    if (this.cluster.topics.has(topic.name)) throw driverError('TOPIC_ALREADY_EXISTS');
    this.cluster.createTopic(topic.name, topic.partitions ?? 1);
  }

  async createPartitions(topic: string, count: number): Promise<void> {
    this.#fail();
    this.calls.push(`admin.createPartitions ${topic} ${count}`);
    this.cluster.createTopic(topic, count);
  }

  async listConsumerGroupOffsets(groupId: string): Promise<OffsetCommit[]> {
    return [...this.cluster.offsetsOf(groupId).values()];
  }

  async close(): Promise<void> {
    this.calls.push('admin.close');
  }

  #fail(): void {
    const error = this.errors.shift();
    if (error !== undefined) throw error;
  }
}

function size(data: Buffer | string | null | undefined): number {
  return data == null ? -1 : Buffer.byteLength(data);
}
