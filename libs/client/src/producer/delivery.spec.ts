/**
 * What the producer does when things go wrong between it and the brokers. Each case names the rule it holds to.
 */
import { ErrorCode, Metadata, decodeRecords } from '@kafka-template/protocol';
import { seededRandom } from '../io/random.js';
import {
  answerWith,
  batchOf,
  collector,
  createTestProducer,
  faultsInTurn,
  identities,
  numbers,
  produceRequests,
  watch,
} from '../testing/producer-world.js';
import type { SeenRequest } from '../testing/fake-kafka.js';
import { createWorld } from '../testing/world.js';

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

  it('tries what failed one batch after the other, so that nothing overtakes it and nothing is refused in vain', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world, { batchSize: 100 });
    const outcome = collector();
    producer.append({ topic: 'orders', value: '0' }, outcome.callback);
    await world.clock.run();
    faultsInTurn(world, { kind: 'close' }, { kind: 'delay', milliseconds: 500 });
    for (const value of numbers(1, 4)) producer.append({ topic: 'orders', value: value.padEnd(80) }, outcome.callback);
    await world.clock.advance(600);
    // The first one by itself, the broken one, and its repetition, which has no answer yet.
    expect(identities(world)).toEqual(['1000/0/0', '1000/0/1', '1000/0/1']);
    await world.clock.advance(2_000);
    expect(world.kafka.partition('orders', 0).values.map((value) => value?.trim())).toEqual(numbers(0, 4));
  });

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

  it('names the reason also for a batch that was never sent', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world, { deliveryTimeoutMs: 40_000 });
    await Promise.all([producer.partitionsFor('orders'), world.clock.run()]);
    world.kafka.fault = ({ api }) => (api === 'InitProducerId' ? { kind: 'close' } : undefined);
    const sent = watch(producer.send({ topic: 'orders', value: 'A' }));
    await world.clock.advance(40_001);
    expect(sent.error?.message).toMatch(/Last reason: The connection to broker-1:9092 was lost: read ECONNRESET\./);
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

describe('Producer: batches that are too large for the broker', () => {
  it.each([
    ['idempotent', { enableIdempotence: true }],
    ['not idempotent', { enableIdempotence: false, maxInFlightRequestsPerConnection: 1 }],
    ['compressed', { compressionType: 'gzip' as const }],
  ])('are sent in smaller ones, in order, each record with its own outcome: %s', async (_, options) => {
    const world = createWorld({ topics: { orders: 1 } });
    const log = world.kafka.partition('orders', 0);
    log.batchBytesMax = 500;
    const producer = createTestProducer(world, options);
    const outcome = collector();
    producer.append({ topic: 'orders', value: 'first' }, outcome.callback);
    await world.clock.run();
    const random = seededRandom(1);
    const noise = (): string => Array.from({ length: 50 }, () => String.fromCharCode(33 + random.next() * 90)).join('');
    const sent = numbers(0, 99).map((value) => value + noise());
    for (const [index, value] of sent.entries()) {
      const headers = [{ key: 'h', value: String(index) }];
      producer.append({ topic: 'orders', key: `k${index}`, value, headers, timestamp: index }, outcome.callback);
    }
    producer.append({ topic: 'orders', value: 'last' }, outcome.callback);
    const flushed = watch(producer.flush());
    await world.clock.advance(5_000);
    expect(outcome.errors).toEqual([]);
    expect(log.values).toEqual(['first', ...sent, 'last']);
    expect(outcome.metadata.map(({ offset }) => offset)).toEqual(
      Array.from({ length: 102 }, (_unused, index) => index),
    );
    expect(outcome.metadata[43]).toMatchObject({ timestamp: 42, serializedKeySize: 3, serializedValueSize: 52 });
    const records = log.batches.flatMap((batch) => decodeRecords(batch));
    expect(records[43]?.headers[0]?.value?.toString()).toBe('42');
    expect(flushed.isDone).toBe(true);
  });

  it('fail only the record that is too large by itself; batches on their way behind keep their order', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const log = world.kafka.partition('orders', 0);
    const producer = createTestProducer(world, { batchSize: 700 });
    const outcome = collector();
    producer.append({ topic: 'orders', value: '0' }, outcome.callback);
    await world.clock.run();
    log.batchBytesMax = 500;
    for (const value of numbers(1, 30)) {
      producer.append({ topic: 'orders', value: value.padEnd(value === '4' ? 510 : 30) }, outcome.callback);
    }
    await world.clock.advance(5_000);
    expect(outcome.errors.map(({ code }) => code)).toEqual(['MESSAGE_TOO_LARGE']);
    expect(log.values.map((value) => value?.trim())).toEqual(numbers(0, 30).filter((value) => value !== '4'));
    const flushed = watch(producer.flush());
    await world.clock.run();
    expect(flushed.isDone).toBe(true);
  });
});
