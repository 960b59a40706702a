/**
 * LZ4 in its standard frame, as Kafka uses it for batches of format 2.
 *
 * Written frames have independent blocks of 64 KiB and no checksums but the header's, which is what the Java client writes
 * and demands. Reading takes any frame without a dictionary; block and content checksums are not verified, because the
 * batch has its CRC.
 */
import { compressLz4Block, decompressLz4Block, lz4BlockBound } from './lz4-block.js';
import { xxh32 } from './xxh32.js';

const MAGIC = 0x184d2204;
const VERSION = 0x40;
const VERSION_MASK = 0xc0;
const INDEPENDENT = 0x20;
const BLOCK_CHECKSUM = 0x10;
const CONTENT_SIZE = 0x08;
const DICTIONARY = 0x01;
const STORED = 0x8000_0000;
const CHECKSUM_BYTES = 4;
const LENGTH_BYTES = 4;
const HEADER_BYTES = 7;
const BLOCK_64_KIB = 4;
const BLOCK_BYTES = 64 * 1024;

function descriptorChecksum(data: Buffer, start: number, end: number): number {
  return (xxh32(data, start, end) >>> 8) & 0xff;
}

/** Compresses to one frame. */
export function compressLz4(data: Buffer): Buffer {
  const blocks = Math.ceil(data.length / BLOCK_BYTES);
  const frame = Buffer.allocUnsafe(HEADER_BYTES + blocks * (LENGTH_BYTES + lz4BlockBound(BLOCK_BYTES)) + LENGTH_BYTES);
  frame.writeUInt32LE(MAGIC, 0);
  frame[4] = VERSION | INDEPENDENT;
  frame[5] = BLOCK_64_KIB << 4;
  frame[6] = descriptorChecksum(frame, 4, 6);
  let position = HEADER_BYTES;
  for (let start = 0; start < data.length; start += BLOCK_BYTES) {
    const end = Math.min(start + BLOCK_BYTES, data.length);
    const blockStart = position + LENGTH_BYTES;
    const blockEnd = compressLz4Block(data, start, end, frame, blockStart);
    if (blockEnd - blockStart < end - start) {
      frame.writeUInt32LE(blockEnd - blockStart, position);
      position = blockEnd;
    } else {
      frame.writeUInt32LE((end - start + STORED) >>> 0, position);
      data.copy(frame, blockStart, start, end);
      position = blockStart + end - start;
    }
  }
  frame.writeUInt32LE(0, position);
  return frame.subarray(0, position + LENGTH_BYTES);
}

interface FrameHeader {
  readonly blockBytesMax: number;
  readonly blockChecksum: boolean;
  readonly dataStart: number;
}

function readHeader(data: Buffer): FrameHeader {
  if (data.length < HEADER_BYTES || data.readUInt32LE(0) !== MAGIC) throw new Error('it has no LZ4 frame header');
  const flags = data[4] as number;
  if ((flags & VERSION_MASK) !== VERSION) throw new Error('its frame version is not known');
  if ((flags & DICTIONARY) !== 0) throw new Error('it needs a dictionary');
  const blockSize = ((data[5] as number) >> 4) & 0x07;
  if (blockSize < BLOCK_64_KIB) throw new Error(`its block size ${blockSize} is not known`);
  const descriptorEnd = 6 + ((flags & CONTENT_SIZE) === 0 ? 0 : 8);
  if (data.length <= descriptorEnd) throw new Error('it ends in its header');
  if (data[descriptorEnd] !== descriptorChecksum(data, 4, descriptorEnd)) throw new Error('its header is damaged');
  return {
    blockBytesMax: 1 << (8 + 2 * blockSize),
    blockChecksum: (flags & BLOCK_CHECKSUM) !== 0,
    dataStart: descriptorEnd + 1,
  };
}

/** Decompresses one frame. Throws a plain Error for what is not LZ4 or exceeds `bytesMax`. */
export function decompressLz4(data: Buffer, bytesMax: number): Buffer {
  const { blockBytesMax, blockChecksum, dataStart } = readHeader(data);
  let target = Buffer.allocUnsafe(Math.min(bytesMax, Math.max(BLOCK_BYTES, data.length * 4)));
  let written = 0;
  for (let position = dataStart; ;) {
    if (data.length - position < 4) throw new Error('it ends in the length of a block');
    const word = data.readUInt32LE(position);
    position += 4;
    if (word === 0) return target.subarray(0, written);
    const stored = word >= STORED;
    const size = stored ? word - STORED : word;
    if (size > data.length - position || size > blockBytesMax) throw new Error(`a block claims ${size} bytes`);
    const room = written + (stored ? size : blockBytesMax);
    if (room > target.length) {
      const larger = Buffer.allocUnsafe(Math.min(bytesMax, Math.max(room, target.length * 2)));
      target.copy(larger, 0, 0, written);
      target = larger;
    }
    if (!stored) written = decompressLz4Block(data, position, position + size, target, written);
    else if (size > target.length - written) throw new Error(`it has more than ${target.length} bytes`);
    else written += data.copy(target, written, position, position + size);
    position += size + (blockChecksum ? CHECKSUM_BYTES : 0);
  }
}
