/**
 * Fetched chunks, built with the real batch builder: what is handed out, what is passed over, and when errors come.
 */
import {
  BatchBuilder,
  COMPRESSION_NAMES,
  type CompressionName,
  sealBatch,
  setBatchLogAppendTime,
} from '@kafka-template/protocol';
import type { ConsumerRecord } from '../consumer-record.js';
import { type ChunkRules, FetchedChunk } from './fetched-chunk.js';

const TP = { topic: 'orders', partition: 2 };
const RULES: ChunkRules = { checkCrcs: true, readCommitted: false };

interface BatchSpec {
  base: number;
  values?: string[];
  compression?: CompressionName;
  producerId?: number;
  control?: boolean;
  transactional?: boolean;
}

function batch(spec: BatchSpec): Buffer {
  const builder = new BatchBuilder({ capacityBytes: 4096, compression: spec.compression ?? 'none' });
  for (const value of spec.values ?? ['x']) {
    builder.append(1_700_000_000_000 + spec.base, `k${value}`, value, [{ key: 'h', value: Buffer.from(value) }]);
  }
  return builder.finish({
    baseOffset: spec.base,
    leaderEpoch: 7,
    producerId: spec.producerId ?? -1,
    transactional: spec.transactional ?? false,
  });
}

/** A control batch as the broker writes it: version 0, type 0 (abort) or 1 (commit). */
function marker(base: number, producerId: number, type: 0 | 1): Buffer {
  const builder = new BatchBuilder({ capacityBytes: 256 });
  builder.append(1_700_000_000_000, Buffer.from([0, 0, 0, type]), Buffer.from([0, 0, 0, 0, 0, 0]), null);
  return builder.finish({
    baseOffset: base,
    leaderEpoch: 7,
    producerId,
    producerEpoch: 0,
    transactional: true,
    control: true,
  });
}

function chunk(batches: Buffer[], from = 0, rules = RULES, aborted: [number, number][] = []): FetchedChunk {
  const abortedTransactions = aborted.map(([producerId, firstOffset]) => ({ producerId, firstOffset }));
  return new FetchedChunk(TP, from, { records: Buffer.concat(batches), abortedTransactions }, rules);
}

function takeAll(from: FetchedChunk, recordsMax = 1000): ConsumerRecord[] {
  const records: ConsumerRecord[] = [];
  from.take(recordsMax, records);
  return records;
}

const offsets = (records: ConsumerRecord[]): number[] => records.map((record) => record.offset);

