import { batchBaseOffset, batchLeaderEpoch, isLogAppendTime, verifyBatchCrc } from '@kafka-template/protocol';
import { DiskError } from '../io/disk.js';
import { seededRandom } from '../io/random.js';
import { FakeClock } from '../testing/fake-clock.js';
import { LogWorld, readAll, recordsIn, testBatch } from '../testing/log-world.js';
import type { AppendOutcome } from './append-outcome.js';
import type { Log } from './log.js';

describe('log: append', () => {
  it('gives offsets without holes, patches them into the batch and leaves the checksum right', async () => {
    const world = new LogWorld();
    const log = await world.open();
    expect(await world.append(log, testBatch({ records: 3 }))).toMatchObject({ errorCode: 0, baseOffset: 0 });
    expect(await world.append(log, testBatch({ records: 2 }))).toMatchObject({ errorCode: 0, baseOffset: 3 });
    expect(log.endOffset).toBe(5);
    const { buffers } = await log.read(3, 5, 1000, true);
    const batch = Buffer.concat(buffers);
    expect(batchBaseOffset(batch)).toBe(3);
    expect(batchLeaderEpoch(batch)).toBe(0);
    expect(verifyBatchCrc(batch)).toBe(true);
  });

  it('takes a copy: the caller may reuse its buffer at once', async () => {
    const world = new LogWorld();
    const log = await world.open();
    const batch = testBatch({ records: [{ value: 'kept' }] });
    const written = world.append(log, batch);
    batch.fill(0xff);
    expect((await written).errorCode).toBe(0);
    expect(await readAll(log)).toEqual([{ offset: 0, value: 'kept' }]);
  });

  it('dates batches itself when the topic says so', async () => {
    const world = new LogWorld();
    const log = await world.open({ messageTimestampType: 'LogAppendTime' });
    world.clock.jump(5);
    const outcome = await world.append(log, testBatch({ timestamp: 1 }));
    expect(outcome.logAppendTimeMs).toBe(FakeClock.START_MS + 5);
    const batch = Buffer.concat((await log.read(0, 1, 1000, true)).buffers);
    expect(isLogAppendTime(batch)).toBe(true);
    expect(verifyBatchCrc(batch)).toBe(true);
  });

  it('recompresses when the topic names a compression', async () => {
    const world = new LogWorld();
    const log = await world.open({ compressionType: 'gzip' });
    await world.append(log, testBatch({ records: [{ key: 'k', value: 'v'.repeat(500) }], valueBytes: 1 }));
    const { buffers, sizeBytes } = await log.read(0, 1, 1000, true);
    expect(sizeBytes).toBeLessThan(300);
    expect(recordsIn(buffers)).toEqual([{ offset: 0, value: 'v'.repeat(500) }]);
  });
});

describe('log: one write at a time', () => {
  it('joins what arrives during a write into the next one, and answers in order', async () => {
    const world = new LogWorld();
    const log = await world.open();
    world.memory.hold();
    const answers: number[] = [];
    const note = (outcome: AppendOutcome): number => answers.push(outcome.baseOffset);
    const writesBefore = world.memory.counts.write;
    log.append(testBatch(), { origin: 'client' }, 0, note);
    world.clock.runDeferred();
    for (let index = 0; index < 10; index++) log.append(testBatch(), { origin: 'client' }, 0, note);
    world.clock.runDeferred();
    expect(answers).toEqual([]);
    expect(log.endOffset).toBe(0);
    world.memory.letGo();
    await world.clock.settle();
    expect(answers).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(world.memory.counts.write - writesBefore).toBe(2);
  });

  it('shows nothing before the system has accepted it', async () => {
    const world = new LogWorld();
    const log = await world.open();
    await world.append(log, testBatch());
    world.memory.hold();
    const second = world.append(log, testBatch());
    await world.clock.settle();
    expect(log.endOffset).toBe(1);
    world.memory.letGo();
    await second;
    expect(log.endOffset).toBe(2);
  });

  it('goes on with the others when a call-back throws', async () => {
    const world = new LogWorld();
    const log = await world.open();
    log.append(testBatch(), { origin: 'client' }, 0, () => {
      throw new Error('the caller is broken');
    });
    expect((await world.append(log, testBatch())).baseOffset).toBe(1);
  });
});

