import {
  AddOffsetsToTxn,
  AddPartitionsToTxn,
  EndTxn,
  ErrorCode,
  FindCoordinator,
  InitProducerId,
  Produce,
  TxnOffsetCommit,
  isTransactionalBatch,
} from '@kafka-template/protocol';
import type { Fault, SeenRequest } from '../../testing/fake-kafka.js';
import { FakeTransactions } from '../../testing/fake-transactions.js';
import {
  answerWith,
  batchOf,
  collector,
  createTestProducer,
  faultsInTurn,
  identities,
  produceRequests,
  watch,
} from '../../testing/producer-world.js';
import { type World, createWorld } from '../../testing/world.js';
import type { Producer } from '../producer.js';
import type { ProducerOptions } from '../producer-options.js';

interface Play {
  readonly world: World;
  readonly transactions: FakeTransactions;
  readonly producer: Producer;
}

const GROUP = { groupId: 'billing', generationId: 4, memberId: 'm-1', groupInstanceId: null };

/** A transactional producer in state READY. */
async function play(version: 1 | 2 = 1, options: Partial<ProducerOptions> = {}): Promise<Play> {
  const world = createWorld({ topics: { orders: 3, audit: 1 } });
  const transactions = new FakeTransactions(world, version);
  const producer = createTestProducer(world, { transactionalId: 'tx', ...options });
  const ready = watch(producer.initTransactions());
  await world.clock.run();
  expect(ready).toMatchObject({ isDone: true });
  expect(ready.error).toBeUndefined();
  return { world, transactions, producer };
}

/** Names of the requests about transactions, in order. */
function story(world: World): string[] {
  const names = [InitProducerId, AddPartitionsToTxn, AddOffsetsToTxn, TxnOffsetCommit, EndTxn, Produce].map(
    ({ name }) => name,
  );
  return world.kafka.requests.filter(({ api }) => names.includes(api)).map(({ api }) => api);
}

/** Answers the first requests of an API with these faults in turn. */
function faultsOf(world: World, name: string, ...faults: (Fault | undefined)[]): void {
  world.kafka.fault = ({ api }: SeenRequest) => (api === name ? faults.shift() : undefined);
}

function refuse(errorCode: number): Fault {
  return { kind: 'answer', body: { errorCode, producerId: -1, producerEpoch: -1 } };
}

function refusePartitions(...codes: number[]): Fault {
  const resultsByPartition = codes.map((partitionErrorCode, partitionIndex) => ({
    partitionIndex,
    partitionErrorCode,
  }));
  return { kind: 'answer', body: { resultsByTopicV3AndBelow: [{ name: 'orders', resultsByPartition }] } };
}

async function commit({ producer, world }: Play): Promise<ReturnType<typeof watch<void>>> {
  const committed = watch(producer.commitTransaction());
  await world.clock.advance(1_000);
  return committed;
}

async function abort({ producer, world }: Play): Promise<ReturnType<typeof watch<void>>> {
  const aborted = watch(producer.abortTransaction());
  await world.clock.advance(1_000);
  return aborted;
}

