/**
 * What end-to-end tests of consumers have in common: topics of their own, records in, records out.
 *
 * Guarantees that everything made here is closed by `close`, whatever the test did. Waits for conditions, never for times.
 */
import {
  type Admin,
  type Consumer,
  type ConsumerOptions,
  type ConsumerRecord,
  type ConsumerRecords,
  createAdmin,
  createConsumer,
  createProducer,
  type KafkaError,
  OffsetSpec,
  type Producer,
  type ProducerRecord,
  silentLogger,
} from '@kafka-template/client';
import { startTestBroker, type TestBroker, uniqueName } from './broker.js';

/** How long a test may wait for records. */
const DEADLINE_MS = 60_000;
/** How long one poll waits: short, so that conditions are looked at often. */
const POLL_MS = 100;

/** A broker and the clients of one spec file. */
export class Consuming {
  private readonly consumers: Consumer[] = [];

  private constructor(
    readonly broker: TestBroker,
    readonly producer: Producer,
    readonly admin: Admin,
  ) {}

  /** Starts the broker, or takes the external one. */
  static async start(): Promise<Consuming> {
    const broker = await startTestBroker();
    const { bootstrapServers } = broker;
    const producer = createProducer({ bootstrapServers, logger: silentLogger });
    return new Consuming(broker, producer, createAdmin({ bootstrapServers, logger: silentLogger }));
  }

  /** A new topic; returns its name. */
  async topic(partitions = 1, name = uniqueName('topic')): Promise<string> {
    const [outcome] = await this.admin.createTopics([{ name, numPartitions: partitions, replicationFactor: 1 }]);
    if (outcome?.error != null) throw outcome.error;
    // Metadata names the leader a moment before it leads, and what is sent with acks=0 in that moment is lost.
    const ends = Array.from({ length: partitions }, (_, partition) => ({
      topic: name,
      partition,
      timestamp: OffsetSpec.LATEST,
    }));
    for (const { error } of await this.admin.listOffsets(ends)) if (error !== null) throw error;
    return name;
  }

  /** The level a feature of the cluster is switched to; 0 when it is off or unknown. */
  async featureLevel(name: string): Promise<number> {
    return (await this.admin.describeFeatures()).find((each) => each.name === name)?.level ?? 0;
  }

  /** A consumer; closed with the rest. */
  consumer(options: Partial<ConsumerOptions> = {}): Consumer {
    const { bootstrapServers } = this.broker;
    const quick = { fetchMaxWaitMs: 100, heartbeatIntervalMs: 100 };
    const consumer = createConsumer({ bootstrapServers, logger: silentLogger, ...quick, ...options });
    this.consumers.push(consumer);
    return consumer;
  }

  /** Sends values to one partition and waits for the acknowledgements. */
  async send(topic: string, values: readonly string[], partition = 0): Promise<void> {
    await this.sendRecords(values.map((value) => ({ topic, partition, key: value, value })));
  }

  /** Sends records and waits for the acknowledgements. */
  async sendRecords(records: readonly ProducerRecord[]): Promise<void> {
    await Promise.all(records.map((record) => this.producer.send(record)));
  }

  /** Closes consumers, producer, admin and broker. */
  async close(): Promise<void> {
    await Promise.allSettled(this.consumers.map((consumer) => consumer.close(5_000)));
    await this.producer.close();
    await this.admin.close();
    await this.broker.close();
  }
}

/** Values `prefix0` … */
export function values(prefix: string, count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${from + index}`);
}

/** The value of a record as text. */
export function valueOf(record: ConsumerRecord): string {
  return record.value?.toString() ?? 'null';
}

/** Polls until the condition holds; returns the values of everything that came meanwhile. */
export async function pollUntil(
  consumer: Consumer,
  condition: (received: readonly string[]) => boolean | Promise<boolean>,
  onRecords?: (records: ConsumerRecords) => void | Promise<void>,
): Promise<string[]> {
  const received: string[] = [];
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await condition(received))) {
    if (Date.now() > deadline)
      throw new Error(`Polled in vain; received ${received.length}: ${received.slice(-5).join()}`);
    const records = await consumer.poll(POLL_MS);
    for (const record of records) received.push(valueOf(record));
    if (!records.isEmpty) await onRecords?.(records);
  }
  return received;
}

/** Polls until that many records have come. */
export function pollCount(consumer: Consumer, count: number): Promise<string[]> {
  return pollUntil(consumer, (received) => received.length >= count);
}

/** Polls until partitions are assigned. */
export async function pollAssigned(consumer: Consumer, count = 1): Promise<void> {
  await pollUntil(consumer, () => consumer.assignment().length === count);
}

/** Polls several consumers in turn until the condition holds; returns what each received. */
export async function pollAll(
  consumers: readonly Consumer[],
  condition: (received: readonly string[][]) => boolean,
): Promise<string[][]> {
  const received: string[][] = consumers.map(() => []);
  const deadline = Date.now() + DEADLINE_MS;
  while (!condition(received)) {
    if (Date.now() > deadline)
      throw new Error(`Polled in vain; received ${received.map((each) => each.length).join()}`);
    const results = await Promise.all(consumers.map((consumer) => consumer.poll(POLL_MS)));
    results.forEach((records, index) => {
      for (const record of records) received[index]?.push(valueOf(record));
    });
  }
  return received;
}

/** The error a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<KafkaError> {
  return promise.then(
    () => {
      throw new Error('was to be rejected, and was not');
    },
    (error: KafkaError) => error,
  );
}
