/** What a producer does with records as long as nothing goes wrong with brokers. */
import { ErrorCode, Metadata, decodeRecords } from '@kafka-template/protocol';
import { ClientErrorCode } from '../errors.js';
import { type Outcome, collector, createTestProducer, watch } from '../testing/producer-world.js';
import { createWorld } from '../testing/world.js';
import type { ProducerRecord } from './producer-record.js';

describe('Producer: records', () => {
  it('gives the metadata of each record', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world);
    const first = watch(producer.send({ topic: 'orders', key: 'käse', value: 'hello' }));
    const second = watch(producer.send({ topic: 'orders', value: null, timestamp: 5 }));
    await world.clock.run();
    expect(first.value).toEqual({
      topic: 'orders',
      partition: 0,
      offset: 0,
      timestamp: world.clock.now(),
      serializedKeySize: 5,
      serializedValueSize: 5,
    });
    expect(second.value).toMatchObject({ offset: 1, timestamp: 5, serializedKeySize: -1, serializedValueSize: -1 });
  });

  it('sends key, value, headers, timestamp and nulls as they are', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world);
    const headers = [
      { key: 'a', value: 'x' },
      { key: 'a', value: null },
      { key: 'b', value: Buffer.from([0, 255]) },
    ];
    producer.append({ topic: 'orders', key: Buffer.from([1, 2]), value: 'v', headers, timestamp: 7 });
    producer.append({ topic: 'orders' });
    await world.clock.run();
    const records = world.kafka.partition('orders', 0).batches.flatMap((batch) => decodeRecords(batch));
    expect(records[0]).toMatchObject({ key: Buffer.from([1, 2]), value: Buffer.from('v'), timestamp: 7 });
    expect(records[0]?.headers.map(({ key, value }) => [key, value?.toString('hex') ?? null])).toEqual([
      ['a', '78'],
      ['a', null],
      ['b', '00ff'],
    ]);
    expect(records[1]).toMatchObject({ key: null, value: null, timestamp: world.clock.now() });
  });

  it('does not keep the record: what the caller changes afterwards is not sent', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world);
    producer.append({ topic: 'orders', value: 'warm up' });
    await world.clock.run();
    const value = Buffer.from('before');
    producer.append({ topic: 'orders', value });
    value.write('after!');
    await world.clock.run();
    expect(world.kafka.partition('orders', 0).values).toEqual(['warm up', 'before']);
  });

  it("uses the broker's timestamp when the topic is stamped by it", async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world);
    world.kafka.fault = ({ api }) =>
      api === 'Produce'
        ? {
            kind: 'answer',
            body: {
              responses: [
                {
                  name: 'orders',
                  partitionResponses: [
                    { index: 0, errorCode: 0, baseOffset: 41, logAppendTimeMs: 99, logStartOffset: 0 },
                  ],
                },
              ],
            },
          }
        : undefined;
    const sent = watch(producer.send({ topic: 'orders', value: 'v', timestamp: 7 }));
    await world.clock.run();
    expect(sent.value).toMatchObject({ offset: 41, timestamp: 99 });
  });

  it('routes by partition, by key, and sticky without one', async () => {
    const world = createWorld({ brokers: 3, topics: { orders: 6 } });
    const producer = createTestProducer(world);
    const outcome = collector();
    producer.append({ topic: 'orders', partition: 4 }, outcome.callback);
    producer.append({ topic: 'orders', partition: 4, key: 'foobar' }, outcome.callback);
    producer.append({ topic: 'orders', key: 'foobar' }, outcome.callback);
    for (let count = 0; count < 5; count++) producer.append({ topic: 'orders', value: 'x' }, outcome.callback);
    await world.clock.run();
    const partitions = outcome.metadata.map(({ partition }) => partition);
    const byKey = (-790332482 & 0x7fffffff) % 6;
    expect(partitions.filter((each) => each === 4).length).toBeGreaterThanOrEqual(2);
    expect(partitions).toContain(byKey);
    const sticky = outcome.metadata.filter(({ serializedValueSize }) => serializedValueSize === 1);
    expect(new Set(sticky.map(({ partition }) => partition)).size).toBe(1);
  });

  it("asks the application's partitioner, once per record, and falls back on null", async () => {
    const world = createWorld({ topics: { orders: 4 } });
    const asked: (ProducerRecord['key'] | undefined)[] = [];
    const partition = ({ key }: ProducerRecord, count: number): number | null => {
      asked.push(key);
      if (key === 'odd') return 99;
      if (key === 'bad') throw new Error('no idea');
      return key === 'last' ? count - 1 : null;
    };
    const producer = createTestProducer(world, { partitioner: { partition } });
    const last = watch(producer.send({ topic: 'orders', key: 'last' }));
    const built = watch(producer.send({ topic: 'orders', key: 'foobar' }));
    const given = watch(producer.send({ topic: 'orders', key: 'given', partition: 0 }));
    const odd = watch(producer.send({ topic: 'orders', key: 'odd' }));
    const bad = watch(producer.send({ topic: 'orders', key: 'bad' }));
    await world.clock.run();
    expect(last.value?.partition).toBe(3);
    expect(built.value?.partition).toBe((-790332482 & 0x7fffffff) % 4);
    expect(given.value?.partition).toBe(0);
    expect(odd.error?.message).toBe(
      'The partitioner chose partition 99 for topic orders, which has 4 partitions. It must return 0 to 3, or null.',
    );
    expect(bad.error).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(bad.error?.message).toContain('no idea');
    expect(asked).toEqual(['last', 'foobar', 'odd', 'bad']);
  });

  it.each<[object, string]>([
    [{ topic: '' }, 'A record needs a topic: a non-empty string.'],
    [{ value: 'x' }, 'A record needs a topic: a non-empty string.'],
    [
      { topic: 'orders', partition: -1 },
      'Invalid partition: -1. Partition number should always be non-negative or null.',
    ],
    [{ topic: 'orders', timestamp: -2 }, 'Invalid timestamp: -2. Timestamp should always be non-negative or null.'],
    [{ topic: 'orders', key: 5 }, 'The key of a record must be a Buffer, a string or null.'],
    [
      { topic: 'orders', value: {} },
      'The value of a record must be a Buffer, a string or null. Serialize objects first, for example by JSON.stringify.',
    ],
    [{ topic: 'orders', headers: {} }, 'The headers of a record must be an array of { key, value }.'],
    [{ topic: 'orders', headers: [{ value: 'x' }] }, 'Every header of a record needs a key: a string.'],
    [
      { topic: 'orders', headers: [{ key: 'h', value: 5 }] },
      'The value of header "h" must be a Buffer, a string or null.',
    ],
  ])('refuses %j by the callback, never by throwing', async (record, message) => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world);
    const outcome = collector();
    producer.append(record as ProducerRecord, outcome.callback);
    expect(outcome.all).toEqual([]);
    await world.clock.run();
    expect(outcome.errors).toMatchObject([{ code: ClientErrorCode.INVALID_ARGUMENT, message }]);
    expect(world.kafka.requests).toEqual([]);
  });

  it('refuses a record that is too large, with the limit and its option', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world, { maxRequestSize: 1000 });
    const exact = watch(producer.send({ topic: 'orders', value: 'x'.repeat(900) }));
    const large = watch(producer.send({ topic: 'orders', value: 'x'.repeat(1000) }));
    await world.clock.run();
    expect(exact.value?.serializedValueSize).toBe(900);
    expect(large.error).toMatchObject({ code: 'RECORD_TOO_LARGE', retriable: false });
    expect(large.error?.message).toBe(
      'The record is 1037 bytes when serialized, which is larger than 1000, the value of option "maxRequestSize".',
    );
  });
});

