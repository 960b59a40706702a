import { seededRandom } from '../io/random.js';
import type { MemoryDisk } from '../io/memory-disk.js';
import { LogWorld, readAll, testBatch } from '../testing/log-world.js';
import type { TopicConfig } from './log-config.js';
import type { Log } from './log.js';

/** The disk as a crash left it, and what had been promised by then. No checkpoint has seen the log start. */
interface Crash {
  readonly disk: MemoryDisk;
  readonly acknowledged: number;
  readonly recoveryPoint: number;
}

const RETENTION_MS = 3_600_000;

/** Runs a random life of a log and takes the disk before every single operation on it. */
async function crashes(
  seed: number,
  kind: 'kill' | 'powerLoss',
  config: Partial<TopicConfig>,
): Promise<{ all: Crash[]; values: string[] }> {
  const random = seededRandom(seed);
  const world = new LogWorld();
  let log: Log | null = null;
  let acknowledged = 0;
  const all: Crash[] = [];
  world.memory.intercept = () => {
    all.push({ disk: world.memory.afterCrash(kind), acknowledged, recoveryPoint: log?.recoveryPoint ?? 0 });
  };
  log = await world.open(config);
  const values: string[] = [];
  for (let step = 0; step < 40; step++) {
    const records = Array.from({ length: 1 + random.below(3) }, (_, index) => ({ value: `${step}.${index}` }));
    values.push(...records.map(({ value }) => value));
    const appended = world.append(log, testBatch({ records, timestamp: world.clock.now() }));
    if (random.below(3) === 0) continue;
    const { baseOffset } = await appended;
    acknowledged = baseOffset + records.length;
    if (random.below(8) === 0) log.advanceStart(random.below(log.endOffset + 1), log.endOffset);
    if (random.below(8) === 0) await log.flush();
    if (random.below(8) === 0) world.clock.jump(2 * RETENTION_MS);
    if (random.below(4) === 0) await log.applyRetention(log.endOffset);
    if (random.below(4) === 0) await world.clock.settle();
  }
  await log.close();
  return { all, values };
}

async function check(crash: Crash, values: readonly string[], config: Partial<TopicConfig>): Promise<void> {
  const { recoveryPoint, acknowledged } = crash;
  const world = new LogWorld(crash.disk);
  const log = await world.open(config, { recoveryPoint });
  expect(log.endOffset).toBeGreaterThanOrEqual(acknowledged);
  const records = await readAll(log);
  expect(records).toEqual(
    values.slice(log.startOffset, log.endOffset).map((value, index) => ({ offset: log.startOffset + index, value })),
  );
  expect(await world.append(log, testBatch())).toMatchObject({ errorCode: 0, baseOffset: log.endOffset - 1 });
}

describe('log: a crash before every single disk operation', () => {
  const small: Partial<TopicConfig> = { segmentBytes: 350, indexIntervalBytes: 80, retentionMs: RETENTION_MS };

  it.each([1, 2])('a kill loses nothing that was acknowledged (seed %d)', async (seed) => {
    const { all, values } = await crashes(seed, 'kill', small);
    expect(all.length).toBeGreaterThan(100);
    for (const crash of all) await check(crash, values, small);
  });

  it.each([1, 2])('a power loss loses nothing that was acknowledged with flush.messages=1 (seed %d)', async (seed) => {
    const config = { ...small, flushMessages: 1 };
    const { all, values } = await crashes(seed, 'powerLoss', config);
    expect(all.length).toBeGreaterThan(100);
    for (const crash of all) await check(crash, values, config);
  });

  it.each([1])('a power loss without flushes leaves a whole prefix (seed %d)', async (seed) => {
    const { all, values } = await crashes(seed, 'powerLoss', small);
    for (const crash of all) await check({ ...crash, acknowledged: 0 }, values, small);
  });
});
