/**
 * The codecs: what goes in comes out, foreign framings are read, and a bomb does not go off.
 */
import { ProtocolError } from '../protocol-error.js';
import { COMPRESSION_NAMES, compress, compressionType, decompress } from './compression.js';

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

describe('a codec that does not exist', () => {
  it('is named', () => {
    expect(() => compress(7, json)).toThrow('no codec with the number 7');
    expect(() => decompress(5, json)).toThrow('no codec with the number 5');
  });
});
