/**
 * The builder: texts and buffers give the same bytes whatever their length, and a refused record leaves no trace.
 */
import { BatchBuilder, CONTENT_OVERHEAD_BYTES_MAX, type RecordHeader, recordSizeBound } from './batch-builder.js';
import { batchMaxTimestamp } from './batch.js';
import { RecordReader, decodeRecords } from './record-reader.js';

const NOW = 1_790_000_000_000;
/** Around the limits of the fast ways (12 bytes, 20 characters) and of varints of one, two and three bytes. */
const LENGTHS = [0, 1, 11, 12, 13, 19, 20, 21, 40, 57, 58, 59, 63, 64, 65, 100, 8183, 8184, 8185, 8191, 8192, 8193];
const LETTERS = ['a', '~', '\u0080', 'ü', 'ß', '主', '\u{1f600}', '\ud800'];

function batchOf(append: (builder: BatchBuilder) => void): Buffer {
  const builder = new BatchBuilder({ capacityBytes: 64 });
  append(builder);
  return builder.finish();
}

describe('a text as key and as value', () => {
  it.each(LENGTHS)('of %i characters gives the bytes that its UTF-8 gives', (length) => {
    for (const letter of LETTERS) {
      for (const text of [letter.repeat(length), `${'x'.repeat(length)}${letter}`, `${letter}${'x'.repeat(length)}`]) {
        const utf8 = Buffer.from(text);
        const asText = batchOf((builder) => {
          builder.append(NOW, text, null, null);
          builder.append(NOW, null, text, null);
          builder.append(NOW, text, text, [{ key: text, value: text }]);
        });
        const asBuffer = batchOf((builder) => {
          builder.append(NOW, utf8, null, null);
          builder.append(NOW, null, utf8, null);
          builder.append(NOW, utf8, utf8, [{ key: text, value: utf8 }]);
        });
        expect(asText.equals(asBuffer)).toBe(true);
        const records = decodeRecords(asText);
        expect(records.map(({ key }) => key?.length ?? -1)).toEqual([utf8.length, -1, utf8.length]);
        expect(records[2]?.value?.equals(utf8)).toBe(true);
        expect(records[2]?.headers[0]?.value?.equals(utf8)).toBe(true);
      }
    }
  });
});

describe('append', () => {
  it('reads back as it was for every timestamp distance, forwards and backwards', () => {
    const distances = [0, 1, 63, 64, 65, 8191, 8192, 1_048_575, 1_048_576, 2 ** 30 - 1, 2 ** 30, 2 ** 31, 2 ** 40];
    const timestamps = [NOW, ...distances.flatMap((distance) => [NOW + distance, NOW - distance])];
    const batch = batchOf((builder) => timestamps.forEach((time) => builder.append(time, null, 'v', null)));
    expect(decodeRecords(batch).map(({ timestamp }) => timestamp)).toEqual(timestamps);
  });

  it('reads back as it was for offsets of one, two and three bytes', () => {
    const count = 9000;
    const batch = batchOf((builder) => {
      for (let index = 0; index < count; index++) builder.append(NOW, null, null, null);
    });
    expect(decodeRecords(batch).map(({ offset }) => offset)).toEqual(
      Array.from({ length: count }, (_, index) => index),
    );
  });

  it('that is refused leaves the batch as it was', () => {
    const builder = new BatchBuilder({ capacityBytes: 64 });
    builder.append(NOW, 'a', 'b', null);
    const { sizeBytes } = builder;
    expect(() => builder.append(Number.NaN, 'c', 'd', null)).toThrow('does not fit a varlong');
    expect(() => builder.append(-(2 ** 53), 'c', 'd', null)).toThrow('does not fit a varlong');
    expect([builder.recordCount, builder.sizeBytes]).toEqual([1, sizeBytes]);
    builder.append(NOW, 'e', 'f', null);
    expect(decodeRecords(builder.finish()).map(({ key }) => String(key))).toEqual(['a', 'e']);
  });

  it.each([Number.NaN, 1.5, 2 ** 53, undefined as unknown as number])('refuses %p as the first timestamp', (time) => {
    const builder = new BatchBuilder({ capacityBytes: 64 });
    expect(() => builder.append(time, 'a', 'b', null)).toThrow('is not a value of type timestamp');
    expect([builder.recordCount, builder.sizeBytes]).toEqual([0, 61]);
  });

  it.each([0.5, 63.5, 100.5, 2 ** 31 + 0.5])('refuses a timestamp that is %p later', (distance) => {
    const builder = new BatchBuilder({ capacityBytes: 64 });
    builder.append(0, 'a', 'b', null);
    expect(() => builder.append(distance, 'c', 'd', null)).toThrow('does not fit a varlong');
    expect(builder.recordCount).toBe(1);
  });

  it('notes the largest timestamp even when all are negative', () => {
    const batch = batchOf((builder) => [-9, -5, -7].forEach((time) => builder.append(time, null, null, null)));
    expect(batchMaxTimestamp(batch)).toBe(-5);
  });

  it.each<[string, unknown, unknown]>([
    ['a value that is a number', 5, null],
    ['a header without a key', 'v', [{ value: 'x' }]],
    ['a header without a value', 'v', [{ key: 'x' }]],
    ['a header whose value is a number', 'v', [{ key: 'x', value: 5 }]],
  ])('refuses %s', (_name, value, headers) => {
    const builder = new BatchBuilder({ capacityBytes: 64 });
    expect(() => builder.append(0, 'k', value as string, headers as RecordHeader[])).toThrow(
      expect.objectContaining({ name: 'ProtocolError', code: 'INVALID_VALUE' }) as Error,
    );
    expect(builder.recordCount).toBe(0);
  });

  it('never takes more than recordSizeBound says, and no second buffer while that fits', () => {
    const headers: readonly (readonly RecordHeader[] | null)[] = [
      null,
      [],
      [
        { key: 'ключ', value: null },
        { key: '', value: 'v' },
      ],
    ];
    for (const length of LENGTHS) {
      for (const given of headers) {
        for (const value of [null, 'ü'.repeat(length), Buffer.alloc(length)]) {
          const bound = recordSizeBound('k', value, given);
          const builder = new BatchBuilder({ capacityBytes: 61 + bound });
          builder.append(NOW, 'k', value, given);
          expect(builder.sizeBytes).toBeLessThanOrEqual(61 + bound);
          expect(builder.finish().buffer.byteLength).toBe(61 + bound);
        }
      }
    }
  });
});

