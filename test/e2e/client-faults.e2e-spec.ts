/**
 * The client through a proxy that breaks things: nothing acknowledged is lost, nothing is there twice, the order stays.
 *
 * Runs on the embedded broker and on Apache Kafka alike. Every run follows from its seed as far as the proxy goes;
 * CLIENT_FAULT_SEEDS=50 makes more of them.
 */
import {
  type Consumer,
  createConsumer,
  createProducer,
  KafkaError,
  type Producer,
  type RecordMetadata,
  silentLogger,
} from '@kafka-template/client';
import { uniqueName } from '../support/broker.js';
import { Consuming, pollCount, valueOf, values } from '../support/consuming.js';
import { type Fault, FaultProxy } from '../support/fault-proxy.js';
import { until } from '../support/until.js';

const PARTITIONS = 3;
const RECORDS = 900;
/** Records of a partition that are written before the consumers are waited for. */
const WAVE = 30;
const FAULTS_MIN = 4;
const SEEDS = Number(process.env.CLIENT_FAULT_SEEDS ?? 1);
/** Quick to try again: faults come often here. */
const QUICK = { retryBackoffMs: 5, retryBackoffMaxMs: 30, reconnectBackoffMs: 1, reconnectBackoffMaxMs: 30 };
const RUNS = (['latency', 'cut requests', 'cut answers', 'drop answers', 'close slowly', 'any'] as const).flatMap(
  (fault) => Array.from({ length: SEEDS }, (_, seed): [Fault, number] => [fault, seed + 1]),
);

let kafka: Consuming;
let proxy: FaultProxy | undefined;
const closing: (Producer | Consumer)[] = [];

beforeAll(async () => {
  kafka = await Consuming.start();
});

afterEach(async () => {
  proxy?.calm();
  await Promise.allSettled(closing.splice(0).map((client) => client.close(10_000)));
  await proxy?.close();
  proxy = undefined;
});

afterAll(async () => {
  await kafka.close();
});

async function startProxy(fault: Fault, seed: number): Promise<FaultProxy> {
  proxy = await FaultProxy.start(kafka.broker.bootstrapServers, fault, seed);
  return proxy;
}

/** Everything in the topic, by partition, read without the proxy. */
async function readAll(topic: string, count: number, isolationLevel?: 'read_committed'): Promise<string[][]> {
  const consumer = kafka.consumer({ autoOffsetReset: 'earliest', ...(isolationLevel ? { isolationLevel } : {}) });
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }));
  consumer.assign(partitions);
  const read: string[][] = partitions.map(() => []);
  const positions = async (): Promise<number[]> => Promise.all(partitions.map((each) => consumer.position(each)));
  const ends = await consumer.endOffsets(partitions);
  await until(async () => {
    for (const record of await consumer.poll(100)) read[record.partition]?.push(valueOf(record));
    return (await positions()).every((position, at) => position >= (ends[at]?.offset ?? 0));
  }, `${topic} was read to its end (${count} records are expected)`);
  await consumer.close();
  return read;
}

/** Those of all values that belong to each partition, in order. */
function byPartition(all: readonly string[]): string[][] {
  return Array.from({ length: PARTITIONS }, (_, partition) =>
    all.filter((_value, at) => at % PARTITIONS === partition),
  );
}

describe('an idempotent producer', () => {
  it.each(RUNS)(
    'through "%s" (seed %i) loses and doubles nothing, and keeps the order of five in flight',
    async (fault, seed) => {
      const topic = await kafka.topic(PARTITIONS);
      const { io } = await startProxy(fault, seed);
      const { bootstrapServers } = kafka.broker;
      const producer = createProducer({ bootstrapServers, logger: silentLogger, batchSize: 100, ...QUICK }, io);
      closing.push(producer);
      const all = values('v', RECORDS);
      const sent: Promise<RecordMetadata>[] = [];
      for (const [at, value] of all.entries()) {
        sent.push(producer.send({ topic, partition: at % PARTITIONS, value }));
        // In waves, so that there are many requests to break.
        if (at % 60 === 0) await sent[at];
      }
      const metadata = await Promise.all(sent);
      const read = await readAll(topic, RECORDS);
      expect(read).toEqual(byPartition(all));
      expect(metadata.map(({ partition, offset }) => read[partition]?.[offset])).toEqual(all);
      expect(proxy?.mostInFlight).toBeLessThanOrEqual(5);
      if (fault === 'latency') expect(proxy?.mostInFlight).toBe(5);
      else if (fault !== 'any') expect(proxy?.faults).toBeGreaterThanOrEqual(FAULTS_MIN);
    },
  );
});