describe('InitProducerId', () => {
  it('is sent to the transaction coordinator, with -1/-1 and the timeout', async () => {
    const { world } = await play(1, { transactionTimeoutMs: 7_000 });
    const [request] = world.kafka.seen(InitProducerId);
    expect(request?.body).toEqual({
      transactionalId: 'tx',
      transactionTimeoutMs: 7_000,
      producerId: -1,
      producerEpoch: -1,
    });
    expect(world.kafka.seen(FindCoordinator)[0]?.body).toMatchObject({ keyType: 1, coordinatorKeys: ['tx'] });
  });

  it.each([
    ['CONCURRENT_TRANSACTIONS', ErrorCode.CONCURRENT_TRANSACTIONS, 1],
    ['COORDINATOR_LOAD_IN_PROGRESS', ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, 1],
    ['NOT_COORDINATOR', ErrorCode.NOT_COORDINATOR, 2],
    ['COORDINATOR_NOT_AVAILABLE', ErrorCode.COORDINATOR_NOT_AVAILABLE, 2],
  ])('is asked again after %s', async (_, errorCode, lookUps) => {
    const world = createWorld({ topics: { orders: 1 } });
    new FakeTransactions(world);
    faultsOf(world, 'InitProducerId', refuse(errorCode));
    const producer = createTestProducer(world, { transactionalId: 'tx' });
    const ready = watch(producer.initTransactions());
    await world.clock.advance(1_000);
    expect(ready).toEqual({ isDone: true });
    expect(world.kafka.seen(InitProducerId)).toHaveLength(2);
    expect(world.kafka.seen(FindCoordinator)).toHaveLength(lookUps);
  });

  it('goes on after maxBlockMs, and a second call waits for the same', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    new FakeTransactions(world);
    world.kafka.fault = ({ api }) => (api === 'InitProducerId' ? refuse(ErrorCode.CONCURRENT_TRANSACTIONS) : undefined);
    const producer = createTestProducer(world, { transactionalId: 'tx', maxBlockMs: 500 });
    const first = watch(producer.initTransactions());
    await world.clock.advance(500);
    expect(first.error).toMatchObject({ code: 'TIMEOUT', retriable: true });
    expect(first.error?.message).toContain('CONCURRENT_TRANSACTIONS');
    world.kafka.fault = () => undefined;
    const second = watch(producer.initTransactions());
    await world.clock.advance(500);
    expect(second).toEqual({ isDone: true });
    producer.beginTransaction();
  });

  it('that is refused for good ends the producer', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    new FakeTransactions(world);
    faultsOf(world, 'InitProducerId', refuse(ErrorCode.INVALID_TRANSACTION_TIMEOUT));
    const producer = createTestProducer(world, { transactionalId: 'tx' });
    const ready = watch(producer.initTransactions());
    await world.clock.run();
    expect(ready.error).toMatchObject({ code: 'INVALID_TRANSACTION_TIMEOUT', fatal: true });
    expect(() => producer.beginTransaction()).toThrow(ready.error);
  });
});

