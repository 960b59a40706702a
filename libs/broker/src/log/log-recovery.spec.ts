import { crc32c } from '@kafka-template/protocol';
import { MemoryDisk } from '../io/memory-disk.js';
import { FakeClock } from '../testing/fake-clock.js';
import { LogWorld, readAll, testBatch, testMarker } from '../testing/log-world.js';
import { OffsetIndex } from './offset-index.js';
import type { TopicConfig } from './log-config.js';
import { TimeIndex } from './time-index.js';

const CONFIG: Partial<TopicConfig> = { segmentBytes: 500, indexIntervalBytes: 100 };
const ACTIVE = 'data/t-0/00000000000000000009.log';

/** A log of two segments (offsets 0 to 8 and 9 to 14) that was killed; its last batch holds the offsets 12 to 14. */
async function killedLog(): Promise<{ disk: MemoryDisk; values: string[]; lastBatchBytes: number }> {
  const world = new LogWorld();
  const log = await world.open(CONFIG);
  let lastBatchBytes = 0;
  for (let index = 0; index < 5; index++) {
    const batch = testBatch({ records: 3, valueBytes: 20 });
    lastBatchBytes = batch.length;
    await world.append(log, batch);
  }
  await world.clock.settle();
  expect(log.segments.all().map(({ baseOffset }) => baseOffset)).toEqual([0, 9]);
  const values = (await readAll(log)).map(({ value }) => value);
  return { disk: world.memory.afterCrash('kill'), values, lastBatchBytes };
}

async function bytesOf(disk: MemoryDisk, path: string): Promise<Buffer> {
  return disk.readFile(path);
}

async function replace(disk: MemoryDisk, path: string, content: Buffer): Promise<void> {
  await disk.replaceFile(path, content, { sync: false });
}

async function reopen(
  disk: MemoryDisk,
  recoveryPoint = 0,
  isClean = false,
): Promise<{ values: string[]; end: number }> {
  const log = await new LogWorld(disk).open(CONFIG, { recoveryPoint, isClean });
  return { values: (await readAll(log)).map(({ value }) => value), end: log.endOffset };
}

describe('log recovery: a torn tail', () => {
  it('cuts the last batch wherever it was torn, and keeps all before it', async () => {
    const { disk, values, lastBatchBytes } = await killedLog();
    const whole = Buffer.from(await bytesOf(disk, ACTIVE));
    for (let missing = 1; missing <= lastBatchBytes; missing++) {
      const torn = disk.afterCrash('kill');
      await replace(torn, ACTIVE, whole.subarray(0, whole.length - missing));
      expect(await reopen(torn)).toEqual({ values: values.slice(0, 12), end: 12 });
      expect((await bytesOf(torn, ACTIVE)).length).toBe(whole.length - lastBatchBytes);
    }
  });

  it.each([1, 60, 61, 4096])('cuts %d zero bytes behind the last batch', async (zeros) => {
    const { disk, values } = await killedLog();
    const whole = Buffer.from(await bytesOf(disk, ACTIVE));
    await replace(disk, ACTIVE, Buffer.concat([whole, Buffer.alloc(zeros)]));
    expect(await reopen(disk)).toEqual({ values, end: 15 });
    expect((await bytesOf(disk, ACTIVE)).equals(whole)).toBe(true);
  });

  it('goes on appending where the good part ends', async () => {
    const { disk, values } = await killedLog();
    const whole = Buffer.from(await bytesOf(disk, ACTIVE));
    await replace(disk, ACTIVE, whole.subarray(0, whole.length - 1));
    const world = new LogWorld(disk);
    const log = await world.open(CONFIG);
    expect((await world.append(log, testBatch({ records: [{ value: 'next' }] }))).baseOffset).toBe(12);
    expect((await readAll(log)).map(({ value }) => value)).toEqual([...values.slice(0, 12), 'next']);
  });

  it('removes later segments when an earlier one is damaged', async () => {
    const { disk, values } = await killedLog();
    const first = 'data/t-0/00000000000000000000.log';
    const damaged = Buffer.from(await bytesOf(disk, first));
    damaged[damaged.length - 1] = (damaged[damaged.length - 1] ?? 0) ^ 1;
    await replace(disk, first, damaged);
    expect(await reopen(disk)).toEqual({ values: values.slice(0, 6), end: 6 });
    expect(disk.list().filter((path) => path.endsWith('.log'))).toEqual([first]);
    expect(disk.list().filter((path) => path.includes('0009.'))).toEqual([]);
  });
});

