/**
 * What zstd frames claim about themselves, read without decompressing them.
 *
 * Decoders make memory for what a header claims before they see a byte of content. This refuses claims that cannot be
 * honoured first: a content beyond the limit or beyond what the blocks behind can hold, a window beyond what zstd accepts.
 */

const MAGIC = 0xfd2fb528;
/** Sixteen magic numbers mark frames to be skipped. */
const SKIPPABLE_MAGIC = 0x184d2a50;
const SKIPPABLE_MASK = 0xfffffff0;
const MAGIC_BYTES = 4;
const CHECKSUM_BYTES = 4;
const BLOCK_HEADER_BYTES = 3;
const COMPRESSED_BLOCK = 2;
const RLE_BLOCK = 1;
/** The most bytes a compressed block may have uncompressed. */
const BLOCK_BYTES_MAX = 128 * 1024;
/** The largest window that zstd takes unless told otherwise (`ZSTD_WINDOWLOG_LIMIT_DEFAULT` 27). */
const WINDOW_BYTES_MAX = 2 ** 27;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4];
const CONTENT_SIZE_BYTES = [0, 2, 4, 8];
const TWO_BYTE_SIZE_OFFSET = 256;

/** A frame with content. */
export interface ZstdFrame {
  readonly bytes: Buffer;
  /** The most bytes it can have uncompressed: what it claims, or else what its blocks can hold. */
  readonly contentBytesMax: number;
}

/**
 * The frames with content, each by itself; frames to be skipped are left out, because Node's own decoder stops at them.
 * Throws a plain Error when a frame claims more than `bytesMax` bytes or a window too large, or has no whole header.
 */
export function zstdFrames(data: Buffer, bytesMax: number): ZstdFrame[] {
  const frames: ZstdFrame[] = [];
  let claimed = 0;
  for (let position = 0; position < data.length;) {
    const start = position;
    need(data, position, MAGIC_BYTES + 1);
    const magic = data.readUInt32LE(position);
    position += MAGIC_BYTES;
    if ((magic & SKIPPABLE_MASK) >>> 0 === SKIPPABLE_MAGIC) {
      need(data, position, 4);
      position += 4 + data.readUInt32LE(position);
      continue;
    }
    if (magic !== MAGIC) throw new Error('it has no zstd frame header');
    const frame = readFrameHeader(data, position);
    claimed += frame.contentBytes ?? 0;
    if (claimed > bytesMax) throw new Error(`it claims ${claimed} bytes, more than ${bytesMax}`);
    const blocks = readBlocks(data, frame.end);
    const contentBytesMax = frame.contentBytes ?? blocks.contentBytesMax;
    if (contentBytesMax > blocks.contentBytesMax) {
      throw new Error(`it claims ${contentBytesMax} bytes, its blocks hold ${blocks.contentBytesMax} at most`);
    }
    position = blocks.end + (frame.checksum ? CHECKSUM_BYTES : 0);
    frames.push({ bytes: data.subarray(start, position), contentBytesMax });
  }
  return frames;
}

interface FrameHeader {
  /** Null when the frame does not say it. */
  readonly contentBytes: number | null;
  readonly checksum: boolean;
  readonly end: number;
}

function readFrameHeader(data: Buffer, start: number): FrameHeader {
  const descriptor = data[start] as number;
  const singleSegment = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >> 6;
  const sizeBytes = sizeFlag === 0 && singleSegment ? 1 : (CONTENT_SIZE_BYTES[sizeFlag] as number);
  const windowBytes = singleSegment ? 0 : 1;
  const sizeStart = start + 1 + windowBytes + (DICTIONARY_ID_BYTES[descriptor & 0x03] as number);
  need(data, start, sizeStart + sizeBytes - start);
  if (!singleSegment) checkWindow(data[start + 1] as number);
  return {
    contentBytes: readSize(data, sizeStart, sizeBytes),
    checksum: (descriptor & 0x04) !== 0,
    end: sizeStart + sizeBytes,
  };
}

function checkWindow(code: number): void {
  const base = 2 ** (10 + (code >> 3));
  const bytes = base + (base / 8) * (code & 0x07);
  if (bytes > WINDOW_BYTES_MAX) throw new Error(`it needs a window of ${bytes} bytes, more than ${WINDOW_BYTES_MAX}`);
}

function readSize(data: Buffer, position: number, bytes: number): number | null {
  if (bytes === 0) return null;
  if (bytes === 8) return Number(data.readBigUInt64LE(position));
  const size = data.readUIntLE(position, bytes);
  return bytes === 2 ? size + TWO_BYTE_SIZE_OFFSET : size;
}

/** The position behind the last block of a frame, and the most bytes that its blocks can hold. */
function readBlocks(data: Buffer, start: number): { contentBytesMax: number; end: number } {
  let contentBytesMax = 0;
  for (let position = start; ;) {
    need(data, position, BLOCK_HEADER_BYTES);
    const header = data.readUIntLE(position, BLOCK_HEADER_BYTES);
    const type = (header >> 1) & 0x03;
    const size = header >> 3;
    contentBytesMax += type === COMPRESSED_BLOCK ? BLOCK_BYTES_MAX : size;
    position += BLOCK_HEADER_BYTES + (type === RLE_BLOCK ? 1 : size);
    if ((header & 1) !== 0) return { contentBytesMax, end: position };
  }
}

function need(data: Buffer, position: number, bytes: number): void {
  if (bytes > data.length - position) throw new Error('it ends in a header');
}
