/** How records become batches and requests, and how much of them is held. */
import { InitProducerId, Metadata, Produce, type ProduceRequest, decodeRecords } from '@kafka-template/protocol';
import { batchOf, collector, createTestProducer, produceRequests, watch } from '../testing/producer-world.js';
import { type World, createWorld } from '../testing/world.js';
import type { Producer } from './producer.js';
import type { ProducerOptions } from './producer-options.js';
import type { RecordMetadata } from './producer-record.js';

describe('Producer: batches', () => {
  it('joins the records of one turn into one batch, and batches of one broker into one request', async () => {
    const world = createWorld({ brokers: 2, topics: { orders: 4 } });
    const producer = createTestProducer(world);
    for (let index = 0; index < 40; index++)
      producer.append({ topic: 'orders', partition: index % 4, value: `${index}` });
    await world.clock.run();
    const requests = produceRequests(world);
    expect(requests).toHaveLength(2);
    expect(requests.flatMap(({ topicData }) => topicData[0]?.partitionData.map(({ index }) => index)).sort()).toEqual([
      0, 1, 2, 3,
    ]);
    for (let partition = 0; partition < 4; partition++) {
      expect(world.kafka.partition('orders', partition).batches).toHaveLength(1);
    }
  });

  it('starts a batch when the last one has batchSize bytes; larger records get one of their own', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world, { batchSize: 400 });
    for (const size of [100, 100, 100, 1000, 100]) producer.append({ topic: 'orders', value: 'x'.repeat(size) });
    await world.clock.run();
    const sizes = world.kafka
      .partition('orders', 0)
      .batches.map((batch) => decodeRecords(batch).map(({ value }) => value?.length));
    expect(sizes).toEqual([[100, 100], [100], [1000], [100]]);
  });

  it('lingers, unless the batch is full or a flush wants it', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world, { lingerMs: 50, batchSize: 400 });
    const log = (): number => world.kafka.partition('orders', 0).batches.length;
    producer.append({ topic: 'orders', value: 'a' });
    await world.clock.advance(49);
    expect(log()).toBe(0);
    await world.clock.advance(2);
    expect(log()).toBe(1);

    for (let index = 0; index < 6; index++) producer.append({ topic: 'orders', value: 'x'.repeat(100) });
    await world.clock.run();
    expect(log()).toBe(3);
    await world.clock.advance(51);
    expect(log()).toBe(4);

    producer.append({ topic: 'orders', value: 'b' });
    const flushed = watch(producer.flush());
    await world.clock.run();
    expect(log()).toBe(5);
    expect(flushed.isDone).toBe(true);
  });

  it('keeps maxRequestSize: more batches than fit go in further requests', async () => {
    const world = createWorld({ topics: { orders: 8 } });
    const producer = createTestProducer(world, { maxRequestSize: 2000, batchSize: 1000 });
    const outcome = collector();
    for (let partition = 0; partition < 8; partition++) {
      producer.append({ topic: 'orders', partition, value: 'x'.repeat(800) }, outcome.callback);
    }
    await world.clock.run();
    expect(outcome.metadata).toHaveLength(8);
    const partitionsPerRequest = produceRequests(world).map(({ topicData }) => topicData[0]?.partitionData.length);
    expect(partitionsPerRequest).toEqual([2, 2, 2, 2]);
  });

  it('keeps maxInFlightRequestsPerConnection', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world, { batchSize: 100, maxInFlightRequestsPerConnection: 3 });
    world.kafka.fault = ({ api }) => (api === 'Produce' ? { kind: 'delay', milliseconds: 10 } : undefined);
    const outcome = collector();
    const send = (): void => producer.append({ topic: 'orders', value: 'x'.repeat(80) }, outcome.callback);
    send();
    await world.clock.advance(10);
    for (let index = 0; index < 9; index++) send();
    await world.clock.run();
    expect(produceRequests(world)).toHaveLength(1 + 3);
    await world.clock.advance(10);
    expect(produceRequests(world)).toHaveLength(1 + 6);
    await world.clock.advance(20);
    expect(outcome.metadata.map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('gives partitions their turns when one has more than the others', async () => {
    const world = createWorld({ topics: { orders: 2 } });
    const producer = createTestProducer(world, { batchSize: 100, maxInFlightRequestsPerConnection: 1 });
    for (let index = 0; index < 5; index++) producer.append({ topic: 'orders', partition: 0, value: 'x'.repeat(80) });
    producer.append({ topic: 'orders', partition: 1, value: 'y' });
    await world.clock.run();
    const order = produceRequests(world).map(({ topicData }) => topicData[0]?.partitionData.map(({ index }) => index));
    expect(order[0]).toEqual([0, 1]);
    expect(order).toHaveLength(5);
  });

  it.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)('compresses with %s', async (compressionType) => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world, { compressionType });
    for (let index = 0; index < 20; index++) producer.append({ topic: 'orders', value: 'abc'.repeat(100) });
    await world.clock.run();
    const log = world.kafka.partition('orders', 0);
    expect(log.values).toEqual(Array.from({ length: 20 }, () => 'abc'.repeat(100)));
    expect(log.batches[0]?.length).toBeLessThan(1000);
  });

  it.each<[ProducerOptions['acks'], number]>([
    [0, 0],
    [1, 1],
    ['all', -1],
  ])('sends with acks %s', async (acks, onTheWire) => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world, { acks });
    const sent = watch(producer.send({ topic: 'orders', value: 'v' }));
    await world.clock.run();
    expect(produceRequests(world)).toMatchObject([{ acks: onTheWire, timeoutMs: 30_000 }]);
    expect(sent.value?.offset).toBe(acks === 0 ? -1 : 0);
    expect(world.kafka.partition('orders', 0).values).toEqual(['v']);
    expect(world.kafka.seen(InitProducerId)).toHaveLength(acks === 'all' ? 1 : 0);
    const flushed = watch(producer.flush());
    await world.clock.run();
    expect(flushed.isDone).toBe(true);
  });
});

