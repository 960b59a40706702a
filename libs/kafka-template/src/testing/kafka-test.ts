/**
 * A broker for the tests of an application, in their own process, and what they need to talk to it without sleeping.
 *
 * One per test run is enough; use different topics for different tests. `close` always returns and leaves nothing
 * running. With `bootstrapServers` the same tests run against any Kafka cluster, and no broker is started.
 */
import type { INestApplicationContext } from '@nestjs/common';
import { type Broker, type BrokerOptions, createBroker } from '@kafka-template/broker';
import type { Driver, DriverConsumer } from '../drivers/driver.js';
import { nativeDriver } from '../drivers/native/native.driver.js';
import { errorCodeOf } from '../errors.js';
import { systemClock } from '../io/clock.js';
import { silentLog } from '../io/log.js';
import { KafkaListenerEndpointRegistry } from '../listener/listener.registry.js';
import { ConsumerRecord } from '../record/consumer-record.js';
import { counted, milliseconds } from '../io/wording.js';
import { type RecordSerdes, type SerializerOptions, recordSerdes } from '../serde/record-serdes.js';

/** How a {@link KafkaTest} is started. */
export interface KafkaTestOptions {
  /** Topics and their numbers of partitions, created before `start` resolves. */
  readonly topics?: Readonly<Record<string, number>>;
  /** Options of the broker. Default: in memory, on a free port. */
  readonly broker?: BrokerOptions;
  /** A cluster that is there already; no broker is started. */
  readonly bootstrapServers?: string;
  /** How `take` reads keys and values. */
  readonly serializers?: SerializerOptions;
}

/** How many records to take, and for how long to wait for them. */
export interface TakeOptions {
  /** Default 1. */
  readonly count?: number;
  /** Default 5000. */
  readonly timeoutMs?: number;
}

/** A record as `take` returns it. */
export type TakenRecord = ConsumerRecord;

const DEFAULT_TIMEOUT_MS = 5000;
const CLOSE_TIMEOUT_MS = 500;
/** Longest single poll of `take`: it ends earlier when records arrive. */
const POLL_MS = 500;

interface Reader {
  readonly consumer: DriverConsumer;
  /** Records that were polled and not taken yet. */
  readonly waiting: ConsumerRecord[];
}

/** A broker for tests, and helpers. */
export class KafkaTest {
  /** `host:port`, for the options of KafkaModule. */
  readonly bootstrapServers: string;
  readonly #broker: Broker | undefined;
  readonly #driver: Driver = nativeDriver(silentLog);
  readonly #serdes: RecordSerdes;
  readonly #readers = new Map<string, Reader>();

  private constructor(
    bootstrapServers: string,
    broker: Broker | undefined,
    serializers: SerializerOptions | undefined,
  ) {
    this.bootstrapServers = bootstrapServers;
    this.#broker = broker;
    this.#serdes = recordSerdes(serializers);
  }

  /** Starts a broker, unless there is one, and creates the topics. */
  static async start(options: KafkaTestOptions = {}): Promise<KafkaTest> {
    const broker = options.bootstrapServers === undefined ? await createBroker(options.broker) : undefined;
    const bootstrapServers = options.bootstrapServers ?? broker?.bootstrapServers ?? '';
    const kafka = new KafkaTest(bootstrapServers, broker, options.serializers);
    try {
      await kafka.createTopics(options.topics ?? {});
    } catch (error) {
      await kafka.close();
      throw error;
    }
    return kafka;
  }

  /** Creates topics, given with their numbers of partitions. */
  async createTopics(topics: Readonly<Record<string, number>>): Promise<void> {
    const entries = Object.entries(topics);
    if (entries.length === 0) return;
    const admin = this.#driver.createAdmin({ bootstrapServers: this.bootstrapServers });
    try {
      for (const [name, partitions] of entries) await admin.createTopic({ name, partitions, replicas: 1 });
    } finally {
      await admin.close();
    }
  }

  /** Resolves when every listener that starts with the application has its partitions: what is sent now is received. */
  async ready(app: INestApplicationContext, timeoutMs: number = DEFAULT_TIMEOUT_MS): Promise<void> {
    const registry = app.get(KafkaListenerEndpointRegistry, { strict: false });
    const waiting = () => registry.all.filter(({ settings, isReady }) => settings.autoStartup && !isReady);
    await new Promise<void>((resolve, reject) => {
      const done = (error?: Error) => {
        timer.cancel();
        unsubscribe();
        if (error === undefined) resolve();
        else reject(error);
      };
      const timer = systemClock.setTimer(timeoutMs, () => {
        const ids = waiting().map((container) => describe(container.id, container.status().lastError));
        done(new Error(`After ${milliseconds(timeoutMs)} these listeners have no partitions yet: ${ids.join(', ')}`));
      });
      const unsubscribe = registry.onEvent(() => {
        if (waiting().length === 0) done();
      });
      if (waiting().length === 0) done();
    });
  }

  /**
   * The next `count` records of a topic: from its beginning at the first call, after those taken before at later ones.
   * Rejects with what has come when they are not there in time.
   */
  async take<K = unknown, V = unknown>(topic: string, options: TakeOptions = {}): Promise<ConsumerRecord<K, V>[]> {
    const { count = 1, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    const deadline = systemClock.now() + timeoutMs;
    const reader = await this.#reader(topic, timeoutMs);
    while (reader.waiting.length < count) {
      const left = deadline - systemClock.now();
      if (left <= 0) {
        const seen = reader.waiting.length;
        throw new Error(
          `Expected ${counted(count, 'record')} on ${topic} within ${milliseconds(timeoutMs)} and got ${seen}`,
        );
      }
      const polled = await reader.consumer.poll(Math.min(left, POLL_MS));
      for (const partition of polled.partitions()) {
        for (const record of polled.records(partition)) reader.waiting.push(new ConsumerRecord(record, this.#serdes));
      }
    }
    return reader.waiting.splice(0, count) as ConsumerRecord<K, V>[];
  }

  /** Stops everything, within a second or two. */
  async close(): Promise<void> {
    const readers = [...this.#readers.values()];
    this.#readers.clear();
    await Promise.all(readers.map((reader) => reader.consumer.close(CLOSE_TIMEOUT_MS)));
    await this.#broker?.close();
  }

  async #reader(topic: string, timeoutMs: number): Promise<Reader> {
    const known = this.#readers.get(topic);
    if (known !== undefined) return known;
    const consumer = this.#driver.createConsumer({
      bootstrapServers: this.bootstrapServers,
      autoOffsetReset: 'earliest',
      enableAutoCommit: false,
      defaultApiTimeoutMs: timeoutMs,
    });
    const reader: Reader = { consumer, waiting: [] };
    this.#readers.set(topic, reader);
    try {
      const partitions = await consumer.partitionsFor(topic);
      consumer.assign(partitions.map(({ partition }) => ({ topic, partition })));
      return reader;
    } catch (error) {
      this.#readers.delete(topic);
      await consumer.close(CLOSE_TIMEOUT_MS);
      if (errorCodeOf(error) !== 'TIMEOUT') throw error;
      throw new Error(`Topic ${topic} did not appear within ${milliseconds(timeoutMs)}`, { cause: error });
    }
  }
}

function describe(id: string, error: Error | undefined): string {
  return error === undefined ? id : `${id} (${error.message})`;
}
