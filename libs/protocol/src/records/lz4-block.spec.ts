/**
 * LZ4 blocks: what goes in comes out, the end of a block keeps the rules, and damage is told instead of read.
 */
import { compressLz4Block, decompressLz4Block, lz4BlockBound } from './lz4-block.js';
import { xxh32 } from './xxh32.js';

function pseudoRandom(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % limit;
  };
}

/** Runs, repetitions and noise, in lengths around every limit. */
function samples(): Buffer[] {
  const below = pseudoRandom(7);
  return Array.from({ length: 380 }, (_, index) => {
    const data = Buffer.alloc(index < 300 ? index : below(65_536));
    const letters = [1, 2, 5, 256][index % 4] as number;
    for (let at = 0; at < data.length; at++) {
      data[at] = at > 30 && below(20) > 0 && index % 3 > 0 ? (data[at - 1 - (index % 29)] as number) : below(letters);
    }
    return data;
  });
}

function compressed(data: Buffer): Buffer {
  const target = Buffer.alloc(lz4BlockBound(data.length));
  return target.subarray(0, compressLz4Block(data, 0, data.length, target, 0));
}

/** The literals of the last sequence, and where in the output the last copy began. */
function endOf(block: Buffer, bytes: number): { lastLiterals: number; lastCopy: number } {
  let lastCopy = -Infinity;
  let out = 0;
  for (let at = 0; ;) {
    const token = block[at++] as number;
    let literals = token >> 4;
    for (let byte = 0xff; literals >= 15 && byte === 0xff;) literals += byte = block[at++] as number;
    at += literals;
    out += literals;
    if (at === block.length) {
      expect(out).toBe(bytes);
      return { lastLiterals: literals, lastCopy };
    }
    at += 2;
    lastCopy = out;
    let length = token & 15;
    for (let byte = 0xff; length >= 15 && byte === 0xff;) length += byte = block[at++] as number;
    out += length + 4;
  }
}

describe('LZ4 blocks', () => {
  it('give back what went in, and end as strict decoders want it', () => {
    let copies = 0;
    for (const data of samples()) {
      const block = compressed(data);
      const target = Buffer.alloc(data.length);
      expect(decompressLz4Block(block, 0, block.length, target, 0)).toBe(data.length);
      expect(target.equals(data)).toBe(true);
      const { lastLiterals, lastCopy } = endOf(block, data.length);
      if (lastCopy === -Infinity) continue;
      copies++;
      expect(lastLiterals).toBeGreaterThanOrEqual(5);
      expect(lastCopy).toBeLessThanOrEqual(data.length - 12);
    }
    expect(copies).toBeGreaterThan(200);
  });

  it('continue what earlier blocks gave', () => {
    const target = Buffer.alloc(20);
    target.write('abcdef');
    // No literals, a copy of 4 + 6 bytes from 6 bytes before; then the literals "xyz".
    const block = Buffer.from([0x06, 6, 0, 0x30, 0x78, 0x79, 0x7a]);
    expect(decompressLz4Block(block, 0, block.length, target, 6)).toBe(19);
    expect(target.toString('latin1', 0, 19)).toBe('abcdefabcdefabcdxyz');
  });

  it.each([
    ['literals that are not there', '5061', '5 literals are not there'],
    ['a length without an end', 'f0ffff', 'it ends in a length'],
    ['half an offset', '106101', 'it ends in an offset'],
    ['an offset of zero', '10610000', 'it copies from 0 bytes before 1'],
    ['an offset before the beginning', '10610200', 'it copies from 2 bytes before 1'],
    ['more than the target holds', '1f610100ff00', 'it has more than 100 bytes'],
  ])('with %s are refused', (_what, hex, message) => {
    const block = Buffer.from(hex, 'hex');
    expect(() => decompressLz4Block(block, 0, block.length, Buffer.alloc(100), 0)).toThrow(message);
  });
});

describe('xxh32', () => {
  it.each([
    ['', 0x02cc5d05],
    ['a', 0x550d7456],
    ['abc', 0x32d153ff],
    ['abcdefghijklmn', xxh32(Buffer.from('--abcdefghijklmn'), 2, 16)],
  ])('of %p', (text, hash) => {
    expect(xxh32(Buffer.from(text), 0, text.length)).toBe(hash);
  });
});
