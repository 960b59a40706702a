/**
 * xxHash (32 bits) of fewer than 16 bytes with seed 0: what guards the header of an LZ4 frame.
 *
 * Leaves out the stripes of longer inputs: nothing here needs them.
 */

const PRIME_1 = -1640531535;
const PRIME_2 = -2048144777;
const PRIME_3 = -1028477379;
const PRIME_4 = 668265263;
const PRIME_5 = 374761393;

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** The hash of the bytes from `start` to `end`, at most 15, as an unsigned number. */
export function xxh32(data: Buffer, start: number, end: number): number {
  let hash = (PRIME_5 + end - start) | 0;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    hash = Math.imul(rotate((hash + Math.imul(data.readInt32LE(at), PRIME_3)) | 0, 17), PRIME_4);
  }
  for (; at < end; at++) hash = Math.imul(rotate((hash + Math.imul(data[at] as number, PRIME_5)) | 0, 11), PRIME_1);
  hash = Math.imul(hash ^ (hash >>> 15), PRIME_2);
  hash = Math.imul(hash ^ (hash >>> 13), PRIME_3);
  return (hash ^ (hash >>> 16)) >>> 0;
}