describe('a transactional producer', () => {
  it.each(RUNS.filter(([fault]) => fault !== 'latency'))(
    'through "%s" (seed %i) commits what it commits once, and nothing that it aborts',
    async (fault, seed) => {
      const topic = await kafka.topic(PARTITIONS);
      const { io } = await startProxy(fault, seed);
      const { bootstrapServers } = kafka.broker;
      const transactionalId = uniqueName('faults');
      const producer = createProducer({ bootstrapServers, logger: silentLogger, transactionalId, ...QUICK }, io);
      closing.push(producer);
      await producer.initTransactions();
      const committed: string[] = [];
      for (let round = 0; round < 30; round++) {
        producer.beginTransaction();
        const isKept = round % 3 !== 2;
        const part = values(isKept ? 'kept' : 'dropped', PARTITIONS * 2, round * PARTITIONS * 2);
        await Promise.all(part.map((value, at) => producer.send({ topic, partition: at % PARTITIONS, value })));
        if (isKept) {
          await producer.commitTransaction();
          committed.push(...part);
        } else await producer.abortTransaction();
      }
      const consumer = kafka.consumer();
      const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }));
      // An end is answered before its markers are written.
      await until(async () => {
        const [stable, all] = await Promise.all([
          kafka.consumer({ isolationLevel: 'read_committed' }).endOffsets(partitions),
          consumer.endOffsets(partitions),
        ]);
        return JSON.stringify(stable) === JSON.stringify(all);
      }, 'no transaction is open');
      expect(await readAll(topic, committed.length, 'read_committed')).toEqual(byPartition(committed));
    },
  );
});

describe('a group of two consumers', () => {
  it.each(RUNS)('through "%s" (seed %i) goes on, skips nothing, and commits to the end', async (fault, seed) => {
    const topic = await kafka.topic(PARTITIONS);
    const groupId = uniqueName('faults');
    const { io } = await startProxy(fault, seed);
    const next = new Array<number>(PARTITIONS).fill(0);
    const skipped: string[] = [];
    let done = false;
    const work = async (): Promise<void> => {
      const consumer = createConsumer(
        {
          ...{ bootstrapServers: kafka.broker.bootstrapServers, logger: silentLogger, groupId },
          ...{ autoOffsetReset: 'earliest', enableAutoCommit: false, maxPollRecords: 40 },
          ...{ sessionTimeoutMs: 6_000, heartbeatIntervalMs: 100, fetchMaxWaitMs: 50, ...QUICK },
        },
        io,
      );
      closing.push(consumer);
      consumer.subscribe(topic);
      while (!done) {
        const records = await consumer.poll(50);
        for (const { partition, offset } of records) {
          if (offset > (next[partition] ?? 0)) skipped.push(`${partition}:${offset} after ${next[partition]}`);
          next[partition] = Math.max(next[partition] ?? 0, offset + 1);
        }
        if (!records.isEmpty) await consumer.commitSync().catch(expectRetriable);
      }
      // Nobody is forced out: the members are still in the group, and what they have done can be committed.
      await consumer.commitSync().catch(expectRetriable);
    };
    const working = [work(), work()];
    let written = 0;
    // Until there were some faults: how many requests that takes is the consumers' business.
    while (written < RECORDS / PARTITIONS || (fault !== 'latency' && (proxy?.faults ?? 0) < FAULTS_MIN)) {
      await Promise.all([0, 1, 2].map((partition) => kafka.send(topic, values('v', WAVE, written), partition)));
      written += WAVE;
      await until(() => next.every((offset) => offset === written), `every record was delivered; ${next.join()}`);
    }
    proxy?.calm();
    done = true;
    await Promise.all(working);
    expect(skipped).toEqual([]);
    // The group has not lost its place: what comes next is read by whoever comes next. A member whose farewell was cut
    // off is missed after its session.
    await Promise.all(closing.splice(0).map((client) => client.close(20_000)));
    await kafka.send(topic, ['last'], 0);
    const heir = kafka.consumer({ groupId, autoOffsetReset: 'none' });
    heir.subscribe(topic);
    expect((await pollCount(heir, 1)).at(-1)).toBe('last');
    await heir.close();
  });
});

function expectRetriable(error: unknown): void {
  if (error instanceof KafkaError && (error.retriable || error.code === 'COMMIT_FAILED')) return;
  throw error;
}