/** The producer knows the topic, so that records go into batches at once. */
async function warmUp(world: World, producer: Producer): Promise<void> {
  const known = watch(producer.partitionsFor('orders'));
  await world.clock.run();
  expect(known.value).toHaveLength(1);
}

describe('Producer: memory', () => {
  it('holds bufferMemory: more records wait, in order, until there is room', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world, { bufferMemory: 1_000, batchSize: 300 });
    await warmUp(world, producer);
    let inFlightBytes = 0;
    world.kafka.fault = ({ api, body }) => {
      if (api !== 'Produce') return undefined;
      inFlightBytes += (body as ProduceRequest).topicData[0]?.partitionData[0]?.records?.length ?? 0;
      return { kind: 'delay', milliseconds: 10 };
    };
    const outcome = collector();
    for (let index = 0; index < 14; index++) {
      producer.append({ topic: 'orders', value: `${index}`.padEnd(100, '.') }, outcome.callback);
    }
    await world.clock.run();
    expect(inFlightBytes).toBeLessThan(1_000);
    expect(outcome.all).toHaveLength(0);
    await world.clock.advance(1_000);
    expect(outcome.metadata.map(({ offset }: RecordMetadata) => offset)).toEqual(
      Array.from({ length: 14 }, (_, index) => index),
    );
    expect(world.kafka.partition('orders', 0).values).toEqual(
      Array.from({ length: 14 }, (_, index) => `${index}`.padEnd(100, '.')),
    );
  });

  it.each(['known', 'new'])(
    'lets no small record overtake a large one that waits for memory (topic %s)',
    async (topic) => {
      const world = createWorld({ topics: { known: 1, new: 1 } });
      const producer = createTestProducer(world, { bufferMemory: 1_300 });
      world.kafka.fault = ({ api }) => (api === 'Produce' ? { kind: 'delay', milliseconds: 10 } : undefined);
      producer.append({ topic: 'known', value: 'warm up' });
      await world.clock.advance(1_000);
      for (const size of [600, 500, 50]) producer.append({ topic, value: 'x'.repeat(size) });
      await world.clock.advance(1_000);
      const sizes = world.kafka.partition(topic, 0).values.map((value) => value?.length);
      expect(sizes.slice(-3)).toEqual([600, 500, 50]);
    },
  );

  it('fails what waited maxBlockMs with BUFFER_EXHAUSTED, and takes records again afterwards', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world, { bufferMemory: 300, maxBlockMs: 2_000 });
    await warmUp(world, producer);
    world.kafka.fault = ({ api }) => (api === 'Produce' ? { kind: 'delay', milliseconds: 5_000 } : undefined);
    const outcome = collector();
    for (let index = 0; index < 3; index++) {
      producer.append({ topic: 'orders', value: 'x'.repeat(100) }, outcome.callback);
    }
    await world.clock.advance(2_001);
    expect(outcome.errors).toMatchObject([{ code: 'BUFFER_EXHAUSTED', retriable: true }]);
    expect(outcome.errors[0]?.message).toMatch(/^No memory for a record of topic orders within 2000 ms \(maxBlockMs\)/);
    expect(outcome.errors[0]?.message).toContain('Total memory: 300 bytes (bufferMemory), used: 274 bytes.');
    await world.clock.advance(5_000);
    expect(outcome.metadata).toHaveLength(2);
    const again = watch(producer.send({ topic: 'orders', value: 'y' }));
    await world.clock.advance(5_001);
    expect(again.value?.offset).toBe(2);
  });

  it('stops lingering when memory is short', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world, { bufferMemory: 600, lingerMs: 10_000 });
    await warmUp(world, producer);
    const outcome = collector();
    for (let index = 0; index < 6; index++) {
      producer.append({ topic: 'orders', value: 'x'.repeat(100) }, outcome.callback);
    }
    await world.clock.run();
    expect(outcome.metadata.length).toBeGreaterThanOrEqual(4);
  });
});

