/**
 * Compression of the records of a batch: names, numbers and the codecs behind them.
 *
 * Decompression never gives more than a stated number of bytes, so that a small batch cannot fill the memory.
 */
import { constants, gunzipSync, gzipSync } from 'node:zlib';
import { ProtocolError } from '../protocol-error.js';

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
 * @throws ProtocolError UNSUPPORTED_COMPRESSION for a codec this build does not have.
 */
export function compress(type: number, data: Buffer): Buffer {
  switch (type) {
    case 0:
      return data;
    case 1:
      return gzipSync(data);
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
  switch (type) {
    case 0:
      return data;
    case 1:
      try {
        return gunzipSync(data, { maxOutputLength: bytesMax, finishFlush: constants.Z_SYNC_FLUSH });
      } catch (error) {
        throw new ProtocolError('CORRUPT_BATCH', `gzip records cannot be read: ${(error as Error).message}`);
      }
    default:
      throw unsupported(type);
  }
}

function unsupported(type: number): ProtocolError {
  const name = COMPRESSION_NAMES[type] ?? `number ${type}`;
  return new ProtocolError('UNSUPPORTED_COMPRESSION', `there is no codec for the compression ${name}`);
}
