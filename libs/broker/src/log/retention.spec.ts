import { FakeClock } from '../testing/fake-clock.js';
import { LogWorld, readAll, testBatch } from '../testing/log-world.js';
import { DEFAULT_TOPIC_CONFIG, type TopicConfig } from './log-config.js';
import type { Log } from './log.js';
import { type SegmentFacts, expiredSegments } from './retention.js';

const NOW = FakeClock.START_MS;
const HOUR = 3_600_000;

function segments(...sizes: [sizeBytes: number, ageMs: number][]): SegmentFacts[] {
  return sizes.map(([sizeBytes, ageMs], index) => ({
    sizeBytes,
    maxTimestamp: NOW - ageMs,
    modifiedMs: NOW - ageMs,
    endOffset: (index + 1) * 10,
  }));
}

function expired(
  facts: SegmentFacts[],
  config: Partial<TopicConfig>,
  limits: { hw?: number; start?: number } = {},
): number {
  return expiredSegments(
    facts,
    { ...DEFAULT_TOPIC_CONFIG, retentionMs: -1, ...config },
    { nowMs: NOW, highWatermark: limits.hw ?? 1000, logStartOffset: limits.start ?? 0 },
  );
}

describe('retention: the decision', () => {
  const old = segments([100, 5 * HOUR], [100, 3 * HOUR], [100, 2 * HOUR], [100, HOUR]);

  it.each<[string, Partial<TopicConfig>, number]>([
    ['keeps everything without limits', {}, 0],
    ['lets go what is older than retention.ms', { retentionMs: 2 * HOUR }, 2],
    ['lets go everything when all is too old', { retentionMs: 10 }, 4],
    ['keeps at least retention.bytes', { retentionBytes: 250 }, 1],
    ['lets a segment go as soon as the rest is exactly retention.bytes', { retentionBytes: 200 }, 2],
    ['takes the stricter of both', { retentionBytes: 100, retentionMs: 4 * HOUR }, 3],
    [
      'does nothing to a topic that is only compacted',
      { cleanupPolicy: ['compact'], retentionMs: 1, retentionBytes: 1 },
      0,
    ],
    [
      'applies to compacted topics that also delete',
      { cleanupPolicy: ['compact', 'delete'], retentionMs: 2 * HOUR },
      2,
    ],
  ])('%s', (_what, config, count) => {
    expect(expired(old, config)).toBe(count);
  });

  it('keeps what is not below the high watermark', () => {
    expect(expired(old, { retentionMs: 10 }, { hw: 29 })).toBe(2);
    expect(expired(old, { retentionMs: 10 }, { hw: 30 })).toBe(3);
  });

  it('lets go what is below the log start, whatever the policy', () => {
    expect(expired(old, { cleanupPolicy: ['compact'] }, { start: 25 })).toBe(2);
  });

  it('goes in order: an old segment behind a young one stays', () => {
    expect(expired(segments([100, HOUR], [100, 9 * HOUR]), { retentionMs: 2 * HOUR })).toBe(0);
  });

  it('does not believe timestamps from the future', () => {
    const [future, ...rest] = segments([100, 5 * HOUR], [100, HOUR]);
    const facts = [{ ...future!, maxTimestamp: NOW + 1000 * HOUR }, ...rest];
    expect(expired(facts, { retentionMs: 2 * HOUR })).toBe(1);
  });

  it('counts from the last write when there are no timestamps', () => {
    const facts = segments([100, 5 * HOUR]).map((fact) => ({ ...fact, maxTimestamp: -1 }));
    expect(expired(facts, { retentionMs: 4 * HOUR })).toBe(1);
    expect(expired(facts, { retentionMs: 6 * HOUR })).toBe(0);
  });
});