describe('log recovery: damaged headers', () => {
  /** Position and bytes of every field of the batch header that a flipped bit must not get through. */
  const FIELDS: readonly (readonly [string, number, number])[] = [
    ['base offset', 0, 8],
    ['batch length', 8, 4],
    ['magic', 16, 1],
    ['crc', 17, 4],
    ['attributes', 21, 2],
    ['last offset delta', 23, 4],
    ['base timestamp', 27, 8],
    ['max timestamp', 35, 8],
    ['producer id', 43, 8],
    ['producer epoch', 51, 2],
    ['base sequence', 53, 4],
    ['record count', 57, 4],
    ['first byte of the records', 61, 1],
  ];

  it.each(FIELDS)('cuts at a batch with any flipped bit in its %s', async (_name, position, bytes) => {
    const { disk, values, lastBatchBytes } = await killedLog();
    const whole = Buffer.from(await bytesOf(disk, ACTIVE));
    const start = whole.length - lastBatchBytes;
    for (let bit = 0; bit < bytes * 8; bit++) {
      const damaged = Buffer.from(whole);
      const at = start + position + (bit >> 3);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (bit & 7));
      const copy = disk.afterCrash('kill');
      await replace(copy, ACTIVE, damaged);
      expect(await reopen(copy)).toEqual({ values: values.slice(0, 12), end: 12 });
    }
  });

  it('checks segments that may not be on the device only', async () => {
    const { disk, values } = await killedLog();
    const first = 'data/t-0/00000000000000000000.log';
    const damaged = Buffer.from(await bytesOf(disk, first));
    damaged[260] = (damaged[260] ?? 0) ^ 1;
    await replace(disk, first, damaged);
    expect((await reopen(disk.afterCrash('kill'), 9)).end).toBe(values.length);
    expect((await reopen(disk.afterCrash('kill'), 8)).end).toBe(3);
  });
});

describe('log recovery: indexes', () => {
  async function largeLog(): Promise<{ disk: MemoryDisk; config: Partial<TopicConfig>; values: string[] }> {
    const world = new LogWorld();
    const config = { segmentBytes: 3000, indexIntervalBytes: 200 };
    const log = await world.open(config);
    for (let index = 0; index < 60; index++) {
      await world.append(log, testBatch({ records: 2, timestamp: FakeClock.START_MS + index }));
    }
    const values = (await readAll(log)).map(({ value }) => value);
    await log.close();
    return { disk: world.memory, config, values };
  }

  it('writes entries that name the last offset and the position of a batch, about every index.interval.bytes', async () => {
    const { disk } = await largeLog();
    const name = 'data/t-0/00000000000000000000';
    const logFile = await disk.readFile(`${name}.log`);
    const indexFile = await disk.readFile(`${name}.index`);
    expect(indexFile.length % 8).toBe(0);
    expect(indexFile.length).toBeGreaterThan(8);
    for (let at = 0; at < indexFile.length; at += 8) {
      const position = indexFile.readInt32BE(at + 4);
      const baseOffset = Number(logFile.readBigInt64BE(position));
      expect(baseOffset + logFile.readInt32BE(position + 23)).toBe(indexFile.readInt32BE(at));
    }
    const timeFile = await disk.readFile(`${name}.timeindex`);
    expect(timeFile.length % 12).toBe(0);
    const parsed = TimeIndex.parse(0, 1000, timeFile);
    expect(parsed?.lastTimestamp).toBeGreaterThan(FakeClock.START_MS);
    expect(OffsetIndex.parse(0, 1000, indexFile, logFile.length)?.count).toBe(indexFile.length / 8);
  });

  it.each([
    ['is missing', (disk: MemoryDisk, path: string) => disk.unlink(path)],
    ['is empty', (disk: MemoryDisk, path: string) => replace(disk, path, Buffer.alloc(0))],
    ['is garbage', (disk: MemoryDisk, path: string) => replace(disk, path, Buffer.alloc(48, 0xa5))],
    ['is all zeros', (disk: MemoryDisk, path: string) => replace(disk, path, Buffer.alloc(480))],
    [
      'has zeros behind its entries',
      async (disk: MemoryDisk, path: string) =>
        replace(disk, path, Buffer.concat([await disk.readFile(path), Buffer.alloc(480)])),
    ],
  ])('answers the same when an index %s', async (_what, damage) => {
    for (const suffix of ['.index', '.timeindex']) {
      for (const isClean of [true, false]) {
        const { disk, config, values } = await largeLog();
        for (const path of disk.list()) if (path.endsWith(suffix)) await damage(disk, path);
        for (const options of [
          { isClean, recoveryPoint: isClean ? 120 : 0 },
          { isClean: true, recoveryPoint: 120 },
        ]) {
          const log = await new LogWorld(disk).open(config, options);
          expect((await readAll(log)).map(({ value }) => value)).toEqual(values);
          for (let index = 0; index < 60; index += 7) {
            const found = await log.findByTimestamp({ startOffset: 0, endOffset: 120 }, FakeClock.START_MS + index);
            expect(found).toMatchObject({ offset: 2 * index, timestamp: FakeClock.START_MS + index });
          }
          await log.close();
          // What was made again is what is in the files now.
          for (const path of isClean ? [] : disk.list().filter((name) => name.endsWith('.index'))) {
            const { length } = await disk.readFile(path.replace('.index', '.log'));
            expect(OffsetIndex.parse(0, 10_000, await disk.readFile(path), length)?.cutFile).toBe(false);
          }
        }
      }
    }
  });

  it('removes leftovers and index files without a segment', async () => {
    const { disk, config } = await largeLog();
    for (const name of [
      '00000000000000000000.log.deleted',
      '00000000000000000077.index',
      '00000000000000000077.timeindex',
      '00000000000000000077.txnindex',
      '00000000000000000000.log.cleaned',
      'leader-epoch-checkpoint.tmp',
    ]) {
      await replace(disk, `data/t-0/${name}`, Buffer.from('x'));
    }
    await new LogWorld(disk).open(config);
    expect(disk.list().filter((path) => /deleted|77\.|cleaned|tmp/.test(path))).toEqual([]);
  });
});