describe('log: a failing disk', () => {
  const failWrites = (world: LogWorld, code: string): void => {
    world.memory.intercept = (operation) => {
      if (operation === 'write') throw new DiskError('Cannot write: the disk says no', code);
    };
  };

  it.each(['ENOSPC', 'EIO'])(
    'refuses with KAFKA_STORAGE_ERROR, takes nothing more and leaves no hole (%s)',
    async (code) => {
      const world = new LogWorld();
      const log = await world.open();
      await world.append(log, testBatch({ records: 4 }));
      failWrites(world, code);
      const refused = await Promise.all([world.append(log, testBatch()), world.append(log, testBatch())]);
      expect(refused.map(({ errorCode, baseOffset }) => [errorCode, baseOffset])).toEqual([
        [56, -1],
        [56, -1],
      ]);
      expect([log.isOnline, log.isFull]).toEqual(code === 'ENOSPC' ? [true, true] : [false, false]);
      expect(log.endOffset).toBe(4);
      world.memory.intercept = null;
      expect((await world.append(log, testBatch())).errorCode).toBe(56);
      expect(await log.close()).toBe(false);

      const reopened = await new LogWorld(world.disk).open();
      expect(reopened.endOffset).toBe(4);
      expect(reopened.isOnline).toBe(true);
    },
  );

  it('cuts off what a partly successful write left behind', async () => {
    const world = new LogWorld();
    const log = await world.open();
    await world.append(log, testBatch({ records: 4 }));
    const sizeBytes = async (): Promise<number | undefined> =>
      (await world.disk.stat(log.segments.active.logPath))?.sizeBytes;
    const before = await sizeBytes();
    let torn: number | undefined;
    world.memory.intercept = (operation) => {
      if (operation === 'truncate') void sizeBytes().then((size) => (torn = size));
      if (operation === 'write') throw new DiskError('Cannot write: no space left', 'ENOSPC');
    };
    expect((await world.append(log, testBatch())).errorCode).toBe(56);
    await world.clock.settle();
    expect(world.memory.counts.truncate).toBe(1);
    expect(torn).toBeDefined();
    expect(await sizeBytes()).toBe(before);
  });

  it('goes offline when the device does not take a flush', async () => {
    const world = new LogWorld();
    const log = await world.open({ flushMessages: 1 });
    world.memory.intercept = (operation) => {
      if (operation === 'sync') throw new DiskError('Cannot flush', 'EIO');
    };
    expect((await world.append(log, testBatch())).errorCode).toBe(56);
    expect(log.endOffset).toBe(0);
    expect(log.isOnline).toBe(false);
  });

  it('refuses, without going offline, when too much waits for the disk', async () => {
    const world = new LogWorld();
    const log = await world.open();
    world.context.pressure.added(2 ** 40);
    expect((await world.append(log, testBatch())).errorCode).toBe(56);
    world.context.pressure.removed(2 ** 40);
    expect((await world.append(log, testBatch())).errorCode).toBe(0);
  });
});

