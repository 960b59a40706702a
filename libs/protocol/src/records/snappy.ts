/**
 * Snappy as Kafka's clients write it: raw, or in the framing of the Java library ("xerial").
 *
 * Reading accepts both. Writing uses the framing with blocks of 32 KiB, as the Java client does; every client reads it.
 * The blocks are compressed in JavaScript, or by the native package `snappy` where the application has installed it.
 */
import { createRequire } from 'node:module';
import { snappyBlockBytes, uncompressSnappyBlock } from './snappy-block.js';

/** One block of raw snappy. */
export interface SnappyLibrary {
  compress(data: Buffer): Uint8Array;
  /** The length that the block claims was checked before. */
  uncompress(data: Buffer): Uint8Array;
}

/** The package compresses only: hostile blocks make its other half run for ever. */
interface JavaScriptSnappy {
  compress(data: Buffer): Buffer;
}

interface NativeSnappy {
  compressSync(data: Buffer): Buffer;
  uncompressSync(data: Buffer): Buffer;
}

const MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const HEADER_BYTES = 16;
const FRAMING_VERSION = 1;
const BLOCK_BYTES = 32 * 1024;
const LENGTH_BYTES = 4;
/** The densest element is a copy of 64 bytes in 3; what claims to be denser is refused before memory is made for it. */
const EXPANSION_MAX = 22;

let loaded: SnappyLibrary | undefined;

/** Loaded when it is first used: most processes never meet Snappy. */
function library(): SnappyLibrary {
  loaded ??= loadLibrary();
  return loaded;
}

function loadLibrary(): SnappyLibrary {
  const load = createRequire(import.meta.url);
  try {
    const native = load('snappy') as NativeSnappy;
    return { compress: (data) => native.compressSync(data), uncompress: (data) => native.uncompressSync(data) };
  } catch {
    const snappy = load('snappyjs') as JavaScriptSnappy; // the native one is an optional accelerator
    return { compress: (data) => snappy.compress(data), uncompress: uncompressSnappyBlock };
  }
}

/** Compresses with the framing of the Java library. */
export function compressSnappy(data: Buffer, blocks: SnappyLibrary = library()): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeInt32BE(FRAMING_VERSION, 8);
  header.writeInt32BE(FRAMING_VERSION, 12);
  const parts: Uint8Array[] = [header];
  for (let start = 0; start < data.length; start += BLOCK_BYTES) {
    const block = blocks.compress(data.subarray(start, start + BLOCK_BYTES));
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeInt32BE(block.length, 0);
    parts.push(length, block);
  }
  return Buffer.concat(parts);
}

/** Decompresses either form. Throws a plain Error for what is not snappy or exceeds `bytesMax`. */
export function decompressSnappy(data: Buffer, bytesMax: number, blocks: SnappyLibrary = library()): Buffer {
  const framed = data.length >= HEADER_BYTES && data.compare(MAGIC, 0, MAGIC.length, 0, MAGIC.length) === 0;
  if (!framed) return asBuffer(uncompressBlock(data, bytesMax, blocks));
  const parts: Uint8Array[] = [];
  let left = bytesMax;
  for (let position = HEADER_BYTES; position < data.length;) {
    if (data.length - position < LENGTH_BYTES) throw new Error('a block ends in its length');
    const length = data.readInt32BE(position);
    position += LENGTH_BYTES;
    if (length <= 0 || length > data.length - position) throw new Error(`a block claims ${length} bytes`);
    const block = uncompressBlock(data.subarray(position, position + length), left, blocks);
    parts.push(block);
    left -= block.length;
    position += length;
  }
  return Buffer.concat(parts);
}

function uncompressBlock(block: Buffer, bytesMax: number, blocks: SnappyLibrary): Uint8Array {
  const claimed = snappyBlockBytes(block);
  if (claimed > bytesMax) throw new Error(`it has ${claimed} bytes, more than ${bytesMax}`);
  if (claimed > block.length * EXPANSION_MAX) throw new Error(`${block.length} bytes cannot hold ${claimed}`);
  return blocks.uncompress(block);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
