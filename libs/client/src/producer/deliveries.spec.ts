/** Callbacks by the place of their records: what is kept, and what is left after clearing. */
import { describe, expect, it } from '@jest/globals';
import { Deliveries } from './deliveries.js';
import type { DeliveryCallback } from './producer-record.js';

const told: DeliveryCallback = () => undefined;

describe('Deliveries', () => {
  it('keeps what belongs to a record, and has nothing for those without a callback', () => {
    const deliveries = new Deliveries();
    deliveries.keep(2, told, 1_700_000_000_000, -1, 7);
    expect([0, 1, 2, 3].map((index) => deliveries.callback(index))).toEqual([null, null, told, null]);
    expect(deliveries.count).toBe(3);
    expect([deliveries.timestamp(2), deliveries.keySize(2), deliveries.valueSize(2)]).toEqual([
      1_700_000_000_000, -1, 7,
    ]);
  });

  it('has nothing of an earlier batch after clearing, whatever the size of the next one', () => {
    const deliveries = new Deliveries();
    for (let index = 0; index < 5; index++) deliveries.keep(index, told, 100 + index, 1, 1);
    deliveries.clear();
    expect(deliveries.count).toBe(0);
    deliveries.keep(1, told, 5, 6, 7);
    expect([0, 1, 2, 3, 4].map((index) => deliveries.callback(index))).toEqual([null, told, null, null, null]);
    deliveries.keep(7, told, 8, 9, 10);
    expect([1, 7].map((index) => deliveries.timestamp(index))).toEqual([5, 8]);
    expect([1, 7].map((index) => deliveries.valueSize(index))).toEqual([7, 10]);
  });
});
