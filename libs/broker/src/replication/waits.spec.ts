import { FakeClock } from '../testing/fake-clock.js';
import { DeadlineHeap, type HeapItem } from './deadline-heap.js';
import { seededRandom } from '../io/random.js';
import type { Partition } from './partition.js';
import { Waits } from './waits.js';

/** The part of a partition that waits look at. */
interface Moving {
  isOnline: boolean;
  highWatermark: number;
  lastStableOffset: number;
  visibleBytes: number;
  stableBytes: number;
}

class World {
  readonly clock = new FakeClock();
  readonly waits = new Waits(this.clock);
  readonly woken: string[] = [];

  partition(): Moving & Partition {
    const moving: Moving = { isOnline: true, highWatermark: 0, lastStableOffset: 0, visibleBytes: 0, stableBytes: 0 };
    return moving as Moving & Partition;
  }

  park(
    name: string,
    partitions: Partition[],
    minBytes = 1,
    waitMs = 500,
    more: object = {},
  ): ReturnType<Waits['park']> {
    const deadlineMs = this.clock.monotonic() + waitMs;
    return this.waits.park({ partitions, minBytes, deadlineMs, onReady: () => this.woken.push(name), ...more });
  }

  move(partition: Moving & Partition, bytes: number, stableBytes = bytes): void {
    partition.visibleBytes += bytes;
    partition.stableBytes += stableBytes;
    partition.highWatermark++;
    this.waits.advanced(partition);
  }
}

describe('waits', () => {
  it('wakes at the end of the tick in which enough bytes came, once', () => {
    const world = new World();
    const partition = world.partition();
    world.park('a', [partition], 10);
    world.move(partition, 4);
    world.clock.runDeferred();
    expect(world.woken).toEqual([]);
    world.move(partition, 6);
    expect(world.woken).toEqual([]);
    world.move(partition, 100);
    world.clock.runDeferred();
    expect(world.woken).toEqual(['a']);
    expect(world.waits.parked).toBe(0);
  });

  it('adds up bytes over all partitions of a wait', () => {
    const world = new World();
    const [one, two] = [world.partition(), world.partition()];
    world.park('a', [one, two], 10);
    world.move(one, 5);
    world.move(two, 4);
    world.clock.runDeferred();
    expect(world.woken).toEqual([]);
    world.move(one, 1);
    world.clock.runDeferred();
    expect(world.woken).toEqual(['a']);
  });

  it('counts stable bytes for readers of committed records', () => {
    const world = new World();
    const partition = world.partition();
    world.park('committed', [partition], 1, 500, { readCommitted: true });
    world.park('any', [partition]);
    world.move(partition, 10, 0);
    world.clock.runDeferred();
    expect(world.woken).toEqual(['any']);
    world.move(partition, 0, 10);
    world.clock.runDeferred();
    expect(world.woken).toEqual(['any', 'committed']);
  });

  it('ends waits at their deadlines, with one timer for all', async () => {
    const world = new World();
    const partition = world.partition();
    for (const waitMs of [500, 100, 300, 200, 400]) world.park(String(waitMs), [partition], 1, waitMs);
    expect(world.clock.pendingTimers).toBe(1);
    await world.clock.advance(250);
    expect(world.woken).toEqual(['100', '200']);
    expect(world.clock.pendingTimers).toBe(1);
    await world.clock.advance(250);
    expect(world.woken).toEqual(['100', '200', '300', '400', '500']);
    expect([world.waits.parked, world.clock.pendingTimers]).toEqual([0, 0]);
  });

  it('does not call before park has returned, even for a wait that is over already', () => {
    const world = new World();
    const partition = world.partition();
    partition.highWatermark = 7;
    world.park('missed something', [partition], 1, 500, { seenOffsets: [6] });
    world.park('up to date', [partition], 1, 500, { seenOffsets: [7] });
    expect(world.woken).toEqual([]);
    world.clock.runDeferred();
    expect(world.woken).toEqual(['missed something']);
  });

  it('ends the waits of a partition that is removed, and those of one that is offline', () => {
    const world = new World();
    const [doomed, fine, broken] = [world.partition(), world.partition(), world.partition()];
    world.park('both', [fine, doomed]);
    world.park('fine', [fine]);
    world.waits.removed(doomed);
    broken.isOnline = false;
    world.park('broken', [broken]);
    world.clock.runDeferred();
    expect(world.woken).toEqual(['both', 'broken']);
    expect(world.waits.parked).toBe(1);
  });

  it('forgets a cancelled wait', async () => {
    const world = new World();
    const partition = world.partition();
    const handle = world.park('gone', [partition]);
    world.move(partition, 100);
    world.waits.cancel(handle);
    world.waits.cancel(handle);
    await world.clock.advance(1000);
    expect([world.woken, world.waits.parked]).toEqual([[], 0]);
  });

  it('ends everything on close, and lets nobody wait afterwards', () => {
    const world = new World();
    const partition = world.partition();
    world.park('before', [partition]);
    world.waits.close();
    world.park('after', [partition]);
    world.clock.runDeferred();
    expect(world.woken).toEqual(['before', 'after']);
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('lets a woken request park again from inside its call-back', () => {
    const world = new World();
    const partition = world.partition();
    const again = (): void => {
      world.woken.push('again');
      if (world.woken.length < 3)
        world.waits.park({ partitions: [partition], minBytes: 1, deadlineMs: 500, onReady: again });
    };
    world.waits.park({ partitions: [partition], minBytes: 1, deadlineMs: 500, onReady: again });
    for (let step = 0; step < 5; step++) {
      world.move(partition, 1);
      world.clock.runDeferred();
    }
    expect(world.woken).toEqual(['again', 'again', 'again']);
  });
});

describe('deadline heap', () => {
  it.each([1, 2, 3])('gives the earliest first, whatever is taken out in between (seed %d)', (seed) => {
    const random = seededRandom(seed);
    const heap = new DeadlineHeap<HeapItem>();
    const model = new Set<HeapItem>();
    for (let step = 0; step < 2000; step++) {
      if (random.below(3) > 0 || model.size === 0) {
        const item = { deadlineMs: random.below(100), heapIndex: -1 };
        heap.push(item);
        model.add(item);
      } else {
        const item = [...model][random.below(model.size)] as HeapItem;
        heap.remove(item);
        heap.remove(item);
        model.delete(item);
      }
      expect(heap.size).toBe(model.size);
      expect(heap.peek()?.deadlineMs ?? Infinity).toBe(Math.min(...[...model].map(({ deadlineMs }) => deadlineMs)));
    }
  });
});
