/**
 * Blocks of LZ4: sequences of literals and a copy of what came before.
 *
 * Writing keeps the rules for the end of a block which strict decoders such as the Java client's rely on: the last five
 * bytes are literals, and no copy begins in the last twelve. Reading checks every length against both buffers.
 */
import { copyBytes, copyMatch } from './block-copy.js';

const MATCH_BYTES_MIN = 4;
/** A copy must not begin in this many last bytes. */
const LAST_MATCH_BYTES = 12;
/** So many last bytes must be literals. */
const LAST_LITERALS = 5;
const OFFSET_MAX = 0xffff;
/** A length that needs more bytes than the four bits in the token. */
const LONG = 15;
const HASH_BITS = 14;
const HASH_FACTOR = -1640531535; // 2654435761, the golden ratio, as int32
/** After 2^6 positions without a match, every second one is tried, and so on: noise is left quickly. */
const SKIP_BITS = 6;

/** Positions of the block by the hash of the four bytes there; cleared for each block. */
const table = new Uint16Array(1 << HASH_BITS);

/** The most bytes a block of so many bytes can take. */
export function lz4BlockBound(bytes: number): number {
  return bytes + Math.floor(bytes / 255) + 16;
}

function four(source: Buffer, at: number): number {
  return (
    (source[at] as number) |
    ((source[at + 1] as number) << 8) |
    ((source[at + 2] as number) << 16) |
    ((source[at + 3] as number) << 24)
  );
}

/**
 * Compresses a block of at most 64 KiB and returns the position in `target` behind it. There must be room for
 * {@link lz4BlockBound} bytes.
 */
export function compressLz4Block(source: Buffer, start: number, end: number, target: Buffer, position: number): number {
  const lastMatch = end - LAST_MATCH_BYTES;
  const matchEndMax = end - LAST_LITERALS;
  let anchor = start;
  let out = position;
  let tried = 1 << SKIP_BITS;
  table.fill(0);
  for (let at = start + 1; at <= lastMatch;) {
    const sequence = four(source, at);
    const hash = Math.imul(sequence, HASH_FACTOR) >>> (32 - HASH_BITS);
    let from = start + (table[hash] as number);
    table[hash] = at - start;
    if (four(source, from) !== sequence || at - from > OFFSET_MAX) {
      at += tried++ >> SKIP_BITS;
      continue;
    }
    tried = 1 << SKIP_BITS;
    while (at > anchor && from > start && source[at - 1] === source[from - 1]) {
      at--;
      from--;
    }
    let matchEnd = at + MATCH_BYTES_MIN;
    for (let same = from + MATCH_BYTES_MIN; matchEnd < matchEndMax && source[matchEnd] === source[same]; same++)
      matchEnd++;
    out = putSequence(source, anchor, at, target, out, matchEnd - at - MATCH_BYTES_MIN);
    const offset = at - from;
    // The offset stands between the literals and what the length has beyond its four bits.
    out = putOffset(target, out, offset, matchEnd - at - MATCH_BYTES_MIN);
    at = matchEnd;
    anchor = matchEnd;
  }
  return putSequence(source, anchor, end, target, out, 0);
}

/** Writes a token and its literals. */
function putSequence(
  source: Buffer,
  from: number,
  to: number,
  target: Buffer,
  position: number,
  matchLength: number,
): number {
  const literals = to - from;
  target[position] = (Math.min(literals, LONG) << 4) | Math.min(matchLength, LONG);
  const out = literals < LONG ? position + 1 : putLength(target, position + 1, literals - LONG);
  copyBytes(source, from, to, target, out);
  return out + literals;
}

function putOffset(target: Buffer, position: number, offset: number, matchLength: number): number {
  target[position] = offset;
  target[position + 1] = offset >> 8;
  return matchLength < LONG ? position + 2 : putLength(target, position + 2, matchLength - LONG);
}

function putLength(target: Buffer, position: number, length: number): number {
  let out = position;
  let rest = length;
  for (; rest >= 0xff; rest -= 0xff) target[out++] = 0xff;
  target[out++] = rest;
  return out;
}

/**
 * Decompresses a block to `position` of `target`, which may hold what earlier blocks gave, and returns the position behind
 * it. Throws a plain Error when the block is damaged or does not fit.
 */
export function decompressLz4Block(
  source: Buffer,
  start: number,
  end: number,
  target: Buffer,
  position: number,
): number {
  let at = start;
  let out = position;
  while (at < end) {
    const token = source[at++] as number;
    let literals = token >> 4;
    if (literals === LONG) {
      const more = longLength(source, at, end);
      literals += more;
      at += lengthBytes(more);
    }
    if (literals > end - at) throw new Error(`${literals} literals are not there`);
    if (literals > target.length - out) throw new Error(`it has more than ${target.length} bytes`);
    copyBytes(source, at, at + literals, target, out);
    out += literals;
    at += literals;
    if (at === end) return out;
    if (end - at < 2) throw new Error('it ends in an offset');
    const offset = (source[at] as number) | ((source[at + 1] as number) << 8);
    at += 2;
    let length = (token & LONG) + MATCH_BYTES_MIN;
    if ((token & LONG) === LONG) {
      const more = longLength(source, at, end);
      length += more;
      at += lengthBytes(more);
    }
    if (offset === 0 || offset > out) throw new Error(`it copies from ${offset} bytes before ${out}`);
    if (length > target.length - out) throw new Error(`it has more than ${target.length} bytes`);
    copyMatch(target, out, offset, length);
    out += length;
  }
  return out;
}

/** What a length has beyond the token: bytes of 255 and a last one, added up. */
function longLength(source: Buffer, start: number, end: number): number {
  let length = 0;
  for (let at = start; at < end; at++) {
    const byte = source[at] as number;
    length += byte;
    if (byte !== 0xff) return length;
  }
  throw new Error('it ends in a length');
}

/** How many bytes such a length took. */
function lengthBytes(length: number): number {
  return Math.floor(length / 0xff) + 1;
}