describe('retention: the log', () => {
  /** Ten batches of one record, two to a segment, one hour apart. */
  async function tenHours(config: Partial<TopicConfig>): Promise<{ world: LogWorld; log: Log }> {
    const world = new LogWorld();
    const log = await world.open({ segmentBytes: 170, ...config });
    for (let hour = 0; hour < 10; hour++) {
      await world.append(log, testBatch({ timestamp: world.clock.now() }));
      world.clock.jump(HOUR);
    }
    await world.clock.settle();
    expect(log.segments.count).toBe(5);
    return { world, log };
  }

  it('deletes old segments with all their files and moves the log start', async () => {
    const { world, log } = await tenHours({ retentionMs: 5 * HOUR });
    expect(await log.applyRetention(log.endOffset)).toBe(2);
    await world.clock.settle();
    expect([log.startOffset, log.segments.count]).toEqual([4, 3]);
    expect(world.memory.list().filter((path) => /000[0-3]\.(log|index|timeindex|snapshot)/.test(path))).toEqual([]);
    expect((await readAll(log)).map(({ offset }) => offset)).toEqual([4, 5, 6, 7, 8, 9]);
  });

  it('finds the age of segments that it has not loaded yet', async () => {
    const { world, log } = await tenHours({});
    await log.close();
    const again = new LogWorld(world.disk);
    again.clock.jump(10 * HOUR);
    const config = { segmentBytes: 170, retentionMs: 5 * HOUR };
    const reopened = await again.open(config, { isClean: true, recoveryPoint: 10 });
    expect(await reopened.applyRetention(10)).toBe(2);
    expect(reopened.startOffset).toBe(4);
  });

  it('rolls before it lets the last segment go, and goes on at the same offset', async () => {
    const { world, log } = await tenHours({ retentionMs: HOUR });
    world.clock.jump(10 * HOUR);
    expect(await log.applyRetention(log.endOffset)).toBe(5);
    await world.clock.settle();
    expect([log.startOffset, log.endOffset, log.segments.count]).toEqual([10, 10, 1]);
    expect(await world.append(log, testBatch({ timestamp: world.clock.now() }))).toMatchObject({ baseOffset: 10 });
    await log.close();
    const reopened = await new LogWorld(world.disk).open({}, { isClean: true, recoveryPoint: 11 });
    expect([reopened.startOffset, reopened.endOffset]).toEqual([10, 11]);
  });

  it('never deletes what is being written', async () => {
    const { world, log } = await tenHours({ retentionMs: 1 });
    world.memory.hold();
    const pending = world.append(log, testBatch({ timestamp: FakeClock.START_MS }));
    await world.clock.settle();
    await log.applyRetention(log.endOffset);
    expect(log.segments.active.baseOffset).toBeLessThanOrEqual(10);
    world.memory.letGo();
    expect(await pending).toMatchObject({ errorCode: 0, baseOffset: 10 });
    expect((await readAll(log)).map(({ offset }) => offset)).toContain(10);
  });

  it('lets a running read of a deleted segment end', async () => {
    const { world, log } = await tenHours({ retentionMs: 5 * HOUR });
    await log.close();
    const again = new LogWorld(world.disk);
    again.clock.jump(10 * HOUR);
    const reopened = await again.open(
      { segmentBytes: 170, retentionMs: 5 * HOUR },
      { isClean: true, recoveryPoint: 10 },
    );
    const read = reopened.read(0, 10, 1000, true);
    await reopened.applyRetention(10);
    expect((await read).sizeBytes).toBeGreaterThan(0);
  });

  it('moves the leader epochs with the log start when no segment goes', async () => {
    const world = new LogWorld();
    const log = await world.open();
    for (let index = 0; index < 3; index++) await world.append(log, testBatch());
    log.advanceStart(2, log.endOffset);
    expect(log.epochs.list()).toEqual([{ epoch: 0, startOffset: 2 }]);
  });

  it('deletes records up to an offset inside a segment without touching its file', async () => {
    const { world, log } = await tenHours({});
    log.advanceStart(5, log.endOffset);
    await world.clock.settle();
    expect([log.startOffset, log.segments.first.baseOffset]).toEqual([5, 4]);
    expect((await readAll(log))[0]?.offset).toBe(5);
    expect(log.epochs.list()).toEqual([{ epoch: 0, startOffset: 5 }]);
    expect(String(await world.disk.readFile('data/t-0/leader-epoch-checkpoint'))).toBe('0\n1\n0 5\n');
  });
});
