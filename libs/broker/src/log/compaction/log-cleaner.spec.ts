import { RecordReader, batchAttributes, batchBaseSequence, batchRecordCount } from '@kafka-template/protocol';
import { silentLogger } from '../../io/logger.js';
import { LogWorld, testBatch } from '../../testing/log-world.js';
import { CompactionWorld, driven } from './compaction.fixture.js';

const DAY_MS = 86_400_000;
const DELETE_HORIZON_BIT = 0x40;

describe('log cleaner', () => {
  it('keeps the newest record of every key, with its offset', async () => {
    const world = await CompactionWorld.open();
    for (const [key, value] of ['a1', 'b1', 'a2', 'c1', 'b2', 'a3'].map((text) => [text[0], text[1]] as const)) {
      await world.put(key as string, value as string);
    }
    expect(await world.compact()).toBe(1);
    // What is in the active segment is not touched, and makes nothing else obsolete yet.
    expect(await world.texts()).toEqual(['a=2', 'c=1', 'b=2', 'a=3']);
    expect((await world.records()).map(({ offset }) => offset)).toEqual([2, 3, 4, 5]);
    expect(world.saved).toEqual([{ topic: 't', partition: 0, offset: 5 }]);
    expect(await world.compact()).toBe(0);
  });

  it('leaves the end of what it compacts readable, so that nobody is stuck in a gap', async () => {
    const world = await CompactionWorld.open();
    for (const value of ['1', '2', '3', '4']) await world.put('a', value);
    await world.compact();
    expect(await world.texts()).toEqual(['a=3', 'a=4']);
    await world.put('a', '5');
    await world.compact();
    expect(await world.texts()).toEqual(['a=4', 'a=5']);
    expect(await world.walk(0, () => undefined)).toBe(world.log.endOffset);
  });

  it('touches nothing while the log is clean enough, too young, or not stable', async () => {
    const world = await CompactionWorld.open({ config: { minCleanableDirtyRatio: 0.5, minCompactionLagMs: 1000 } });
    for (const value of ['1', '2', '3', '4', '5']) await world.put('a', value);
    expect(await world.compact()).toBe(0);
    await world.clock.advance(1001);
    expect(await world.compact()).toBe(1);
    const sizeBytes = world.log.segments.sizeBytes;
    await world.clock.advance(10_000);
    // The active segment and nothing else is dirty now.
    expect(await world.compact()).toBe(0);
    expect(world.log.segments.sizeBytes).toBe(sizeBytes);
    await world.put('x', '1', { producerId: 7, producerEpoch: 0, baseSequence: 0, transactional: true });
    for (const value of ['6', '7', '8']) await world.put('a', value);
    await world.clock.advance(10_000);
    await world.compact();
    expect(await world.texts()).toEqual(expect.arrayContaining(['a=6', 'a=7', 'a=8']));
  });

  it('compacts what has been dirty for max.compaction.lag.ms whatever the ratio', async () => {
    const world = await CompactionWorld.open({ config: { minCleanableDirtyRatio: 1, maxCompactionLagMs: 5000 } });
    for (const value of ['1', '2', '3']) await world.put('a', value);
    expect(await world.compact()).toBe(0);
    await world.clock.advance(5001);
    expect(await world.compact()).toBe(1);
    // The active segment is closed in time, too.
    const { count } = world.log.segments;
    world.log.config = { ...world.log.config, segmentBytes: 1_000_000 };
    await world.put('a', '4');
    expect(world.log.segments.count).toBe(count + 1);
  });

  it('keeps a tombstone until its delete horizon, which it sets when it first meets it (KIP-534)', async () => {
    const world = await CompactionWorld.open({ config: { deleteRetentionMs: DAY_MS } });
    const timestamp = world.clock.now() - 3;
    await world.put('a', '1');
    await world.append({
      timestamp,
      compression: 'gzip',
      records: [
        { key: 'b', value: null },
        { key: 'a', value: null },
      ],
    });
    await world.put('c', '1');
    await world.put('c', '2');
    await world.compact();
    expect(await world.texts()).toEqual(['b=', 'a=', 'c=1', 'c=2']);
    const horizons: (number | null)[] = [];
    await world.walk(0, ({ buffer, batchPosition }) => {
      const isSet = (batchAttributes(buffer, batchPosition) & DELETE_HORIZON_BIT) !== 0;
      horizons.push(isSet ? Number(buffer.readBigInt64BE(batchPosition + 27)) : null);
    });
    expect(horizons[0]).toBe(world.clock.now() + DAY_MS);
    expect((await world.records())[0]).toMatchObject({ offset: 1, timestamp, value: null });
    await world.clock.advance(DAY_MS - 1);
    await world.put('c', '3');
    await world.compact();
    expect(await world.texts()).toContain('a=');
    await world.clock.advance(1);
    await world.put('c', '4');
    await world.compact();
    expect(await world.texts()).toEqual(['c=3', 'c=4']);
  });

  it('removes aborted records at once, and markers when nothing is left of their transaction and the horizon has passed', async () => {
    const world = await CompactionWorld.open({ config: { deleteRetentionMs: DAY_MS } });
    const transaction = { producerId: 7, producerEpoch: 0, transactional: true };
    await world.put('a', '1');
    await world.put('a', 'aborted', { ...transaction, baseSequence: 0 });
    await world.end(7, true);
    await world.put('b', 'committed', { ...transaction, baseSequence: 1 });
    await world.end(7, false);
    await world.put('x', '1');
    await world.put('x', '2');
    await world.compact();
    expect(await world.texts()).toEqual(['a=1', 'b=committed', 'x=1', 'x=2']);
    const batches = async (): Promise<number> => {
      let count = 0;
      await world.walk(0, () => count++);
      return count;
    };
    const before = await batches();
    // Found to be of an empty transaction, the marker of the aborted one gets its horizon, and goes after it.
    await world.put('x', '3');
    await world.compact();
    await world.clock.advance(DAY_MS);
    await world.put('x', '4');
    await world.compact();
    expect(await world.texts()).toEqual(['a=1', 'b=committed', 'x=3', 'x=4']);
    expect(await batches()).toBe(before - 1);
    expect(world.log.abortedTransactions(0, world.log.endOffset)).toEqual([]);
  });

  it('keeps the last batch of a producer, empty if need be, so that its sequence goes on after a restart', async () => {
    const world = await CompactionWorld.open();
    const producer = { producerId: 9, producerEpoch: 2 };
    await world.put('a', '1', { ...producer, baseSequence: 0 });
    await world.put('a', '2', { ...producer, baseSequence: 1 });
    await world.put('a', '3');
    await world.put('a', '4');
    await world.compact();
    const sequences: number[] = [];
    await world.walk(0, ({ buffer, batchPosition }) => {
      if (batchRecordCount(buffer, batchPosition) === 0) sequences.push(batchBaseSequence(buffer, batchPosition));
    });
    expect(sequences).toEqual([1]);
    const again = await CompactionWorld.open({ disk: world.world.memory.afterCrash('kill') });
    for (const name of again.world.memory.list()) if (name.endsWith('.snapshot')) await again.world.disk.unlink(name);
    const rebuilt = await CompactionWorld.open({ disk: again.world.memory.afterCrash('kill') });
    await expect(rebuilt.put('a', '5', { ...producer, baseSequence: 5 })).rejects.toThrow('error 45');
    await rebuilt.put('a', '5', { ...producer, baseSequence: 2 });
  });

  it('answers questions about time with records, not with what is left of emptied batches', async () => {
    const world = await CompactionWorld.open();
    const now = world.clock.now();
    await world.put('a', '1', { producerId: 9, producerEpoch: 0, baseSequence: 0, timestamp: now + 1000 });
    await world.put('a', '2', { timestamp: now + 500 });
    await world.put('b', '3', { timestamp: now });
    await world.compact();
    const range = { startOffset: 0, endOffset: world.log.endOffset };
    expect(await world.log.findLargestTimestamp(range)).toMatchObject({ offset: 1, timestamp: now + 500 });
    expect(await world.log.findByTimestamp(range, now + 501)).toBe(null);
    expect(await world.log.findByTimestamp(range, now)).toMatchObject({ offset: 1 });
  });

  it('merges small segments, up to the size of a segment', async () => {
    const world = await CompactionWorld.open();
    for (let index = 0; index < 40; index++) await world.put(`key ${index % 10}`, String(index));
    world.log.config = { ...world.log.config, segmentBytes: 500 };
    await world.compact();
    // 39 segments of 75 or 76 bytes were to be compacted, at most six of which fit into one.
    expect(world.log.segments.count).toBe(Math.ceil(39 / 6) + 1);
    const expected = [29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39];
    expect((await world.records()).map(({ offset }) => offset)).toEqual(expected);
    for (let index = 0; index < 10; index++) await world.put(`key ${index}`, 'again');
    await world.compact();
    expect(world.log.segments.count).toBeLessThan(7);
  });

  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
    'rewrites %s batches in their compression',
    async (compression) => {
      const world = await CompactionWorld.open({ config: { segmentBytes: 620 } });
      const headers = [{ key: 'h', value: 'x' }];
      const records = ['a', 'b', 'c', 'd'].map((key, index) => ({
        key,
        value: key.repeat(20),
        headers,
        timestamp: world.clock.now() - index,
      }));
      await world.append({ compression, records });
      await world.append({ compression, records: records.slice(0, 2) });
      await world.put('z', '-'.repeat(500));
      await world.put('z', '-'.repeat(500));
      await world.compact();
      const seen: unknown[] = [];
      await world.walk(0, (reader) => {
        const { buffer, batchPosition } = reader;
        while (reader.nextRecord()) {
          if (reader.offset > 5) continue;
          seen.push([
            reader.offset,
            String(reader.key()),
            reader.timestamp - world.clock.now(),
            reader.headers().length,
          ]);
          expect(batchAttributes(buffer, batchPosition) & 7).toBe(
            ['none', 'gzip', 'snappy', 'lz4', 'zstd'].indexOf(compression),
          );
        }
      });
      expect(seen).toEqual([
        [2, 'c', -2, 1],
        [3, 'd', -3, 1],
        [4, 'a', 0, 1],
        [5, 'b', -1, 1],
      ]);
    },
  );

  it('takes several rounds when the keys do not fit into the memory it may use', async () => {
    const world = await CompactionWorld.open({ settings: { dedupeBufferBytes: 24 * 10, loadFactor: 1 } });
    for (let index = 0; index < 60; index++) await world.put(`key ${index % 20}`, String(index));
    expect(await world.compact()).toBeGreaterThan(2);
    expect((await world.records()).map(({ offset }) => offset)).toEqual(Array.from({ length: 21 }, (_, i) => 39 + i));
    expect(world.saved[0]?.offset).toBe(59);
  });

  it('goes on with a batch of more keys than fit', async () => {
    const world = await CompactionWorld.open({
      config: { segmentBytes: 5000 },
      settings: { dedupeBufferBytes: 24, loadFactor: 1 },
    });
    const records = Array.from({ length: 100 }, (_, index) => ({ key: `key ${index}`, value: 'v' }));
    for (let round = 0; round < 4; round++) await world.append({ records });
    await world.compact();
    expect(new Set((await world.records()).map(({ key }) => key)).size).toBe(100);
    expect(world.log.segments.sizeBytes).toBeLessThan(5000);
  });

  it('leaves a log alone that it cannot read, and says so once', async () => {
    const errors: string[] = [];
    const logger = { ...silentLogger, error: (message: string) => void errors.push(message) };
    const world = await CompactionWorld.open({ world: new LogWorld(undefined, undefined, logger) });
    for (const value of ['1', '2', '3']) await world.put('a', value);
    await world.clock.settle();
    const file = await world.world.disk.open(world.log.segments.first.logPath, 'write');
    await new Promise<void>((resolve) => file.writev([Buffer.from([0xff])], 68, () => resolve()));
    const before = world.world.memory.list();
    expect(await world.compact()).toBe(0);
    expect(await world.compact()).toBe(0);
    expect(world.world.memory.list()).toEqual(before);
    expect(errors).toEqual([expect.stringMatching(/^t-0: the log could not be compacted/)]);
    expect(world.log.isOnline).toBe(true);
    await world.put('a', '4');
  });

  it('is not in the way of a reader that is inside an original, nor of one that comes later', async () => {
    const world = await CompactionWorld.open({ config: { fileDeleteDelayMs: 60_000 } });
    for (let index = 0; index < 10; index++) await world.put('a', String(index));
    const old = await CompactionWorld.open({ disk: world.world.memory.afterCrash('kill') });
    const original = old.log.segments.at(0)!;
    await old.compact();
    const bytes = await old.log.reader.readBytes(original, 0, 1000);
    const reader = new RecordReader(bytes);
    expect(reader.nextBatch() && reader.nextRecord() && String(reader.value())).toBe('0');
    expect(await old.texts()).toEqual(['a=8', 'a=9']);
    expect(old.world.memory.list().filter((name) => name.endsWith('.deleted'))).not.toEqual([]);
    await old.clock.advance(60_000);
    expect(old.world.memory.list().filter((name) => name.endsWith('.deleted'))).toEqual([]);
    expect(await driven(old.clock, old.log.close())).toBe(true);
    expect(old.clock.pendingTimers).toBe(0);
  });

  it('ends when the log is closed or its partition deleted', async () => {
    for (const end of ['close', 'abandon'] as const) {
      const world = await CompactionWorld.open();
      for (let index = 0; index < 10; index++) await world.put('a', String(index));
      const running = world.cleaner.cleanAll();
      const ended = world.log[end]();
      await driven(world.clock, Promise.all([running, ended]));
      expect(world.world.memory.list().filter((name) => /cleaned|swap/.test(name))).toEqual([]);
      const again = await CompactionWorld.open({
        disk: world.world.memory.afterCrash('kill'),
        isClean: end === 'close',
      });
      expect((await again.texts()).at(-1)).toBe('a=9');
    }
  });

  it('lets retention wait, and DeleteRecords move the start', async () => {
    const world = await CompactionWorld.open({ config: { cleanupPolicy: ['compact', 'delete'], retentionMs: 1000 } });
    for (let index = 0; index < 6; index++) await world.put(`key ${index}`, 'v');
    await world.clock.advance(2000);
    const running = world.cleaner.cleanAll();
    await Promise.resolve();
    world.log.advanceStart(3, world.log.endOffset);
    await driven(world.clock, running);
    expect(await world.log.applyRetention(world.log.endOffset)).toBeGreaterThan(0);
    expect(world.log.startOffset).toBeGreaterThanOrEqual(3);
  });

  it('refuses records without a key', async () => {
    const world = await CompactionWorld.open();
    const outcome = await world.world.append(
      world.log,
      testBatch({ records: [{ key: 'a', value: '' }, { value: 'x' }] }),
    );
    expect(outcome).toMatchObject({ errorCode: 87, recordErrors: [{ batchIndex: 1 }] });
  });
});