describe('Producer: ends', () => {
  it('flushes what was appended before, not what comes after', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world, { lingerMs: 1000 });
    const outcome = collector();
    producer.append({ topic: 'orders', value: 'before' }, outcome.callback);
    const flushed = watch(producer.flush());
    producer.append({ topic: 'orders', value: 'after' }, outcome.callback);
    await world.clock.run();
    expect(flushed.isDone).toBe(true);
    expect(world.kafka.partition('orders', 0).values).toEqual(['before']);
    expect(outcome.metadata).toHaveLength(1);
    expect(watch(producer.flush()).isDone).toBe(false);
  });

  it('delivers everything before close resolves, and closes the connections', async () => {
    const world = createWorld({ topics: { orders: 3 } });
    const producer = createTestProducer(world, { lingerMs: 60_000 });
    const outcome = collector();
    for (let index = 0; index < 30; index++)
      producer.append({ topic: 'orders', partition: index % 3 }, outcome.callback);
    const closed = watch(producer.close());
    expect(producer.closed).toBe(true);
    await world.clock.run();
    expect(closed.isDone).toBe(true);
    expect(outcome.metadata).toHaveLength(30);
    expect(world.network.open).toEqual([]);
    expect(world.clock.timerCount).toBe(0);
    expect(watch(producer.close()).error).toBeUndefined();
  });

  it('refuses records after close by the callback', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world);
    const outcome = collector();
    void producer.close();
    producer.append({ topic: 'orders' });
    producer.append({ topic: 'orders' }, outcome.callback);
    const sent = watch(producer.send({ topic: 'orders' }));
    await world.clock.run();
    expect(outcome.errors).toMatchObject([{ code: 'CLOSED' }]);
    expect(sent.error?.message).toBe('The producer is closed; create another one to send more records.');
  });

  it('fails what is left after the time to close is over; no callback is lost', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world, { maxInFlightRequestsPerConnection: 1, batchSize: 100 });
    const outcome = collector();
    world.kafka.fault = ({ api }) => (api === 'Produce' ? { kind: 'silence' } : undefined);
    for (let index = 0; index < 5; index++)
      producer.append({ topic: 'orders', value: 'x'.repeat(80) }, outcome.callback);
    producer.append({ topic: 'unknown', value: 'x' }, outcome.callback);
    await world.clock.run();
    const closed = watch(producer.close(500));
    await world.clock.advance(499);
    expect(outcome.all).toHaveLength(0);
    await world.clock.advance(1);
    expect(outcome.errors.map(({ code }) => code)).toEqual(Array.from({ length: 6 }, () => 'CLOSED'));
    expect(outcome.errors[0]?.message).toBe('The producer was closed before the record was delivered (close(500)).');
    expect(closed.isDone).toBe(true);
    expect(world.network.open).toEqual([]);
    expect(world.clock.timerCount).toBe(0);
  });

  it('logs what a callback throws and goes on', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world);
    const outcome = collector();
    producer.append({ topic: 'orders' }, () => {
      throw new Error('boom');
    });
    producer.append({ topic: 'orders' }, outcome.callback);
    producer.append({ topic: '' }, () => {
      throw new Error('boom');
    });
    const closed = watch(producer.close());
    await world.clock.run();
    expect(outcome.metadata).toMatchObject([{ offset: 1 }]);
    expect(closed.isDone).toBe(true);
    expect(world.log.map(({ message }) => message)).toEqual([
      'A delivery callback threw; the outcome of its record stands.',
      'A delivery callback threw; the outcome of its record stands.',
    ]);
  });

  it('lets a callback append and flush', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world);
    const outcome: Outcome = collector();
    producer.append({ topic: 'orders', value: 'a' }, () => {
      producer.append({ topic: 'orders', value: 'b' }, outcome.callback);
      void producer.flush();
    });
    await world.clock.run();
    expect(outcome.metadata).toMatchObject([{ offset: 1 }]);
  });
});

