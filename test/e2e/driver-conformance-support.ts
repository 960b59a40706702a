/**
 * What the conformance tests of drivers have in common: topics of their own, records in, records out, by the port alone.
 *
 * Guarantees that every client made here is closed by `close`, whatever the test did. Waits for conditions, never for times.
 */
import {
  type ConsumerProperties,
  type Driver,
  type DriverAdmin,
  type DriverConsumer,
  type DriverProducer,
  type DriverProducerRecord,
  type DriverRecord,
  type DriverRecords,
  type ProducerProperties,
  type RecordMetadata,
  type TopicPartition,
  kafkajsDriver,
  nativeDriver,
} from '@kafka-template/nestjs';
import { startTestBroker, type TestBroker, uniqueName } from '../support/broker.js';

const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** The drivers of the library. */
export const DRIVERS: readonly Driver[] = [nativeDriver(SILENT), kafkajsDriver({ log: SILENT })];

const DEADLINE_MS = 30_000;
const POLL_MS = 100;

/** A broker and the clients of one driver. */
export class DriverBench {
  readonly #closing: (() => Promise<void>)[] = [];

  private constructor(
    readonly driver: Driver,
    readonly broker: TestBroker,
    readonly admin: DriverAdmin,
    readonly producer: DriverProducer,
  ) {}

  static async start(driver: Driver): Promise<DriverBench> {
    const broker = await startTestBroker();
    const { bootstrapServers } = broker;
    return new DriverBench(
      driver,
      broker,
      driver.createAdmin({ bootstrapServers }),
      driver.createProducer({ bootstrapServers }),
    );
  }

  /** A new topic; returns its name once it can be written to. */
  async topic(partitions = 1): Promise<string> {
    const name = uniqueName('driver');
    await this.admin.createTopic({ name, partitions, replicas: 1 });
    const { bootstrapServers } = this.broker;
    const probe = this.driver.createConsumer({ bootstrapServers, groupId: uniqueName('probe') });
    const all = Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition }));
    await probe.endOffsets(all);
    await probe.close(2_000);
    return name;
  }

  /** A consumer that begins at the beginning; closed with the rest. */
  consumer(options: ConsumerProperties = {}): DriverConsumer {
    const consumer = this.driver.createConsumer({
      bootstrapServers: this.broker.bootstrapServers,
      groupId: uniqueName('group'),
      autoOffsetReset: 'earliest',
      enableAutoCommit: false,
      heartbeatIntervalMs: 100,
      fetchMaxWaitMs: 100,
      ...options,
    });
    this.#closing.push(() => consumer.close(3_000));
    return consumer;
  }

  /** Another producer; closed with the rest. */
  otherProducer(options: ProducerProperties): DriverProducer {
    const producer = this.driver.createProducer({ bootstrapServers: this.broker.bootstrapServers, ...options });
    this.#closing.push(() => producer.close(3_000));
    return producer;
  }

  /** Appends records and waits for all answers, in the order of the records. */
  send(records: readonly DriverProducerRecord[], producer = this.producer): Promise<RecordMetadata[]> {
    return Promise.all(records.map((record) => sendOne(producer, record)));
  }

  /** Sends values to partition 0. */
  async sendValues(topic: string, values: readonly string[], partition = 0): Promise<void> {
    await this.send(values.map((value) => ({ topic, partition, value })));
  }

  /** The offset a group has committed for partition 0. */
  async committed(groupId: string, topic: string, partition = 0): Promise<number | undefined> {
    const offsets = await this.admin.listConsumerGroupOffsets(groupId);
    return offsets.find((one) => one.topic === topic && one.partition === partition)?.offset;
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#closing.splice(0).map((close) => close()));
    await this.producer.close(5_000);
    await this.admin.close(5_000);
    await this.broker.close();
  }
}

/** The answer to one record. */
export function sendOne(producer: DriverProducer, record: DriverProducerRecord): Promise<RecordMetadata> {
  return new Promise((resolve, reject) => {
    producer.append(record, (error, metadata) =>
      metadata === null ? reject(error ?? new Error()) : resolve(metadata),
    );
  });
}

/** All records of a poll. */
export function recordsOf(records: DriverRecords): DriverRecord[] {
  return records.partitions().flatMap((partition) => [...records.records(partition)]);
}

/** The values of records as text. */
export function texts(records: readonly DriverRecord[]): string[] {
  return records.map(({ value }) => value?.toString() ?? 'null');
}

/** Polls consumers in turn until the condition holds; returns what each received. */
export async function pollAll(
  consumers: readonly DriverConsumer[],
  condition: (received: readonly DriverRecord[][]) => boolean | Promise<boolean>,
): Promise<DriverRecord[][]> {
  const received = consumers.map((): DriverRecord[] => []);
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await condition(received))) {
    if (Date.now() > deadline) throw new Error(`Polled in vain; received ${received.map((one) => one.length).join()}`);
    const polled = await Promise.all(consumers.map((consumer) => consumer.poll(POLL_MS)));
    polled.forEach((records, index) => received[index]?.push(...recordsOf(records)));
  }
  return received;
}

/** Polls one consumer until it has received that many records. */
export async function pollCount(consumer: DriverConsumer, count: number): Promise<DriverRecord[]> {
  const [received = []] = await pollAll([consumer], ([records = []]) => records.length >= count);
  return received;
}

/** Polls until the consumer has that many partitions. */
export async function pollAssigned(consumer: DriverConsumer, count: number): Promise<void> {
  await pollAll([consumer], () => consumer.assignment().length === count);
}

/** `topic-partition` without the unique topic: numbers only. */
export function numbers(partitions: readonly TopicPartition[]): number[] {
  return partitions.map(({ partition }) => partition).sort((left, right) => left - right);
}

/** The code of the error a promise is rejected with. */
export async function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  return promise.then(
    () => undefined,
    (error: { code?: string }) => error.code ?? 'an error without a code',
  );
}
