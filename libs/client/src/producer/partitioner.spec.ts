import { seededRandom } from '../io/random.js';
import { StickyChoice, partitionForKey } from './partitioner.js';

describe('partitionForKey', () => {
  // murmur2 of these keys as Kafka's own UtilsTest lists them; the partition is (hash & 0x7fffffff) % count.
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ])('puts %s where the Java client puts it', (key, hash) => {
    for (const count of [1, 3, 6, 50]) {
      const expected = (hash & 0x7fffffff) % count;
      expect(partitionForKey(key, count)).toBe(expected);
      expect(partitionForKey(Buffer.from(key), count)).toBe(expected);
    }
  });

  it('hashes the UTF-8 bytes of a text, short or long', () => {
    for (const key of ['grüße', '键', 'x'.repeat(300), `${'é'.repeat(200)}!`, '']) {
      expect(partitionForKey(key, 1009)).toBe(partitionForKey(Buffer.from(key), 1009));
    }
  });
});

describe('StickyChoice', () => {
  const load = (queuedBatches: number, isAvailable = true): { queuedBatches: number; isAvailable: boolean } => ({
    queuedBatches,
    isAvailable,
  });

  it('stays until a batch is due, then draws again', () => {
    const sticky = new StickyChoice(seededRandom(1), 100);
    const loads = Array.from({ length: 50 }, () => load(0));
    const first = sticky.choose(loads);
    sticky.add(60);
    expect(sticky.isDue).toBe(false);
    expect(sticky.choose(loads)).toBe(first);
    sticky.add(60);
    expect(sticky.isDue).toBe(true);
    expect(sticky.choose(loads)).toBe(first);
    sticky.moveOn();
    expect(sticky.choose(loads)).not.toBe(first);
  });

  it('moves on at twice the size of a batch even inside one', () => {
    const sticky = new StickyChoice(seededRandom(1), 100);
    sticky.choose([load(0)]);
    sticky.add(200);
    expect(sticky.current).toBe(-1);
  });

  it('chooses only partitions with a leader while there is one', () => {
    const sticky = new StickyChoice(seededRandom(7), 100);
    for (let draw = 0; draw < 50; draw++) {
      sticky.moveOn();
      expect(sticky.choose([load(0, false), load(5), load(0, false)])).toBe(1);
    }
    sticky.moveOn();
    expect([0, 1]).toContain(sticky.choose([load(0, false), load(0, false)]));
  });

  it('prefers partitions where less is waiting', () => {
    const sticky = new StickyChoice(seededRandom(3), 100);
    const counts = [0, 0];
    for (let draw = 0; draw < 1000; draw++) {
      sticky.moveOn();
      const partition = sticky.choose([load(9), load(0)]);
      counts[partition] = (counts[partition] ?? 0) + 1;
    }
    // Weights are 1 and 10.
    expect(counts[0]).toBeGreaterThan(50);
    expect(counts[0]).toBeLessThan(140);
  });
});