describe('version 1', () => {
  it('adds partitions together before the first record, and each once; batches say whose they are', async () => {
    const game = await play();
    const { world, producer, transactions } = game;
    producer.beginTransaction();
    for (const partition of [0, 1, 2]) producer.append({ topic: 'orders', partition, value: `${partition}` });
    await world.clock.run();
    producer.append({ topic: 'orders', partition: 1, value: 'again' });
    expect(await commit(game)).toEqual({ isDone: true });
    expect(story(world)).toEqual(['InitProducerId', 'AddPartitionsToTxn', 'Produce', 'Produce', 'EndTxn']);
    expect(world.kafka.seen(AddPartitionsToTxn)[0]?.version).toBe(3);
    expect(produceRequests(world).map(({ transactionalId }) => transactionalId)).toEqual(['tx', 'tx']);
    expect(world.kafka.seen(Produce).map(({ version }) => version)).toEqual([11, 11]);
    expect(produceRequests(world).every((request) => isTransactionalBatch(batchOf(request)))).toBe(true);
    expect(identities(world)).toEqual(['7000/0/0', '7000/0/1']);
    expect(transactions.ends).toEqual(['commit orders-0,orders-1,orders-2']);
  });

  it('adds what comes up while a request is on its way in the next one, and loses none', async () => {
    const game = await play();
    const { world, producer, transactions } = game;
    faultsOf(world, 'AddPartitionsToTxn', { kind: 'delay', milliseconds: 50 });
    producer.beginTransaction();
    producer.append({ topic: 'orders', partition: 0, value: 'a' });
    await world.clock.run();
    for (const partition of [1, 2]) producer.append({ topic: 'orders', partition, value: 'b' });
    await world.clock.run();
    expect(produceRequests(world)).toHaveLength(0);
    expect(await commit(game)).toEqual({ isDone: true });
    expect(world.kafka.seen(AddPartitionsToTxn)).toHaveLength(2);
    expect(transactions.ends).toEqual(['commit orders-0,orders-1,orders-2']);
  });

  it('goes on with the same epoch and sequences in the next transaction', async () => {
    const game = await play();
    for (const value of ['a', 'b']) {
      game.producer.beginTransaction();
      game.producer.append({ topic: 'audit', value });
      expect(await commit(game)).toEqual({ isDone: true });
    }
    expect(identities(game.world)).toEqual(['7000/0/0', '7000/0/1']);
    expect(game.transactions.ends).toEqual(['commit audit-0', 'commit audit-0']);
  });

  it.each([
    ['the request is lost', { kind: 'close' }],
    ['the answer is lost', { kind: 'carry-out-and-close' }],
  ] as const)('EndTxn is sent again when %s', async (_, fault) => {
    const game = await play();
    game.producer.beginTransaction();
    game.producer.append({ topic: 'audit', value: 'a' });
    faultsOf(game.world, 'EndTxn', fault);
    expect(await commit(game)).toEqual({ isDone: true });
    expect(game.transactions.ends).toEqual(['commit audit-0']);
  });

  it('a partition that cannot be added fails its records and the transaction', async () => {
    const game = await play();
    const { world, producer, transactions } = game;
    const outcome = collector();
    faultsOf(
      world,
      'AddPartitionsToTxn',
      refusePartitions(ErrorCode.OPERATION_NOT_ATTEMPTED, ErrorCode.TOPIC_AUTHORIZATION_FAILED),
    );
    producer.beginTransaction();
    for (const partition of [0, 1]) producer.append({ topic: 'orders', partition }, outcome.callback);
    const committed = await commit(game);
    expect(committed.error).toMatchObject({ code: 'TOPIC_AUTHORIZATION_FAILED', abortable: true });
    expect(outcome.errors.map(({ code }) => code)).toEqual([
      'TOPIC_AUTHORIZATION_FAILED',
      'TOPIC_AUTHORIZATION_FAILED',
    ]);
    expect(await abort(game)).toEqual({ isDone: true });
    expect(transactions.ends).toEqual([]);
    expect(story(world)).toEqual(['InitProducerId', 'AddPartitionsToTxn']);
  });

  it('offsets are added once per group, then sent in order with the member of the group', async () => {
    const game = await play();
    const { world, producer, transactions } = game;
    producer.beginTransaction();
    for (const offset of [5, 9]) {
      void producer.sendOffsetsToTransaction([{ topic: 'orders', partition: 0, offset }], GROUP);
    }
    expect(await commit(game)).toEqual({ isDone: true });
    expect(story(world).slice(1)).toEqual(['AddOffsetsToTxn', 'TxnOffsetCommit', 'TxnOffsetCommit', 'EndTxn']);
    expect(world.kafka.seen(TxnOffsetCommit)[0]).toMatchObject({ version: 4, body: GROUP });
    expect(transactions.offsets).toEqual(['orders-0:5', 'orders-0:9']);
    expect(transactions.ends).toEqual(['commit group:billing']);
  });

  it('offsets go without the member to brokers that do not know it', async () => {
    const game = await play();
    game.world.kafka.ranges.set(TxnOffsetCommit.key, [0, 2]);
    game.world.kafka.stop(1);
    game.world.kafka.start(1);
    game.producer.beginTransaction();
    void game.producer.sendOffsetsToTransaction([{ topic: 'orders', partition: 0, offset: 5 }], GROUP);
    expect(await commit(game)).toEqual({ isDone: true });
    expect(game.world.kafka.seen(TxnOffsetCommit)[0]?.version).toBe(2);
  });
});