describe('log: read', () => {
  async function filled(
    config: Parameters<LogWorld['open']>[0],
    batches: number,
  ): Promise<{ world: LogWorld; log: Log }> {
    const world = new LogWorld();
    const log = await world.open(config);
    for (let index = 0; index < batches; index++) await world.append(log, testBatch({ records: 1 + (index % 4) }));
    return { world, log };
  }

  it('returns the batch that contains the offset, from every offset, in memory and from the files', async () => {
    const { world, log } = await filled({ segmentBytes: 700, indexIntervalBytes: 100 }, 40);
    const expected = await readAll(log, 1);
    expect(expected.map(({ offset }) => offset)).toEqual(Array.from({ length: log.endOffset }, (_, index) => index));
    await log.close();
    const cold = await new LogWorld(world.disk).open({ segmentBytes: 700, indexIntervalBytes: 100 });
    expect(cold.tailStartOffset).toBe(cold.endOffset);
    for (let offset = 0; offset < cold.endOffset; offset++) {
      for (const maxBytes of [1, 100, 350, 10_000]) {
        const { buffers, sizeBytes } = await cold.read(offset, cold.endOffset, maxBytes, true);
        const records = recordsIn(buffers);
        expect(records[0]?.offset).toBeLessThanOrEqual(offset);
        expect(records[records.length - 1]?.offset).toBeGreaterThanOrEqual(offset);
        expect(records).toEqual(expected.slice(records[0]?.offset, (records[records.length - 1]?.offset ?? 0) + 1));
        if (records.length > 4) expect(sizeBytes).toBeLessThanOrEqual(maxBytes);
      }
    }
  });

  it('stops below the end it is given, also in the files', async () => {
    const { world, log } = await filled({}, 20);
    await log.close();
    const cold = await new LogWorld(world.disk).open();
    // Batches begin at 0, 1, 3, 6, 10, 11, 13, …
    for (const [endOffset, last] of [
      [10, 9],
      [11, 10],
      [12, 10],
    ] as const) {
      const { buffers, nextOffset } = await cold.read(0, endOffset, 10_000, true);
      expect(recordsIn(buffers).map(({ offset }) => offset)).toEqual(Array.from({ length: last + 1 }, (_, i) => i));
      expect(nextOffset).toBe(last + 1);
    }
    expect((await cold.read(11, 12, 10_000, true)).sizeBytes).toBe(0);
  });

  it('holds a bounded number of files open and a bounded size of indexes', async () => {
    const { world, log } = await filled({ segmentBytes: 300, indexIntervalBytes: 1 }, 80);
    await log.close();
    const again = new LogWorld(world.disk, undefined, undefined, { filesMax: 3, indexBytesMax: 200 });
    const cold = await again.open({ segmentBytes: 300, indexIntervalBytes: 1 }, { isClean: true, recoveryPoint: 200 });
    const all = await readAll(cold, 1);
    expect(all).toHaveLength(200);
    expect(cold.segments.count).toBeGreaterThan(20);
    expect(again.context.files.size).toBe(3);
    expect(again.context.indexes.usedBytes).toBeGreaterThan(100);
    expect(again.context.indexes.usedBytes).toBeLessThanOrEqual(200);
    expect(cold.segments.all().filter(({ indexes }) => indexes !== null).length).toBeLessThan(12);
  });

  it('gives a first batch that is too large only when asked to', async () => {
    const { world, log } = await filled({}, 1);
    const large = testBatch({ valueBytes: 100_000 });
    await world.append(log, large);
    expect((await log.read(1, 2, 10, true)).sizeBytes).toBe(large.length);
    expect((await log.read(1, 2, 10, false)).sizeBytes).toBe(0);
    await log.close();
    const cold = await new LogWorld(world.disk).open();
    expect((await cold.read(1, 2, 10, true)).sizeBytes).toBe(large.length);
    expect((await cold.read(1, 2, 10, false)).sizeBytes).toBe(0);
    expect((await cold.read(0, 2, 200, true)).sizeBytes).toBeLessThan(200);
  });

  it('never changes bytes that a slow reader still holds', async () => {
    const { world, log } = await filled({}, 3);
    const { buffers } = await log.read(0, log.endOffset, 10_000, true);
    const held = Buffer.concat(buffers);
    for (let index = 0; index < 400; index++) await world.append(log, testBatch({ valueBytes: 50_000 }));
    expect(log.tailStartOffset).toBeGreaterThan(10);
    expect(Buffer.concat(buffers).equals(held)).toBe(true);
    expect(world.context.memory.totalBytes).toBeLessThanOrEqual(9 * 1024 * 1024);
  });

  it('reads on from the files where memory no longer reaches', async () => {
    const { world, log } = await filled({ segmentBytes: 4_000_000 }, 3);
    for (let index = 0; index < 300; index++) await world.append(log, testBatch({ valueBytes: 50_000 }));
    expect(log.segments.count).toBeGreaterThan(2);
    const all = await readAll(log, 120_000);
    expect(all.map(({ offset }) => offset)).toEqual(Array.from({ length: log.endOffset }, (_, index) => index));
  });
});

