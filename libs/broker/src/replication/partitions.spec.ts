import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ErrorCode, ZERO_UUID } from '@kafka-template/protocol';
import { DiskError } from '../io/disk.js';
import { silentLogger } from '../io/logger.js';
import { MemoryDisk } from '../io/memory-disk.js';
import { DEFAULT_TOPIC_CONFIG, type TopicConfig } from '../log/log-config.js';
import { FakeClock } from '../testing/fake-clock.js';
import { recordsIn, testBatch, testMarker } from '../testing/log-world.js';
import type { AppendOptions, AppendOutcome, Partition, ReadOutcome } from './partition.js';
import { Partitions } from './partitions.js';

const ID = 'AAAAAAAAQACAAAAAAAAAAQ';
const OTHER_ID = 'AAAAAAAAQACAAAAAAAAAAg';
const CLIENT: AppendOptions = { origin: 'client', acks: -1, timeoutMs: 1000 };

class World {
  readonly clock = new FakeClock();

  constructor(readonly disk: MemoryDisk = new MemoryDisk()) {}

  open(options: { brokerId?: number; clusterId?: string } = {}): Promise<Partitions> {
    const { clock, disk } = this;
    const identity = { brokerId: 1, clusterId: 'cluster', ...options };
    return Partitions.open({ dataDir: 'data', disk, clock, logger: silentLogger, ...identity });
  }

  create(partitions: Partitions, config: Partial<TopicConfig> = {}, topic = 't', partition = 0): Promise<Partition> {
    return partitions.create(topic, partition, ID, { ...DEFAULT_TOPIC_CONFIG, ...config });
  }

  append(partition: Partition, batch: Buffer, options: Partial<AppendOptions> = {}): Promise<AppendOutcome> {
    const outcome = new Promise<AppendOutcome>((resolve) =>
      partition.append(batch, { ...CLIENT, ...options }, resolve),
    );
    this.clock.runDeferred();
    return outcome;
  }
}

async function read(
  partition: Partition,
  fetchOffset: number,
  options: { readCommitted?: boolean; maxBytes?: number } = {},
): Promise<ReadOutcome> {
  return partition.read({ fetchOffset, maxBytes: 100_000, minOneBatch: true, readCommitted: false, ...options });
}

describe('partition: visibility', () => {
  it('advances the high watermark with the write, before the answer', async () => {
    const world = new World();
    const partition = await world.create(await world.open());
    let seen = -1;
    partition.append(testBatch({ records: 3 }), CLIENT, () => (seen = partition.highWatermark));
    expect(partition.highWatermark).toBe(0);
    await world.clock.settle();
    expect(seen).toBe(3);
    expect([partition.logEndOffset, partition.lastStableOffset]).toEqual([3, 3]);
  });

  it('answers reads from memory at once, without a promise', async () => {
    const world = new World();
    const partition = await world.create(await world.open());
    await world.append(partition, testBatch({ records: 2 }));
    const outcome = partition.read({ fetchOffset: 0, maxBytes: 1000, minOneBatch: true, readCommitted: false });
    expect(outcome).not.toBeInstanceOf(Promise);
    expect(recordsIn((await outcome).records).map(({ offset }) => offset)).toEqual([0, 1]);
  });

  it('tells out of range from nothing there yet', async () => {
    const world = new World();
    const partition = await world.create(await world.open());
    for (let index = 0; index < 4; index++) await world.append(partition, testBatch());
    expect(await partition.deleteRecordsBefore(2)).toBe(0);
    expect(await read(partition, 1)).toMatchObject({ errorCode: ErrorCode.OFFSET_OUT_OF_RANGE, logStartOffset: 2 });
    expect(await read(partition, 2)).toMatchObject({ errorCode: 0, hasMore: false });
    expect(await read(partition, 4)).toMatchObject({ errorCode: 0, records: [], sizeBytes: 0, hasMore: false });
    expect(await read(partition, 5)).toMatchObject({ errorCode: ErrorCode.OFFSET_OUT_OF_RANGE });
    expect((await read(partition, 0)).abortedTransactions).toBeNull();
  });

  it('says that more is there when the limit cut a read', async () => {
    const world = new World();
    const partition = await world.create(await world.open());
    for (let index = 0; index < 4; index++) await world.append(partition, testBatch());
    expect(await read(partition, 0, { maxBytes: 1 })).toMatchObject({ hasMore: true });
    expect(await read(partition, 0)).toMatchObject({ hasMore: false });
  });

  it('wakes a wait when records become visible', async () => {
    const world = new World();
    const partitions = await world.open();
    const partition = await world.create(partitions);
    let woken = 0;
    partitions.waits.park({ partitions: [partition], minBytes: 1, deadlineMs: 1e9, onReady: () => woken++ });
    await world.append(partition, testBatch());
    await world.clock.settle();
    expect(woken).toBe(1);
  });
});

