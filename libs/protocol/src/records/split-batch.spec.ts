/**
 * Splitting: the same records come out, in batches that fit, whatever the codec.
 */
import {
  batchBaseOffset,
  batchBaseSequence,
  batchLeaderEpoch,
  batchProducerEpoch,
  batchProducerId,
  batchRecordCount,
  isControlBatch,
  isLogAppendTime,
  isTransactionalBatch,
  sealBatch,
  setBatchLogAppendTime,
  verifyBatchCrc,
} from './batch.js';
import { BatchBuilder, type BatchFinish } from './batch-builder.js';
import { COMPRESSION_NAMES, type CompressionName } from './compression.js';
import { RecordReader, decodeRecords } from './record-reader.js';
import { splitBatch } from './split-batch.js';

const NOW = 1_790_000_000_000;

function noise(bytes: number, seed: number): Buffer {
  const data = Buffer.alloc(bytes);
  for (let index = 0, state = seed; index < bytes; index++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    data[index] = state >>> 16;
  }
  return data;
}

function sample(compression: CompressionName, count: number, finish: BatchFinish = {}): Buffer {
  const builder = new BatchBuilder({ capacityBytes: 1024, compression });
  for (let index = 0; index < count; index++) {
    const value = index % 7 === 0 ? null : index % 2 === 0 ? noise(400, index) : Buffer.alloc(400, index);
    const headers =
      index % 5 === 0
        ? [
            { key: 'h', value: String(index) },
            { key: 'h', value: null },
          ]
        : null;
    builder.append(NOW + ((index * 37) % 1000), index % 3 === 0 ? null : `key-${index}`, value, headers);
  }
  return builder.finish(finish);
}

/** Every record as a line of text: comparing those is much faster than comparing buffers. */
function told(batches: Buffer): string[] {
  return decodeRecords(batches).map(({ key, value, headers, ...rest }) => {
    const text = headers.map((header) => [header.key, header.value?.toString('hex') ?? null]);
    return JSON.stringify({ ...rest, key: key?.toString('hex'), value: value?.toString('hex'), headers: text });
  });
}

describe.each(COMPRESSION_NAMES)('a batch with compression %s', (compression) => {
  it.each([300, 1000, 5000, 20_000])('in pieces of %i bytes keeps every record', (bytesMax) => {
    const batch = sample(compression, 200, { baseOffset: 7_000_000_000 });
    const parts = splitBatch(batch, { bytesMax });
    expect(parts.length).toBeGreaterThan(1);
    expect(told(Buffer.concat(parts))).toEqual(told(batch));
    for (const part of parts) {
      expect(verifyBatchCrc(part)).toBe(true);
      expect(part.length <= bytesMax || batchRecordCount(part) === 1).toBe(true);
    }
  });
});

