import { ErrorCode } from '@kafka-template/protocol';
import { DiskError } from '../io/disk.js';
import { type Logger, silentLogger } from '../io/logger.js';
import { MemoryDisk } from '../io/memory-disk.js';
import { seededRandom } from '../io/random.js';
import { DISK_FULL_RETRY_MS, DISK_PROBE_BYTES } from '../limits.js';
import { DEFAULT_TOPIC_CONFIG, type TopicConfig } from '../log/log-config.js';
import { FakeClock } from '../testing/fake-clock.js';
import { recordsIn, testBatch, testMarker, type TestBatch } from '../testing/log-world.js';
import type { AppendOptions, AppendOutcome, Partition } from './partition.js';
import { Partitions } from './partitions.js';

const ID = 'AAAAAAAAQACAAAAAAAAAAQ';
const CLIENT: AppendOptions = { origin: 'client', acks: -1, timeoutMs: 1000, transactionalId: 'tx' };
const SEGMENT_BYTES = 100_000;

class World {
  readonly clock = new FakeClock();
  readonly disk: MemoryDisk;
  readonly lines: string[] = [];
  partitions!: Partitions;

  constructor(disk?: MemoryDisk) {
    this.disk = disk ?? new MemoryDisk(() => this.clock.now());
  }

  static async open(disk?: MemoryDisk): Promise<World> {
    const world = new World(disk);
    const { clock, lines } = world;
    const note = (message: string): void => void lines.push(message);
    const logger: Logger = { ...silentLogger, info: note, warn: note, error: note };
    const identity = { brokerId: 1, clusterId: 'cluster' };
    world.partitions = await Partitions.open({ dataDir: 'data', disk: world.disk, clock, logger, ...identity });
    return world;
  }

  create(topic: string, config: Partial<TopicConfig> = {}): Promise<Partition> {
    return this.partitions.create(topic, 0, ID, { ...DEFAULT_TOPIC_CONFIG, segmentBytes: SEGMENT_BYTES, ...config });
  }

  async append(partition: Partition, batch: TestBatch | Buffer, options: Partial<AppendOptions> = {}) {
    const bytes = Buffer.isBuffer(batch) ? batch : testBatch(batch);
    const outcome = new Promise<AppendOutcome>((resolve) => {
      partition.append(bytes, { ...CLIENT, ...options }, resolve);
    });
    this.clock.runDeferred();
    return outcome;
  }

  /** Leaves so many bytes free. */
  leave(bytes: number): void {
    this.disk.capacityBytes = this.disk.usedBytes + bytes;
  }

  /** Long enough for a look, and for what comes of it. */
  async look(): Promise<void> {
    await this.clock.advance(DISK_FULL_RETRY_MS);
    await this.clock.settle();
  }
}

async function read(partition: Partition): Promise<{ offset: number; value: string }[]> {
  const all: { offset: number; value: string }[] = [];
  for (let fetchOffset = partition.logStartOffset; fetchOffset < partition.highWatermark;) {
    const request = { fetchOffset, maxBytes: 20_000, minOneBatch: true, readCommitted: false };
    const outcome = await partition.read(request);
    expect(outcome.errorCode).toBe(ErrorCode.NONE);
    const from = fetchOffset;
    const found = recordsIn(outcome.records).filter(({ offset }) => offset >= from);
    all.push(...found);
    fetchOffset = (found.at(-1)?.offset ?? fetchOffset) + 1;
    outcome.release();
  }
  return all;
}