describe('partition: transactions', () => {
  const data = (producerId: number, baseSequence: number): Buffer =>
    testBatch({ producerId, producerEpoch: 0, baseSequence, transactional: true });
  const end = (producerId: number, isAbort: boolean): Buffer => testMarker({ producerId, producerEpoch: 0, isAbort });
  const inTransaction = { transactionalId: 'tx' };
  const byCoordinator = { origin: 'coordinator' } as const;

  it('holds readers of committed records back until the oldest transaction ends', async () => {
    const world = new World();
    const partition = await world.create(await world.open());
    await world.append(partition, testBatch());
    await world.append(partition, data(1, 0), inTransaction);
    await world.append(partition, data(2, 0), inTransaction);
    await world.append(partition, testBatch());
    expect([partition.highWatermark, partition.lastStableOffset]).toEqual([4, 1]);
    expect(await read(partition, 1, { readCommitted: true })).toMatchObject({ sizeBytes: 0, hasMore: false });
    expect(recordsIn((await read(partition, 0, { readCommitted: true })).records)).toHaveLength(1);
    await world.append(partition, end(2, false), byCoordinator);
    expect(partition.lastStableOffset).toBe(1);
    await world.append(partition, end(1, true), byCoordinator);
    expect([partition.highWatermark, partition.lastStableOffset]).toEqual([6, 6]);
    const outcome = await read(partition, 0, { readCommitted: true });
    expect(outcome.abortedTransactions).toEqual([{ producerId: 1, firstOffset: 1 }]);
    expect((await read(partition, 0)).abortedTransactions).toBeNull();
    expect((await read(partition, 6, { readCommitted: true })).abortedTransactions).toEqual([]);
  });

  it('wakes readers of committed records when a marker makes older bytes readable', async () => {
    const world = new World();
    const partitions = await world.open();
    const partition = await world.create(partitions);
    await world.append(partition, data(1, 0), inTransaction);
    await world.append(partition, testBatch({ valueBytes: 5000 }));
    const woken: string[] = [];
    const wait = { partitions: [partition], deadlineMs: 1e9, readCommitted: true };
    partitions.waits.park({ ...wait, minBytes: 1, onReady: () => woken.push('any') });
    partitions.waits.park({ ...wait, minBytes: 5000, onReady: () => woken.push('large') });
    await world.append(partition, testBatch());
    await world.clock.settle();
    expect(woken).toEqual([]);
    await world.append(partition, end(1, false), byCoordinator);
    await world.clock.settle();
    expect(woken).toEqual(['any', 'large']);
  });
});

describe('partition: deleting records', () => {
  it('moves the log start, never beyond the high watermark, and remembers it', async () => {
    const world = new World();
    const partitions = await world.open();
    const partition = await world.create(partitions);
    for (let index = 0; index < 5; index++) await world.append(partition, testBatch());
    expect(await partition.deleteRecordsBefore(6)).toBe(ErrorCode.OFFSET_OUT_OF_RANGE);
    expect(await partition.deleteRecordsBefore(-2)).toBe(ErrorCode.OFFSET_OUT_OF_RANGE);
    expect(await partition.deleteRecordsBefore(3)).toBe(0);
    expect(await partition.deleteRecordsBefore(1)).toBe(0);
    expect(partition.logStartOffset).toBe(3);
    const killed = new World(world.disk.afterCrash('kill'));
    expect((await killed.open()).get('t', 0)?.logStartOffset).toBe(3);
    expect(await partition.deleteRecordsBefore(-1)).toBe(0);
    expect(partition.logStartOffset).toBe(5);
    expect(await world.append(partition, testBatch())).toMatchObject({ baseOffset: 5, logStartOffset: 5 });
  });

  it('is not possible for a topic that is only compacted', async () => {
    const world = new World();
    const partition = await world.create(await world.open(), { cleanupPolicy: ['compact'] });
    expect(await partition.deleteRecordsBefore(0)).toBe(ErrorCode.POLICY_VIOLATION);
  });
});

