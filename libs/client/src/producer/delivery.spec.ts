/**
 * What the producer does when things go wrong between it and the brokers. Each case names the rule it holds to.
 */
import {
  ErrorCode,
  InitProducerId,
  Metadata,
  type ProduceRequest,
  batchBaseSequence,
  batchProducerEpoch,
  batchProducerId,
} from '@kafka-template/protocol';
import { sequenceAfter } from './partition-queue.js';
import { collector, createTestProducer, produceRequests, watch } from '../testing/producer-world.js';
import type { Fault, SeenRequest } from '../testing/fake-kafka.js';
import { type World, createWorld } from '../testing/world.js';

/** The record batch in a Produce request with one partition. */
function batchOf(request: ProduceRequest): Buffer {
  const records = request.topicData[0]?.partitionData[0]?.records;
  if (records === null || records === undefined) throw new Error('a Produce request without records');
  return records;
}

function identities(world: World): string[] {
  return produceRequests(world).map((request) => {
    const batch = batchOf(request);
    return `${batchProducerId(batch)}/${batchProducerEpoch(batch)}/${batchBaseSequence(batch)}`;
  });
}

/** Gives the n-th Produce request (from 1) the n-th fault; later ones none. */
function faultsInTurn(world: World, ...faults: (Fault | undefined)[]): void {
  let count = 0;
  world.kafka.fault = ({ api }) => (api === 'Produce' ? faults[count++] : undefined);
}

function answerWith(errorCode: number, more: object = {}): Fault {
  const partitionResponses = [{ index: 0, errorCode, baseOffset: -1, ...more }];
  return { kind: 'answer', body: { responses: [{ name: 'orders', partitionResponses }] } };
}

function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => String(from + index));
}

