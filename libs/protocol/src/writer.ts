/**
 * A growing output for Kafka's primitive types, big-endian.
 *
 * Small values go into one buffer that doubles when it is full. Large byte strings are not copied: they become chunks of
 * their own between two pieces of the buffer, so that record batches travel from the log to the socket untouched. A value
 * that its type cannot hold raises a {@link ProtocolError}.
 */
import { copyInto, viewOf } from './bytes.js';
import { misfit, putInt16, putInt32, putLong } from './integers.js';
import { ProtocolError } from './protocol-error.js';
import { utf8Length, writeText } from './text.js';

/** From this size on a byte string is passed on as a chunk of its own instead of being copied. */
const CHUNK_BYTES_MIN = 2048;
const INITIAL_BYTES = 1024;
/** The largest buffer that is kept for the next message. */
const SPARE_BYTES_MAX = 64 * 1024;
const STRING_BYTES_MAX = 32767;
const NOTHING = Buffer.alloc(0);

/**
 * A buffer that the last writer left: messages are put together in memory that is warm and large enough, and what is
 * handed out is a copy of exactly their size.
 */
let spare: Buffer | null = null;

/** Writes Kafka's primitive types; {@link Writer.finish} gives the chunks in order. */
export class Writer {
  /** What was written so far, without the large values. For generated code, together with {@link Writer.reserve}. */
  buffer: Buffer;
  private position = 0;
  private largeValues: Buffer[] | null = null;
  /** For each large value the position in the buffer at which it belongs. */
  private largePositions: number[] | null = null;
  private largeBytes = 0;

  /** @param initialBytes what to allocate at once, for a test of the edges; absent: a buffer kept from before. */
  constructor(initialBytes?: number) {
    if (initialBytes !== undefined) this.buffer = Buffer.allocUnsafeSlow(initialBytes);
    else if (spare === null) this.buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
    else {
      this.buffer = spare;
      spare = null;
    }
  }

  /** Bytes written so far, in all chunks. */
  get size(): number {
    return this.position + this.largeBytes;
  }

  /** Makes room for so many bytes in {@link Writer.buffer}, which it may replace, and returns where they go. */
  reserve(count: number): number {
    const start = this.position;
    if (start + count > this.buffer.length) this.grow(count);
    this.position = start + count;
    return start;
  }