describe('log recovery: the start after a clean stop', () => {
  it('finds the end without checking batches', async () => {
    const { disk, values } = await killedLog();
    const world = new LogWorld(disk);
    await (await world.open(CONFIG)).close();
    const damaged = Buffer.from(await bytesOf(disk, ACTIVE));
    damaged[70] = (damaged[70] ?? 0) ^ 1;
    await replace(disk, ACTIVE, damaged);
    expect((await reopen(disk, 15, true)).end).toBe(values.length);
  });

  it('starts an empty log at the log start offset', async () => {
    const world = new LogWorld();
    const log = await world.open({}, { startOffset: 42 });
    expect([log.startOffset, log.endOffset]).toEqual([42, 42]);
    expect(await world.disk.readdir('data/t-0')).toContain('00000000000000000042.log');
  });

  it('starts over when the log ends before its start', async () => {
    const { disk } = await killedLog();
    const log = await new LogWorld(disk).open(CONFIG, { startOffset: 100 });
    expect([log.startOffset, log.endOffset, log.segments.count]).toEqual([100, 100, 1]);
    expect(disk.list().filter((path) => path.endsWith('.log'))).toEqual(['data/t-0/00000000000000000100.log']);
  });
});

describe('log recovery: leader epochs', () => {
  it('finds them in the batches when the file is gone', async () => {
    const world = new LogWorld();
    const log = await world.open(CONFIG);
    for (const epoch of [0, 0, 3, 3, 7]) {
      const written = new Promise((resolve) => log.append(testBatch(), { origin: 'client' }, epoch, resolve));
      world.clock.runDeferred();
      await written;
    }
    await world.clock.settle();
    const disk = world.memory.afterCrash('kill');
    expect((await disk.readFile('data/t-0/leader-epoch-checkpoint')).toString()).toBe('0\n3\n0 0\n3 2\n7 4\n');
    await disk.unlink('data/t-0/leader-epoch-checkpoint');
    const reopened = await new LogWorld(disk).open(CONFIG, { recoveryPoint: 100 });
    expect(reopened.epochs.list()).toEqual([
      { epoch: 0, startOffset: 0 },
      { epoch: 3, startOffset: 2 },
      { epoch: 7, startOffset: 4 },
    ]);
  });
});

