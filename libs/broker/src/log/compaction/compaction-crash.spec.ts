import { DiskError } from '../../io/disk.js';
import type { MemoryDisk } from '../../io/memory-disk.js';
import { CompactionWorld, driven } from './compaction.fixture.js';

/** Two groups of several segments, with an aborted transaction, tombstones and batches of which some records go. */
async function fill(): Promise<MemoryDisk> {
  const world = await CompactionWorld.open({ config: { fileDeleteDelayMs: 60_000 } });
  const transaction = { producerId: 7, producerEpoch: 0, transactional: true };
  await world.put('a', 'aborted', { ...transaction, baseSequence: 0 });
  await world.end(7, true);
  for (let index = 0; index < 6; index++) await world.put(`k${index % 5}`, index % 4 === 3 ? null : `v${index}`);
  world.log.config = { ...world.log.config, segmentBytes: 600 };
  for (let index = 0; index < 6; index++) {
    const records = Array.from({ length: 3 }, (_, at) => ({ key: `k${(index + at) % 7}`, value: `w${index}.${at}` }));
    await world.append({ records, compression: index % 2 === 0 ? 'none' : 'gzip' });
  }
  await world.put('b', 'committed', { ...transaction, baseSequence: 1 });
  await world.end(7, false);
  await world.put('z', '1');
  await world.clock.settle();
  await driven(world.clock, world.log.close());
  return world.world.memory.afterCrash('kill');
}

const full = fill();

async function filled(): Promise<CompactionWorld> {
  const disk = (await full).afterCrash('kill');
  return CompactionWorld.open({ disk, config: { segmentBytes: 600, fileDeleteDelayMs: 60_000 } });
}

/** The newest record of each key among those that are no part of an aborted transaction. */
async function newest(world: CompactionWorld): Promise<Map<string, string>> {
  const { log } = world;
  const aborted = log.abortedTransactions(log.startOffset, log.endOffset);
  const found = new Map<string, string>();
  for (const { offset, key, value, producerId } of await world.records()) {
    const isAborted = offset < 2 && aborted.some((entry) => entry.producerId === producerId);
    if (!isAborted) found.set(key, `${offset}=${value ?? ''}`);
  }
  return found;
}

/** Compacts, with every operation that changes the disk from the `failing`-th on failing. Returns how many were tried. */
async function compactUntil(world: CompactionWorld, failing: number): Promise<number> {
  let count = 0;
  world.world.memory.intercept = (operation, path) => {
    if (operation !== 'read' && ++count >= failing)
      throw new DiskError(`Cannot ${operation} ${path}: the machine has stopped`, 'EIO');
  };
  await world.compact();
  world.world.memory.intercept = null;
  return count;
}

describe('compaction, interrupted at every step', () => {
  it.each(['kill', 'powerLoss'] as const)('loses and resurrects nothing (%s)', async (kind) => {
    const expected = await newest(await filled());
    const steps = await compactUntil(await filled(), Infinity);
    expect(steps).toBeGreaterThan(40);
    const sizes = new Set<number>();
    for (let step = 1; step <= steps; step++) {
      const world = await filled();
      await compactUntil(world, step);
      const again = await CompactionWorld.open({ disk: world.world.memory.afterCrash(kind) });
      expect([step, await newest(again)]).toEqual([step, expected]);
      expect(again.log.endOffset).toBe(world.log.endOffset);
      const left = again.world.memory.list().filter((name) => /\.(cleaned|swap|deleted)$/.test(name));
      expect([step, left]).toEqual([step, []]);
      sizes.add(again.log.segments.sizeBytes);
      // And the compaction can be made up for.
      await again.compact();
      expect([step, await newest(again)]).toEqual([step, expected]);
      await again.put('a', 'again', { producerId: 7, producerEpoch: 0, transactional: true, baseSequence: 2 });
    }
    // Some ended before the first exchange, some between two, some after the last.
    expect(sizes.size).toBeGreaterThan(2);
  });

  it('also when the start after it is interrupted at every step', async () => {
    const expected = await newest(await filled());
    const steps = await compactUntil(await filled(), Infinity);
    const seen = new Set<string>();
    for (let step = 1; step <= steps; step++) {
      const world = await filled();
      await compactUntil(world, step);
      const names = world.world.memory.list();
      const state = names.join();
      if (seen.has(state) || !names.some((name) => name.endsWith('.swap'))) continue;
      seen.add(state);
      let isDone = false;
      for (let interrupted = 1; !isDone; interrupted++) {
        const disk = world.world.memory.afterCrash('kill');
        let count = 0;
        disk.intercept = (operation, path) => {
          if ((operation === 'rename' || operation === 'unlink') && ++count === interrupted)
            throw new DiskError(`Cannot ${operation} ${path}: stopped again`, 'EIO');
        };
        const opened = await CompactionWorld.open({ disk }).catch(() => null);
        isDone = opened !== null;
        const again = await CompactionWorld.open({ disk: disk.afterCrash('kill') });
        expect([step, interrupted, await newest(again)]).toEqual([step, interrupted, expected]);
      }
    }
  });

  it('goes on without the compaction when the disk fails before the exchange, and is offline after it', async () => {
    const steps = await compactUntil(await filled(), Infinity);
    const online: boolean[] = [];
    for (let step = 1; step <= steps; step++) {
      const world = await filled();
      let count = 0;
      world.world.memory.intercept = (operation) => {
        if (operation !== 'read' && ++count === step) throw new DiskError('No space is left', 'ENOSPC');
      };
      await world.compact();
      world.world.memory.intercept = null;
      online.push(world.log.isOnline);
      if (!world.log.isOnline) continue;
      expect(await world.put('a', 'still there')).toBeGreaterThan(0);
      await driven(world.clock, world.log.close());
    }
    expect(new Set(online)).toEqual(new Set([true, false]));
  });
});
