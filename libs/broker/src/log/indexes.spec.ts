import { OffsetIndex } from './offset-index.js';
import { TimeIndex } from './time-index.js';

describe('offset index', () => {
  function filled(): OffsetIndex {
    const index = new OffsetIndex(100, 1000);
    for (const [offset, position] of [
      [104, 400],
      [110, 900],
      [111, 1500],
    ] as const) {
      index.append(offset, position);
    }
    return index;
  }

  it.each([
    [100, 0],
    [103, 0],
    [104, 400],
    [109, 400],
    [110, 900],
    [111, 1500],
    [5000, 1500],
  ])('finds a place at or before offset %d: %d', (offset, position) => {
    expect(filled().floor(offset)).toBe(position);
  });

  it.each([
    [0, 0],
    [399, 0],
    [400, 400],
    [1499, 900],
    [9999, 1500],
  ])('finds the last entry at or before position %d: %d', (position, expected) => {
    expect(filled().positionBefore(position)).toBe(expected);
  });

  it('comes back from its bytes', () => {
    const { slice } = filled().unwritten();
    expect(slice.length).toBe(24);
    const parsed = OffsetIndex.parse(100, 1000, slice, 2000);
    expect([parsed?.count, parsed?.floor(110), parsed?.unwrittenBytes, parsed?.cutFile]).toEqual([3, 900, 0, false]);
  });

  it.each<[string, (bytes: Buffer) => Buffer]>([
    ['offsets that do not grow', (bytes) => (bytes.writeInt32BE(4, 8), bytes)],
    ['positions that do not grow', (bytes) => (bytes.writeInt32BE(400, 12), bytes)],
    ['a negative offset', (bytes) => (bytes.writeInt32BE(-1, 0), bytes)],
    ['a place behind the end of the segment', (bytes) => (bytes.writeInt32BE(2000, 20), bytes)],
  ])('is refused with %s', (_what, change) => {
    expect(OffsetIndex.parse(100, 1000, change(Buffer.from(filled().unwritten().slice)), 2000)).toBeNull();
  });

  it('asks for its file to be cut when that holds more than entries', () => {
    const { slice } = filled().unwritten();
    expect(OffsetIndex.parse(100, 1000, Buffer.concat([slice, Buffer.alloc(3)]), 2000)?.cutFile).toBe(true);
    expect(OffsetIndex.parse(100, 1000, Buffer.concat([slice, Buffer.alloc(80)]), 2000)).toMatchObject({ count: 3 });
  });

  it('drops entries behind a cut without touching bytes that are on their way to the disk', () => {
    const index = filled();
    const { slice } = index.unwritten();
    const before = Buffer.from(slice);
    index.truncate(900);
    index.append(120, 901);
    expect(slice.equals(before)).toBe(true);
    expect([index.count, index.floor(119), index.floor(120)]).toEqual([2, 400, 901]);
  });

  it('is full at segment.index.bytes', () => {
    const index = new OffsetIndex(0, 17);
    index.append(1, 1);
    expect(index.isFull).toBe(false);
    index.append(2, 2);
    expect(index.isFull).toBe(true);
  });
});

describe('time index', () => {
  function filled(): TimeIndex {
    const index = new TimeIndex(50, 1000);
    index.append(1_700_000_000_000, 52);
    index.append(1_700_000_000_005, 60);
    index.append(1_700_000_000_005, 61);
    index.append(1_700_000_000_004, 62);
    index.append(1_700_000_000_009, 70);
    return index;
  }

  it('takes growing timestamps only', () => {
    expect(filled().count).toBe(3);
    expect([filled().lastTimestamp, filled().lastOffset]).toEqual([1_700_000_000_009, 70]);
    expect([new TimeIndex(50, 100).lastTimestamp, new TimeIndex(50, 100).lastOffset]).toEqual([-1, 50]);
  });

  it.each([
    [1_600_000_000_000, -1],
    [1_700_000_000_000, -1],
    [1_700_000_000_001, 52],
    [1_700_000_000_005, 52],
    [1_700_000_000_006, 60],
    [1_700_000_000_009, 60],
    [1_700_000_000_010, 70],
  ])('knows the offset before which everything is older than %d: %d', (timestamp, offset) => {
    expect(filled().offsetBefore(timestamp)).toBe(offset);
  });

  it('comes back from its bytes, without zeros behind them', () => {
    const { slice } = filled().unwritten();
    expect(slice.length).toBe(36);
    const parsed = TimeIndex.parse(50, 1000, Buffer.concat([slice, Buffer.alloc(120)]));
    expect([parsed?.count, parsed?.lastTimestamp, parsed?.cutFile]).toEqual([3, 1_700_000_000_009, true]);
  });

  it('is refused when it does not grow', () => {
    const bytes = Buffer.from(filled().unwritten().slice);
    bytes.writeInt32BE(bytes.readInt32BE(0) + 1, 0);
    expect(TimeIndex.parse(50, 1000, bytes)).toBeNull();
  });

  it('drops entries behind a cut', () => {
    const index = filled();
    index.truncate(70);
    expect([index.count, index.lastOffset]).toEqual([2, 60]);
  });
});
