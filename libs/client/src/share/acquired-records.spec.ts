import { BATCH_HEADER_BYTES, BatchBuilder } from '@kafka-template/protocol';
import { ACKNOWLEDGE_TYPE, acknowledgementBatches } from './acknowledgements.js';
import { readAcquired, type AcquiredRange } from './acquired-records.js';

const PLACE = { topic: 't', partition: 0 };

function batch(baseOffset: number, count: number, control = false): Buffer {
  const builder = new BatchBuilder({ capacityBytes: BATCH_HEADER_BYTES + count * 64 });
  for (let index = 0; index < count; index++) builder.append(0, null, `v${baseOffset + index}`, null);
  return builder.finish({ baseOffset, control });
}

const range = (firstOffset: number, lastOffset: number, deliveryCount = 1): AcquiredRange => ({
  firstOffset,
  lastOffset,
  deliveryCount,
});

describe('acquired records', () => {
  it('are those that were locked, each with its count', () => {
    const bytes = Buffer.concat([batch(0, 4), batch(4, 3)]);
    const { records, gaps, bad } = readAcquired(PLACE, bytes, [range(1, 2, 3), range(4, 4)], true);
    expect(records.map((each) => [each.offset, each.deliveryCount, each.value?.toString()])).toEqual([
      [1, 3, 'v1'],
      [2, 3, 'v2'],
      [4, 1, 'v4'],
    ]);
    expect([gaps, bad]).toEqual([[], []]);
    expect(JSON.parse(JSON.stringify(records[0]))).toMatchObject({ offset: 1, deliveryCount: 3 });
  });

  it('leave gaps where there is nothing, or a marker', () => {
    const bytes = Buffer.concat([batch(0, 2), batch(2, 1, true), batch(5, 1)]);
    const { records, gaps } = readAcquired(PLACE, bytes, [range(0, 5)], true);
    expect(records.map(({ offset }) => offset)).toEqual([0, 1, 5]);
    expect(gaps).toEqual([2, 3, 4]);
  });

  it('are bad where a batch cannot be read, and the rest is handed out', () => {
    const bytes = Buffer.concat([batch(0, 2), batch(2, 2), batch(4, 1)]);
    const second = batch(0, 2).length;
    bytes[second + BATCH_HEADER_BYTES + 3]! ^= 0xff;
    const { records, gaps, bad } = readAcquired(PLACE, bytes, [range(0, 4)], true);
    expect(records.map(({ offset }) => offset)).toEqual([0, 1, 4]);
    expect([gaps, bad]).toEqual([[], [2, 3]]);
  });
});

describe('acknowledgements', () => {
  it('are joined to batches of one kind, in order', () => {
    const { accept, reject } = ACKNOWLEDGE_TYPE;
    const said = new Map([
      [5, accept],
      [3, reject],
      [4, accept],
      [9, accept],
    ]);
    expect(acknowledgementBatches(said)).toEqual([
      { firstOffset: 3, lastOffset: 3, acknowledgeTypes: [reject] },
      { firstOffset: 4, lastOffset: 5, acknowledgeTypes: [accept] },
      { firstOffset: 9, lastOffset: 9, acknowledgeTypes: [accept] },
    ]);
  });
});