describe('version 2', () => {
  it('lets brokers add partitions and groups, and takes the epoch of EndTxn', async () => {
    const game = await play(2);
    const { world, producer, transactions } = game;
    for (const value of ['a', 'b']) {
      producer.beginTransaction();
      producer.append({ topic: 'audit', value });
      void producer.sendOffsetsToTransaction([{ topic: 'orders', partition: 0, offset: 5 }], GROUP);
      expect(await commit(game)).toEqual({ isDone: true });
    }
    expect(world.kafka.seen(AddPartitionsToTxn)).toHaveLength(0);
    expect(world.kafka.seen(AddOffsetsToTxn)).toHaveLength(0);
    expect(identities(world)).toEqual(['7000/0/0', '7000/1/0']);
    expect(world.kafka.seen(Produce)[0]?.version).toBe(12);
    expect(world.kafka.seen(EndTxn)[0]?.version).toBe(5);
    expect(world.kafka.seen(TxnOffsetCommit)[0]?.version).toBe(5);
    expect(transactions.ends).toHaveLength(2);
  });

  it('takes the epoch also when the answer of EndTxn was lost', async () => {
    const game = await play(2);
    game.producer.beginTransaction();
    game.producer.append({ topic: 'audit', value: 'a' });
    faultsOf(game.world, 'EndTxn', { kind: 'carry-out-and-close' });
    expect(await commit(game)).toEqual({ isDone: true });
    game.producer.beginTransaction();
    game.producer.append({ topic: 'audit', value: 'b' });
    expect(await commit(game)).toEqual({ isDone: true });
    expect(identities(game.world)).toEqual(['7000/0/0', '7000/1/0']);
  });

  it.each([
    ['Produce 12', Produce.key, [3, 11]],
    ['EndTxn 5', EndTxn.key, [0, 4]],
    ['TxnOffsetCommit 5', TxnOffsetCommit.key, [0, 4]],
  ] as const)('is not used without %s', async (_, key, range) => {
    const world = createWorld({ topics: { audit: 1 } });
    new FakeTransactions(world);
    world.kafka.finalizedFeatures.set('transaction.version', 2);
    world.kafka.ranges.set(key, range);
    const producer = createTestProducer(world, { transactionalId: 'tx' });
    void producer.initTransactions();
    await world.clock.run();
    producer.beginTransaction();
    producer.append({ topic: 'audit', value: 'a' });
    const committed = watch(producer.commitTransaction());
    await world.clock.run();
    expect(committed).toEqual({ isDone: true });
    expect(world.kafka.seen(AddPartitionsToTxn)).toHaveLength(1);
  });
});

