/**
 * The reader: every primitive at the end of its buffer, and what is refused before memory is made for it.
 */
import { OffsetCommit } from './messages/08-offset-commit.js';
import { decodeRequestBody, decodeRequestHeader, encodeRequest } from './header.js';
import { ProtocolError } from './protocol-error.js';
import { Reader } from './reader.js';

type Method = 'bool' | 'int8' | 'int16' | 'uint16' | 'int32' | 'uint32' | 'int64' | 'long' | 'float64' | 'uvarint';

describe('Reader', () => {
  it.each<[Method, string, number | bigint | boolean]>([
    ['bool', '02', true],
    ['int8', '80', -128],
    ['int16', '8001', -32767],
    ['uint16', '8001', 32769],
    ['int32', '80000001', -2147483647],
    ['uint32', '80000001', 2147483649],
    ['int64', '8000000000000001', -9223372036854775807n],
    ['long', '001fffffffffffff', Number.MAX_SAFE_INTEGER],
    ['long', 'ffe0000000000001', Number.MIN_SAFE_INTEGER],
    ['long', 'ffffffffffffffff', -1],
    ['float64', '3ff8000000000000', 1.5],
    ['uvarint', '7f', 127],
    ['uvarint', 'ffffffff0f', 4294967295],
  ])('%s of %s', (method, hex, expected) => {
    const bytes = Buffer.from(hex, 'hex');
    const reader = new Reader(Buffer.concat([Buffer.of(7), bytes]), 1);
    expect(reader[method]()).toBe(expected);
    expect(reader.remaining).toBe(0);
    // One byte less, although the buffer itself goes on.
    const short = new Reader(Buffer.concat([bytes, Buffer.of(0)]), 0, bytes.length - 1);
    expect(() => short[method]()).toThrow(expect.objectContaining({ code: 'TRUNCATED' }) as Error);
  });

  it.each(['0020000000000000', 'ffdfffffffffffff', '7fffffffffffffff'])('refuses the int64 %s as a number', (hex) => {
    expect(() => new Reader(Buffer.from(hex, 'hex')).long()).toThrow('the int64 at position 0 is beyond 2^53');
  });

  it('refuses more elements than one message may have, in all its arrays together', () => {
    const partitions = Array.from({ length: 300 }, (_, partitionIndex) => ({
      partitionIndex,
      committedOffset: 1,
      committedMetadata: null,
    }));
    const topics = Array.from({ length: 3 }, (_, index) => ({ name: `t${index}`, partitions }));
    const frame = Buffer.concat(encodeRequest(OffsetCommit, 8, 1, null, { groupId: 'g', topics })).subarray(4);
    const { bodyOffset } = decodeRequestHeader(frame, OffsetCommit);
    const decode = (elementsMax?: number) => decodeRequestBody(OffsetCommit, 8, frame, bodyOffset, { elementsMax });
    expect(decode(903).topics).toHaveLength(3);
    expect(decode().topics).toHaveLength(3);
    expect(() => decode(902)).toThrow(expect.objectContaining({ code: 'TOO_MANY_ELEMENTS' }) as Error);
  });

  it.each(['8080808010', 'ffffffff1f', 'ffffffffff01'])('refuses the varint %s, which 32 bits cannot hold', (hex) => {
    expect(() => new Reader(Buffer.from(hex, 'hex')).uvarint()).toThrow('does not fit 32 bits');
  });

  it('counts a null array as no element, not as one that comes back', () => {
    const reader = new Reader(Buffer.concat([Buffer.of(0), Buffer.alloc(4, 0xff)]));
    reader.elementsLeft = 1;
    expect([reader.compactNullableCount(1), reader.nullableCount(1)]).toEqual([-1, -1]);
    expect(reader.elementsLeft).toBe(1);
  });

  it('refuses compact strings that no other version could carry', () => {
    const compact = (length: number) => Buffer.concat([Buffer.from('808002', 'hex'), Buffer.alloc(length, 'x')]);
    expect(new Reader(compact(32767)).compactString()).toHaveLength(32767);
    for (const method of ['compactString', 'compactNullableString'] as const) {
      const reader = new Reader(Buffer.concat([Buffer.from('818002', 'hex'), Buffer.alloc(32768)]));
      expect(() => reader[method]()).toThrow(expect.objectContaining({ code: 'INVALID_LENGTH' }) as Error);
    }
  });

  it('gives bytes as views', () => {
    const frame = Buffer.from('00000002abcd', 'hex');
    const bytes = new Reader(frame).bytes();
    frame[4] = 0;
    expect(bytes.toString('hex')).toBe('00cd');
    expect(() => new Reader(Buffer.from('00000003abcd', 'hex')).bytes()).toThrow(ProtocolError);
  });
});
