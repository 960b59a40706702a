import { ErrorCode } from '@kafka-template/protocol';
import type { ClusterImage } from '../../cluster/image.js';
import { silentLogger } from '../../io/logger.js';
import { FakeClock } from '../../testing/fake-clock.js';
import { Alarms } from '../runtime/alarms.js';
import { MARKER_RETRY_MS, MarkerRound } from './marker-sender.js';
import type { MarkerWriter } from './marker-writer.js';
import { partitionSet } from './partition-set.js';
import type { RemoteBrokers } from './remote-brokers.js';
import type { TransactionReply } from './decision.js';
import { TRANSACTIONS_TOPIC } from './transaction-coordinator.js';
import { ENDING_WAIT_MS } from './transaction-shard.js';
import { TIMEOUT_MS, TransactionWorld, type Owner } from './transaction-world.fixture.js';

const DAY_MS = 86_400_000;

describe('a round of markers', () => {
  it('goes to the leaders of the partitions, wherever they are, until all have it', async () => {
    const clock = new FakeClock();
    const leaders = [0, 1, 2].map((leader) => ({ leader }));
    const image = { topic: () => ({ partitions: leaders }) } as unknown as ClusterImage;
    const asked: string[] = [];
    const answers = [ErrorCode.NETWORK_EXCEPTION, ErrorCode.NONE, ErrorCode.NONE];
    const writer = {
      write: (_marker: unknown, topic: string, partition: number, done: (errorCode: number) => void) => {
        asked.push(`here ${topic}-${partition}`);
        done(ErrorCode.NONE);
      },
    } as unknown as MarkerWriter;
    const remote: Pick<RemoteBrokers, 'writeMarker'> = {
      writeMarker: (nodeId, _marker, { topic, partition }, done) => {
        asked.push(`${nodeId} ${topic}-${partition}`);
        done(answers.shift() ?? ErrorCode.NONE);
      },
    };
    const options = { brokerId: 0, image: () => image, writer, remote, alarms: new Alarms(clock), clock };
    const marker = { producerId: 1, producerEpoch: 0, committed: true, coordinatorEpoch: 0, transactionVersion: 2 };
    let done = 0;
    const round = new MarkerRound({ ...options, logger: silentLogger }, marker, () => (done += 1));
    round.start(partitionSet([{ topic: 't', partitions: [0, 1, 2] }]));
    expect(asked).toEqual(['here t-0', '1 t-1', '2 t-2']);
    expect(done).toBe(0);
    leaders[1] = { leader: 2 };
    await clock.advance(MARKER_RETRY_MS);
    expect(asked.slice(3)).toEqual(['2 t-1']);
    expect(done).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('transaction coordinator', () => {
  let world: TransactionWorld;
  let owner: Owner;

  beforeEach(async () => {
    world = await TransactionWorld.start();
    owner = await world.init('x');
  });
  afterEach(() => world.stop());

  const code = async (reply: Promise<TransactionReply>): Promise<number> => (await reply).errorCode;

  /** Sends one record of a transaction to a partition; resolves with the code. */
  function send(partition = 0, baseSequence = 0, adds = false, who = owner): Promise<number> {
    const batch = { partition, baseSequence, value: `v${baseSequence}`, adds };
    return world.settled<number>((done) => world.send(who, batch, ({ errorCode }) => done(errorCode)));
  }

  /** A request that is not waited for. */
  function pending(start: (done: (reply: TransactionReply) => void) => void): { reply: TransactionReply | null } {
    const seen: { reply: TransactionReply | null } = { reply: null };
    start((reply) => (seen.reply = reply));
    return seen;
  }

  const end = (committed: boolean, who = owner) =>
    pending((done) => world.transactions.end({ ...who, committed, clientVersion: 0 }, done));

  it('answers the end of a transaction, and writes its markers, only when the decision is on the disk', async () => {
    await world.add(owner, 0);
    await send();
    const markerAt = world.partition(0).logEndOffset;
    world.disk.hold();
    const ended = end(true);
    await world.clock.settle();
    expect(ended.reply).toBeNull();
    expect(world.partition(0).logEndOffset).toBe(markerAt);
    world.disk.letGo();
    await world.clock.settle();
    expect(ended.reply?.errorCode).toBe(0);
    expect(world.partition(0).logEndOffset).toBe(markerAt + 1);
  });

  it('answers the end before the markers are written, and writes them after a crash', async () => {
    await world.add(owner, 0);
    await world.add(owner, 2);
    await send(0);
    await send(2);
    world.holdMarkers();
    const ended = end(true);
    await world.clock.settle();
    expect(ended.reply?.errorCode).toBe(0);
    expect(world.stateOf('x')).toBe('PrepareCommit');
    expect(world.partition(2).lastStableOffset).toBe(0);
    await world.crash();
    expect(world.stateOf('x')).toBe('CompleteCommit');
    expect([0, 2].map((index) => world.partition(index).lastStableOffset)).toEqual([2, 2]);
  });

  it('lets a request that finds its transaction ending wait for the end', async () => {
    await world.add(owner, 0);
    world.holdMarkers();
    end(true);
    await world.clock.settle();
    const added = pending((done) =>
      world.transactions.add({ ...owner, partitions: new Map([['t', new Set([1])]]), clientVersion: 0 }, done),
    );
    await world.clock.settle();
    expect(added.reply).toBeNull();
    await world.letMarkersGo();
    expect(added.reply?.errorCode).toBe(0);
    expect(world.stateOf('x')).toBe('Ongoing');
  });

  it('tells it to come again when that takes too long', async () => {
    await world.add(owner, 0);
    world.holdMarkers();
    end(false);
    await world.clock.settle();
    const repeated = end(false);
    const opposite = end(true);
    await world.clock.settle();
    expect(opposite.reply?.errorCode).toBe(ErrorCode.INVALID_TXN_STATE);
    await world.clock.advance(ENDING_WAIT_MS - 1);
    expect(repeated.reply).toBeNull();
    await world.clock.advance(1);
    expect(repeated.reply?.errorCode).toBe(ErrorCode.CONCURRENT_TRANSACTIONS);
    await world.letMarkersGo();
    expect(await code(world.end(owner, false, 0))).toBe(0);
  });

  it('asks a partition again until it takes its marker', async () => {
    await world.add(owner, 0);
    world.markers.failures.push(ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.NOT_ENOUGH_REPLICAS);
    await world.end(owner, true, 0);
    expect(world.stateOf('x')).toBe('PrepareCommit');
    await world.clock.advance(MARKER_RETRY_MS);
    expect(world.stateOf('x')).toBe('PrepareCommit');
    await world.clock.advance(MARKER_RETRY_MS);
    expect(world.stateOf('x')).toBe('CompleteCommit');
  });

  it('drops the marker of a topic that is gone, and of a partition that knows better', async () => {
    await world.add(owner, 0);
    world.markers.failures.push(ErrorCode.TRANSACTION_COORDINATOR_FENCED);
    await world.end(owner, true, 0);
    expect(world.stateOf('x')).toBe('CompleteCommit');
    await world.add(owner, 1);
    await world.controller.deleteTopic('t');
    await world.end(owner, false, 0);
    expect(world.stateOf('x')).toBe('CompleteAbort');
  });

  it('aborts a transaction that takes too long, and fences its producer', async () => {
    await world.add(owner, 0);
    await send();
    await world.clock.advance(TIMEOUT_MS - 1);
    expect(world.stateOf('x')).toBe('Ongoing');
    await world.clock.advance(20_000);
    expect(world.stateOf('x')).toBe('CompleteAbort');
    expect(world.partition(0).lastStableOffset).toBe(2);
    expect(await send(0, 1)).toBe(ErrorCode.PRODUCER_FENCED);
    expect(await code(world.end(owner, true, 0))).toBe(ErrorCode.PRODUCER_FENCED);
  });

  it('forgets an id that nobody has used for long, also on the disk', async () => {
    await world.add(owner, 0);
    await world.end(owner, true, 0);
    await world.clock.advance(7 * DAY_MS - 3_600_000);
    expect(world.stateOf('x')).toBe('CompleteCommit');
    await world.clock.advance(2 * 3_600_000);
    expect(world.stateOf('x')).toBe(ErrorCode.TRANSACTIONAL_ID_NOT_FOUND);
    await world.restart();
    expect(world.stateOf('x')).toBe(ErrorCode.TRANSACTIONAL_ID_NOT_FOUND);
    expect(await code(world.add(owner, 0))).toBe(ErrorCode.INVALID_PRODUCER_ID_MAPPING);
  });

  it('gives two producers that begin at once with a new id one after the other what they want', async () => {
    const request = { id: 'new', timeoutMs: TIMEOUT_MS, expected: null };
    const [first, second] = [1, 2].map(() => pending((done) => world.transactions.init(request, done)));
    await world.clock.settle();
    expect(first?.reply).toMatchObject({ errorCode: 0, producerEpoch: 0 });
    expect(second?.reply).toMatchObject({ errorCode: 0, producerId: first?.reply?.producerId, producerEpoch: 1 });
  });

  it('does not let a batch that comes after the end open a transaction again', async () => {
    expect(await send()).toBe(ErrorCode.TRANSACTION_ABORTABLE);
    await world.add(owner, 0);
    // The coordinator has said yes, and the batch is still on its way when the transaction is aborted.
    const verification = world.partition(0).beginVerification({ ...owner, epoch: 0, baseSequence: 0 });
    await world.end(owner, false, 0);
    const late = { partition: 0, baseSequence: 0, value: 'late' };
    world.gate.pass = (_batch, passed) => passed(ErrorCode.NONE, verification);
    const outcome = await world.settled<number>((done) => world.send(owner, late, ({ errorCode }) => done(errorCode)));
    expect(outcome).toBe(ErrorCode.INVALID_TXN_STATE);
    expect(world.partition(0).lastStableOffset).toBe(world.partition(0).highWatermark);
  });

  it('adds partitions by itself when the client leaves it to the brokers', async () => {
    expect(await send(0, 0, true)).toBe(0);
    expect(await send(0, 1, true)).toBe(0);
    expect(await send(1, 0, true)).toBe(0);
    expect(world.transactions.describe(['x'])[0]).toMatchObject({
      transactionState: 'Ongoing',
      topics: [{ topic: 't', partitions: [0, 1] }],
    });
    const { producerEpoch } = await world.end(owner, true, 2);
    expect(await send(0, 0, true)).toBe(ErrorCode.PRODUCER_FENCED);
    expect(await send(0, 0, true, { ...owner, producerEpoch })).toBe(0);
  });

  it('shows the offsets of a transaction when it is committed, and says meanwhile that they are unstable', async () => {
    await world.addOffsets(owner, 'g');
    const commit = (offset: number): Promise<number> =>
      world.settled<number>((done) => world.commitOffset(owner, 'g', offset, false, done));
    expect(await commit(7)).toBe(0);
    expect(world.committedOffset('g').offset).toBe(-1);
    expect(world.committedOffset('g', true).errorCode).toBe(ErrorCode.UNSTABLE_OFFSET_COMMIT);
    await world.end(owner, true, 0);
    expect(world.committedOffset('g', true)).toEqual({ offset: 7, errorCode: 0 });
    await world.restart();
    expect(world.committedOffset('g')).toEqual({ offset: 7, errorCode: 0 });
    // Not added to the next transaction: it would never be settled.
    expect(await commit(9)).toBe(ErrorCode.TRANSACTION_ABORTABLE);
    await world.addOffsets(owner, 'g');
    expect(await commit(9)).toBe(0);
    await world.end(owner, false, 0);
    expect(world.committedOffset('g', true)).toEqual({ offset: 7, errorCode: 0 });
  });

  it('refuses a zombie that commits offsets', async () => {
    await world.addOffsets(owner, 'g');
    await world.settled<number>((done) => world.commitOffset(owner, 'g', 7, false, done));
    await world.init('x');
    const late = await world.settled<number>((done) => world.commitOffset(owner, 'g', 8, false, done));
    expect(late).toBe(ErrorCode.PRODUCER_FENCED);
    expect(world.committedOffset('g').offset).toBe(-1);
  });

  it('refuses everything when its log fails, and knows nothing that is not in it', async () => {
    world.disk.hold();
    const added = pending((done) =>
      world.transactions.add({ ...owner, partitions: new Map([['t', new Set([1])]]), clientVersion: 0 }, done),
    );
    world.disk.intercept = (operation) => {
      if (operation === 'write') throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
    };
    world.disk.letGo();
    await world.clock.settle();
    world.disk.intercept = null;
    expect(added.reply === null || added.reply.errorCode === 0).toBe(false);
    expect(world.stateOf('x')).toBe(ErrorCode.NOT_COORDINATOR);
    expect(await code(world.add(owner, 0))).toBe(ErrorCode.NOT_COORDINATOR);
    await world.crash();
    expect(world.stateOf('x')).toBe('Empty');
  });

  it('lists ids by state, producer, duration and pattern', async () => {
    await world.add(owner, 0);
    const other = await world.init('other');
    const list = (filter: object) =>
      world.transactions.list({
        stateFilters: [],
        producerIdFilters: [],
        durationFilter: -1,
        transactionalIdPattern: null,
        ...filter,
      });
    const ids = (filter: object): string[] =>
      (list(filter).transactionStates ?? []).map(({ transactionalId }) => transactionalId).sort();
    expect(ids({})).toEqual(['other', 'x']);
    expect(ids({ stateFilters: ['Ongoing'] })).toEqual(['x']);
    expect(ids({ producerIdFilters: [other.producerId] })).toEqual(['other']);
    expect(ids({ transactionalIdPattern: 'o.*' })).toEqual(['other']);
    expect(ids({ transactionalIdPattern: 'o' })).toEqual([]);
    await world.clock.advance(1000);
    expect(ids({ stateFilters: ['Ongoing'], durationFilter: 999 })).toEqual(['x']);
    expect(ids({ stateFilters: ['Ongoing'], durationFilter: 1000 })).toEqual([]);
    expect(list({ stateFilters: ['Nonsense'] })).toMatchObject({ unknownStateFilters: ['Nonsense'], errorCode: 0 });
    expect(list({ transactionalIdPattern: '(a' }).errorCode).toBe(ErrorCode.INVALID_REGULAR_EXPRESSION);
    expect(list({ transactionalIdPattern: '(?=a)b' }).errorCode).toBe(ErrorCode.INVALID_REGULAR_EXPRESSION);
  });

  it('says what is wrong with a request that is not for it', async () => {
    expect(await code(world.add({ ...owner, id: '' }, 0))).toBe(ErrorCode.INVALID_REQUEST);
    expect(world.stateOf('')).toBe(ErrorCode.INVALID_REQUEST);
    expect(world.stateOf('never')).toBe(ErrorCode.TRANSACTIONAL_ID_NOT_FOUND);
    world.transactions.unload(world.transactions.coordinatorPartition('x'));
    expect(world.stateOf('x')).toBe(ErrorCode.NOT_COORDINATOR);
    expect(await code(world.add(owner, 0))).toBe(ErrorCode.NOT_COORDINATOR);
    await world.transactions.load(world.transactions.coordinatorPartition('x'));
    expect(world.stateOf('x')).toBe('Empty');
  });

  it('is nowhere, rather than elsewhere, for a partition that asks before there is a topic of ids', async () => {
    const { id, producerId, producerEpoch } = owner;
    const enter = (adds: boolean): number | undefined => {
      let code: number | undefined;
      const request = { id, producerId, producerEpoch, topic: 't', partition: 0, adds };
      world.transactions.enter(request, (errorCode) => (code = errorCode));
      return code;
    };
    await world.controller.deleteTopic(TRANSACTIONS_TOPIC);
    expect([enter(false), enter(true)]).toEqual(Array.from({ length: 2 }, () => ErrorCode.COORDINATOR_NOT_AVAILABLE));
  });

  it('answers what waits when it stops', async () => {
    await world.add(owner, 0);
    world.holdMarkers();
    end(true);
    await world.clock.settle();
    const waiting = end(true);
    await world.clock.settle();
    world.transactions.close();
    expect(waiting.reply?.errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    expect(await code(world.add(owner, 0))).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE);
  });
});
