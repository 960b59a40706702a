import { ErrorCode } from '@kafka-template/protocol';
import { DeliveryState } from '../state/share-state.js';
import { decideAcquire, type AcquireCommand, type ReadBatch } from './acquire.js';
import {
  deliveryOf,
  newDelivery,
  nextFetchOffset,
  recordsDone,
  recordsInFlight,
  storedBatches,
  withLogStart,
  withRows,
  type Delivery,
  type DeliveryRules,
  type InFlight,
} from './delivery.js';
import { AcknowledgeType, checkBatches, decideAcknowledge, decideExpiry, decideRelease } from './settle.js';

const RULES: DeliveryRules = { lockDurationMs: 1000, deliveryCountMax: 3, recordLocksMax: 20 };
const NOW = 5000;

const LETTERS: Readonly<Record<number, string>> = { 0: '.', 1: 'L', 2: 'k', 4: 'x' };

/** One sign a record, from the start on: `.` free, `L` locked, `k` accepted, `x` archived. */
function draw({ startOffset, rows }: Delivery): string {
  return startOffset + ':' + rows.map(({ first, last, state }) => LETTERS[state]!.repeat(last - first + 1)).join('');
}

const seen = (first: number, last: number): ReadBatch => ({ first, last, hidden: false });

function acquire(delivery: Delivery, wish: Partial<AcquireCommand> = {}, rules = RULES) {
  const command = {
    memberId: 'A',
    readOffset: nextFetchOffset(delivery),
    recordsMax: 5,
    batchSize: 100,
    strict: false,
  };
  const decision = decideAcquire(delivery, { batches: [seen(0, 9)], ...command, ...wish }, rules, NOW);
  return { after: withRows(delivery, decision.changed), acquired: decision.acquired };
}

function acknowledge(delivery: Delivery, first: number, last: number, types: number[], memberId = 'A') {
  const batches = [{ firstOffset: first, lastOffset: last, acknowledgeTypes: types }];
  const decision = decideAcknowledge(delivery, { memberId, batches }, RULES, NOW + 10);
  return { ...decision, after: withRows(delivery, decision.changed) };
}

/** Ten records of A, locked for the first time. */
const locked = acquire(newDelivery(0)).after;

describe('taking records', () => {
  const cases: [name: string, wish: Partial<AcquireCommand>, picture: string, acquired: number[][]][] = [
    ['takes whole batches', { recordsMax: 5 }, '0:LLLLLLLLLL', [[0, 9, 1]]],
    ['takes no more than it may', { recordsMax: 5, strict: true }, '0:LLLLL', [[0, 4, 1]]],
    ['goes on to the next batch', { batches: [seen(0, 2), seen(3, 5), seen(6, 9)] }, '0:LLLLLL', [[0, 5, 1]]],
    [
      'keeps batches small',
      { batches: [seen(0, 2), seen(3, 5)], batchSize: 4 },
      '0:LLLLLL',
      [
        [0, 2, 1],
        [3, 5, 1],
      ],
    ],
    ['skips what is not there', { batches: [seen(3, 5)] }, '3:LLL', [[3, 5, 1]]],
    [
      'skips what lies between',
      { batches: [seen(0, 1), seen(4, 5)], recordsMax: 9 },
      '0:LLxxLL',
      [
        [0, 1, 1],
        [4, 5, 1],
      ],
    ],
    [
      'skips markers',
      { batches: [seen(0, 1), { first: 2, last: 2, hidden: true }, seen(3, 4)] },
      '0:LLxLL',
      [
        [0, 1, 1],
        [3, 4, 1],
      ],
    ],
    ['finds nothing among markers', { batches: [{ first: 0, last: 4, hidden: true }] }, '5:', []],
  ];
  it.each(cases)('%s', (_name, wish, picture, acquired) => {
    const decision = acquire(newDelivery(0), wish);
    expect(draw(decision.after)).toBe(picture);
    expect(decision.acquired.map((each) => [each.firstOffset, each.lastOffset, each.deliveryCount])).toEqual(acquired);
  });

  it('takes only what is free, and counts', () => {
    const { after } = acknowledge(locked, 2, 4, [AcknowledgeType.RELEASE]);
    expect(draw(after)).toBe('0:LL...LLLLL');
    expect(nextFetchOffset(after)).toBe(2);
    const again = acquire(after, { memberId: 'B', recordsMax: 100 });
    expect(again.acquired).toEqual([{ firstOffset: 2, lastOffset: 4, deliveryCount: 2 }]);
    expect(again.after.rows.map(({ memberId }) => memberId)).toEqual(['A', 'B', 'A']);
  });

  it('stops at the limit of records in flight, but gives out again what is free', () => {
    const full = acquire(newDelivery(0), { batches: [seen(0, 9), seen(10, 19), seen(20, 29)], recordsMax: 100 });
    expect(full.after.endOffset).toBe(20);
    expect(acquire(full.after, { batches: [seen(20, 29)] }).acquired).toEqual([]);
    const { after } = acknowledge(full.after, 0, 0, [AcknowledgeType.RELEASE]);
    expect(acquire(after).acquired).toEqual([{ firstOffset: 0, lastOffset: 0, deliveryCount: 2 }]);
  });
});

