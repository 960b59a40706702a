import { seededRandom } from '../../io/random.js';
import { Offsets, type OffsetKey } from './offsets.js';
import type { CommittedOffset } from './records.js';

const KEY: OffsetKey = { groupId: 'g', topic: 't', partition: 0 };
const OTHER: OffsetKey = { ...KEY, partition: 1 };
const at = (offset: number) => ({ offset }) as unknown as CommittedOffset;

describe('offsets of transactions', () => {
  it('are visible when the transaction is committed, and never when it is aborted', () => {
    const offsets = new Offsets();
    offsets.applyTransactional(1, KEY, at(5));
    offsets.applyTransactional(2, OTHER, at(6));
    expect([offsets.get(KEY), offsets.isUnstable(KEY), offsets.hasPending('g')]).toEqual([undefined, true, true]);
    expect([...offsets.applyTransactionEnd(1, true)]).toEqual(['g']);
    expect([...offsets.applyTransactionEnd(2, false)]).toEqual(['g']);
    expect([offsets.get(KEY), offsets.get(OTHER)]).toEqual([at(5), undefined]);
    expect([offsets.isUnstable(KEY), offsets.hasPending('g')]).toEqual([false, false]);
  });

  it('do not replace what stands later in the log, whichever ends first', () => {
    const offsets = new Offsets();
    offsets.applyTransactional(1, KEY, at(5));
    offsets.apply(KEY, at(10));
    offsets.applyTransactional(2, KEY, at(12));
    offsets.applyTransactional(3, KEY, at(14));
    expect(offsets.isUnstable(KEY)).toBe(true);
    offsets.applyTransactionEnd(1, true);
    expect(offsets.get(KEY)).toEqual(at(10));
    offsets.applyTransactionEnd(3, true);
    offsets.applyTransactionEnd(2, true);
    expect(offsets.get(KEY)).toEqual(at(14));
  });

  it('replace what stands earlier in the log, when the later transaction is aborted, too', () => {
    const offsets = new Offsets();
    offsets.apply(KEY, at(1));
    offsets.applyTransactional(1, KEY, at(5));
    offsets.applyTransactional(1, KEY, at(6));
    offsets.applyTransactional(2, KEY, at(9));
    offsets.applyTransactionEnd(2, false);
    offsets.applyTransactionEnd(1, true);
    expect(offsets.get(KEY)).toEqual(at(6));
  });

  it('go with a deletion, which names them', () => {
    const offsets = new Offsets();
    offsets.apply(OTHER, at(1));
    offsets.applyTransactional(1, OTHER, at(2));
    offsets.applyTransactional(1, KEY, at(5));
    expect([...offsets.pendingGroupIds()]).toEqual(['g']);
    expect(offsets.keysOf('g')).toEqual([OTHER, KEY]);
    offsets.apply(KEY, null);
    expect(offsets.hasPending('g')).toBe(true);
    offsets.apply(OTHER, null);
    expect(offsets.hasPending('g')).toBe(false);
    expect([...offsets.applyTransactionEnd(1, true)]).toEqual([]);
    expect(offsets.has('g')).toBe(false);
  });
});

/** Kafka's rules, by the place of each record in the log. */
class Model {
  readonly visible = new Map<number, { place: number; offset: number }>();
  readonly pending: { producerId: number; partition: number; place: number; offset: number }[] = [];

  commit(partition: number, place: number, offset: number): void {
    if ((this.visible.get(partition)?.place ?? -1) < place) this.visible.set(partition, { place, offset });
  }

  delete(partition: number): void {
    this.visible.delete(partition);
    this.keep((each) => each.partition !== partition);
  }

  end(producerId: number, committed: boolean): void {
    const ended = this.pending.filter((each) => each.producerId === producerId);
    this.keep((each) => each.producerId !== producerId);
    if (committed) for (const { partition, place, offset } of ended) this.commit(partition, place, offset);
  }

  private keep(wanted: (each: Model['pending'][number]) => boolean): void {
    this.pending.splice(0, this.pending.length, ...this.pending.filter(wanted));
  }
}

describe('offsets: plain and transactional commits and deletions in any order', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('equal the model, seed %d', (seed) => {
    const random = seededRandom(seed);
    const [offsets, model] = [new Offsets(), new Model()];
    for (let place = 0; place < 2_000; place += 1) {
      const [partition, producerId] = [random.below(3), random.below(4)];
      const key = { ...KEY, partition };
      const action = random.below(100);
      if (action < 30) {
        offsets.apply(key, at(place));
        model.commit(partition, place, place);
      } else if (action < 65) {
        offsets.applyTransactional(producerId, key, at(place));
        model.pending.push({ producerId, partition, place, offset: place });
      } else if (action < 90) {
        const committed = random.below(100) < 60;
        offsets.applyTransactionEnd(producerId, committed);
        model.end(producerId, committed);
      } else {
        offsets.apply(key, null);
        model.delete(partition);
      }
      for (const each of [0, 1, 2]) {
        const found = { ...KEY, partition: each };
        expect(offsets.get(found)).toEqual(model.visible.has(each) ? at(model.visible.get(each)!.offset) : undefined);
        expect(offsets.isUnstable(found)).toBe(model.pending.some((pending) => pending.partition === each));
      }
    }
  });
});
