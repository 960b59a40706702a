/**
 * Record batches: what the builder writes the reader gives back, and hostile bytes raise a ProtocolError.
 */
import { BatchBuilder } from './batch-builder.js';
import {
  batchBaseSequence,
  batchCompression,
  batchLastOffset,
  batchMaxTimestamp,
  batchProducerId,
  batchRecordCount,
  batchSizeBytes,
  isControlBatch,
  isTransactionalBatch,
  sealBatch,
  setBatchBaseOffset,
  setBatchLogAppendTime,
  setBatchProducer,
  verifyBatchCrc,
} from './batch.js';
import { COMPRESSION_NAMES, type CompressionName } from './compression.js';
import { crc32c, crc32cSlicing } from './crc32c.js';
import { ProtocolError } from '../protocol-error.js';
import { RecordReader, decodeRecords } from './record-reader.js';

const NOW = 1_790_000_000_000;

function sample(compression: CompressionName = 'none'): Buffer {
  const builder = new BatchBuilder({ capacityBytes: 128, compression });
  builder.append(NOW, 'key', 'value', null);
  builder.append(NOW + 5, null, Buffer.from([0, 255, 1]), [{ key: 'trace', value: 'ü' }]);
  builder.append(NOW - 70_000_000_000, Buffer.from('k'), null, [
    { key: 'a', value: null },
    { key: 'a', value: Buffer.alloc(300, 7) },
  ]);
  builder.append(NOW, '', '', []);
  builder.append(NOW, 'ключ'.repeat(40), 'x'.repeat(100_000), null);
  return builder.finish({ producerId: 4001, producerEpoch: 3, baseSequence: 17 });
}

describe.each(COMPRESSION_NAMES)('a batch with compression %s', (compression) => {
  it('gives back every record as it was appended', () => {
    const records = decodeRecords(sample(compression));
    expect(records.map(({ offset, timestamp }) => [offset, timestamp])).toEqual([
      [0, NOW],
      [1, NOW + 5],
      [2, NOW - 70_000_000_000],
      [3, NOW],
      [4, NOW],
    ]);
    expect(records.map(({ key }) => key?.toString() ?? null)).toEqual(['key', null, 'k', '', 'ключ'.repeat(40)]);
    expect(records[1]?.value).toEqual(Buffer.from([0, 255, 1]));
    expect(records[2]?.value).toBeNull();
    expect(records[3]?.value).toEqual(Buffer.alloc(0));
    expect(records[4]?.value?.length).toBe(100_000);
    expect(records[1]?.headers).toEqual([{ key: 'trace', value: Buffer.from('ü') }]);
    expect(records[2]?.headers).toEqual([
      { key: 'a', value: null },
      { key: 'a', value: Buffer.alloc(300, 7) },
    ]);
  });

  it('describes itself in its header', () => {
    const batch = sample(compression);
    expect(batchSizeBytes(batch)).toBe(batch.length);
    expect(batchRecordCount(batch)).toBe(5);
    expect(batchProducerId(batch)).toBe(4001);
    expect(batchBaseSequence(batch)).toBe(17);
    expect(batchMaxTimestamp(batch)).toBe(NOW + 5);
    expect(verifyBatchCrc(batch)).toBe(true);
    setBatchBaseOffset(batch, 0, 5_000_000_000);
    expect(batchLastOffset(batch)).toBe(5_000_000_004);
    expect(verifyBatchCrc(batch)).toBe(true);
  });

  it('raises a ProtocolError, and nothing else, for any flipped byte behind the length', () => {
    const batch = sample(compression);
    for (let position = 16; position < Math.min(400, batch.length); position++) {
      const flipped = Buffer.from(batch);
      flipped[position] = (flipped[position] as number) ^ 0xff;
      if (position >= 21) expect(verifyBatchCrc(flipped)).toBe(false);
      try {
        decodeRecords(flipped);
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
      }
    }
  });
});

describe('patching a finished batch', () => {
  it('keeps the checksum right once it is sealed again', () => {
    const batch = sample();
    setBatchProducer(batch, 0, { producerId: 2 ** 40, producerEpoch: 9, baseSequence: 2_147_483_647 });
    expect(verifyBatchCrc(batch)).toBe(false);
    sealBatch(batch);
    expect(verifyBatchCrc(batch)).toBe(true);
    expect(batchProducerId(batch)).toBe(2 ** 40);
  });

  it('makes every record carry the append time', () => {
    const batch = sample();
    setBatchLogAppendTime(batch, 0, NOW + 1000);
    sealBatch(batch);
    expect(new Set(decodeRecords(batch).map(({ timestamp }) => timestamp))).toEqual(new Set([NOW + 1000]));
  });

  it('marks transactional and control batches', () => {
    const builder = new BatchBuilder({ capacityBytes: 100 });
    builder.append(NOW, Buffer.from([0, 0, 0, 1]), Buffer.alloc(6), null);
    const batch = builder.finish({ transactional: true, control: true, producerId: 1, producerEpoch: 0 });
    expect(isTransactionalBatch(batch)).toBe(true);
    expect(isControlBatch(batch)).toBe(true);
  });
});

