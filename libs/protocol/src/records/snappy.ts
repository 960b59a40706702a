/**
 * Snappy as Kafka's clients write it: raw, or in the framing of the Java library ("xerial").
 *
 * Reading accepts both. Writing uses the framing with blocks of 32 KiB, as the Java client does; every client reads it.
 */
import { createRequire } from 'node:module';

interface SnappyLibrary {
  compress(data: Buffer): Buffer;
  uncompress(data: Buffer, bytesMax: number): Buffer;
}

const snappy = createRequire(import.meta.url)('snappyjs') as SnappyLibrary;

const MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const HEADER_BYTES = 16;
const FRAMING_VERSION = 1;
const BLOCK_BYTES = 32 * 1024;
const LENGTH_BYTES = 4;

/** Compresses with the framing of the Java library. */
export function compressSnappy(data: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeInt32BE(FRAMING_VERSION, 8);
  header.writeInt32BE(FRAMING_VERSION, 12);
  const parts: Buffer[] = [header];
  for (let start = 0; start < data.length; start += BLOCK_BYTES) {
    const block = snappy.compress(data.subarray(start, start + BLOCK_BYTES));
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeInt32BE(block.length, 0);
    parts.push(length, block);
  }
  return Buffer.concat(parts);
}

/** Decompresses either form. Throws a plain Error for what is not snappy or exceeds `bytesMax`. */
export function decompressSnappy(data: Buffer, bytesMax: number): Buffer {
  const framed = data.length >= HEADER_BYTES && data.compare(MAGIC, 0, MAGIC.length, 0, MAGIC.length) === 0;
  if (!framed) return snappy.uncompress(data, bytesMax);
  const parts: Buffer[] = [];
  let left = bytesMax;
  for (let position = HEADER_BYTES; position < data.length;) {
    if (data.length - position < LENGTH_BYTES) throw new Error('a block ends in its length');
    const length = data.readInt32BE(position);
    position += LENGTH_BYTES;
    if (length <= 0 || length > data.length - position) throw new Error(`a block claims ${length} bytes`);
    const block = snappy.uncompress(data.subarray(position, position + length), left);
    parts.push(block);
    left -= block.length;
    position += length;
  }
  return Buffer.concat(parts);
}
