/**
 * The codecs: what goes in comes out, foreign framings are read, and a bomb does not go off.
 */
import { ProtocolError } from '../protocol-error.js';
import { COMPRESSION_NAMES, compress, compressionType, decompress } from './compression.js';
import { type SnappyLibrary, compressSnappy, decompressSnappy } from './snappy.js';

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

  it('with the size of its content and checksums of its blocks is read', () => {
    const header = '04224d18' + '78' + '40' + '0200000000000000' + '9e';
    const frame = Buffer.from(header + '02000080' + '6869' + 'aabbccdd' + '00000000', 'hex');
    expect(decompress(3, frame).toString()).toBe('hi');
    expect(() => decompress(3, Buffer.from(frame).fill(0xff, 14, 15))).toThrow('its header is damaged');
  });
});

describe('what a few bytes claim is refused before memory is made for it', () => {
  it.each([
    ['snappy', 2, 'ffffff7f00', 'cannot hold 268435455'],
    ['zstd, content', 4, '28b52ffd' + 'e0' + 'ffffffffffffff00' + '010000', 'more than 268435456'],
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
