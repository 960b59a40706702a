/**
 * The sequence numbers of an idempotent producer: where they come from, when they start again, what they never do.
 */
import {
  ErrorCode,
  InitProducerId,
  type ProduceRequest,
  batchBaseSequence,
  batchProducerEpoch,
} from '@kafka-template/protocol';
import { sequenceAfter } from './partition-queue.js';
import {
  answerWith,
  batchOf,
  collector,
  createTestProducer,
  faultsInTurn,
  identities,
  numbers,
  watch,
} from '../testing/producer-world.js';
import { createWorld } from '../testing/world.js';

describe('Producer: sequences', () => {
  it('asks for a producer id with -1/-1, once', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world);
    producer.append({ topic: 'orders' });
    await world.clock.run();
    producer.append({ topic: 'orders' });
    await world.clock.run();
    expect(world.kafka.seen(InitProducerId).map(({ body }) => body)).toMatchObject([
      { transactionalId: null, producerId: -1, producerEpoch: -1 },
    ]);
  });

  it('asks for it together with the metadata, on the connection that is used afterwards', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world);
    producer.append({ topic: 'orders' });
    await world.clock.run();
    expect(world.kafka.requests.map(({ api }) => api)).toEqual([
      'ApiVersions',
      'Metadata',
      'InitProducerId',
      'Produce',
    ]);
    expect(world.network.attempts).toHaveLength(1);
  });

  it('fails what waits for metadata, too, when there will be no id', async () => {
    const world = createWorld();
    const producer = createTestProducer(world);
    const body = { errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, producerEpoch: 0 };
    world.kafka.fault = ({ api }) => (api === 'InitProducerId' ? { kind: 'answer', body } : undefined);
    const refused = watch(producer.send({ topic: 'unknown' }));
    await world.clock.run();
    expect(refused.error).toMatchObject({ code: 'CLUSTER_AUTHORIZATION_FAILED' });
    await world.clock.advance(1_000);
    expect(world.kafka.seen(InitProducerId)).toHaveLength(1);
  });

  it('sends without ids when idempotence is off', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world, { enableIdempotence: false });
    producer.append({ topic: 'orders' });
    await world.clock.run();
    expect(identities(world)).toEqual(['-1/-1/-1']);
    expect(world.kafka.seen(InitProducerId)).toHaveLength(0);
  });

  it('waits for the producer id through errors that pass, and fails records for one that does not', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world);
    const codes: number[] = [ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, ErrorCode.CLUSTER_AUTHORIZATION_FAILED];
    world.kafka.fault = ({ api }) => {
      const errorCode = api === 'InitProducerId' ? codes.shift() : undefined;
      return errorCode === undefined ? undefined : { kind: 'answer', body: { errorCode, producerEpoch: 0 } };
    };
    const refused = watch(producer.send({ topic: 'orders' }));
    await world.clock.advance(1_000);
    expect(refused.error).toMatchObject({ code: 'CLUSTER_AUTHORIZATION_FAILED' });
    const later = watch(producer.send({ topic: 'orders' }));
    await world.clock.advance(1_000);
    expect(later.value?.offset).toBe(0);
  });

  it('counts DUPLICATE_SEQUENCE_NUMBER as stored', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world);
    faultsInTurn(world, answerWith(ErrorCode.DUPLICATE_SEQUENCE_NUMBER));
    const sent = watch(producer.send({ topic: 'orders' }));
    await world.clock.run();
    expect(sent.value?.offset).toBe(-1);
  });

  it.each([
    ['OUT_OF_ORDER_SEQUENCE_NUMBER', ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER],
    ['UNKNOWN_PRODUCER_ID', ErrorCode.UNKNOWN_PRODUCER_ID],
  ])('starts again in a higher epoch when the broker has lost its memory: %s', async (_, errorCode) => {
    const world = createWorld({ topics: { orders: 1, other: 1 } });
    const producer = createTestProducer(world);
    const outcome = collector();
    producer.append({ topic: 'orders', value: 'A' }, outcome.callback);
    producer.append({ topic: 'other', value: 'a' }, outcome.callback);
    await world.clock.run();
    faultsInTurn(world, answerWith(errorCode, { logStartOffset: 0 }));
    producer.append({ topic: 'orders', value: 'B' }, outcome.callback);
    await world.clock.advance(1_000);
    producer.append({ topic: 'orders', value: 'C' }, outcome.callback);
    producer.append({ topic: 'other', value: 'b' }, outcome.callback);
    await world.clock.advance(1_000);
    expect(outcome.errors).toEqual([]);
    expect(world.kafka.partition('orders', 0).values).toEqual(['A', 'B', 'C']);
    expect(world.kafka.partition('other', 0).values).toEqual(['a', 'b']);
    expect(world.kafka.seen(InitProducerId)).toHaveLength(1);
    const epochs = world.kafka
      .partition('orders', 0)
      .batches.map((batch) => [batchProducerEpoch(batch), batchBaseSequence(batch)]);
    expect(epochs).toEqual([
      [0, 0],
      [1, 0],
      [1, 1],
    ]);
    const others = world.kafka
      .partition('other', 0)
      .batches.map((batch) => [batchProducerEpoch(batch), batchBaseSequence(batch)]);
    expect(others).toEqual([
      [0, 0],
      [1, 0],
    ]);
  });

  it('sends the first batch of a new epoch alone, too', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world, { batchSize: 100 });
    const outcome = collector();
    producer.append({ topic: 'orders', value: '0' }, outcome.callback);
    await world.clock.run();
    faultsInTurn(world, answerWith(ErrorCode.MESSAGE_TOO_LARGE), answerWith(ErrorCode.NOT_ENOUGH_REPLICAS));
    producer.append({ topic: 'orders', value: 'refused' }, outcome.callback);
    await world.clock.run();
    // The broker forgets the producer at the same time, so that the sequence alone would not keep a later batch out.
    world.kafka.partition('orders', 0).forgetProducers();
    for (const value of numbers(1, 4)) producer.append({ topic: 'orders', value: value.padEnd(80) }, outcome.callback);
    await world.clock.advance(1_000);
    expect(outcome.errors.map(({ code }) => code)).toEqual(['MESSAGE_TOO_LARGE']);
    expect(world.kafka.partition('orders', 0).values.map((value) => value?.trim())).toEqual(numbers(0, 4));
    expect(identities(world).slice(-4)).toEqual(['1000/1/0', '1000/1/1', '1000/1/2', '1000/1/3']);
  });

  it.each([
    [0, 5, 5],
    [2147483640, 7, 2147483647],
    [2147483640, 8, 0],
    [2147483647, 3, 2],
  ])('wraps sequences as Kafka does: %i and %i records give %i', (sequence, count, next) => {
    expect(sequenceAfter(sequence, count)).toBe(next);
  });

  it('keeps the oldest open batch among the five a broker remembers', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world, { batchSize: 100, retryBackoffMs: 50, retryBackoffMaxMs: 50 });
    const outcome = collector();
    const send = (value: string): void =>
      producer.append({ topic: 'orders', value: value.padEnd(80) }, outcome.callback);
    send('0');
    await world.clock.run();
    // Batch 1 is stored and its answer lost; its repetitions are refused while everything behind it is stored.
    let repetitions = 0;
    world.kafka.fault = ({ api, body }) => {
      const isFirst = api === 'Produce' && batchBaseSequence(batchOf(body as ProduceRequest)) === 1;
      if (!isFirst) return undefined;
      repetitions += 1;
      if (repetitions === 1) return { kind: 'carry-out-and-close' };
      return repetitions <= 10 ? answerWith(ErrorCode.NOT_ENOUGH_REPLICAS) : undefined;
    };
    for (const value of numbers(1, 20)) {
      send(value);
      await world.clock.advance(60);
    }
    await world.clock.advance(5_000);
    expect(outcome.errors).toEqual([]);
    expect(world.kafka.partition('orders', 0).values.map((value) => value?.trim())).toEqual(numbers(0, 20));
  });

  it('asks first for what is before a gap: it may be stored, and must keep its sequence', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world, { batchSize: 100 });
    const outcome = collector();
    const send = (value: string): void =>
      producer.append({ topic: 'orders', value: value.padEnd(80) }, outcome.callback);
    send('0');
    await world.clock.run();
    faultsInTurn(
      world,
      { kind: 'carry-out-and-close' },
      answerWith(ErrorCode.NOT_ENOUGH_REPLICAS),
      answerWith(ErrorCode.MESSAGE_TOO_LARGE),
    );
    send('1');
    await world.clock.run();
    for (const value of numbers(2, 4)) send(value);
    await world.clock.advance(5_000);
    expect(outcome.errors.map(({ code }) => code)).toEqual(['MESSAGE_TOO_LARGE']);
    expect(world.kafka.partition('orders', 0).values.map((value) => value?.trim())).toEqual(['0', '1', '3', '4']);
  });

  it('raises the epoch only after everything on its way has come back', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world, { batchSize: 100 });
    const outcome = collector();
    producer.append({ topic: 'orders', value: '0'.padEnd(80) }, outcome.callback);
    await world.clock.run();
    // The first of four answers comes at once and means a gap; the other three requests have no answer yet.
    let count = 0;
    world.kafka.fault = ({ api }) => {
      if (api !== 'Produce') return undefined;
      count += 1;
      if (count === 1) return answerWith(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER);
      return count <= 4 ? { kind: 'delay', milliseconds: 3_000 } : undefined;
    };
    for (const value of numbers(1, 4)) producer.append({ topic: 'orders', value: value.padEnd(80) }, outcome.callback);
    await world.clock.advance(2_999);
    expect(identities(world).every((each) => each.startsWith('1000/0/'))).toBe(true);
    await world.clock.advance(5_000);
    expect(outcome.errors).toEqual([]);
    expect(world.kafka.partition('orders', 0).values.map((value) => value?.trim())).toEqual(numbers(0, 4));
    expect(identities(world).some((each) => each.startsWith('1000/1/'))).toBe(true);
  });

  it('never uses a sequence of a partition twice, even after the topic was out of use for a while', async () => {
    const world = createWorld({ topics: { a: 1, b: 1 } });
    const producer = createTestProducer(world, { metadataMaxAgeMs: 100_000 });
    for (let round = 0; round < 3; round++) {
      const sent = watch(producer.send({ topic: 'a', value: String(round) }));
      await world.clock.run();
      expect(sent.value?.offset).toBe(round);
      for (let step = 0; step < 10; step++) {
        await world.clock.advance(60_000);
        producer.append({ topic: 'b' });
      }
    }
    expect(world.kafka.partition('a', 0).values).toEqual(['0', '1', '2']);
  });

  it('abandons an expired batch without a gap when the broker had stored it', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world, { deliveryTimeoutMs: 1_000, requestTimeoutMs: 500 });
    const outcome = collector();
    // The broker stores everything, but no answer arrives until A has expired.
    world.kafka.fault = ({ api }) => (api === 'Produce' ? { kind: 'carry-out-and-silence' } : undefined);
    producer.append({ topic: 'orders', value: 'A' }, outcome.callback);
    await world.clock.advance(700);
    producer.append({ topic: 'orders', value: 'B' }, outcome.callback);
    await world.clock.advance(400);
    expect(outcome.errors).toMatchObject([{ code: 'TIMEOUT' }]);
    world.kafka.fault = () => undefined;
    await world.clock.advance(3_000);
    producer.append({ topic: 'orders', value: 'C' }, outcome.callback);
    await world.clock.advance(3_000);
    expect(world.kafka.partition('orders', 0).values).toEqual(['A', 'B', 'C']);
    expect(outcome.errors).toHaveLength(1);
  });
});
