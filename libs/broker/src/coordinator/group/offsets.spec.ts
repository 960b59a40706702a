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