describe.each([1, 2] as const)('failures, version %i', (version) => {
  it('a record that failed makes the commit fail; after an abort there is a new epoch', async () => {
    const game = await play(version);
    const { world, producer, transactions } = game;
    faultsInTurn(world, undefined, answerWith(ErrorCode.INVALID_RECORD));
    producer.beginTransaction();
    producer.append({ topic: 'orders', partition: 0, value: 'good' });
    await world.clock.run();
    producer.append({ topic: 'orders', partition: 0, value: 'bad' });
    const committed = await commit(game);
    expect(committed.error).toMatchObject({ code: 'INVALID_RECORD', abortable: true, fatal: false });
    expect(committed.error?.message).toContain('ABORTABLE_ERROR. Call abortTransaction() first.');
    const refused = watch(producer.send({ topic: 'orders', value: 'more' }));
    await world.clock.run();
    expect(refused.error).toMatchObject({ code: 'INVALID_RECORD', abortable: true });
    expect(await abort(game)).toEqual({ isDone: true });
    expect(transactions.ends).toEqual(['abort orders-0']);
    producer.beginTransaction();
    producer.append({ topic: 'orders', partition: 0, value: 'next' });
    expect(await commit(game)).toEqual({ isDone: true });
    expect(identities(world).at(-1)).toBe('7000/1/0');
    const last = world.kafka.seen(InitProducerId).at(-1)?.body;
    expect(last).toMatchObject(version === 1 ? { producerId: 7000, producerEpoch: 0 } : { producerId: -1 });
  });

  it('fencing by a coordinator ends everything, now and later', async () => {
    const game = await play(version);
    const { world, producer, transactions } = game;
    producer.beginTransaction();
    producer.append({ topic: 'audit', value: 'a' });
    await world.clock.run();
    transactions.fence();
    const committed = await commit(game);
    expect(committed.error).toMatchObject({ code: 'PRODUCER_FENCED', fatal: true });
    const requests = world.kafka.requests.length;
    expect((await abort(game)).error).toBe(committed.error);
    expect(() => producer.beginTransaction()).toThrow(committed.error);
    const sent = watch(producer.send({ topic: 'audit' }));
    await world.clock.run();
    expect(sent.error).toBe(committed.error);
    expect(world.kafka.requests).toHaveLength(requests);
  });

  it('fencing by a leader fails everything that waits', async () => {
    const game = await play(version);
    const outcome = collector();
    faultsInTurn(game.world, answerWith(ErrorCode.INVALID_PRODUCER_EPOCH));
    game.producer.beginTransaction();
    game.producer.append({ topic: 'orders', partition: 0 }, outcome.callback);
    game.producer.append({ topic: 'nowhere' }, outcome.callback);
    const committed = await commit(game);
    expect(committed.error).toMatchObject({ code: 'PRODUCER_FENCED', fatal: true });
    expect(outcome.errors.map(({ code }) => code)).toEqual(['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED']);
    expect(game.world.kafka.seen(EndTxn)).toHaveLength(0);
  });

  it('an abort drops what was not sent, waits for what is on its way, and asks again for what may be stored', async () => {
    const game = await play(version, { batchSize: 100 });
    const { world, producer, transactions } = game;
    const outcome = collector();
    producer.beginTransaction();
    producer.append({ topic: 'orders', partition: 0, value: 'lost answer' }, outcome.callback);
    producer.append({ topic: 'orders', partition: 1, value: 'slow answer' }, outcome.callback);
    faultsInTurn(world, { kind: 'carry-out-and-close' });
    await world.clock.run();
    producer.append({ topic: 'orders', partition: 2, value: 'unsent' }, outcome.callback);
    expect(await abort(game)).toEqual({ isDone: true });
    expect(outcome.errors.map(({ code }) => code)).toEqual(['TRANSACTION_ABORTED']);
    expect(outcome.metadata).toHaveLength(2);
    expect(story(world).at(-1)).toBe('EndTxn');
    expect(transactions.ends).toEqual(['abort orders-0,orders-1']);
    expect(world.kafka.partition('orders', 0).values).toEqual(['lost answer']);
  });

  it('a record that is refused before it is sent counts, too', async () => {
    const game = await play(version, { maxRequestSize: 100 });
    game.producer.beginTransaction();
    const failed = watch(game.producer.send({ topic: 'audit', value: 'x'.repeat(200) }));
    const committed = await commit(game);
    expect(failed.error?.code).toBe('RECORD_TOO_LARGE');
    expect(committed.error).toMatchObject({ code: 'RECORD_TOO_LARGE', abortable: true });
    expect(await abort(game)).toEqual({ isDone: true });
    game.producer.beginTransaction();
  });

  it('a batch that is divided keeps its sequence', async () => {
    const game = await play(version);
    const { world, producer } = game;
    world.kafka.partition('audit', 0).batchBytesMax = 150;
    producer.beginTransaction();
    for (const value of ['a', 'b', 'c', 'd']) producer.append({ topic: 'audit', value: value.repeat(30) });
    expect(await commit(game)).toEqual({ isDone: true });
    expect(world.kafka.partition('audit', 0).values.map((value) => value?.[0])).toEqual(['a', 'b', 'c', 'd']);
    expect(new Set(identities(world).map((each) => each.slice(0, each.lastIndexOf('/'))))).toEqual(new Set(['7000/0']));
    expect(produceRequests(world).every((request) => isTransactionalBatch(batchOf(request)))).toBe(true);
  });

  it('offsets that are refused make the transaction abortable', async () => {
    const game = await play(version);
    const partitions = [{ partitionIndex: 0, errorCode: ErrorCode.ILLEGAL_GENERATION }];
    faultsOf(game.world, 'TxnOffsetCommit', { kind: 'answer', body: { topics: [{ name: 'orders', partitions }] } });
    game.producer.beginTransaction();
    const sent = watch(game.producer.sendOffsetsToTransaction([{ topic: 'orders', partition: 0, offset: 5 }], GROUP));
    expect((await commit(game)).error).toMatchObject({ code: 'ILLEGAL_GENERATION', abortable: true });
    expect(sent.error).toMatchObject({ code: 'ILLEGAL_GENERATION', abortable: true });
    expect(await abort(game)).toEqual({ isDone: true });
    expect(game.transactions.ends).toEqual(
      ['abort group:billing'].slice(version - 1).concat(version === 2 ? ['abort'] : []),
    );
  });

  it('a coordinator that forgot the id is asked for a new epoch instead of an end', async () => {
    const game = await play(version);
    game.producer.beginTransaction();
    game.producer.append({ topic: 'audit', value: 'a' });
    faultsOf(game.world, 'EndTxn', refuse(ErrorCode.INVALID_PRODUCER_ID_MAPPING));
    expect((await commit(game)).error).toMatchObject({ code: 'INVALID_PRODUCER_ID_MAPPING', abortable: true });
    expect(await abort(game)).toEqual({ isDone: true });
    expect(game.world.kafka.seen(InitProducerId)).toHaveLength(2);
    expect(game.world.kafka.seen(EndTxn)).toHaveLength(1);
    game.producer.beginTransaction();
  });

  it('an empty transaction asks nobody', async () => {
    const game = await play(version);
    game.producer.beginTransaction();
    expect(await commit(game)).toEqual({ isDone: true });
    game.producer.beginTransaction();
    expect(await abort(game)).toEqual({ isDone: true });
    expect(story(game.world)).toEqual(['InitProducerId']);
  });

  it('close aborts what is open and lets nothing hang', async () => {
    const game = await play(version, { lingerMs: 10_000 });
    const outcome = collector();
    game.producer.beginTransaction();
    game.producer.append({ topic: 'audit', value: 'sent' }, outcome.callback);
    const flushed = watch(game.producer.flush());
    await game.world.clock.run();
    expect(flushed.isDone).toBe(true);
    game.producer.append({ topic: 'audit', value: 'unsent' }, outcome.callback);
    const closed = watch(game.producer.close());
    await game.world.clock.advance(1_000);
    // A long chain of promises.
    await game.world.clock.run();
    expect(closed).toEqual({ isDone: true });
    expect(outcome.errors.map(({ code }) => code)).toEqual(['TRANSACTION_ABORTED']);
    expect(game.transactions.ends).toEqual(['abort audit-0']);
    expect(game.world.clock.timerCount).toBe(0);
  });

  it('close ends also when no coordinator answers', async () => {
    const game = await play(version);
    game.producer.beginTransaction();
    game.producer.append({ topic: 'audit', value: 'sent' });
    await game.world.clock.run();
    game.world.kafka.fault = ({ api }) => (api === 'EndTxn' ? { kind: 'close' } : undefined);
    const closed = watch(game.producer.close(5_000));
    await game.world.clock.advance(5_000);
    expect(closed).toEqual({ isDone: true });
  });
});

