/**
 * One suite for all drivers: what the port promises, each driver keeps, on the embedded broker and on Apache Kafka.
 *
 * Where a driver cannot do something its capabilities say so, and the suite expects the refusal, by name.
 */
import { gzipSync } from 'node:zlib';
import { ALL_CAPABILITIES, CAPABILITY_MEANINGS, type DriverCapability } from '@kafka-template/nestjs';
import { uniqueName } from '../support/broker.js';
import { DRIVERS, DriverBench, codeOf, numbers, pollCount, sendOne, texts } from './driver-conformance-support.js';

describe.each(DRIVERS)('driver $name', (driver) => {
  let bench: DriverBench;

  beforeAll(async () => {
    bench = await DriverBench.start(driver);
  });
  afterAll(() => bench.close());

  /** What the driver does: the result if it can, the code of the refusal if it cannot. */
  async function expectCapability<T>(capability: DriverCapability, work: () => Promise<T>, result: T) {
    if (driver.capabilities[capability]) expect(await work()).toEqual(result);
    else expect(await codeOf(Promise.resolve().then(work))).toBe('UNSUPPORTED_BY_DRIVER');
  }

  it('declares every capability', () => {
    expect(Object.keys(driver.capabilities).sort()).toEqual(Object.keys(CAPABILITY_MEANINGS).sort());
    if (driver.name === 'native') expect(driver.capabilities).toEqual(ALL_CAPABILITIES);
  });

  describe('sending', () => {
    it('answers every record with its place: partition, offset, timestamp, sizes', async () => {
      const topic = await bench.topic(2);
      const [first, second, third] = await bench.send([
        { topic, partition: 1, key: 'k', value: 'abc', timestamp: 1_700_000_000_000 },
        { topic, partition: 1, value: Buffer.from([1, 2]) },
        { topic, partition: 0, key: null, value: null },
      ]);
      const place = { topic, partition: 1, offset: 0, timestamp: 1_700_000_000_000 };
      expect(first).toMatchObject({ ...place, serializedKeySize: 1, serializedValueSize: 3 });
      expect(second).toMatchObject({ topic, partition: 1, offset: 1, serializedKeySize: -1, serializedValueSize: 2 });
      expect(third).toMatchObject({ topic, partition: 0, offset: 0, serializedKeySize: -1, serializedValueSize: -1 });
      expect(Math.abs((second?.timestamp ?? 0) - Date.now())).toBeLessThan(600_000);
    });

    it('keeps the order of a partition, over many batches', async () => {
      const topic = await bench.topic();
      const values = Array.from({ length: 3_000 }, (_, index) => String(index));
      const answers = await bench.send(values.map((value) => ({ topic, value })));
      expect(answers.map(({ offset }) => offset)).toEqual(values.map(Number));
      const consumer = bench.consumer();
      consumer.subscribe(topic);
      expect(texts(await pollCount(consumer, values.length))).toEqual(values);
    });

    it('chooses the partition of a key as Java does', async () => {
      const topic = await bench.topic(7);
      const answers = await bench.send(Object.keys(JAVA_HASHES).map((key) => ({ topic, key, value: 'x' })));
      const expected = Object.values(JAVA_HASHES).map((hash) => (hash & 0x7fffffff) % 7);
      expect(answers.map(({ partition }) => partition)).toEqual(expected);
      const partitioner = { partition: () => 5 };
      const other = bench.otherProducer({ partitioner });
      expect((await sendOne(other, { topic, key: 'a', value: 'x' })).partition).toBe(5);
    });

    it.each([
      ['0', { acks: 0 }, -1],
      ['1', { acks: 1 }, 0],
      ['all without idempotence', { acks: 'all', enableIdempotence: false }, 0],
      ['all, after a linger', { acks: 'all', lingerMs: 20 }, 0],
      ['all, compressed', { acks: 'all', compressionType: 'gzip' }, 0],
    ] as const)('acks %s', async (_name, options, offset) => {
      const topic = await bench.topic();
      const idempotence = options.acks === 'all' ? {} : { enableIdempotence: false };
      const producer = bench.otherProducer({ ...idempotence, ...options });
      expect((await sendOne(producer, { topic, value: 'x'.repeat(2_000) })).offset).toBe(offset);
      const consumer = bench.consumer();
      consumer.subscribe(topic);
      expect(texts(await pollCount(consumer, 1))).toEqual(['x'.repeat(2_000)]);
    });

    it('refuses by the callback what is too large, and a partition that does not exist', async () => {
      const topic = await bench.topic();
      const producer = bench.otherProducer({
        maxRequestSize: 1_000,
        deliveryTimeoutMs: 15_000,
        maxBlockMs: 1_000,
        requestTimeoutMs: 10_000,
        lingerMs: 0,
      });
      expect(await codeOf(sendOne(producer, { topic, value: 'x'.repeat(1_001) }))).toBe('RECORD_TOO_LARGE');
      const misdirected = codeOf(sendOne(producer, { topic, partition: 9, value: 'x' }));
      const beside = sendOne(producer, { topic, value: 'beside' });
      expect(await misdirected).toMatch(/TIMEOUT|UNKNOWN_TOPIC_OR_PARTITION|INVALID/);
      expect((await beside).offset).toBe(0);
    });

    it('flush waits for every callback, close too, and afterwards sending fails', async () => {
      const topic = await bench.topic();
      const producer = bench.otherProducer({ lingerMs: 5_000 });
      const answered: string[] = [];
      const append = (value: string) =>
        producer.append({ topic, value }, (error) => answered.push(error?.message ?? value));
      append('a');
      append('b');
      expect(answered).toEqual([]);
      await producer.flush();
      expect(answered).toEqual(['a', 'b']);
      append('c');
      await producer.close();
      expect(answered).toEqual(['a', 'b', 'c']);
      expect(await codeOf(sendOne(producer, { topic, value: 'd' }))).toBe('CLOSED');
    });

    it('transactions: what was committed is read, what was aborted is not; or there are no such methods', async () => {
      const topic = await bench.topic();
      const producer = bench.otherProducer(
        driver.capabilities.transactions ? { transactionalId: uniqueName('tx') } : {},
      );
      expect(producer.beginTransaction !== undefined).toBe(driver.capabilities.transactions);
      if (!driver.capabilities.transactions) return;
      await producer.initTransactions?.();
      for (const [value, isCommitted] of [
        ['a', true],
        ['b', false],
        ['c', true],
      ] as const) {
        producer.beginTransaction?.();
        await sendOne(producer, { topic, value });
        await (isCommitted ? producer.commitTransaction?.() : producer.abortTransaction?.());
      }
      const consumer = bench.consumer({ isolationLevel: 'read_committed' });
      consumer.subscribe(topic);
      expect(texts(await pollCount(consumer, 2))).toEqual(['a', 'c']);
    });

    it('a callback that throws does not keep others from being called', async () => {
      const topic = await bench.topic();
      const thrown = new Promise((resolve) => {
        bench.producer.append({ topic, value: 'a' }, () => {
          resolve(undefined);
          throw new Error('of the application');
        });
      });
      await thrown;
      expect((await sendOne(bench.producer, { topic, value: 'b' })).offset).toBe(1);
    });

    it('a broker that is away: the record fails in time', async () => {
      const options = {
        bootstrapServers: '127.0.0.1:1',
        deliveryTimeoutMs: 500,
        maxBlockMs: 500,
        requestTimeoutMs: 400,
      };
      const producer = bench.otherProducer(options);
      expect(await codeOf(sendOne(producer, { topic: 'nowhere', value: 'x' }))).toMatch(/TIMEOUT|NETWORK/);
      await producer.close(500);
    });

    it('tells the partitions of a topic', async () => {
      const topic = await bench.topic(3);
      expect(numbers(await bench.producer.partitionsFor(topic))).toEqual([0, 1, 2]);
    });
  });

  describe('records', () => {
    it('keys, values, tombstones and headers arrive as sent', async () => {
      const topic = await bench.topic();
      const bytes = gzipSync('binary');
      const headers = [
        { key: 'text', value: 'ü' },
        { key: 'bytes', value: bytes },
        { key: 'empty', value: '' },
      ];
      await bench.send([{ topic, key: bytes, value: bytes, headers, timestamp: 1_700_000_000_000 }]);
      await bench.send([{ topic, key: 'gone', value: null }]);
      const consumer = bench.consumer();
      consumer.subscribe(topic);
      const [first, second] = await pollCount(consumer, 2);
      expect(first).toMatchObject({ topic, partition: 0, offset: 0, timestamp: 1_700_000_000_000 });
      expect([first?.key, first?.value]).toEqual([bytes, bytes]);
      expect(first?.headers.map(({ key, value }) => [key, value?.toString('hex')])).toEqual(
        headers.map(({ key, value }) => [key, Buffer.from(value).toString('hex')]),
      );
      expect([second?.key?.toString(), second?.value, second?.headers.length]).toEqual(['gone', null, 0]);
      expect(['CreateTime', 0]).toContain(second?.timestampType);
    });

    it('orderedHeaders: the order of repeated keys', async () => {
      const topic = await bench.topic();
      const headers = ['a', 'b', 'a'].map((key, index) => ({ key, value: String(index) }));
      await bench.send([{ topic, value: 'x', headers }]);
      const consumer = bench.consumer();
      consumer.subscribe(topic);
      const [record] = await pollCount(consumer, 1);
      const received = record?.headers.map(({ key, value }) => `${key}${String(value)}`);
      expect(received).toEqual(driver.capabilities.orderedHeaders ? ['a0', 'b1', 'a2'] : ['a0', 'a2', 'b1']);
    });

    it('nullHeaders: a header without a value', async () => {
      const topic = await bench.topic();
      const record = { topic, value: 'x', headers: [{ key: 'none', value: null }] };
      await expectCapability('nullHeaders', async () => (await sendOne(bench.producer, record)).offset, 0);
    });

    it('allCodecs: what there is without registering any', async () => {
      const topic = await bench.topic();
      const send = async () => {
        const producer = bench.otherProducer({ compressionType: 'snappy' });
        return (await sendOne(producer, { topic, value: 'x'.repeat(500) })).offset;
      };
      if (driver.capabilities.allCodecs) expect(await send()).toBe(0);
      else expect(await codeOf(send())).toBe('CONFIG');
    });
  });

  describe('admin', () => {
    it('topics: created once, listed, described, grown', async () => {
      const name = uniqueName('admin');
      await bench.admin.createTopic({ name, partitions: 1, replicas: 1, configs: { 'retention.ms': '60000' } });
      expect(await codeOf(bench.admin.createTopic({ name }))).toBe('TOPIC_ALREADY_EXISTS');
      expect(await bench.admin.listTopics()).toContain(name);
      await bench.admin.createPartitions(name, 3);
      expect(await bench.admin.describeTopics([name, uniqueName('missing')])).toEqual([{ name, partitions: 3 }]);
      expect(await bench.admin.listConsumerGroupOffsets(uniqueName('nobody'))).toEqual([]);
    });
  });
});

/** Hashes of Kafka's own UtilsTest.testMurmur2. */
const JAVA_HASHES = {
  abc: 479470107,
  foobar: -790332482,
  'a-little-bit-long-string': -985981536,
  'a-little-bit-longer-string': -1486304829,
  lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8: -58897971,
};