describe('RecordReader', () => {
  it('walks over several batches and stops before a partial one', () => {
    const batch = sample();
    const reader = new RecordReader(Buffer.concat([batch, batch, batch.subarray(0, batch.length - 1)]));
    let batches = 0;
    while (reader.nextBatch()) batches++;
    expect(batches).toBe(2);
  });

  it('refuses a record count that the bytes cannot hold before it allocates for it', () => {
    const batch = sample();
    batch.writeInt32BE(2_000_000_000, 57);
    expect(() => decodeRecords(batch)).toThrow('it claims 2000000000 records');
  });

  it.each(COMPRESSION_NAMES.slice(1))('decompresses %s up to a limit of its user', (compression) => {
    const batch = sample(compression);
    const decompressedBytes = sample('none').length - 61;
    expect(decodeRecords(batch, { decompressedBytesMax: decompressedBytes })).toHaveLength(5);
    expect(() => decodeRecords(batch, { decompressedBytesMax: decompressedBytes - 1 })).toThrow(
      expect.objectContaining({ name: 'ProtocolError', code: 'CORRUPT_BATCH' }) as Error,
    );
  });

  it('refuses a record that ends before its headers', () => {
    const builder = new BatchBuilder({ capacityBytes: 100 });
    builder.append(NOW, null, null, null);
    const batch = builder.finish();
    // Length 5 instead of 6: attributes, timestamp, offset, key, value, and no count of headers.
    batch[61] = 5 << 1;
    expect(() => decodeRecords(batch)).toThrow('key and value claim -1 and -1 bytes');
  });

  it('refuses bytes that are left after the headers of a record, as the Java client does', () => {
    const builder = new BatchBuilder({ capacityBytes: 100 });
    builder.append(NOW, 'k', 'v', [{ key: 'h', value: 'w' }]);
    const batch = Buffer.concat([builder.finish(), Buffer.of(0)]);
    batch.writeInt32BE(batch.length - 12, 8);
    batch[61] = (batch[61] as number) + 2;
    expect(() => decodeRecords(batch)).toThrow('1 bytes are left after the headers of a record');
  });

  it('refuses bytes behind the last record, and records beyond the count', () => {
    for (const count of [4, 6]) {
      const batch = sample();
      batch.writeInt32BE(count, 57);
      expect(() => decodeRecords(batch)).toThrow(count === 4 ? 'left after its last record' : 'claims 0 bytes');
    }
  });

  it('refuses a timestamp beyond 2^53', () => {
    const record = '10' + '00' + 'feffffffffffffff7f' + '00' + '01' + '01' + '00';
    const body = Buffer.from(record, 'hex');
    body[0] = (body.length - 1) << 1;
    const batch = Buffer.concat([new BatchBuilder({ capacityBytes: 61 }).finish(), body]);
    batch.writeInt32BE(batch.length - 12, 8);
    batch.writeInt32BE(1, 57);
    expect(() => decodeRecords(batch)).toThrow('a timestamp is beyond 2^53');
  });

  it('keeps codec and transaction when it takes the append time', () => {
    const builder = new BatchBuilder({ capacityBytes: 100, compression: 'gzip' });
    builder.append(NOW, 'k', 'v', null);
    const batch = builder.finish({ transactional: true });
    setBatchLogAppendTime(batch, 0, NOW + 9);
    expect([batchCompression(batch), isTransactionalBatch(batch)]).toEqual([1, true]);
    expect(decodeRecords(batch).map(({ timestamp, value }) => [timestamp, String(value)])).toEqual([[NOW + 9, 'v']]);
  });

  it('has no record before a batch was asked for', () => {
    expect(new RecordReader().nextRecord()).toBe(false);
    const reader = new RecordReader(sample());
    expect(reader.nextRecord()).toBe(false);
    expect(reader.nextBatch() && reader.nextRecord()).toBe(true);
    reader.reset(sample());
    expect(reader.nextRecord()).toBe(false);
  });

  it('refuses older formats by name', () => {
    const batch = sample();
    batch.writeInt8(1, 16);
    expect(() => decodeRecords(batch)).toThrow('only format 2 (Kafka 0.11 and later) is read');
  });
});

describe('crc32c', () => {
  it('has the check value of the polynomial', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  });

  it('is the same by slices, native or not, and when continued', () => {
    const data = Buffer.from(Array.from({ length: 70_000 }, (_, index) => (index * 31 + (index >> 3)) & 0xff));
    for (const end of [0, 1, 15, 16, 17, 255, 256, 4999, 5000, 70_000, 5000]) {
      const whole = crc32cSlicing(data, 0, end, 0);
      expect(crc32c(data, 0, end)).toBe(whole);
      const half = end >> 1;
      expect(crc32c(data, half, end, crc32c(data, 0, half))).toBe(whole);
    }
  });
});