describe('log: roll', () => {
  it('begins a new segment when the active one would become too large, named after its first offset', async () => {
    const world = new LogWorld();
    const log = await world.open({ segmentBytes: 200 });
    for (let index = 0; index < 5; index++) await world.append(log, testBatch({ records: 2 }));
    await log.close();
    const names = await world.disk.readdir('data/t-0');
    expect(names.filter((name) => name.endsWith('.log')).sort()).toEqual([
      '00000000000000000000.log',
      '00000000000000000004.log',
      '00000000000000000008.log',
    ]);
    expect(names).toContain('00000000000000000004.snapshot');
    expect(names).toContain('00000000000000000004.index');
    expect(names).toContain('00000000000000000004.timeindex');
  });

  it('begins a new segment when record time has passed segment.ms', async () => {
    const world = new LogWorld();
    const log = await world.open({ segmentMs: 1000 });
    await world.append(log, testBatch({ timestamp: FakeClock.START_MS }));
    await world.append(log, testBatch({ timestamp: FakeClock.START_MS + 1000 }));
    expect(log.segments.count).toBe(1);
    await world.append(log, testBatch({ timestamp: FakeClock.START_MS + 1001 }));
    expect(log.segments.all().map(({ baseOffset }) => baseOffset)).toEqual([0, 2]);
  });

  it('begins a new segment when an index is full', async () => {
    const world = new LogWorld();
    const log = await world.open({ segmentIndexBytes: 24, indexIntervalBytes: 1 });
    for (let index = 0; index < 8; index++) await world.append(log, testBatch());
    expect(log.segments.all().map(({ baseOffset }) => baseOffset)).toEqual([0, 4]);
  });

  it('begins a new segment when a relative offset would not fit', async () => {
    const world = new LogWorld();
    const log = await world.open({}, { startOffset: 100 });
    await world.append(log, testBatch());
    const batch = testBatch({ records: 2 });
    const far = 2 ** 31 - 1;
    // A batch that spans nearly all offsets of a segment, as compaction can leave one: two records, 2^31-1 offsets.
    batch.writeInt32BE(far - 1, 23);
    await world.append(log, batch, { origin: 'coordinator' });
    await world.append(log, testBatch());
    expect(log.segments.all().map(({ baseOffset }) => baseOffset)).toEqual([100, 101 + far]);
  });

  it('puts the recovery point behind what was sealed', async () => {
    const world = new LogWorld();
    const log = await world.open({ segmentBytes: 200 });
    for (let index = 0; index < 5; index++) await world.append(log, testBatch({ records: 2 }));
    await world.clock.settle();
    expect(log.recoveryPoint).toBe(8);
    await log.close();
    expect(log.recoveryPoint).toBe(10);
  });
});

