import { FakeClock } from '../testing/fake-clock.js';
import { LogWorld, testBatch } from '../testing/log-world.js';
import type { TopicConfig } from './log-config.js';
import type { Log } from './log.js';

const T = FakeClock.START_MS;

async function logOf(
  timestamps: readonly number[][],
  config: Partial<TopicConfig>,
): Promise<{ world: LogWorld; log: Log }> {
  const world = new LogWorld();
  const log = await world.open({ indexIntervalBytes: 1, ...config });
  for (const [index, batch] of timestamps.entries()) {
    const compression = index % 2 === 0 ? 'none' : 'gzip';
    await world.append(log, testBatch({ records: batch.map((timestamp) => ({ timestamp, value: 'v' })), compression }));
  }
  return { world, log };
}

describe('timestamp lookup', () => {
  const shapes: readonly (readonly [string, number[][]])[] = [
    ['growing', [[T, T + 10], [T + 20, T + 30], [T + 40], [T + 50, T + 60, T + 70], [T + 80]]],
    ['equal', [[T, T], [T], [T, T, T], [T + 5], [T + 5, T + 5]]],
    ['out of order', [[T + 50, T + 10], [T + 20], [T + 90, T + 5], [T + 30, T + 91], [T + 1]]],
    ['without timestamps', [[-1], [-1, -1], [T], [-1], [T + 3, -1]]],
  ];

  for (const [segmentBytes, indexIntervalBytes] of [
    [150, 1],
    [300, 4096],
    [100_000, 1],
    [100_000, 150],
  ] as const) {
    it.each(shapes)(
      `finds the first record at or after every boundary ± 1, timestamps %s (segments of ${segmentBytes} bytes, indexed every ${indexIntervalBytes})`,
      async (_name, batches) => {
        const { world, log } = await logOf(batches, { segmentBytes, indexIntervalBytes });
        const flat = batches.flat();
        for (const isCold of [false, true]) {
          if (isCold) await log.close();
          const opened = isCold
            ? await new LogWorld(world.disk).open({ segmentBytes, indexIntervalBytes }, { isClean: true })
            : log;
          for (const boundary of new Set(flat.filter((timestamp) => timestamp >= 0))) {
            for (const wanted of [boundary - 1, boundary, boundary + 1]) {
              const expected = flat.findIndex((timestamp) => timestamp >= wanted);
              const found = await opened.findByTimestamp({ startOffset: 0, endOffset: flat.length }, wanted);
              expect(found?.offset ?? -1).toBe(expected);
              if (found) expect(found).toMatchObject({ timestamp: flat[expected], leaderEpoch: 0 });
            }
          }
          const largest = Math.max(...flat);
          expect(await opened.findLargestTimestamp({ startOffset: 0, endOffset: flat.length })).toMatchObject({
            offset: flat.indexOf(largest),
            timestamp: largest,
          });
        }
      },
    );
  }

  it('looks between the log start and the end given only', async () => {
    const { log } = await logOf([[T, T + 1], [T + 2, T + 3], [T + 4]], {});
    expect(await log.findByTimestamp({ startOffset: 1, endOffset: 5 }, T)).toMatchObject({ offset: 1 });
    expect(await log.findByTimestamp({ startOffset: 0, endOffset: 3 }, T + 3)).toBeNull();
    expect(await log.findByTimestamp({ startOffset: 0, endOffset: 5 }, T + 9)).toBeNull();
  });

  it('finds nothing in an empty log', async () => {
    const { log } = await logOf([], {});
    expect(await log.findByTimestamp({ startOffset: 0, endOffset: 0 }, 0)).toBeNull();
    expect(await log.findLargestTimestamp({ startOffset: 0, endOffset: 0 })).toBeNull();
  });

  it('uses the append time where the topic dates its records', async () => {
    const world = new LogWorld();
    const log = await world.open({ messageTimestampType: 'LogAppendTime' });
    await world.append(log, testBatch({ timestamp: 1 }));
    world.clock.jump(1000);
    await world.append(log, testBatch({ timestamp: 2 }));
    expect(await log.findByTimestamp({ startOffset: 0, endOffset: 2 }, T + 1)).toMatchObject({
      offset: 1,
      timestamp: T + 1000,
    });
  });
});