describe('log recovery: producers', () => {
  const send = (baseSequence: number, records = 1): Buffer =>
    testBatch({ records, producerId: 5, producerEpoch: 0, baseSequence });

  it.each(['kill', 'clean'] as const)('remembers the last five batches of a producer (%s)', async (stop) => {
    for (const config of [{}, { segmentBytes: 150 }]) {
      let world = new LogWorld();
      let log = await world.open(config);
      for (let sequence = 0; sequence < 7; sequence++) await world.append(log, send(sequence));
      await world.clock.settle();
      if (stop === 'clean') await log.close();
      world = new LogWorld(stop === 'clean' ? world.disk : world.memory.afterCrash('kill'));
      log = await world.open(config, { isClean: stop === 'clean', recoveryPoint: stop === 'clean' ? 7 : 0 });
      for (let sequence = 2; sequence < 7; sequence++) {
        expect(await world.append(log, send(sequence))).toMatchObject({ errorCode: 0, baseOffset: sequence });
      }
      expect((await world.append(log, send(1))).errorCode).toBe(45);
      expect((await world.append(log, send(8))).errorCode).toBe(45);
      expect(await world.append(log, send(7))).toMatchObject({ errorCode: 0, baseOffset: 7 });
    }
  });

  it('reads what came before the part to check when there is no snapshot', async () => {
    const config = { segmentBytes: 200 };
    const world = new LogWorld();
    const log = await world.open(config);
    for (let sequence = 0; sequence < 3; sequence++) await world.append(log, send(sequence));
    for (let index = 0; index < 5; index++) await world.append(log, testBatch());
    await world.clock.settle();
    const { recoveryPoint } = log;
    expect(recoveryPoint).toBe(log.segments.active.baseOffset);
    const disk = world.memory.afterCrash('kill');
    for (const path of disk.list()) if (path.endsWith('.snapshot')) await disk.unlink(path);
    const again = new LogWorld(disk);
    const reopened = await again.open(config, { recoveryPoint });
    expect(await again.append(reopened, send(2))).toMatchObject({ errorCode: 0, baseOffset: 2 });
    expect((await again.append(reopened, send(4))).errorCode).toBe(45);
  });

  it('does without a damaged snapshot', async () => {
    const world = new LogWorld();
    const log = await world.open();
    for (let sequence = 0; sequence < 3; sequence++) await world.append(log, send(sequence));
    await log.close();
    const path = 'data/t-0/00000000000000000003.snapshot';
    const damaged = Buffer.from(await world.disk.readFile(path));
    damaged[20] = (damaged[20] ?? 0) ^ 1;
    await replace(world.memory, path, damaged);
    const again = new LogWorld(world.disk);
    const reopened = await again.open({}, { isClean: true, recoveryPoint: 3 });
    expect(await again.append(reopened, send(1))).toMatchObject({ errorCode: 0, baseOffset: 1 });
  });

  it('writes snapshots as Kafka does', async () => {
    const world = new LogWorld();
    const log = await world.open();
    await world.append(log, send(0, 3));
    await log.close();
    const file = await world.disk.readFile('data/t-0/00000000000000000003.snapshot');
    expect(file.length).toBe(56);
    expect(file.readInt16BE(0)).toBe(1);
    expect(file.readUInt32BE(2)).toBe(crc32c(file, 6));
    expect(file.readInt32BE(6)).toBe(1);
    expect(file.readBigInt64BE(10)).toBe(5n);
    expect(file.readInt16BE(18)).toBe(0);
    expect([file.readInt32BE(20), Number(file.readBigInt64BE(24)), file.readInt32BE(32)]).toEqual([2, 2, 2]);
    expect(Number(file.readBigInt64BE(36))).toBe(FakeClock.START_MS);
    expect([file.readInt32BE(44), Number(file.readBigInt64BE(48))]).toEqual([-1, -1]);
  });

  it.each(['kill', 'clean'] as const)('remembers open and aborted transactions (%s)', async (stop) => {
    const transactional = { origin: 'client', transactionalId: 'tx' } as const;
    const data = (producerId: number, baseSequence: number): Buffer =>
      testBatch({ producerId, producerEpoch: 0, baseSequence, transactional: true });
    let world = new LogWorld();
    let log = await world.open({ segmentBytes: 250 });
    await world.append(log, data(1, 0), transactional);
    await world.append(log, data(2, 0), transactional);
    await world.append(log, testMarker({ producerId: 1, producerEpoch: 0, isAbort: true }), { origin: 'coordinator' });
    await world.append(log, testBatch());
    await world.append(log, testBatch());
    await world.clock.settle();
    if (stop === 'clean') await log.close();
    world = new LogWorld(stop === 'clean' ? world.disk : world.memory.afterCrash('kill'));
    log = await world.open({ segmentBytes: 250 }, { isClean: stop === 'clean', recoveryPoint: log.recoveryPoint });
    expect(log.producers.firstUnstableOffset(log.endOffset)).toBe(1);
    expect(log.abortedTransactions(0, 5)).toEqual([{ producerId: 1, firstOffset: 0 }]);
    expect(log.abortedTransactions(3, 5)).toEqual([]);
    await world.append(log, testMarker({ producerId: 2, producerEpoch: 0, isAbort: false }), { origin: 'coordinator' });
    expect(log.producers.firstUnstableOffset(log.endOffset)).toBe(Infinity);
  });
});