describe('appendContent', () => {
  it('copies key, value and headers as they are, under a new offset and timestamp', () => {
    const source = batchOf((builder) => {
      builder.append(NOW, 'k', 'v'.repeat(300), [{ key: 'h', value: null }]);
      builder.append(NOW + 7, null, null, null);
    });
    const reader = new RecordReader(source);
    reader.nextBatch();
    const copy = new BatchBuilder({ capacityBytes: 64 });
    for (let index = 0; index < 100; index++) copy.append(NOW, null, null, null);
    while (reader.nextRecord()) {
      const content = reader.data.subarray(reader.contentStart, reader.recordEnd);
      const before = copy.sizeBytes;
      copy.appendContent(reader.timestamp + 2 ** 41, content);
      expect(copy.sizeBytes - before).toBeLessThanOrEqual(content.length + CONTENT_OVERHEAD_BYTES_MAX);
    }
    const [first, second] = decodeRecords(source);
    expect(decodeRecords(copy.finish()).slice(100)).toEqual([
      { ...first, offset: 100, timestamp: NOW + 2 ** 41 },
      { ...second, offset: 101, timestamp: NOW + 7 + 2 ** 41 },
    ]);
  });
});

describe('a buffer to build in', () => {
  it('is used if it is large enough, whatever it held', () => {
    const buffer = Buffer.alloc(200, 0xee);
    const builder = new BatchBuilder({ capacityBytes: 200, buffer });
    builder.append(NOW, 'key', 'value', null);
    const batch = builder.finish();
    expect(batch.buffer).toBe(buffer.buffer);
    expect(batch.equals(batchOf((other) => other.append(NOW, 'key', 'value', null)))).toBe(true);
  });

  it('is left alone if it is too small, and left behind when the batch outgrows it', () => {
    const small = Buffer.alloc(100, 0xee);
    const builder = new BatchBuilder({ capacityBytes: 101, buffer: small });
    builder.append(NOW, null, 'value', null);
    expect(builder.finish().buffer).not.toBe(small.buffer);
    expect(small.every((byte) => byte === 0xee)).toBe(true);
    const outgrown = new BatchBuilder({ capacityBytes: 100, buffer: small });
    outgrown.append(NOW, null, 'x'.repeat(300), null);
    expect(decodeRecords(outgrown.finish())[0]?.value?.toString()).toBe('x'.repeat(300));
  });
});