describe('splitBatch', () => {
  it('gives the batch itself when it is not larger, or has one record', () => {
    const batch = sample('none', 20);
    expect(splitBatch(batch, { bytesMax: batch.length })).toEqual([batch]);
    const one = sample('none', 1);
    expect(splitBatch(one, { bytesMax: 1 })).toEqual([one]);
  });

  it('does not make more batches than the limit asks for', () => {
    const batch = sample('none', 200);
    expect(splitBatch(batch, { bytesMax: Math.ceil(batch.length / 2) + 500 })).toHaveLength(2);
  });

  it('goes on with sequence numbers, across the largest one, and keeps the producer', () => {
    const finish = { producerId: 9, producerEpoch: 2, baseSequence: 2 ** 31 - 10, leaderEpoch: 4, transactional: true };
    const batch = sample('lz4', 40, finish);
    const parts = splitBatch(batch, { bytesMax: 3000 });
    let expected = 2 ** 31 - 10;
    for (const part of parts) {
      expect(batchBaseSequence(part)).toBe(expected % 2 ** 31);
      expected += batchRecordCount(part);
      expect([batchProducerId(part), batchProducerEpoch(part), batchLeaderEpoch(part)]).toEqual([9, 2, 4]);
      expect(isTransactionalBatch(part)).toBe(true);
    }
    expect(parts.length).toBeGreaterThan(3);
    expect(splitBatch(sample('none', 40), { bytesMax: 3000 }).map((part) => batchBaseSequence(part))).toContain(-1);
  });

  it('begins every batch at offset 0 for a producer', () => {
    const parts = splitBatch(sample('none', 40), { bytesMax: 3000, offsetsFromZero: true });
    expect(parts.length).toBeGreaterThan(3);
    for (const part of parts) {
      expect(batchBaseOffset(part)).toBe(0);
      expect(verifyBatchCrc(part)).toBe(true);
    }
  });

  it('keeps the append time', () => {
    const batch = sample('none', 40);
    setBatchLogAppendTime(batch, 0, NOW + 5000);
    sealBatch(batch);
    for (const part of splitBatch(batch, { bytesMax: 3000 })) {
      expect(isLogAppendTime(part)).toBe(true);
      expect(verifyBatchCrc(part)).toBe(true);
      expect(new Set(decodeRecords(part).map(({ timestamp }) => timestamp))).toEqual(new Set([NOW + 5000]));
    }
  });

  it('begins a batch at a gap of offsets, which compaction leaves', () => {
    const builder = new BatchBuilder({ capacityBytes: 1024 });
    for (let index = 0; index < 3; index++) builder.append(NOW + index, 'k', noise(400, index), null);
    const batch = builder.finish();
    // The offset delta of the third record is the third byte of its body: attributes, timestamp (one byte), offset.
    batch[startOfRecord(batch, 2) + 2] = 9 << 1;
    batch.writeInt32BE(9, 23);
    sealBatch(batch);
    expect(decodeRecords(batch).map(({ offset }) => offset)).toEqual([0, 1, 9]);
    const parts = splitBatch(batch, { bytesMax: batch.length - 1 });
    expect(parts.map((part) => [batchBaseOffset(part), batchRecordCount(part)])).toEqual([
      [0, 2],
      [9, 1],
    ]);
    expect(told(Buffer.concat(parts))).toEqual(told(batch));
  });

  it('ends a batch at a gap even where more would fit', () => {
    const builder = new BatchBuilder({ capacityBytes: 1024 });
    for (let index = 0; index < 3; index++) builder.append(NOW + index, 'k', noise(400, index), null);
    const batch = builder.finish();
    batch[startOfRecord(batch, 1) + 2] = 8 << 1;
    batch[startOfRecord(batch, 2) + 2] = 9 << 1;
    batch.writeInt32BE(9, 23);
    sealBatch(batch);
    const parts = splitBatch(batch, { bytesMax: batch.length - 1 });
    expect(parts.map((part) => [batchBaseOffset(part), batchRecordCount(part)])).toEqual([
      [0, 1],
      [8, 2],
    ]);
    expect(told(Buffer.concat(parts))).toEqual(told(batch));
  });

  it('keeps control batches what they are, and others too', () => {
    for (const control of [true, false]) {
      const parts = splitBatch(sample('none', 40, { control }), { bytesMax: 3000 });
      expect(parts.map((part) => isControlBatch(part))).toEqual(parts.map(() => control));
    }
  });

  it('refuses what is not exactly one whole batch, and what would not fit the memory', () => {
    const batch = sample('none', 20);
    expect(() => splitBatch(batch.subarray(0, -1), { bytesMax: 500 })).toThrow('not exactly one batch');
    expect(() => splitBatch(Buffer.concat([batch, batch]), { bytesMax: 500 })).toThrow('not exactly one batch');
    const limits = { bytesMax: 500, decompressedBytesMax: 1000 };
    expect(() => splitBatch(sample('gzip', 200), limits)).toThrow(
      expect.objectContaining({ code: 'CORRUPT_BATCH' }) as Error,
    );
  });
});

/** Where the body of a record begins in an uncompressed batch. */
function startOfRecord(batch: Buffer, index: number): number {
  const reader = new RecordReader(batch);
  reader.nextBatch();
  for (let count = 0; count < index; count++) reader.nextRecord();
  const length = batch[reader.recordEnd] as number;
  return reader.recordEnd + (length < 0x80 ? 1 : 2);
}