describe('FetchedChunk', () => {
  it.each(COMPRESSION_NAMES)('hands out records with everything in them (%s)', (compression) => {
    const [first, second] = takeAll(chunk([batch({ base: 5, values: ['a', 'b'], compression })], 5));
    expect(first).toMatchObject({
      topic: 'orders',
      partition: 2,
      offset: 5,
      timestamp: 1_700_000_000_005,
      leaderEpoch: 7,
    });
    expect(first?.timestampType).toBe('CreateTime');
    expect(first?.key?.toString()).toBe('ka');
    expect(first?.value?.toString()).toBe('a');
    expect(second?.offset).toBe(6);
    // The headers of a record end with it, not with its batch.
    expect(first?.headers).toEqual([{ key: 'h', value: Buffer.from('a') }]);
    expect(second?.headers).toEqual([{ key: 'h', value: Buffer.from('b') }]);
    expect([second?.serializedKeySize, second?.serializedValueSize]).toEqual([2, 1]);
  });

  it('hands out in pieces and says where it stands', () => {
    const from = chunk([batch({ base: 0, values: ['a', 'b', 'c'] }), batch({ base: 3, values: ['d', 'e'] })]);
    expect(from.endOffset).toBe(5);
    expect(offsets(takeAll(from, 2))).toEqual([0, 1]);
    expect([from.nextOffset, from.drained]).toEqual([2, false]);
    expect(offsets(takeAll(from, 2))).toEqual([2, 3]);
    expect(offsets(takeAll(from, 2))).toEqual([4]);
    expect([from.nextOffset, from.drained, from.lastEpoch]).toEqual([5, true, 7]);
  });

  it('passes over records before the position, inside a batch and whole batches', () => {
    const from = chunk([batch({ base: 0, values: ['a'] }), batch({ base: 1, values: ['b', 'c', 'd'] })], 2);
    expect(offsets(takeAll(from))).toEqual([2, 3]);
  });

  it('passes over control batches but moves the position behind them', () => {
    const from = chunk([batch({ base: 0 }), marker(1, 9, 1), batch({ base: 2 }), marker(3, 9, 1)]);
    expect(offsets(takeAll(from))).toEqual([0, 2]);
    expect(from.nextOffset).toBe(4);
  });

  it('leaves out aborted data for read_committed only', () => {
    const batches = [
      batch({ base: 0, producerId: 9, transactional: true }),
      batch({ base: 1, values: ['k'] }),
      marker(2, 9, 0),
      batch({ base: 3, producerId: 9, transactional: true }),
      marker(4, 9, 1),
    ];
    const committed = { checkCrcs: true, readCommitted: true };
    expect(offsets(takeAll(chunk(batches, 0, committed, [[9, 0]])))).toEqual([1, 3]);
    expect(offsets(takeAll(chunk(batches)))).toEqual([0, 1, 3]);
  });

  it('ignores a part of a batch at the end', () => {
    const from = chunk([batch({ base: 0 }), batch({ base: 1 }).subarray(0, 70)]);
    expect(offsets(takeAll(from))).toEqual([0]);
    expect([from.endOffset, from.drained, from.failure]).toEqual([1, true, null]);
  });

  it('takes the append time where the topic says so', () => {
    const bytes = batch({ base: 0 });
    setBatchLogAppendTime(bytes, 0, 1_800_000_000_000);
    const [record] = takeAll(chunk([bytes], 0, { ...RULES, checkCrcs: false }));
    expect([record?.timestamp, record?.timestampType]).toEqual([1_800_000_000_000, 'LogAppendTime']);
  });

  it('hands out what comes before a batch with a wrong CRC, then says what is wrong', () => {
    const broken = batch({ base: 1 });
    broken[broken.length - 1] = (broken.at(-1) as number) ^ 1;
    const from = chunk([batch({ base: 0 }), broken]);
    expect(offsets(takeAll(from))).toEqual([0]);
    expect([from.nextOffset, from.drained]).toEqual([1, false]);
    expect(from.failure).toMatchObject({ code: 'CORRUPT_MESSAGE' });
    expect(from.failure?.message).toContain('orders-2 at offset 1');
    expect(offsets(takeAll(from))).toEqual([]);
    expect(offsets(takeAll(chunk([broken], 1, { ...RULES, checkCrcs: false })))).toEqual([1]);
  });

  it('names a compression it does not know, which fetching again does not cure', () => {
    const strange = batch({ base: 0 });
    strange.writeInt16BE(6, 21);
    sealBatch(strange);
    const from = chunk([strange]);
    expect(offsets(takeAll(from))).toEqual([]);
    expect(from.failure).toMatchObject({ code: 'UNSUPPORTED_COMPRESSION_TYPE', retriable: false });
  });

  it('fails for bytes that are no batch', () => {
    expect(chunk([Buffer.alloc(30, 1)]).failure).toMatchObject({ code: 'CORRUPT_MESSAGE' });
    const from = chunk([batch({ base: 0 }), Buffer.alloc(100, 1)]);
    expect(offsets(takeAll(from))).toEqual([0]);
    expect(from.failure).toMatchObject({ code: 'CORRUPT_MESSAGE' });
  });

  it('prints and serialises records with their values', () => {
    const [record] = takeAll(chunk([batch({ base: 0 })]));
    expect(JSON.parse(JSON.stringify(record))).toMatchObject({
      topic: 'orders',
      offset: 0,
      timestampType: 'CreateTime',
    });
  });
});