describe('Producer: metadata', () => {
  it('opens no connection before the first record', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world);
    await world.clock.advance(10_000);
    expect(world.network.attempts).toEqual([]);
    await producer.close();
  });

  it('keeps the order of records that waited for the topic', async () => {
    const world = createWorld();
    world.kafka.autoCreate = true;
    const producer = createTestProducer(world);
    for (let index = 0; index < 5; index++) producer.append({ topic: 'new', value: `${index}` });
    await world.clock.advance(500);
    expect(world.kafka.partition('new', 0).values).toEqual(['0', '1', '2', '3', '4']);
  });

  it("fails after maxBlockMs in Kafka's words", async () => {
    const world = createWorld();
    const producer = createTestProducer(world);
    const sent = watch(producer.send({ topic: 'x' }));
    await world.clock.advance(59_999);
    expect(sent.error).toBeUndefined();
    await world.clock.advance(2);
    expect(sent.error).toMatchObject({ code: 'TIMEOUT', retriable: true });
    expect(sent.error?.message).toMatch(/^Topic x not present in metadata after 60000 ms\./);
  });

  it('waits for a partition that does not exist yet; others are not held up', async () => {
    const world = createWorld({ topics: { orders: 2 } });
    const producer = createTestProducer(world, { maxBlockMs: 5_000, metadataMaxAgeMs: 1_000 });
    const waiting = watch(producer.send({ topic: 'orders', partition: 2, value: 'later' }));
    const never = watch(producer.send({ topic: 'orders', partition: 9 }));
    const now = watch(producer.send({ topic: 'orders', partition: 1 }));
    await world.clock.run();
    expect(now.value?.partition).toBe(1);
    world.kafka.createTopic('orders', 3);
    await world.clock.advance(2_000);
    expect(waiting.value?.partition).toBe(2);
    await world.clock.advance(3_001);
    expect(never.error?.message).toBe(
      'Topic orders has no partition 9: it has 3 (0 to 2), still after 5000 ms (maxBlockMs). Name one of these, or add partitions to the topic.',
    );
  });

  it('fails at once for a topic that can never be written to', async () => {
    const world = createWorld({ topics: { good: 1 } });
    const producer = createTestProducer(world);
    world.kafka.fault = ({ api }) =>
      api === 'Metadata'
        ? {
            kind: 'answer',
            body: {
              brokers: [{ nodeId: 1, host: 'broker-1', port: 9092 }],
              topics: [{ errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED, name: 'secret', partitions: [] }],
            },
          }
        : undefined;
    const sent = watch(producer.send({ topic: 'secret' }));
    await world.clock.run();
    expect(sent.error).toMatchObject({ code: 'TOPIC_AUTHORIZATION_FAILED', retriable: false });
  });

  it('forgets topics nothing was sent to for five minutes', async () => {
    const world = createWorld({ topics: { a: 1, b: 1 } });
    const producer = createTestProducer(world, { metadataMaxAgeMs: 100_000 });
    producer.append({ topic: 'a' });
    producer.append({ topic: 'b' });
    for (let step = 0; step < 8; step++) {
      await world.clock.advance(50_000);
      producer.append({ topic: 'b' });
    }
    await world.clock.advance(100_000);
    const last = world.kafka.seen(Metadata).pop()?.body as { topics: { name: string }[] };
    expect(last.topics.map(({ name }) => name)).toEqual(['b']);
    const sent = watch(producer.send({ topic: 'a' }));
    await world.clock.run();
    expect(sent.value?.offset).toBe(1);
  });

  it('lists the partitions of a topic', async () => {
    const world = createWorld({ brokers: 2, topics: { orders: 2 } });
    const producer = createTestProducer(world, { maxBlockMs: 1_000 });
    const partitions = watch(producer.partitionsFor('orders'));
    const unknown = watch(producer.partitionsFor('unknown'));
    await world.clock.advance(1_001);
    expect(partitions.value?.map(({ leader }) => leader)).toEqual([1, 2]);
    expect(unknown.error?.code).toBe('TIMEOUT');
  });
});
