/**
 * The codecs: what goes in comes out, foreign framings are read, and a bomb does not go off.
 */
import { ProtocolError } from '../protocol-error.js';
import { COMPRESSION_NAMES, compress, compressionType, decompress } from './compression.js';
import { type SnappyLibrary, compressSnappy, decompressSnappy } from './snappy.js';
import { uncompressSnappyBlock } from './snappy-block.js';

function noise(bytes: number): Buffer {
  const data = Buffer.alloc(bytes);
  for (let index = 0, state = 12345; index < bytes; index++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    data[index] = state >>> 16;
  }
  return data;
}

const json = Buffer.from(JSON.stringify({ id: 17, item: 'book', note: 'a '.repeat(50) }).repeat(3000));
const inputs = {
  empty: Buffer.alloc(0),
  one: Buffer.from([7]),
  short: Buffer.from('hello'),
  json,
  noise: noise(200_000),
};

describe.each(COMPRESSION_NAMES.filter((name) => name !== 'none'))('%s', (name) => {
  const type = compressionType(name);

  it.each(Object.entries(inputs))('gives back the input %s', (_, input) => {
    expect(decompress(type, compress(type, input)).equals(input)).toBe(true);
  });

  it('makes text smaller', () => {
    expect(compress(type, json).length).toBeLessThan(json.length / 4);
  });

  it('stops at the limit instead of filling the memory', () => {
    const bomb = compress(type, Buffer.alloc(8 * 1024 * 1024));
    expect(() => decompress(type, bomb, 1024 * 1024)).toThrow(ProtocolError);
  });

  it('raises a ProtocolError for damaged input or reads something, and never another error', () => {
    const good = compress(type, json.subarray(0, 2000));
    for (let position = 0; position < good.length; position++) {
      for (const damaged of [good.subarray(0, position), flip(good, position)]) {
        try {
          decompress(type, damaged, 1024 * 1024);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }
    }
  });
});

function flip(data: Buffer, position: number): Buffer {
  const flipped = Buffer.from(data);
  flipped[position] = (flipped[position] as number) ^ 0x55;
  return flipped;
}

describe('snappy', () => {
  it('is read without framing too', () => {
    // Raw snappy by hand: length 5, a literal of 5 bytes.
    expect(decompress(2, Buffer.from([5, 4 << 2, 0x68, 0x65, 0x6c, 0x6c, 0x6f])).toString()).toBe('hello');
  });
});

describe('lz4', () => {
  it('has the frame header that the Java client writes', () => {
    // Magic, independent blocks of 64 KiB, the checksum of those two bytes; one stored block; the end mark.
    expect(compress(3, Buffer.from('hi')).toString('hex')).toBe(
      '04224d18' + '604082' + '02000080' + '6869' + '00000000',
    );
  });

  it('with a block larger than its header allows is refused', () => {
    const size = Buffer.alloc(4);
    size.writeUInt32LE(0x8000_0000 + 65_537, 0);
    const frame = [Buffer.from('04224d18' + '604082', 'hex'), size, Buffer.alloc(65_537), Buffer.alloc(4)];
    expect(() => decompress(3, Buffer.concat(frame))).toThrow('a block claims 65537 bytes');
  });

  it('with the size of its content and checksums of its blocks is read', () => {
    const header = '04224d18' + '78' + '40' + '0200000000000000' + '9e';
    const frame = Buffer.from(header + '02000080' + '6869' + 'aabbccdd' + '00000000', 'hex');
    expect(decompress(3, frame).toString()).toBe('hi');
    expect(() => decompress(3, Buffer.from(frame).fill(0xff, 14, 15))).toThrow('its header is damaged');
  });
});

describe('snappy blocks', () => {
  const block = (claim: number, ...elements: number[]): Buffer => Buffer.of(claim, ...elements);

  it('have literals and copies of all kinds', () => {
    // 'abcd' as a literal, a near copy of 4 from 4 back, a copy of 3 from 2 back by two bytes, one of 2 from 8 by four.
    const elements = [3 << 2, 0x61, 0x62, 0x63, 0x64, 1, 4, (2 << 2) | 2, 2, 0, (1 << 2) | 3, 8, 0, 0, 0];
    expect(uncompressSnappyBlock(block(13, ...elements)).toString()).toBe('abcdabcdcdcda');
  });

  it.each([1, 2, 3, 4])('have literals with a length of %i bytes', (bytes) => {
    const length = Buffer.alloc(bytes);
    length[0] = 69;
    const literal = Buffer.concat([Buffer.of(70, (59 + bytes) << 2), length, Buffer.alloc(70, 'x')]);
    expect(uncompressSnappyBlock(literal).toString()).toBe('x'.repeat(70));
    expect(() => uncompressSnappyBlock(literal.subarray(0, -1))).toThrow('70 bytes of an element are not there');
    expect(() => uncompressSnappyBlock(literal.subarray(0, 2 + bytes - 1))).toThrow('are not there');
  });

  it('reach back over more than a near copy can', () => {
    const literal = [60 << 2, 254, ...Buffer.alloc(255, 'y')];
    const far = uncompressSnappyBlock(block(0x86, 2, 2 << 2, 1, 2, 3, ...literal, 1 | (1 << 5), 2));
    expect(far.subarray(258)).toEqual(Buffer.of(1, 2, 3, 0x79));
  });

  it.each([
    ['a copy from before the beginning', [4, 0, 7, 1, 2], 'copies from 2 bytes before 1'],
    ['a copy from nowhere', [5, 0, 7, 1, 0], 'copies from 0 bytes before 1'],
    ['a copy beyond the claim', [4, 0, 7, 1, 1], 'more than the 4 bytes it claims'],
    ['a literal beyond the claim', [1, 1 << 2, 7, 8], 'more than the 1 bytes it claims'],
    ['a cut copy', [5, 0, 7, 2, 1], '2 bytes of an element are not there'],
    ['less than the claim', [9, 0, 7], 'it has 1 bytes, not 9'],
  ])('with %s are refused', (_name, [claim = 0, ...elements], message) => {
    expect(() => uncompressSnappyBlock(block(claim, ...elements))).toThrow(message);
  });
});

describe('a few bytes that keep naive decoders busy for ever are refused', () => {
  /** A zstd frame of one compressed block, with its content size. */
  const zstdFrame = (contentBytes: number, block: string): string => {
    const header = Buffer.alloc(3);
    header.writeUIntLE((block.length / 2) * 8 + 5, 0, 3);
    return `28b52ffd20${Buffer.of(contentBytes).toString('hex')}${header.toString('hex')}${block}`;
  };

  it.each([
    ['snappy: a literal of -5 bytes', 2, '0a' + 'fcfaffffff' + '00000000'],
    [
      'zstd: Huffman weights in which no state takes a bit',
      4,
      zstdFrame(200, '420105' + '0af003' + 'ff'.repeat(20) + '00'),
    ],
    ['zstd: 98,000 copies of 64 KiB in 12 bytes', 4, zstdFrame(200, '00' + 'ffffff' + '54' + '000034' + 'ffffff80')],
  ])('%s', (_name, type, hex) => {
    expect(() => decompress(type, Buffer.from(hex, 'hex'))).toThrow(ProtocolError);
  });
});

describe('limits', () => {
  it.each(COMPRESSION_NAMES)('%s: none, and exactly the content, are enough; one byte less is not', (name) => {
    const type = compressionType(name);
    const data = Buffer.alloc(100_000);
    const compressed = compress(type, data);
    expect(decompress(type, compressed, Infinity).length).toBe(data.length);
    expect(decompress(type, compressed, data.length).length).toBe(data.length);
    if (name !== 'none') expect(() => decompress(type, compressed, data.length - 1)).toThrow(ProtocolError);
    expect(decompress(type, compress(type, Buffer.alloc(0)), 0).length).toBe(0);
  });

  it.each(COMPRESSION_NAMES)('%s: a small content holds no large memory', (name) => {
    const type = compressionType(name);
    const content = decompress(type, compress(type, Buffer.from('small')));
    expect(content.toString()).toBe('small');
    expect(content.buffer.byteLength).toBeLessThanOrEqual(Buffer.poolSize);
  });
});

describe('what a few bytes claim is refused before memory is made for it', () => {
  it.each([
    ['snappy', 2, 'ffffff7f00', 'cannot hold 268435455'],
    ['zstd, content', 4, '28b52ffd' + 'e0' + 'ffffffffffffff00' + '010000', 'more than 268435456'],
    ['zstd, more than its blocks can hold', 4, '28b52ffd' + 'a0' + '00002000' + '030000' + '00', 'its blocks hold 0'],
    ['zstd, window', 4, '28b52ffd' + '00' + '98' + '010000', 'a window of 536870912 bytes'],
    [
      'zstd, second frame',
      4,
      '28b52ffd' + '20' + '00' + '010000' + '28b52ffd' + 'a0' + 'ffffffff' + '010000',
      'more than',
    ],
  ])('%s', (_name, type, hex, message) => {
    const before = process.memoryUsage().arrayBuffers;
    expect(() => decompress(type, Buffer.from(hex, 'hex'))).toThrow(message);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
  });

  it('a window that zstd accepts costs no memory', () => {
    const before = process.memoryUsage().arrayBuffers;
    expect(decompress(4, Buffer.from('28b52ffd' + '00' + '88' + '010000', 'hex')).length).toBe(0);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
  });

  it('zstd frames are limited together, whether they say their size or not', () => {
    const sized = Buffer.from('28b52ffd' + '20' + '02' + '110000' + '6869', 'hex');
    const unsized = Buffer.from('28b52ffd' + '00' + '00' + '110000' + '6869', 'hex');
    for (const frame of [sized, unsized]) {
      const frames = Buffer.concat([frame, frame]);
      expect(decompress(4, frames, 4).toString()).toBe('hihi');
      expect(() => decompress(4, frames, 3)).toThrow(ProtocolError);
    }
    expect(() => decompress(4, Buffer.concat([sized, sized]), 3)).toThrow('it claims 4 bytes, more than 3');
  });

  it('a zstd frame with a checksum ends behind it', () => {
    const empty = Buffer.from('28b52ffd' + '24' + '00' + '010000' + '99e9d851', 'hex');
    const next = Buffer.from('28b52ffd' + '20' + '02' + '110000' + '6869', 'hex');
    expect(decompress(4, Buffer.concat([empty, next])).toString()).toBe('hi');
    expect(() => decompress(4, Buffer.concat([empty.fill(0, 12), next]))).toThrow(ProtocolError);
  });

  it('zstd frames to be skipped are skipped', () => {
    const skippable = Buffer.from('50' + '2a4d18' + '03000000' + 'aabbcc', 'hex');
    const frame = compress(4, json);
    expect(decompress(4, Buffer.concat([frame, skippable, frame])).length).toBe(2 * json.length);
  });
});

describe('a native snappy', () => {
  it('compresses the blocks that the framing holds, and is asked only for claims within the limit', () => {
    const asked: number[] = [];
    const blocks: SnappyLibrary = {
      compress: (data) => decompressible(data),
      uncompress: (data) => {
        asked.push(data.length);
        return Buffer.alloc(2, 7);
      },
    };
    const framed = compressSnappy(noise(70_000), blocks);
    expect(framed.subarray(0, 8).toString('latin1')).toBe('\x82SNAPPY\0');
    expect(decompressSnappy(framed, 100, blocks)).toEqual(Buffer.alloc(6, 7));
    expect(asked).toEqual([3, 3, 3]);
    expect(() => decompressSnappy(framed, 5, blocks)).toThrow('it has 2 bytes, more than 1');
    expect(asked).toHaveLength(5);
  });

  /** A block that claims two bytes. */
  function decompressible(_data: Buffer): Buffer {
    return Buffer.of(2, 0, 0);
  }
});

describe('a codec that does not exist', () => {
  it('is named', () => {
    expect(() => compress(7, json)).toThrow('no codec with the number 7');
    expect(() => decompress(5, json)).toThrow('no codec with the number 5');
  });
});