describe('Producer: retries', () => {
  it('sends the same bytes with the same sequence again when an answer is lost; nothing is lost or stored twice', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world);
    faultsInTurn(world, { kind: 'carry-out-and-close' });
    const lost = watch(producer.send({ topic: 'orders', value: 'A' }));
    await world.clock.run();
    // The defect of other clients: a record sent while the first one waits for its retry takes its sequence.
    const other = watch(producer.send({ topic: 'orders', value: 'B' }));
    await world.clock.advance(1_000);
    expect(lost.value?.offset).toBe(0);
    expect(other.value?.offset).toBe(1);
    expect(world.kafka.partition('orders', 0).values).toEqual(['A', 'B']);
    expect(identities(world)).toEqual(['1000/0/0', '1000/0/0', '1000/0/1']);
    const [first, second] = produceRequests(world).map(batchOf);
    expect(second?.equals(first as Buffer)).toBe(true);
  });

  it.each([1, 2, 3, 4, 5])(
    'keeps order and loses nothing with 5 in flight when the connection breaks at request %i',
    async (at) => {
      for (const kind of ['close', 'carry-out-and-close'] as const) {
        const world = createWorld({ topics: { orders: 1 } });
        const producer = createTestProducer(world, { batchSize: 100 });
        const outcome = collector();
        producer.append({ topic: 'orders', value: '0' }, outcome.callback);
        await world.clock.run();
        faultsInTurn(world, ...Array.from({ length: at - 1 }, () => undefined), { kind });
        for (const value of numbers(1, 8))
          producer.append({ topic: 'orders', value: value.padEnd(80) }, outcome.callback);
        await world.clock.run();
        expect(produceRequests(world).length).toBeGreaterThanOrEqual(at);
        await world.clock.advance(5_000);
        expect(outcome.errors).toEqual([]);
        expect(outcome.metadata.map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
        expect(world.kafka.partition('orders', 0).values.map((value) => value?.trim())).toEqual(numbers(0, 8));
      }
    },
  );

  it('sends the first batch of a partition alone: a broker that does not know the producer takes any first sequence', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world, { batchSize: 100 });
    faultsInTurn(world, answerWith(ErrorCode.NOT_ENOUGH_REPLICAS));
    const outcome = collector();
    for (const value of numbers(1, 4)) producer.append({ topic: 'orders', value: value.padEnd(80) }, outcome.callback);
    await world.clock.run();
    expect(produceRequests(world)).toHaveLength(1);
    await world.clock.advance(1_000);
    expect(outcome.errors).toEqual([]);
    expect(world.kafka.partition('orders', 0).values.map((value) => value?.trim())).toEqual(numbers(1, 4));
  });

  it('repairs the order when a middle one of 5 in flight is refused for a reason that passes', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world, { batchSize: 100 });
    const outcome = collector();
    producer.append({ topic: 'orders', value: '0' }, outcome.callback);
    await world.clock.run();
    faultsInTurn(world, undefined, answerWith(ErrorCode.NOT_ENOUGH_REPLICAS));
    for (const value of numbers(1, 6)) producer.append({ topic: 'orders', value: value.padEnd(80) }, outcome.callback);
    await world.clock.advance(5_000);
    expect(outcome.errors).toEqual([]);
    expect(world.kafka.partition('orders', 0).values.map((value) => value?.trim())).toEqual(numbers(0, 6));
    expect(outcome.metadata.map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    // Nobody's epoch had to change: what came after the refused one was out of order only for a moment.
    expect(new Set(identities(world).map((each) => each.slice(0, each.lastIndexOf('/'))))).toEqual(new Set(['1000/0']));
  });

  it('backs off between attempts and sends nothing of the partition meanwhile', async () => {
    const world = createWorld({ topics: { orders: 2 } });
    const producer = createTestProducer(world, { retryBackoffMs: 1_000, retryBackoffMaxMs: 1_000 });
    faultsInTurn(world, answerWith(ErrorCode.REQUEST_TIMED_OUT));
    const outcome = collector();
    producer.append({ topic: 'orders', partition: 0, value: 'A' }, outcome.callback);
    await world.clock.run();
    producer.append({ topic: 'orders', partition: 0, value: 'B' }, outcome.callback);
    producer.append({ topic: 'orders', partition: 1, value: 'C' }, outcome.callback);
    await world.clock.advance(790);
    expect(outcome.metadata.map(({ partition }) => partition)).toEqual([1]);
    await world.clock.advance(420);
    expect(world.kafka.partition('orders', 0).values).toEqual(['A', 'B']);
    expect(outcome.metadata).toHaveLength(3);
  });

  it('follows the leader: asks for metadata again and sends to the new one', async () => {
    const world = createWorld({ brokers: 2, topics: { orders: 1 } });
    const producer = createTestProducer(world);
    producer.append({ topic: 'orders', value: 'A' });
    await world.clock.run();
    world.kafka.elect('orders', 0, 2);
    const asked = world.kafka.seen(Metadata).length;
    const sent = watch(producer.send({ topic: 'orders', value: 'B' }));
    await world.clock.advance(1_000);
    expect(sent.value?.offset).toBe(1);
    expect(world.kafka.seen(Metadata).length).toBe(asked + 1);
    expect(world.kafka.requests[world.kafka.requests.length - 1]?.brokerId).toBe(2);
  });

  it('follows the leader that the refusal itself names (KIP-951)', async () => {
    const world = createWorld({ brokers: 2, topics: { orders: 1 } });
    const producer = createTestProducer(world);
    await Promise.all([producer.partitionsFor('orders'), world.clock.run()]);
    world.kafka.elect('orders', 0, 2);
    world.kafka.partition('orders', 0).leaderEpoch = 7;
    // From here on metadata does not answer: the hint has to do.
    const hint = { currentLeader: { leaderId: 2, leaderEpoch: 7 } };
    let produced = 0;
    world.kafka.fault = ({ api }: SeenRequest) => {
      if (api === 'Metadata' && produced > 0) return { kind: 'silence' };
      return api === 'Produce' && produced++ === 0 ? answerWith(ErrorCode.NOT_LEADER_OR_FOLLOWER, hint) : undefined;
    };
    const sent = watch(producer.send({ topic: 'orders', value: 'A' }));
    await world.clock.advance(1_000);
    expect(sent.value?.offset).toBe(0);
  });

  it('delivers when the only broker is away for a while', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world);
    producer.append({ topic: 'orders', value: 'A' });
    await world.clock.run();
    world.kafka.stop(1);
    const sent = watch(producer.send({ topic: 'orders', value: 'B' }));
    await world.clock.advance(20_000);
    expect(sent.isDone).toBe(false);
    world.kafka.start(1);
    await world.clock.advance(5_000);
    expect(sent.value?.offset).toBe(1);
  });

  it('gives up after deliveryTimeoutMs with the last reason, and goes on with later records', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world, { deliveryTimeoutMs: 40_000 });
    producer.append({ topic: 'orders', value: 'A' });
    await world.clock.run();
    world.kafka.stop(1);
    const sent = watch(producer.send({ topic: 'orders', value: 'B' }));
    await world.clock.advance(39_999);
    expect(sent.isDone).toBe(false);
    await world.clock.advance(2);
    expect(sent.error).toMatchObject({ code: 'TIMEOUT', retriable: true });
    expect(sent.error?.message).toMatch(
      /^Expiring 1 record\(s\) for orders-0: 40000 ms has passed since batch creation \(deliveryTimeoutMs\)\. Last reason: The connection to broker-1:9092 /,
    );
    world.kafka.start(1);
    const next = watch(producer.send({ topic: 'orders', value: 'C' }));
    await world.clock.advance(5_000);
    expect(next.value?.offset).toBe(1);
    expect(world.kafka.partition('orders', 0).values).toEqual(['A', 'C']);
  });

  it('fails a batch that is too old even while it is on its way; its late answer changes nothing', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const options = { deliveryTimeoutMs: 1_000, requestTimeoutMs: 900, retryBackoffMs: 200 };
    const producer = createTestProducer(world, options);
    faultsInTurn(world, { kind: 'close' }, { kind: 'delay', milliseconds: 850 });
    const outcome = collector();
    producer.append({ topic: 'orders', value: 'A' }, outcome.callback);
    await world.clock.advance(999);
    expect(outcome.all).toHaveLength(0);
    expect(produceRequests(world)).toHaveLength(2);
    await world.clock.advance(1);
    expect(outcome.errors).toMatchObject([{ code: 'TIMEOUT' }]);
    await world.clock.advance(2_000);
    expect(outcome.all).toHaveLength(1);
    const next = watch(producer.send({ topic: 'orders', value: 'B' }));
    await world.clock.run();
    expect(next.value?.offset).toBe(1);
    expect(identities(world).pop()).toBe('1000/0/1');
  });

  it('stops after `retries` attempts when told so', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world, { retries: 2 });
    world.kafka.fault = ({ api }) => (api === 'Produce' ? answerWith(ErrorCode.NOT_ENOUGH_REPLICAS) : undefined);
    const sent = watch(producer.send({ topic: 'orders' }));
    await world.clock.advance(10_000);
    expect(sent.error?.code).toBe('NOT_ENOUGH_REPLICAS');
    expect(produceRequests(world)).toHaveLength(3);
  });
});

