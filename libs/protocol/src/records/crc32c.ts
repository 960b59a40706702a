/**
 * CRC-32C (Castagnoli), the checksum of record batches.
 *
 * Slicing-by-16 in JavaScript always works; the native `@node-rs/crc32` is used for longer ranges where it is installed, as
 * soon as there were enough of them: to find and load it takes longer than many a process sends records.
 * `zlib.crc32` is of no use here: it is another polynomial.
 */
import { createRequire } from 'node:module';

const POLYNOMIAL = 0x82f63b78;
const SLICES = 16;
const BYTE_VALUES = 256;
/** Below this many bytes the call into native code costs more than it saves. */
const NATIVE_BYTES_MIN = 256;

/** Bytes of longer ranges after which the native one is worth loading. */
const NATIVE_FROM_BYTES = 64 * 1024;

type NativeCrc32c = (input: Uint8Array, seed?: number) => number;

/** Undefined until it is looked for, null when it is not there. */
let native: NativeCrc32c | null | undefined;
let bytesSeen = 0;
const tables = makeTables();

function loadNative(): NativeCrc32c | null {
  try {
    const loaded = createRequire(import.meta.url)('@node-rs/crc32') as { crc32c?: NativeCrc32c };
    return loaded.crc32c ?? null;
  } catch {
    return null; // an optional accelerator
  }
}

function makeTables(): Int32Array {
  const all = new Int32Array(SLICES * BYTE_VALUES);
  for (let byte = 0; byte < BYTE_VALUES; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    all[byte] = crc;
  }
  for (let index = BYTE_VALUES; index < all.length; index++) {
    const previous = all[index - BYTE_VALUES] as number;
    all[index] = (previous >>> 8) ^ (all[previous & 0xff] as number);
  }
  return all;
}

/**
 * The CRC-32C of a range of bytes as an unsigned 32-bit number.
 *
 * @param seed the checksum of what came before, to continue it; 0 to begin.
 */
export function crc32c(buffer: Uint8Array, start = 0, end = buffer.length, seed = 0): number {
  const length = end - start;
  if (length >= NATIVE_BYTES_MIN) {
    if (native === undefined && (bytesSeen += length) >= NATIVE_FROM_BYTES) native = loadNative();
    if (native != null) return native(buffer.subarray(start, end), seed);
  }
  return crc32cSlicing(buffer, start, end, seed);
}

/** The portable implementation behind {@link crc32c}; the same result without native code. */
export function crc32cSlicing(buffer: Uint8Array, start: number, end: number, seed: number): number {
  const t = tables;
  let crc = ~seed;
  let p = start;
  // Indexed reads of a typed array within bounds never give undefined; `| 0` and `^` keep everything in int32.
  for (const last = end - SLICES; p <= last; p += SLICES) {
    crc =
      t[3840 + ((buffer[p]! ^ crc) & 0xff)]! ^
      t[3584 + ((buffer[p + 1]! ^ (crc >>> 8)) & 0xff)]! ^
      t[3328 + ((buffer[p + 2]! ^ (crc >>> 16)) & 0xff)]! ^
      t[3072 + ((buffer[p + 3]! ^ (crc >>> 24)) & 0xff)]! ^
      t[2816 + buffer[p + 4]!]! ^
      t[2560 + buffer[p + 5]!]! ^
      t[2304 + buffer[p + 6]!]! ^
      t[2048 + buffer[p + 7]!]! ^
      t[1792 + buffer[p + 8]!]! ^
      t[1536 + buffer[p + 9]!]! ^
      t[1280 + buffer[p + 10]!]! ^
      t[1024 + buffer[p + 11]!]! ^
      t[768 + buffer[p + 12]!]! ^
      t[512 + buffer[p + 13]!]! ^
      t[256 + buffer[p + 14]!]! ^
      t[buffer[p + 15]!]!;
  }
  for (; p < end; p++) crc = (crc >>> 8) ^ t[(crc ^ buffer[p]!) & 0xff]!;
  return ~crc >>> 0;
}