describe('log recovery: the transaction index', () => {
  const config = { segmentBytes: 400 };

  /** Forty transactions over many segments, every other one aborted; some overlap, one stays open. */
  async function withTransactions(): Promise<{ world: LogWorld; aborted: unknown; end: number }> {
    const world = new LogWorld();
    const log = await world.open(config);
    const rules = { origin: 'client', transactionalId: 'tx' } as const;
    for (let index = 0; index < 40; index++) {
      const producer = { producerId: index, producerEpoch: 0 };
      await world.append(log, testBatch({ ...producer, baseSequence: 0, transactional: true }), rules);
      const ended = index - (index % 3);
      if (index % 3 === 2) {
        for (const producerId of [ended, ended + 1]) {
          const marker = testMarker({ producerId, producerEpoch: 0, isAbort: producerId % 2 === 0 });
          await world.append(log, marker, { origin: 'coordinator' });
        }
      }
    }
    await world.clock.settle();
    return { world, aborted: log.abortedTransactions(0, log.endOffset), end: log.endOffset };
  }

  const damages: readonly (readonly [string, (file: Buffer) => Buffer])[] = [
    ['garbage', (file) => Buffer.alloc(file.length, 0xa5)],
    ['a torn entry', (file) => file.subarray(0, file.length - 1)],
    ['zeros', (file) => Buffer.alloc(file.length)],
    ['entries out of order', (file) => Buffer.concat([file, file])],
  ];

  it.each(damages)('answers the same when a file of it holds %s, also after a clean stop', async (_what, damage) => {
    for (const isClean of [true, false]) {
      const { world, aborted, end } = await withTransactions();
      const files = world.memory.list().filter((path) => path.endsWith('.txnindex'));
      expect(files.length).toBeGreaterThan(3);
      for (const path of files) {
        const disk = world.memory.afterCrash('kill');
        const opened = await new LogWorld(disk).open(config, { recoveryPoint: end });
        if (isClean) await opened.close();
        await replace(disk, path, damage(Buffer.from(await disk.readFile(path))));
        const again = await new LogWorld(disk).open(config, { recoveryPoint: end, isClean });
        expect(again.abortedTransactions(0, end)).toEqual(aborted);
        expect(again.producers.firstUnstableOffset(end)).toBe(opened.producers.firstUnstableOffset(end));
        expect(again.endOffset).toBe(end);
      }
    }
  });

  it('is made again after a kill when its files are gone', async () => {
    const { world, aborted, end } = await withTransactions();
    const disk = world.memory.afterCrash('kill');
    for (const path of disk.list()) if (path.endsWith('.txnindex')) await disk.unlink(path);
    expect((await new LogWorld(disk).open(config)).abortedTransactions(0, end)).toEqual(aborted);
  });
});

describe('log recovery: a stop without changes', () => {
  it('writes nothing when nothing was appended, and everything when something was', async () => {
    const world = new LogWorld();
    const log = await world.open();
    await world.append(log, testBatch({ producerId: 1, producerEpoch: 0, baseSequence: 0 }));
    await log.close();
    const again = new LogWorld(world.disk);
    const unchanged = await again.open({}, { isClean: true, recoveryPoint: 1 });
    const before = { ...world.memory.counts };
    expect(await unchanged.close()).toBe(true);
    expect(world.memory.counts).toEqual(before);
    expect(unchanged.recoveryPoint).toBe(1);
    const changed = await again.open({}, { isClean: true, recoveryPoint: 1 });
    await again.append(changed, testBatch({ producerId: 1, producerEpoch: 0, baseSequence: 1 }));
    expect(await changed.close()).toBe(true);
    expect(changed.recoveryPoint).toBe(2);
    expect(await world.disk.readdir('data/t-0')).toContain('00000000000000000002.snapshot');
  });
});