describe('Producer: refusals that do not pass', () => {
  it.each([
    [ErrorCode.MESSAGE_TOO_LARGE, 'MESSAGE_TOO_LARGE'],
    [ErrorCode.TOPIC_AUTHORIZATION_FAILED, 'TOPIC_AUTHORIZATION_FAILED'],
    [ErrorCode.INVALID_TIMESTAMP, 'INVALID_TIMESTAMP'],
    [9999, 'UNKNOWN_ERROR_CODE_9999'],
  ])('fail the records at once: %i', async (errorCode, code) => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world);
    faultsInTurn(world, answerWith(errorCode, { errorMessage: 'because' }));
    const sent = watch(producer.send({ topic: 'orders', value: 'A' }));
    await world.clock.run();
    expect(sent.error).toMatchObject({ code, retriable: false });
    expect(sent.error?.message).toBe(`Sending to orders-0 failed: ${code}: because`);
    const next = watch(producer.send({ topic: 'orders', value: 'B' }));
    await world.clock.run();
    expect(next.value?.offset).toBe(0);
  });

  it('name the records at fault; the others may be sent again (KIP-467)', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world);
    const recordErrors = [{ batchIndex: 1, batchIndexErrorMessage: 'no key' }];
    faultsInTurn(world, answerWith(ErrorCode.INVALID_RECORD, { errorMessage: 'one or more', recordErrors }));
    const outcome = collector();
    for (let index = 0; index < 3; index++) producer.append({ topic: 'orders' }, outcome.callback);
    await world.clock.run();
    expect(outcome.errors.map(({ code, retriable }) => [code, retriable])).toEqual([
      ['INVALID_RECORD', true],
      ['INVALID_RECORD', false],
      ['INVALID_RECORD', true],
    ]);
    expect(outcome.errors[1]?.message).toBe('Sending to orders-0 failed: INVALID_RECORD: no key');
  });

  it('leave no gap behind: what was on its way behind the refused batch is stored, in order, in a new epoch', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world, { batchSize: 100 });
    faultsInTurn(world, undefined, answerWith(ErrorCode.MESSAGE_TOO_LARGE));
    const outcome = collector();
    for (const value of numbers(1, 8)) producer.append({ topic: 'orders', value: value.padEnd(80) }, outcome.callback);
    await world.clock.advance(5_000);
    expect(outcome.errors.map(({ code }) => code)).toEqual(['MESSAGE_TOO_LARGE']);
    expect(world.kafka.partition('orders', 0).values.map((value) => value?.trim())).toEqual(['1', ...numbers(3, 8)]);
    expect(outcome.metadata.map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(identities(world).pop()).toBe('1000/1/5');
  });
});

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
