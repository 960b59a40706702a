import { LeaderEpochs } from './leader-epochs.js';

const EPOCHS = [
  { epoch: 2, startOffset: 10 },
  { epoch: 3, startOffset: 20 },
  { epoch: 7, startOffset: 25 },
];

describe('leader epochs', () => {
  it.each([
    ['none', -1, -1, -1],
    ['one older than all', 1, 1, 10],
    ['the oldest', 2, 2, 20],
    ['one in the middle', 3, 3, 25],
    ['one that never led here', 5, 3, 25],
    ['the newest', 7, 7, 40],
    ['one from the future', 8, -1, -1],
  ])('says where %s ends', (_what, requested, leaderEpoch, endOffset) => {
    expect(new LeaderEpochs(EPOCHS).endOffset(requested, 40)).toEqual({ leaderEpoch, endOffset });
  });

  it('knows nothing while it is empty', () => {
    expect(new LeaderEpochs().endOffset(0, 5)).toEqual({ leaderEpoch: -1, endOffset: -1 });
    expect(new LeaderEpochs().latest).toBe(-1);
  });

  it('says who wrote an offset', () => {
    const epochs = new LeaderEpochs(EPOCHS);
    expect([9, 10, 19, 20, 24, 25, 99].map((offset) => epochs.epochOf(offset))).toEqual([-1, 2, 2, 3, 3, 7, 7]);
  });

  it('takes growing epochs only, and drops those whose records are gone', () => {
    const epochs = new LeaderEpochs(EPOCHS);
    expect(epochs.assign(7, 30)).toBe(false);
    expect(epochs.assign(6, 30)).toBe(false);
    expect(epochs.assign(-1, 30)).toBe(false);
    expect(epochs.assign(9, 20)).toBe(true);
    expect(epochs.list()).toEqual([EPOCHS[0], { epoch: 9, startOffset: 20 }]);
  });

  it('remembers a leader that has written nothing (KIP-279)', () => {
    const epochs = new LeaderEpochs([{ epoch: 0, startOffset: 0 }]);
    epochs.assign(1, 5);
    expect(epochs.endOffset(0, 5)).toEqual({ leaderEpoch: 0, endOffset: 5 });
    expect(epochs.endOffset(1, 5)).toEqual({ leaderEpoch: 1, endOffset: 5 });
  });

  it.each([
    [26, 3],
    [25, 2],
    [20, 1],
    [10, 0],
  ])('keeps what begins below a cut at %d', (endOffset, kept) => {
    const epochs = new LeaderEpochs(EPOCHS);
    expect(epochs.truncateFromEnd(endOffset)).toBe(kept < 3);
    expect(epochs.list()).toEqual(EPOCHS.slice(0, kept));
  });

  it.each([
    [5, EPOCHS, false],
    [10, EPOCHS, false],
    [15, [{ epoch: 2, startOffset: 15 }, EPOCHS[1], EPOCHS[2]], true],
    [20, [EPOCHS[1], EPOCHS[2]], true],
    [30, [{ epoch: 7, startOffset: 30 }], true],
  ])('moves with the log start to %d', (startOffset, expected, isChanged) => {
    const epochs = new LeaderEpochs(EPOCHS);
    expect(epochs.truncateFromStart(startOffset)).toBe(isChanged);
    expect(epochs.list()).toEqual(expected);
  });
});
