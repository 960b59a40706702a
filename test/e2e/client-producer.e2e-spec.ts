/**
 * The producer on a real broker: what is written is what is read, through every option and through broken connections.
 *
 * Runs on the embedded broker and on Apache Kafka alike; only the restart of a broker needs one of its own.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Broker, createBroker } from '@kafka-template/broker';
import {
  type ClientIo,
  type Consumer,
  type ConsumerRecord,
  type Network,
  type Producer,
  type ProducerOptions,
  type RecordMetadata,
  createConsumer,
  createProducer,
  partitionForKey,
  seededRandom,
  silentLogger,
  systemIo,
} from '@kafka-template/client';
import { Consuming, rejection, values } from '../support/consuming.js';
import { uniqueName } from '../support/broker.js';
import { until } from '../support/until.js';

let kafka: Consuming;
const producers: Producer[] = [];

beforeAll(async () => {
  kafka = await Consuming.start();
});

afterAll(async () => {
  await Promise.all(producers.map((producer) => producer.close(5_000)));
  await kafka.close();
});

function createTestProducer(options: Partial<ProducerOptions> = {}, io: ClientIo = systemIo): Producer {
  const { bootstrapServers } = kafka.broker;
  const producer = createProducer({ bootstrapServers, logger: silentLogger, ...options }, io);
  producers.push(producer);
  return producer;
}

/** Everything in a topic, by partition, up to the end of each. */
async function readAll(topic: string, consumer: Consumer = kafka.consumer()): Promise<ConsumerRecord[][]> {
  const partitions = (await consumer.partitionsFor(topic)).map(({ partition }) => ({ topic, partition }));
  const ends = await consumer.endOffsets(partitions);
  const wanted = ends.reduce((sum, { offset }) => sum + offset, 0);
  const read: ConsumerRecord[][] = partitions.map(() => []);
  consumer.assign(partitions);
  consumer.seekToBeginning(partitions);
  let count = 0;
  await until(async () => {
    if (count >= wanted) return true;
    for (const record of await consumer.poll(100)) {
      read[record.partition]?.push(record);
      count += 1;
    }
    return count >= wanted;
  }, `all ${wanted} records of ${topic} have been read`);
  return read;
}

function textOf(records: readonly ConsumerRecord[] | undefined): (string | null)[] {
  return (records ?? []).map(({ value }) => value?.toString() ?? null);
}

