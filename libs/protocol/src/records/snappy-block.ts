/**
 * Blocks of raw snappy, decompressed: a length, then literals and copies of what came before.
 *
 * Guarantees an end for any input: every length is checked against both buffers, every element moves on, and the content
 * has exactly the length that the block claims. Leaves out how long a claim may be (snappy.ts) and compression.
 */
import { copyBytes, copyMatch } from './block-copy.js';

const CLAIM_BYTES_MAX = 5;
/** A literal's length up to this stands in its tag; beyond, the tag says in how many bytes it follows. */
const SHORT_LITERAL_MAX = 59;
const LITERAL = 0;
const NEAR_COPY = 1;
const NEAR_COPY_BYTES_MIN = 4;
const FAR_COPY = 3;
/** Bytes of the offset behind the tag, by the kind of element. */
const OFFSET_BYTES = [0, 1, 2, 4];

/** How many bytes a block claims to have uncompressed: the varint in front. Throws a plain Error when there is none. */
export function snappyBlockBytes(block: Buffer): number {
  let value = 0;
  for (let index = 0; index < CLAIM_BYTES_MAX; index++) {
    const byte = block[index];
    if (byte === undefined) break;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return value;
  }
  throw new Error('its length cannot be read');
}

function claimEnd(block: Buffer): number {
  let at = 0;
  while ((block[at] as number) > 0x7f) at++;
  return at + 1;
}

/** Decompresses a block. Throws a plain Error when it is damaged. Memory is made for what {@link snappyBlockBytes} says. */
export function uncompressSnappyBlock(block: Buffer): Buffer {
  const target = Buffer.allocUnsafe(snappyBlockBytes(block));
  let at = claimEnd(block);
  let out = 0;
  while (at < block.length) {
    const tag = block[at++] as number;
    const kind = tag & 0x03;
    if (kind === LITERAL) {
      let length = tag >>> 2;
      if (length > SHORT_LITERAL_MAX) {
        const bytes = length - SHORT_LITERAL_MAX;
        need(block, at, bytes);
        length = block.readUIntLE(at, bytes);
        at += bytes;
      }
      length++;
      need(block, at, length);
      room(target, out, length);
      copyBytes(block, at, at + length, target, out);
      at += length;
      out += length;
      continue;
    }
    need(block, at, OFFSET_BYTES[kind] as number);
    let offset = block[at++] as number;
    let length = (tag >>> 2) + 1;
    if (kind === NEAR_COPY) {
      offset |= (tag >>> 5) << 8;
      length = NEAR_COPY_BYTES_MIN + ((tag >>> 2) & 0x07);
    } else {
      offset |= (block[at++] as number) << 8;
      if (kind === FAR_COPY) {
        offset += block.readUInt16LE(at) * 2 ** 16;
        at += 2;
      }
    }
    if (offset === 0 || offset > out) throw new Error(`it copies from ${offset} bytes before ${out}`);
    room(target, out, length);
    copyMatch(target, out, offset, length);
    out += length;
  }
  if (out !== target.length) throw new Error(`it has ${out} bytes, not ${target.length} as it claims`);
  return target;
}

function need(block: Buffer, at: number, bytes: number): void {
  if (bytes > block.length - at) throw new Error(`${bytes} bytes of an element are not there`);
}

function room(target: Buffer, out: number, bytes: number): void {
  if (bytes > target.length - out) throw new Error(`it has more than the ${target.length} bytes it claims`);
}