describe('log: flush', () => {
  async function syncs(flushMessages: number, batches: number[]): Promise<number> {
    const world = new LogWorld();
    const log = await world.open({ flushMessages });
    const before = world.memory.counts.sync;
    for (const records of batches) await world.append(log, testBatch({ records }));
    return world.memory.counts.sync - before;
  }

  it.each([
    [1, [1, 1, 1], 3],
    [1, [5], 1],
    [3, [1, 1, 1, 1], 1],
    [4, [3, 3, 3, 3], 2],
    [100, [50], 0],
  ])('flush.messages=%d: batches of %j records are forced to the device %d times', async (flush, batches, expected) => {
    expect(await syncs(flush, batches)).toBe(expected);
  });

  it('answers only after the flush, and forces a whole group at once', async () => {
    const world = new LogWorld();
    const log = await world.open({ flushMessages: 1 });
    const before = world.memory.counts.sync;
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => world.append(log, testBatch())));
    expect(outcomes.every(({ errorCode }) => errorCode === 0)).toBe(true);
    expect(world.memory.counts.sync - before).toBeLessThanOrEqual(2);
    const afterPowerLoss = await new LogWorld(world.memory.afterCrash('powerLoss')).open();
    expect(afterPowerLoss.endOffset).toBe(20);
  });

  it('keeps acknowledged records through a power loss with flush.messages=1, across rolls', async () => {
    const world = new LogWorld();
    const log = await world.open({ flushMessages: 1, segmentBytes: 300 });
    for (let index = 0; index < 30; index++) {
      await world.append(log, testBatch());
      const survivor = await new LogWorld(world.memory.afterCrash('powerLoss')).open({ segmentBytes: 300 });
      expect(survivor.endOffset).toBe(index + 1);
    }
  });

  it('forces what belongs to an older segment too when a group of writes crosses a roll', async () => {
    const world = new LogWorld();
    const log = await world.open({ flushMessages: 1, segmentBytes: 300 });
    const survivors: Promise<[number, number]>[] = [];
    for (let index = 0; index < 12; index++) {
      log.append(testBatch(), { origin: 'client' }, 0, ({ baseOffset }) => {
        const reopened = new LogWorld(world.memory.afterCrash('powerLoss')).open({ segmentBytes: 300 });
        survivors.push(reopened.then(({ endOffset }) => [baseOffset, endOffset]));
      });
    }
    await world.clock.settle();
    expect(log.segments.count).toBeGreaterThan(3);
    expect(survivors).toHaveLength(12);
    for (const [baseOffset, endOffset] of await Promise.all(survivors)) expect(endOffset).toBeGreaterThan(baseOffset);
  });

  it('flushes flush.ms after the first unflushed write', async () => {
    const world = new LogWorld();
    const log = await world.open({ flushMs: 1000 });
    await world.append(log, testBatch());
    await world.clock.advance(999);
    expect(log.recoveryPoint).toBe(0);
    await world.clock.advance(1);
    expect(log.recoveryPoint).toBe(1);
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('leaves no timer behind', async () => {
    const world = new LogWorld();
    const log = await world.open({ flushMs: 1000 });
    await world.append(log, testBatch());
    await log.close();
    expect(world.clock.pendingTimers).toBe(0);
  });
});

describe('log: against a model', () => {
  it.each([1, 2, 3, 4, 5])('keeps every record through appends, rolls, reads and restarts (seed %d)', async (seed) => {
    const random = seededRandom(seed);
    const config = { segmentBytes: 600 + random.below(1500), indexIntervalBytes: 1 + random.below(400) };
    let world = new LogWorld();
    let log = await world.open(config);
    const model: string[] = [];
    for (let step = 0; step < 250; step++) {
      const action = random.below(10);
      if (action < 6) {
        const values = Array.from({ length: 1 + random.below(5) }, (_, index) => `${step}.${index}`);
        const compression = random.below(3) === 0 ? 'gzip' : 'none';
        const batch = testBatch({ records: values.map((value) => ({ value })), compression });
        expect((await world.append(log, batch)).baseOffset).toBe(model.length);
        model.push(...values);
      } else if (action < 9 && model.length > 0) {
        const offset = random.below(model.length);
        const { buffers } = await log.read(offset, log.endOffset, 1 + random.below(2000), true);
        const records = recordsIn(buffers);
        expect(records[0]?.offset).toBeLessThanOrEqual(offset);
        for (const record of records) expect(record.value).toBe(model[record.offset]);
        expect(records[records.length - 1]?.offset).toBeGreaterThanOrEqual(offset);
      } else if (action === 9) {
        const isClean = random.below(2) === 0;
        if (isClean) await log.close();
        world = new LogWorld(isClean ? world.disk : world.memory.afterCrash('kill'));
        log = await world.open(config, { isClean, recoveryPoint: log.recoveryPoint });
      }
    }
    expect((await readAll(log)).map(({ value }) => value)).toEqual(model);
  });
});