describe('records', () => {
  it('come back as they were sent: keys, values, headers, timestamps, nulls, any bytes', async () => {
    const topic = await kafka.topic();
    const producer = createTestProducer();
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    const headers = [
      { key: 'trace', value: 'a' },
      { key: 'trace', value: bytes },
      { key: 'grüße', value: null },
      { key: 'empty', value: '' },
    ];
    const timestamp = Date.now() - 5_000;
    const sent = await Promise.all([
      producer.send({ topic, key: 'schlüssel', value: 'grün ✓', headers, timestamp }),
      producer.send({ topic, key: bytes, value: bytes }),
      producer.send({ topic, key: 'tombstone', value: null }),
      producer.send({ topic, key: '', value: '' }),
      producer.send({ topic, value: 'x'.repeat(100_000) }),
    ]);
    expect(sent.map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4]);
    expect(sent[0]).toMatchObject({ topic, partition: 0, timestamp, serializedKeySize: 10, serializedValueSize: 9 });
    const [read] = await readAll(topic);
    expect(read?.map(({ key }) => key?.toString('latin1') ?? null)).toEqual([
      Buffer.from('schlüssel').toString('latin1'),
      bytes.toString('latin1'),
      'tombstone',
      '',
      null,
    ]);
    expect(textOf(read).slice(2)).toEqual([null, '', 'x'.repeat(100_000)]);
    expect(read?.[0]).toMatchObject({ timestamp, value: Buffer.from('grün ✓') });
    expect(read?.[0]?.headers.map(({ key, value }) => [key, value?.toString('hex') ?? null])).toEqual([
      ['trace', '61'],
      ['trace', bytes.toString('hex')],
      ['grüße', null],
      ['empty', ''],
    ]);
  });

  it.each<Partial<ProducerOptions>>([
    { acks: 'all' },
    { acks: 'all', enableIdempotence: false },
    { acks: 1 },
    { acks: 0 },
    { lingerMs: 5 },
    { batchSize: 0 },
    { compressionType: 'gzip' },
    { compressionType: 'snappy' },
    { compressionType: 'lz4' },
    { compressionType: 'zstd' },
  ])('are stored once and in order with %j', async (options) => {
    const topic = await kafka.topic(3);
    const producer = createTestProducer(options);
    const sent = await Promise.all(
      values('v', 300).map((value, index) => producer.send({ topic, partition: index % 3, value })),
    );
    if (options.acks === 0) {
      expect(sent.every(({ offset }) => offset === -1)).toBe(true);
      // Nobody says when they are stored; one more record that is acknowledged comes after them on no connection of theirs.
      await until(async () => (await readAll(topic)).flat().length === 300, 'all records are stored');
    }
    const read = await readAll(topic);
    for (const partition of [0, 1, 2]) {
      expect(textOf(read[partition])).toEqual(values('v', 300).filter((_, index) => index % 3 === partition));
    }
    if (options.acks !== 0) {
      for (const [index, { partition, offset }] of sent.entries()) {
        expect(read[partition]?.[offset]?.value?.toString()).toBe(`v${index}`);
      }
    }
  });

  it('go by key where the Java client puts them, and without a key to one partition at a time', async () => {
    const topic = await kafka.topic(6);
    const producer = createTestProducer();
    const keys = values('key-', 50);
    const sent = await Promise.all(keys.map((key) => producer.send({ topic, key, value: key })));
    expect(sent.map(({ partition }) => partition)).toEqual(keys.map((key) => partitionForKey(key, 6)));
    const sticky = await Promise.all(values('s', 20).map((value) => producer.send({ topic, value })));
    expect(new Set(sticky.map(({ partition }) => partition)).size).toBe(1);
  });

  it('go to a topic that is created by the first of them', async () => {
    const topic = uniqueName('auto');
    const producer = createTestProducer();
    const sent = await Promise.all(values('v', 10).map((value) => producer.send({ topic, key: 'k', value })));
    expect(sent.map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});

describe('failures', () => {
  it('an unusable topic name is refused', async () => {
    const error = await rejection(createTestProducer().send({ topic: 'not a name', value: 'v' }));
    expect(error).toMatchObject({ code: 'INVALID_TOPIC_EXCEPTION', retriable: false });
  });

  it("a partition that does not exist is a timeout in Kafka's words", async () => {
    const topic = await kafka.topic(2);
    const producer = createTestProducer({ maxBlockMs: 500 });
    const error = await rejection(producer.send({ topic, partition: 7, value: 'v' }));
    expect(error).toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringContaining(
        `Topic ${topic} has no partition 7: it has 2 (0 to 1), still after 500 ms`,
      ) as unknown,
    });
  });

  it('nobody at the address is a timeout that names it', async () => {
    const producer = createTestProducer({ bootstrapServers: '127.0.0.1:1', maxBlockMs: 300 });
    const error = await rejection(producer.send({ topic: 'orders', value: 'v' }));
    expect(error.code).toBe('TIMEOUT');
    expect(error.message).toMatch(
      /^Topic orders not present in metadata after 300 ms\. Last reason: .*127\.0\.0\.1:1.*ECONNREFUSED/,
    );
  });

  it('a record the broker finds too large fails alone; what comes after it is stored', async () => {
    const topic = uniqueName('small');
    await kafka.admin.createTopics([
      { name: topic, numPartitions: 1, replicationFactor: 1, configs: { 'max.message.bytes': '2000' } },
    ]);
    const producer = createTestProducer();
    const sent = await Promise.allSettled([
      producer.send({ topic, value: 'before' }),
      producer.send({ topic, value: 'x'.repeat(20_000) }),
      producer.send({ topic, value: 'after' }),
    ]);
    expect(sent.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((sent[1] as PromiseRejectedResult).reason).toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    expect(textOf((await readAll(topic))[0])).toEqual(['before', 'after']);
  });

  it('close delivers what is pending, and nothing is taken afterwards', async () => {
    const topic = await kafka.topic();
    const producer = createTestProducer({ lingerMs: 60_000 });
    const told: (RecordMetadata | null)[] = [];
    for (const value of values('v', 20)) producer.append({ topic, value }, (_error, metadata) => told.push(metadata));
    await producer.close();
    expect(told.map((metadata) => metadata?.offset)).toEqual(Array.from({ length: 20 }, (_, index) => index));
    expect((await rejection(producer.send({ topic, value: 'late' }))).code).toBe('CLOSED');
    expect(textOf((await readAll(topic))[0])).toHaveLength(20);
  });
});

/** Real connections that are cut after about one write in `mean`: before the bytes leave, or before the answer is read. */
function brittleNetwork(seed: number, mean: number): { readonly network: Network; cuts: number } {
  const random = seededRandom(seed);
  const brittle = {
    cuts: 0,
    network: {
      connect(endpoint, events) {
        let isCut = false;
        const stream = systemIo.network.connect(endpoint, {
          ...events,
          onConnected: () => events.onConnected(),
          onClosed: (error) => events.onClosed(error),
          onData: (chunk) => (isCut ? undefined : events.onData(chunk)),
        });
        const write: typeof stream.write = (chunks, onFlushed) => {
          stream.write(chunks, onFlushed);
          if (random.next() > 1 / mean) return;
          isCut = true;
          brittle.cuts += 1;
          // Half of the time the broker has the request by then and its answer is lost.
          systemIo.clock.setTimer(random.next() < 0.5 ? 0 : 20, () => stream.destroy());
        };
        return {
          write,
          destroy: () => stream.destroy(),
          get pendingBytes() {
            return stream.pendingBytes;
          },
        };
      },
    } satisfies Network,
  };
  return brittle;
}

describe('broken connections', () => {
  it.each([1, 2, 3])('lose nothing, repeat nothing, and keep the order (seed %i)', async (seed) => {
    const topic = await kafka.topic(3);
    const brittle = brittleNetwork(seed, 5);
    const options = { batchSize: 300, retryBackoffMs: 5, retryBackoffMaxMs: 20, reconnectBackoffMs: 1 };
    const producer = createTestProducer(options, { ...systemIo, network: brittle.network });
    const sent: Promise<RecordMetadata>[] = [];
    for (let index = 0; index < 1500; index++) {
      sent.push(producer.send({ topic, partition: index % 3, value: `v${index}` }));
      // In waves, so that there are many requests to break.
      if (index % 20 === 0) await sent[index];
    }
    const metadata = await Promise.all(sent);
    expect(brittle.cuts).toBeGreaterThan(5);
    const read = await readAll(topic);
    for (const partition of [0, 1, 2]) {
      expect(textOf(read[partition])).toEqual(values('v', 1500).filter((_, index) => index % 3 === partition));
    }
    for (const [index, { partition, offset }] of metadata.entries()) {
      expect(read[partition]?.[offset]?.value?.toString()).toBe(`v${index}`);
    }
  });
});

describe('a broker that goes away', () => {
  let directory: string;
  let broker: Broker;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'producer-'));
    broker = await createBroker({ dataDir: directory });
  });

  afterEach(async () => {
    await broker.close();
    await rm(directory, { recursive: true, force: true });
  });

  it('and comes back at the same address with its data: every record is stored once, in order', async () => {
    const { bootstrapServers, port } = broker;
    const producer = createProducer({ bootstrapServers, logger: silentLogger, batchSize: 500, retryBackoffMs: 20 });
    const sent: Promise<RecordMetadata>[] = [];
    for (let index = 0; index < 600; index++) {
      sent.push(producer.send({ topic: 'orders', partition: 0, value: `v${index}` }));
      if (index === 200) await sent[0];
      if (index !== 400) continue;
      await broker.close();
      broker = await createBroker({ dataDir: directory, port });
    }
    const offsets = (await Promise.all(sent)).map(({ offset }) => offset);
    expect(offsets).toEqual(Array.from({ length: 600 }, (_, index) => index));
    await producer.close();
    const consumer = createConsumer({ bootstrapServers, logger: silentLogger });
    expect(textOf((await readAll('orders', consumer))[0])).toEqual(values('v', 600));
    await consumer.close();
  });
});