describe('Producer: records that wait', () => {
  it('are bounded by bufferMemory: what is beyond fails at once, what waits goes out when the topic is there', async () => {
    const world = createWorld({ topics: {} });
    const producer = createTestProducer(world, { bufferMemory: 1_000 });
    const outcome = collector();
    for (let index = 0; index < 10; index++) {
      producer.append({ topic: 'orders', value: 'x'.repeat(100) }, outcome.callback);
    }
    await world.clock.run();
    // 136 bytes at most each.
    expect(outcome.errors).toHaveLength(3);
    expect(outcome.errors[0]).toMatchObject({ code: 'BUFFER_EXHAUSTED', retriable: true });
    expect(outcome.errors[0]?.message).toMatch(/the metadata of topic orders.*1000 bytes \(bufferMemory\)/);
    world.kafka.createTopic('orders', 1);
    await world.clock.advance(5_000);
    expect(outcome.metadata).toHaveLength(7);
    const again = watch(producer.send({ topic: 'payments', value: 'x'.repeat(900) }));
    await world.clock.run();
    expect(again.isDone).toBe(false);
  });

  it('are refused at once when they can never fit', async () => {
    const world = createWorld({ topics: {} });
    const producer = createTestProducer(world, { maxRequestSize: 500 });
    const sent = watch(producer.send({ topic: 'orders', value: 'x'.repeat(600) }));
    await world.clock.run();
    expect(sent.error?.code).toBe('RECORD_TOO_LARGE');
  });

  it('are copies: what becomes of the record and its buffers after append changes nothing', async () => {
    const world = createWorld({ topics: {} });
    const producer = createTestProducer(world);
    const [key, value, header] = [Buffer.from('key'), Buffer.from('value'), Buffer.from('header')];
    const record = { topic: 'orders', key, value, headers: [{ key: 'h', value: header }] };
    const sent = watch(producer.send(record));
    for (const buffer of [key, value, header]) buffer.fill(0x78);
    record.topic = 'other';
    record.headers.pop();
    world.kafka.createTopic('orders', 1);
    await world.clock.advance(5_000);
    expect(sent.value?.serializedValueSize).toBe(5);
    const [stored] = decodeRecords(batchOf(produceRequests(world)[0] as ProduceRequest));
    expect([stored?.key?.toString(), stored?.value?.toString()]).toEqual(['key', 'value']);
    expect(stored?.headers.map((each) => each.value?.toString())).toEqual(['header']);
  });
});

describe('Producer: versions', () => {
  it.each([3, 5, 7, 8, 9, 12])('produces with Produce v%i', async (version) => {
    const world = createWorld({ topics: { orders: 1 } });
    world.kafka.ranges.set(Produce.key, [3, version]);
    world.kafka.ranges.set(Metadata.key, [0, 7]);
    world.kafka.ranges.set(InitProducerId.key, [0, 1]);
    const producer = createTestProducer(world);
    const sent = watch(producer.send({ topic: 'orders', value: 'v' }));
    await world.clock.run();
    expect(sent.value?.offset).toBe(0);
    expect(world.kafka.seen(Produce).map((request) => request.version)).toEqual([version]);
  });
});