describe('what a member says', () => {
  const { ACCEPT, RELEASE, REJECT, RENEW, GAP } = AcknowledgeType;
  const cases: [
    name: string,
    state: Delivery,
    first: number,
    last: number,
    types: number[],
    member: string,
    code: number,
    picture: string,
  ][] = [
    ['accepts all', locked, 0, 9, [ACCEPT], 'A', 0, '10:'],
    ['accepts in the middle', locked, 3, 4, [ACCEPT], 'A', 0, '0:LLLkkLLLLL'],
    ['accepts the first', locked, 0, 4, [ACCEPT], 'A', 0, '5:LLLLL'],
    ['says something of each', locked, 0, 4, [RELEASE, ACCEPT, REJECT, GAP, RENEW], 'A', 0, '0:.kxxLLLLLL'],
    ['is not the one', locked, 0, 4, [ACCEPT], 'B', ErrorCode.INVALID_RECORD_STATE, '0:LLLLLLLLLL'],
    ['never got them', locked, 10, 12, [ACCEPT], 'A', ErrorCode.INVALID_REQUEST, '0:LLLLLLLLLL'],
    ['never got some', locked, 8, 12, [ACCEPT], 'A', ErrorCode.INVALID_REQUEST, '0:LLLLLLLLLL'],
    ['has nothing', newDelivery(0), 0, 0, [ACCEPT], 'A', ErrorCode.INVALID_RECORD_STATE, '0:'],
    ['is late', acknowledge(locked, 0, 4, [ACCEPT]).after, 0, 4, [ACCEPT], 'A', 0, '5:LLLLL'],
    [
      'says it twice',
      acknowledge(locked, 3, 4, [ACCEPT]).after,
      3,
      4,
      [ACCEPT],
      'A',
      ErrorCode.INVALID_RECORD_STATE,
      '0:LLLkkLLLLL',
    ],
    [
      'gave it back',
      acknowledge(locked, 3, 4, [RELEASE]).after,
      3,
      4,
      [ACCEPT],
      'A',
      ErrorCode.INVALID_RECORD_STATE,
      '0:LLL..LLLLL',
    ],
  ];
  it.each(cases)('when it %s', (_name, state, first, last, types, member, code, picture) => {
    const { errorCode, after } = acknowledge(state, first, last, types, member);
    expect(errorCode).toBe(code);
    expect(draw(after)).toBe(picture);
  });

  it('renews the lock', () => {
    const { after } = acknowledge(locked, 0, 9, [RENEW]);
    expect(after.rows.map(({ deadlineMs }) => deadlineMs)).toEqual([NOW + 10 + RULES.lockDurationMs]);
  });

  it.each([
    ['nothing', [{ firstOffset: 0, lastOffset: 0, acknowledgeTypes: [] }], false],
    ['a batch from its end', [{ firstOffset: 1, lastOffset: 0, acknowledgeTypes: [1] }], false],
    ['too many types', [{ firstOffset: 0, lastOffset: 0, acknowledgeTypes: [1, 1] }], false],
    ['too few types', [{ firstOffset: 0, lastOffset: 2, acknowledgeTypes: [1, 1] }], false],
    ['an unknown type', [{ firstOffset: 0, lastOffset: 0, acknowledgeTypes: [5] }], true],
    ['a renewal nobody spoke of', [{ firstOffset: 0, lastOffset: 0, acknowledgeTypes: [4] }], false],
    ['batches in disorder', [2, 1].map((at) => ({ firstOffset: at, lastOffset: at, acknowledgeTypes: [1] })), false],
  ])('is refused with %s', (_name, batches, renews) => {
    expect(checkBatches(batches, renews)).toBe(ErrorCode.INVALID_REQUEST);
  });
});

describe('locks that end by themselves', () => {
  const after = (changed: readonly InFlight[], state: Delivery): string => draw(withRows(state, changed));

  it('are over at their time, not before', () => {
    expect(decideExpiry(locked, RULES, NOW + RULES.lockDurationMs - 1)).toEqual([]);
    expect(after(decideExpiry(locked, RULES, NOW + RULES.lockDurationMs), locked)).toBe('0:..........');
  });

  it('are over when the member is gone, and only its own', () => {
    const both = acquire(locked, { memberId: 'B', batches: [seen(10, 11)] }).after;
    expect(after(decideRelease(both, 'B', RULES), both)).toBe('0:LLLLLLLLLL..');
    expect(decideRelease(both, 'C', RULES)).toEqual([]);
  });

  it('archive what was delivered as often as it may be', () => {
    let state = newDelivery(0);
    for (let count = 1; count <= RULES.deliveryCountMax; count += 1) {
      state = acquire(state, { batches: [seen(0, 0)] }).after;
      expect(draw(state)).toBe('0:L');
      state = withRows(state, decideExpiry(state, RULES, NOW + RULES.lockDurationMs));
    }
    expect(draw(state)).toBe('1:');
  });
});

describe('a delivery', () => {
  it('is stored without its locks, and comes back with everything else', () => {
    const { changed, after } = acknowledge(locked, 2, 5, [1, 2, 3, 2]);
    const batches = storedBatches(changed);
    expect(batches.map(({ deliveryState }) => deliveryState)).toEqual([
      DeliveryState.ACKNOWLEDGED,
      DeliveryState.AVAILABLE,
      DeliveryState.ARCHIVED,
      DeliveryState.AVAILABLE,
    ]);
    const loaded = deliveryOf({ startOffset: after.startOffset, batches });
    expect(draw(loaded)).toBe('0:..k.x.');
    expect(loaded.rows.map(({ deliveryCount }) => deliveryCount)).toEqual([0, 1, 1, 1, 1]);
    expect([recordsDone(loaded), recordsInFlight(loaded), loaded.endOffset]).toEqual([2, 4, 6]);
  });

  it('loses what the log has lost', () => {
    const { after } = acknowledge(locked, 4, 5, [AcknowledgeType.ACCEPT]);
    expect(draw(withLogStart(after, 3))).toBe('3:LkkLLLL');
    expect(draw(withLogStart(after, 4))).toBe('6:LLLL');
    expect(draw(withLogStart(after, 50))).toBe('50:');
    expect(withLogStart(after, 0)).toBe(after);
  });
});