describe('partition: offline', () => {
  it('answers KAFKA_STORAGE_ERROR, wakes those who wait, and spoils the mark of a clean stop', async () => {
    const world = new World();
    const partitions = await world.open();
    const partition = await world.create(partitions);
    await world.append(partition, testBatch());
    let woken = 0;
    partitions.waits.park({ partitions: [partition], minBytes: 1, deadlineMs: 1e9, onReady: () => woken++ });
    world.disk.intercept = (operation, path) => {
      if (operation === 'write' && path.endsWith('.log')) throw new DiskError('The device fails', 'EIO');
    };
    expect((await world.append(partition, testBatch())).errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
    world.disk.intercept = null;
    await world.clock.settle();
    expect(woken).toBe(1);
    expect(await read(partition, 0)).toMatchObject({ errorCode: ErrorCode.KAFKA_STORAGE_ERROR, sizeBytes: 0 });
    await partitions.close();
    expect(await world.disk.stat('data/.kafka_cleanshutdown')).toBeNull();
    const reopened = (await new World(world.disk).open()).get('t', 0);
    expect([reopened?.isOnline, reopened?.logEndOffset]).toEqual([true, 1]);
  });
});

describe('partitions: life', () => {
  it('come back after a clean stop and after a kill, with their topic ids and leader epochs', async () => {
    for (const stop of ['clean', 'kill']) {
      const world = new World();
      const partitions = await world.open();
      for (const number of [0, 1, 2]) {
        const partition = await world.create(partitions, {}, 'with-dashes-1', number);
        partition.becomeLeader(4);
        await world.append(partition, testBatch({ records: number + 1 }));
      }
      await world.clock.settle();
      if (stop === 'clean') await partitions.close();
      const next = new World(stop === 'clean' ? world.disk : world.disk.afterCrash('kill'));
      const reopened = await next.open();
      for (const number of [0, 1, 2]) {
        const partition = reopened.get('with-dashes-1', number);
        expect(partition).toMatchObject({ topicId: ID, logEndOffset: number + 1, highWatermark: number + 1 });
        expect(partition?.leaderEpoch).toBe(4);
        expect(recordsIn((await read(partition!, 0)).records)).toHaveLength(number + 1);
      }
      expect([...reopened.all()]).toHaveLength(3);
    }
  });

  it('are created once: the same topic id finds the old data, another one begins anew', async () => {
    const world = new World();
    const partitions = await world.open();
    const first = await world.create(partitions);
    await world.append(first, testBatch());
    expect(await world.create(partitions)).toBe(first);
    const anew = await partitions.create('t', 0, OTHER_ID, DEFAULT_TOPIC_CONFIG);
    expect([anew.logEndOffset, anew.topicId]).toEqual([0, OTHER_ID]);
    expect(partitions.get('t', 0)).toBe(anew);
  });

  it('adopt the topic id of the cluster when their own was lost', async () => {
    const world = new World();
    const partitions = await world.open();
    await world.append(await world.create(partitions), testBatch());
    await partitions.close();
    await world.disk.replaceFile('data/t-0/partition.metadata', Buffer.alloc(0), { sync: false });
    const reopened = await new World(world.disk).open();
    expect(reopened.get('t', 0)?.topicId).toBe(ZERO_UUID);
    expect(await world.create(reopened)).toMatchObject({ topicId: ID, logEndOffset: 1 });
    expect(String(await world.disk.readFile('data/t-0/partition.metadata'))).toBe(`version: 0\ntopic_id: ${ID}`);
  });

  it('are gone after a deletion: waits end, appends are refused, a new one of the name is empty, also after a kill', async () => {
    const world = new World();
    const partitions = await world.open();
    const partition = await world.create(partitions);
    for (let index = 0; index < 5; index++) await world.append(partition, testBatch());
    await partition.deleteRecordsBefore(4);
    let woken = 0;
    partitions.waits.park({ partitions: [partition], minBytes: 1, deadlineMs: 1e9, onReady: () => woken++ });
    await partitions.delete('t', 0);
    await partitions.delete('t', 0);
    await world.clock.settle();
    expect([woken, partitions.get('t', 0)]).toEqual([1, undefined]);
    expect((await world.append(partition, testBatch())).errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    expect(world.disk.list().filter((path) => path.startsWith('data/t-0'))).toEqual([]);
    const anew = await partitions.create('t', 0, OTHER_ID, DEFAULT_TOPIC_CONFIG);
    expect(await world.append(anew, testBatch())).toMatchObject({ baseOffset: 0 });
    const reopened = await new World(world.disk.afterCrash('kill')).open();
    expect(reopened.get('t', 0)).toMatchObject({ logStartOffset: 0, logEndOffset: 1, topicId: OTHER_ID });
  });

  it('refuse what has not reached the disk when they are deleted', async () => {
    const world = new World();
    const partitions = await world.open();
    const partition = await world.create(partitions);
    world.disk.hold();
    const inFlight = world.append(partition, testBatch());
    const queued = world.append(partition, testBatch());
    const deletion = partitions.delete('t', 0);
    await world.clock.settle();
    world.disk.letGo();
    await world.clock.settle();
    await deletion;
    expect((await inFlight).errorCode).toBe(ErrorCode.NONE);
    expect((await queued).errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    expect((await world.append(partition, testBatch())).errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  });

  it('finish half a deletion at the next start', async () => {
    const world = new World();
    const partitions = await world.open();
    await world.create(partitions);
    await world.disk.rename('data/t-0', 'data/t-0.0123456789abcdef0123456789abcdef-delete');
    const reopened = await new World(world.disk.afterCrash('kill')).open();
    expect([...reopened.all()]).toEqual([]);
  });

  it('take a new configuration', async () => {
    const world = new World();
    const partitions = await world.open();
    const partition = await world.create(partitions);
    partitions.updateConfig('t', { ...DEFAULT_TOPIC_CONFIG, maxMessageBytes: 50 });
    expect((await world.append(partition, testBatch())).errorCode).toBe(ErrorCode.MESSAGE_TOO_LARGE);
  });

  it('write what is pending before they close', async () => {
    const world = new World();
    const partitions = await world.open();
    const partition = await world.create(partitions);
    const outcomes = Array.from({ length: 10 }, () => world.append(partition, testBatch()));
    const closed = partitions.close();
    await world.clock.settle();
    await closed;
    expect((await Promise.all(outcomes)).map(({ baseOffset }) => baseOffset)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(world.clock.pendingTimers).toBe(0);
    expect((await new World(world.disk).open()).get('t', 0)?.logEndOffset).toBe(10);
  });
});

describe('partitions: housekeeping', () => {
  it('applies retention, forgets producers and writes checkpoints by the clock', async () => {
    const world: World = new World(new MemoryDisk(() => world.clock.now()));
    const partitions = await world.open();
    const partition = await world.create(partitions, { retentionMs: 60_000, segmentBytes: 100 });
    const batch = testBatch({ producerId: 1, producerEpoch: 0, baseSequence: 0 });
    await world.append(partition, batch);
    await world.append(partition, testBatch());
    await world.clock.advance(5_000);
    expect(String(await world.disk.readFile('data/replication-offset-checkpoint'))).toBe('0\n1\nt 0 2\n');
    await world.clock.advance(300_000);
    expect(partition.logStartOffset).toBe(2);
    expect(String(await world.disk.readFile('data/log-start-offset-checkpoint'))).toBe('0\n1\nt 0 2\n');
    expect(await world.append(partition, batch)).toMatchObject({ baseOffset: 0 });
    await world.clock.advance(86_400_000 + 300_000);
    expect(
      await world.append(partition, testBatch({ producerId: 1, producerEpoch: 0, baseSequence: 99 })),
    ).toMatchObject({
      errorCode: 0,
    });
  });
});

describe('partitions: the data directory', () => {
  it('leaves the files of a clean stop as Kafka does', async () => {
    const world = new World();
    const partitions = await world.open();
    await world.append(await world.create(partitions), testBatch({ records: 3 }));
    await partitions.close();
    expect(world.disk.list()).toEqual([
      'data/.kafka_cleanshutdown',
      'data/log-start-offset-checkpoint',
      'data/meta.properties',
      'data/recovery-point-offset-checkpoint',
      'data/replication-offset-checkpoint',
      'data/t-0/00000000000000000000.index',
      'data/t-0/00000000000000000000.log',
      'data/t-0/00000000000000000000.timeindex',
      'data/t-0/00000000000000000003.snapshot',
      'data/t-0/leader-epoch-checkpoint',
      'data/t-0/partition.metadata',
    ]);
    const text = async (name: string): Promise<string> => String(await world.disk.readFile(`data/${name}`));
    expect(await text('recovery-point-offset-checkpoint')).toBe('0\n1\nt 0 3\n');
    expect(await text('t-0/leader-epoch-checkpoint')).toBe('0\n1\n0 0\n');
    expect(await text('meta.properties')).toMatch(
      /^#\nnode\.id=1\ndirectory\.id=[\w-]{22}\nversion=1\ncluster\.id=cluster\n$/,
    );
  });

  it('takes the mark of a clean stop away before anything is written', async () => {
    const world = new World();
    await (await world.open()).close();
    expect(await world.disk.stat('data/.kafka_cleanshutdown')).not.toBeNull();
    await new World(world.disk).open();
    expect(await world.disk.stat('data/.kafka_cleanshutdown')).toBeNull();
  });

  it('is refused to a second broker, with the way out, and free after the first has closed', async () => {
    const world = new World();
    const partitions = await world.open();
    await expect(new World(world.disk).open()).rejects.toMatchObject({ code: 'DATA_DIR_IN_USE' });
    await expect(new World(world.disk).open()).rejects.toThrow(/data is in use.*option dataDir.*--data-dir/);
    await partitions.close();
    await (await new World(world.disk).open()).close();
  });

  it('is refused to another broker or cluster, and stays as it was', async () => {
    const world = new World();
    await (await world.open()).close();
    await expect(new World(world.disk).open({ brokerId: 2 })).rejects.toThrow(/belongs to broker 1, this is broker 2/);
    await expect(new World(world.disk).open({ clusterId: 'x' })).rejects.toThrow(/belongs to cluster cluster/);
    expect(await world.disk.stat('data/.kafka_cleanshutdown')).not.toBeNull();
    await (await new World(world.disk).open()).close();
  });

  it('works the same on a real disk', async () => {
    const root = await mkdtemp(join(tmpdir(), 'broker-partitions-'));
    try {
      const dataDir = join(root, 'data');
      const clock = new FakeClock();
      const options = { dataDir, clock, logger: silentLogger, brokerId: 1, clusterId: 'cluster' };
      const world = new World();
      for (let round = 0; round < 3; round++) {
        const partitions = await Partitions.open(options);
        await expect(Partitions.open(options)).rejects.toMatchObject({ code: 'DATA_DIR_IN_USE' });
        const partition = await partitions.create('t', 0, ID, { ...DEFAULT_TOPIC_CONFIG, segmentBytes: 400 });
        expect(partition.logEndOffset).toBe(round * 10);
        for (let index = 0; index < 10; index++) {
          const appended = new Promise<AppendOutcome>((resolve) => partition.append(testBatch(), CLIENT, resolve));
          clock.runDeferred();
          expect(await appended).toMatchObject({ errorCode: 0, baseOffset: round * 10 + index });
        }
        expect(recordsIn((await read(partition, 0, { maxBytes: 1 })).records)).toEqual([
          { offset: 0, value: expect.any(String) as string },
        ]);
        await partitions.close();
        expect(await readdir(dataDir)).toContain('.kafka_cleanshutdown');
        expect(await readdir(dataDir)).not.toContain('.lock');
      }
      expect(String(await readFile(join(dataDir, 'recovery-point-offset-checkpoint')))).toBe('0\n1\nt 0 30\n');
      expect(world.disk.list()).toEqual([]);
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  });
});