describe('calls', () => {
  it('name the state in which they are not possible', async () => {
    const { world, producer } = await play();
    const cases = [producer.commitTransaction(), producer.abortTransaction(), producer.initTransactions()].map(watch);
    const offsets = watch(producer.sendOffsetsToTransaction([], GROUP));
    const sent = watch(producer.send({ topic: 'audit' }));
    await world.clock.run();
    for (const each of [...cases, offsets, sent]) {
      expect(each.error).toMatchObject({ code: 'INVALID_ARGUMENT', abortable: false, fatal: false });
      expect(each.error?.message).toContain('state READY');
    }
    producer.beginTransaction();
    expect(() => producer.beginTransaction()).toThrow('state IN_TRANSACTION');
    const committing = watch(producer.commitTransaction());
    const aborting = watch(producer.abortTransaction());
    await world.clock.run();
    expect(aborting.error?.message).toContain('state COMMITTING');
    expect(committing).toEqual({ isDone: true });
  });

  it('need the option transactionalId, which needs idempotence', async () => {
    const world = createWorld();
    const producer = createTestProducer(world);
    expect(() => producer.beginTransaction()).toThrow('"transactionalId"');
    await expect(producer.commitTransaction()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    for (const wrong of [{ enableIdempotence: false }, { acks: 1 as const }, { retries: 0 }]) {
      expect(() => createTestProducer(world, { transactionalId: 'tx', ...wrong })).toThrow('"transactionalId"');
    }
  });
});