describe('a full disk', () => {
  it('refuses what does not fit, serves what is there, and takes more once there is room, without a restart', async () => {
    const world = await World.open();
    const [full, other] = [await world.create('full'), await world.create('other')];
    await world.append(full, { records: [{ value: 'kept' }] });
    world.leave(50);
    expect(await world.append(full, { records: [{ value: 'refused' }] })).toMatchObject({
      errorCode: ErrorCode.KAFKA_STORAGE_ERROR,
      errorMessage: expect.stringMatching(/read-only until there is room again: .*no space left/) as string,
    });
    expect(await read(full)).toEqual([{ offset: 0, value: 'kept' }]);
    expect([full.isOnline, other.isOnline]).toEqual([true, true]);

    await world.look();
    expect((await world.append(full, testBatch())).errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
    world.leave(DISK_PROBE_BYTES - 1);
    await world.look();
    expect((await world.append(full, testBatch())).errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR);

    world.leave(2 * DISK_PROBE_BYTES);
    await world.look();
    expect(await world.append(full, { records: [{ value: 'after' }] })).toMatchObject({ errorCode: 0, baseOffset: 1 });
    expect((await read(full)).map(({ value }) => value)).toEqual(['kept', 'after']);
    expect(world.lines.at(-1)).toBe('full-0: there is room again, writing goes on at offset 1');
    expect(world.disk.list().filter((path) => path.includes('probe'))).toEqual([]);
    await world.partitions.close();
    expect(world.clock.pendingTimers).toBe(0);
    expect(await world.disk.stat('data/.kafka_cleanshutdown')).not.toBeNull();
  });

  it('lets waiting readers wait, and wakes them by what is written later', async () => {
    const world = await World.open();
    const partition = await world.create('t');
    let woken = 0;
    const { waits } = world.partitions;
    waits.park({ partitions: [partition], minBytes: 1, deadlineMs: 1e9, onReady: () => woken++ });
    world.leave(0);
    await world.append(partition, {});
    await world.look();
    expect(woken).toBe(0);
    world.disk.capacityBytes = Infinity;
    await world.look();
    await world.append(partition, {});
    await world.clock.settle();
    expect(woken).toBe(1);
  });

  it.each(['retention', 'DeleteRecords', 'deleting a topic'] as const)('gets room from %s', async (how) => {
    const world = await World.open();
    const partition = await world.create('t', { retentionBytes: how === 'retention' ? SEGMENT_BYTES : -1 });
    const valueBytes = SEGMENT_BYTES / 2;
    const deleted = await world.create('deleted');
    for (let index = 0; index < 30; index++) {
      for (const written of [partition, deleted]) await world.append(written, { valueBytes });
    }
    await world.clock.settle();
    world.leave(20);
    expect((await world.append(partition, {})).errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
    const kept = (await read(partition)).length;
    if (how === 'retention') await world.partitions.cleanUp();
    else if (how === 'DeleteRecords') expect(await partition.deleteRecordsBefore(26)).toBe(0);
    else await world.partitions.delete('deleted', 0);
    await world.clock.settle();
    await world.look();
    expect(await world.append(partition, {})).toMatchObject({ errorCode: 0, baseOffset: kept });
    expect(partition.logStartOffset > 0).toBe(how !== 'deleting a topic');
    expect((await read(partition)).map(({ offset }) => offset)).toEqual(
      Array.from({ length: kept + 1 - partition.logStartOffset }, (_, index) => partition.logStartOffset + index),
    );
  });

  it('tells an idempotent producer apart from its own retries, and keeps open transactions', async () => {
    const world = await World.open();
    const partition = await world.create('t');
    const producer = { producerId: 5, producerEpoch: 0 };
    const transaction = { producerId: 6, producerEpoch: 0, transactional: true };
    await world.append(partition, { ...transaction, baseSequence: 0 });
    await world.append(partition, { ...producer, baseSequence: 0 });
    world.leave(20);
    const next = testBatch({ ...producer, baseSequence: 1 });
    expect((await world.append(partition, next)).errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
    world.disk.capacityBytes = Infinity;
    await world.look();
    expect(partition.lastStableOffset).toBe(0);
    expect(await world.append(partition, next)).toMatchObject({ errorCode: 0, baseOffset: 2 });
    expect(await world.append(partition, next)).toMatchObject({ errorCode: 0, baseOffset: 2 });
    const marker = testMarker({ ...transaction, isAbort: true });
    expect((await world.append(partition, marker, { origin: 'coordinator' })).baseOffset).toBe(3);
    expect(partition.lastStableOffset).toBe(4);
  });

  it('cuts nothing off that a write under way brings to the disk after another file had no room', async () => {
    const world = await World.open();
    const partition = await world.create('t');
    await world.append(partition, { valueBytes: SEGMENT_BYTES - 200 });
    world.disk.intercept = (operation, path) => {
      if (operation === 'replace' && path.endsWith('.snapshot')) throw new DiskError('no space left', 'ENOSPC');
    };
    // The batch goes to a new segment; completing the one before fails meanwhile.
    world.disk.hold();
    const outcome = world.append(partition, { valueBytes: 300 });
    await world.clock.settle();
    expect(world.lines.at(-1)).toMatch(/read-only/);
    world.disk.letGo();
    expect(await outcome).toMatchObject({ errorCode: 0, baseOffset: 1 });
    await world.clock.settle();
    expect((await read(partition)).map(({ offset }) => offset)).toEqual([0, 1]);
    world.disk.intercept = null;
    await world.look();
    expect((await world.append(partition, {})).baseOffset).toBe(2);
    expect((await read(partition)).map(({ offset }) => offset)).toEqual([0, 1, 2]);
  });

  it.each([1, 2, 3, 4])('loses and doubles nothing whenever it runs full and gets room (seed %d)', async (seed) => {
    const random = seededRandom(seed);
    const world = await World.open();
    const partition = await world.create('t', { segmentBytes: 3000, indexIntervalBytes: 200 });
    const expected: string[] = [];
    let refusals = 0;
    for (let step = 0; step < 300; step++) {
      if (random.below(12) === 0) world.leave(random.below(1500));
      if (random.below(12) === 0) world.disk.capacityBytes = Infinity;
      if (random.below(4) === 0) await world.look();
      const batches = Array.from({ length: 1 + random.below(4) }, (_, index) => {
        const records = Array.from({ length: 1 + random.below(3) }, (_, at) => ({ value: `${step}.${index}.${at}` }));
        return { records, outcome: world.append(partition, { records }) };
      });
      for (const { records, outcome } of batches) {
        const { errorCode, baseOffset } = await outcome;
        if (errorCode !== 0) {
          expect(errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
          refusals++;
          continue;
        }
        expect(baseOffset).toBe(expected.length);
        expected.push(...records.map(({ value }) => value));
      }
      if (random.below(10) === 0) await world.clock.settle();
    }
    expect(refusals).toBeGreaterThan(10);
    expect((await read(partition)).map(({ value }) => value)).toEqual(expected);
    const crashed = await World.open(world.disk.afterCrash('kill'));
    expect((await read(crashed.partitions.get('t', 0) as Partition)).map(({ value }) => value)).toEqual(expected);
  });
});

describe('a broken disk', () => {
  it.each([
    ['EIO', 'sync'],
    ['ENOSPC', 'sync'],
    ['EIO', 'write'],
    ['EROFS', 'write'],
  ] as const)('takes the whole data directory offline until a restart (%s at %s)', async (code, failing) => {
    const world = await World.open();
    const [first, second] = [await world.create('first', { flushMessages: 1 }), await world.create('second')];
    await world.append(second, { records: [{ value: 'kept' }] });
    let woken = 0;
    const { waits } = world.partitions;
    waits.park({ partitions: [second], minBytes: 1, deadlineMs: 1e9, onReady: () => woken++ });
    world.disk.intercept = (operation, path) => {
      if (operation === failing && path.includes('first-0')) throw new DiskError('The device fails', code);
    };
    expect((await world.append(first, {})).errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
    world.disk.intercept = null;
    await world.look();
    expect([first.isOnline, second.isOnline, world.partitions.isOnline, woken]).toEqual([false, false, false, 1]);
    expect((await world.append(second, {})).errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
    const request = { fetchOffset: 0, maxBytes: 1000, minOneBatch: true, readCommitted: false };
    expect(await second.read(request)).toMatchObject({ errorCode: ErrorCode.KAFKA_STORAGE_ERROR, sizeBytes: 0 });
    await expect(world.create('third')).rejects.toMatchObject({ code: 'DATA_DIR' });
    await world.partitions.close();
    const again = await World.open(world.disk);
    expect((await read(again.partitions.get('second', 0) as Partition)).map(({ value }) => value)).toEqual(['kept']);
  });

  it('takes a full partition offline, too', async () => {
    const world = await World.open();
    const [full, broken] = [await world.create('full'), await world.create('broken', { flushMessages: 1 })];
    world.leave(10);
    await world.append(full, {});
    world.disk.capacityBytes = Infinity;
    world.disk.intercept = (operation) => {
      if (operation === 'sync') throw new DiskError('The device fails', 'EIO');
    };
    await world.append(broken, {});
    world.disk.intercept = null;
    await world.look();
    expect([full.isOnline, broken.isOnline]).toEqual([false, false]);
    expect((await world.append(full, {})).errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
  });
});
