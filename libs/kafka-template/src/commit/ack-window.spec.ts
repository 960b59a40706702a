import { AckWindow } from './ack-window.js';

const record = (offset: number, partition = 0) => ({ topic: 't', partition, offset });

/** Opens these offsets. */
function opened(offsets: readonly number[], limit = 100): AckWindow {
  const window = new AckWindow(limit);
  for (const offset of offsets) window.open(record(offset));
  return window;
}

describe('commit: AckWindow', () => {
  it.each<[string, readonly number[], readonly number[], readonly (readonly number[])[]]>([
    ['in order', [0, 1, 2], [0, 1, 2], [[0], [1], [2]]],
    ['the other way round', [0, 1, 2], [2, 1, 0], [[], [], [0, 1, 2]]],
    ['with a gap that closes', [0, 1, 2, 3], [1, 3, 0, 2], [[], [], [0, 1], [2, 3]]],
    ['offsets with holes, as after compaction', [3, 9, 40], [9, 3, 40], [[], [3, 9], [40]]],
    ['twice the same', [0, 1], [1, 1, 0, 0], [[], [], [0, 1], []]],
    ['one that was never delivered', [0], [7, 0], [[], [0]]],
  ])('releases %s', (_name, offsets, finished, released) => {
    const window = opened(offsets);
    expect(finished.map((offset) => window.close(record(offset)).map((one) => one.offset))).toEqual(released);
  });

  it('keeps partitions apart', () => {
    const window = opened([0, 1]);
    window.open(record(5, 1));
    expect(window.close(record(5, 1))).toEqual([record(5, 1)]);
    expect(window.close(record(1))).toEqual([]);
  });

  it('is full at its limit, and has room again at half of it', () => {
    const window = opened([0, 1, 2, 3], 4);
    expect([window.isFull(record(0)), window.hasRoom(record(0))]).toEqual([true, false]);
    window.close(record(3));
    expect(window.isFull(record(0))).toBe(true);
    window.close(record(0));
    expect([window.isFull(record(0)), window.hasRoom(record(0))]).toEqual([false, false]);
    window.close(record(1));
    expect(window.hasRoom(record(0))).toBe(true);
  });

  it('tells what is not finished, and forgets it', () => {
    const window = opened([0, 1, 2]);
    window.close(record(0));
    window.close(record(2));
    window.open(record(8, 1));
    expect(window.unfinished()).toEqual([
      { topic: 't', partition: 0, offset: 1, count: 1 },
      { topic: 't', partition: 1, offset: 8, count: 1 },
    ]);
    expect(window.forget([record(0)])).toEqual([{ topic: 't', partition: 0, offset: 1, count: 1 }]);
    expect(window.close(record(1))).toEqual([]);
    expect(window.unfinished()).toHaveLength(1);
  });

  it('a record that is delivered again keeps its place', () => {
    const window = opened([0, 1]);
    window.close(record(1));
    window.open(record(0));
    expect(window.close(record(0)).map((one) => one.offset)).toEqual([0, 1]);
  });

  it('agrees with a model: what is released is the finished prefix, in any order of finishing', () => {
    let seed = 7;
    const random = (limit: number): number => (seed = (seed * 1103515245 + 12345) % 2147483648) % limit;
    for (let round = 0; round < 50; round++) {
      const offsets = Array.from({ length: 20 }, (_, index) => index * 2 + random(2));
      const window = opened(offsets);
      const open = [...offsets];
      const done = new Set<number>();
      let released = 0;
      while (open.length > 0) {
        const [offset = 0] = open.splice(random(open.length), 1);
        done.add(offset);
        released += window.close(record(offset)).length;
        const prefix = offsets.findIndex((one) => !done.has(one));
        expect(released).toBe(prefix === -1 ? offsets.length : prefix);
      }
    }
  });
});