  private grow(count: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.position + count));
    this.buffer.copy(larger, 0, 0, this.position);
    this.buffer = larger;
  }

  bool(value: boolean): void {
    // The position first, here and below: reserving may replace the buffer.
    const start = this.reserve(1);
    this.buffer[start] = value ? 1 : 0;
  }

  int8(value: number): void {
    if (value !== (value << 24) >> 24) throw misfit('int8', value);
    const start = this.reserve(1);
    this.buffer[start] = value;
  }

  int16(value: number): void {
    const start = this.reserve(2);
    putInt16(this.buffer, start, value);
  }

  uint16(value: number): void {
    if (value !== (value & 0xffff)) throw misfit('uint16', value);
    const start = this.reserve(2);
    putInt16(this.buffer, start, (value << 16) >> 16);
  }

  int32(value: number): void {
    const start = this.reserve(4);
    putInt32(this.buffer, start, value);
  }

  uint32(value: number): void {
    if (value !== value >>> 0) throw misfit('uint32', value);
    const start = this.reserve(4);
    putInt32(this.buffer, start, value | 0);
  }

  int64(value: bigint): void {
    if (BigInt.asIntN(64, value) !== value) throw misfit('int64', value);
    const start = this.reserve(8);
    this.buffer.writeBigInt64BE(value, start);
  }

  /** A safe integer as int64. */
  long(value: number): void {
    const start = this.reserve(8);
    putLong(this.buffer, start, value);
  }

  float64(value: number): void {
    const start = this.reserve(8);
    this.buffer.writeDoubleBE(value, start);
  }

  uvarint(value: number): void {
    if (value >= 0 && value < 0x80) {
      const start = this.reserve(1);
      this.buffer[start] = value;
    } else this.longerUvarint(value);
  }

  private longerUvarint(value: number): void {
    if (value !== value >>> 0) throw misfit('uvarint', value);
    let rest = value;
    while (rest >= 0x80) {
      const start = this.reserve(1);
      this.buffer[start] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    const start = this.reserve(1);
    this.buffer[start] = rest;
  }

  uuid(value: string): void {
    const start = this.reserve(16);
    if (value.length !== 22 || this.buffer.write(value, start, 16, 'base64url') !== 16) {
      throw new ProtocolError('INVALID_VALUE', `'${value}' is not a uuid of 22 base64url characters`);
    }
  }

  nullableString(value: string | null): void {
    if (value === null) this.int16(-1);
    else this.string(value);
  }

  string(value: string): void {
    const length = utf8Length(value);
    if (!(length <= STRING_BYTES_MAX)) throw unfitText(value, length);
    const start = this.reserve(2 + length);
    putInt16(this.buffer, start, length);
    writeText(this.buffer, start + 2, value, length);
  }

  compactNullableString(value: string | null): void {
    if (value === null) this.uvarint(0);
    else this.compactString(value);
  }

  compactString(value: string): void {
    const length = utf8Length(value);
    if (!(length <= STRING_BYTES_MAX)) throw unfitText(value, length);
    this.uvarint(length + 1);
    const start = this.reserve(length);
    writeText(this.buffer, start, value, length);
  }

  nullableBytes(value: Buffer | null): void {
    if (value === null) this.int32(-1);
    else this.bytes(value);
  }

  bytes(value: Buffer): void {
    this.int32(value.length);
    this.raw(value);
  }

  compactNullableBytes(value: Buffer | null): void {
    if (value === null) this.uvarint(0);
    else this.compactBytes(value);
  }

  compactBytes(value: Buffer): void {
    this.uvarint(value.length + 1);
    this.raw(value);
  }

  /** Records with an int32 length; -1 is null. */
  records(value: Buffer | readonly Buffer[] | null): void {
    this.int32(value === null ? -1 : byteCount(value));
    if (value !== null) this.rawAll(value);
  }

  /** Records with a compact length; 0 is null. */
  compactRecords(value: Buffer | readonly Buffer[] | null): void {
    this.uvarint(value === null ? 0 : byteCount(value) + 1);
    if (value !== null) this.rawAll(value);
  }

  private rawAll(value: Buffer | readonly Buffer[]): void {
    if (value instanceof Uint8Array) this.raw(value);
    else for (const part of value) this.raw(part);
  }

  /** Bytes as they are; from {@link CHUNK_BYTES_MIN} on without a copy. */
  raw(value: Buffer): void {
    if (value.length < CHUNK_BYTES_MIN) {
      const start = this.reserve(value.length);
      copyInto(this.buffer, value, start);
      return;
    }
    (this.largeValues ??= []).push(value);
    (this.largePositions ??= []).push(this.position);
    this.largeBytes += value.length;
  }

  /** Count of an array; -1 is null. */
  arrayCount(count: number): void {
    this.int32(count);
  }

  compactCount(count: number): void {
    this.uvarint(count + 1);
  }

  /** Presence byte of a nullable struct. */
  present(value: boolean): void {
    this.int8(value ? 1 : -1);
  }

  /** Presence of a nullable struct inside a tagged field: 0 where {@link Writer.present} has -1. */
  taggedPresent(value: boolean): void {
    this.uvarint(value ? 1 : 0);
  }

  /** A tagged field whose content was written to a writer of its own, because its size comes first. */
  tagged(tag: number, content: Writer): void {
    this.uvarint(tag);
    this.uvarint(content.size);
    for (const chunk of content.finish()) this.raw(chunk);
  }

  /** What was written, in order. The writer must not be used afterwards. */
  finish(): Buffer[] {
    const bytes = this.takeBytes();
    const { largeValues, largePositions } = this;
    if (largeValues === null || largePositions === null) return [bytes];
    const chunks: Buffer[] = [];
    let start = 0;
    largeValues.forEach((value, index) => {
      const end = largePositions[index] as number;
      if (end > start) chunks.push(viewOf(bytes, start, end));
      chunks.push(value);
      start = end;
    });
    if (start < bytes.length) chunks.push(viewOf(bytes, start, bytes.length));
    return chunks;
  }

  /** The bytes of the buffer, out of reach of the next writer. */
  private takeBytes(): Buffer {
    const { buffer, position } = this;
    this.buffer = NOTHING;
    if (buffer.length > SPARE_BYTES_MAX) return viewOf(buffer, 0, position);
    const bytes = Buffer.allocUnsafe(position);
    buffer.copy(bytes, 0, 0, position);
    if (spare === null || spare.length < buffer.length) spare = buffer;
    return bytes;
  }

  /** What was written, as one buffer. */
  toBuffer(): Buffer {
    const chunks = this.finish();
    return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
  }
}

function byteCount(value: Buffer | readonly Buffer[]): number {
  if (value instanceof Uint8Array) return value.length;
  let total = 0;
  for (const part of value) total += part.length;
  return total;
}

function unfitText(value: unknown, length: number): ProtocolError {
  if (typeof value !== 'string') return misfit('string', value);
  return new ProtocolError(
    'INVALID_LENGTH',
    `a string of ${length} bytes does not fit; ${STRING_BYTES_MAX} is the most`,
  );
}
