/**
 * Compression of the records of a batch: names, numbers and the codecs behind them.
 *
 * Decompression never gives more than a stated number of bytes, so that a small batch cannot fill the memory.
 */
import { kMaxLength } from 'node:buffer';
import { gunzipSync, gzipSync } from 'node:zlib';
import { ProtocolError } from '../protocol-error.js';
import { compressLz4, decompressLz4 } from './lz4.js';
import { compressSnappy, decompressSnappy } from './snappy.js';
import { compressZstd, decompressZstd } from './zstd.js';

/** Kafka's names of the codecs, in the order of their numbers. */
export const COMPRESSION_NAMES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

/** How the records of a batch are compressed. */
export type CompressionName = (typeof COMPRESSION_NAMES)[number];

/** The most bytes one batch may decompress to. */
export const DECOMPRESSED_BYTES_MAX = 256 * 1024 * 1024;

/** The number of a codec in the attributes of a batch. */
export function compressionType(name: CompressionName): number {
  return COMPRESSION_NAMES.indexOf(name);
}

/**
 * Compresses the records of a batch.
 *
 * @throws ProtocolError UNSUPPORTED_COMPRESSION for a number that is no codec.
 */
export function compress(type: number, data: Buffer): Buffer {
  switch (type) {
    case 0:
      return data;
    case 1:
      return gzipSync(data);
    case 2:
      return compressSnappy(data);
    case 3:
      return compressLz4(data);
    case 4:
      return compressZstd(data);
    default:
      throw unsupported(type);
  }
}

/**
 * Decompresses the records of a batch.
 *
 * @throws ProtocolError CORRUPT_BATCH for data that is not what it says or exceeds `bytesMax`, UNSUPPORTED_COMPRESSION.
 */
export function decompress(type: number, data: Buffer, bytesMax = DECOMPRESSED_BYTES_MAX): Buffer {
  if (type === 0) return data;
  try {
    return trimmed(decompressWith(type, data, Math.max(1, Math.min(bytesMax, kMaxLength))));
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    const name = COMPRESSION_NAMES[type] ?? type;
    throw new ProtocolError('CORRUPT_BATCH', `the ${name} records of a batch cannot be read: ${String(error)}`);
  }
}

/** A copy where the content fills less than half of its memory, all of which whoever keeps one value would hold else. */
function trimmed(content: Buffer): Buffer {
  const held = content.buffer.byteLength;
  return held > Buffer.poolSize && held > 2 * content.length ? Buffer.from(content) : content;
}

function decompressWith(type: number, data: Buffer, bytesMax: number): Buffer {
  switch (type) {
    case 1:
      return gunzipSync(data, { maxOutputLength: bytesMax });
    case 2:
      return decompressSnappy(data, bytesMax);
    case 3:
      return decompressLz4(data, bytesMax);
    case 4:
      return decompressZstd(data, bytesMax);
    default:
      throw unsupported(type);
  }
}

function unsupported(type: number): ProtocolError {
  return new ProtocolError('UNSUPPORTED_COMPRESSION', `there is no codec with the number ${type}; 0 to 4 exist`);
}
