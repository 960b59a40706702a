/**
 * A growing output for Kafka's primitive types, big-endian.
 *
 * Small values go into one buffer that doubles when it is full. Large byte strings are not copied: they become chunks of
 * their own between two pieces of the buffer, so that record batches travel from the log to the socket untouched.
 */
import { ProtocolError } from './protocol-error.js';

/** From this size on a byte string is passed on as a chunk of its own instead of being copied. */
const CHUNK_BYTES_MIN = 2048;
const INITIAL_BYTES = 256;
const STRING_BYTES_MAX = 32767;
const TWO_32 = 0x1_0000_0000;

/** Writes Kafka's primitive types; {@link Writer.finish} gives the chunks in order. */
export class Writer {
  private buffer: Buffer;
  private position = 0;
  private segmentStart = 0;
  private chunks: Buffer[] | null = null;
  private chunkBytes = 0;

  constructor(initialBytes = INITIAL_BYTES) {
    this.buffer = Buffer.allocUnsafe(initialBytes);
  }

  /** Bytes written so far, in all chunks. */
  get size(): number {
    return this.chunkBytes + this.position - this.segmentStart;
  }

  private reserve(count: number): number {
    const start = this.position;
    if (start + count > this.buffer.length) return this.grow(count);
    this.position = start + count;
    return start;
  }

  private grow(count: number): number {
    const used = this.position - this.segmentStart;
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, used + count + INITIAL_BYTES));
    this.buffer.copy(larger, 0, this.segmentStart, this.position);
    this.buffer = larger;
    this.segmentStart = 0;
    this.position = used + count;
    return used;
  }

  bool(value: boolean): void {
    // The position first: reserving may replace the buffer.
    const start = this.reserve(1);
    this.buffer[start] = value ? 1 : 0;
  }

  int8(value: number): void {
    const start = this.reserve(1);
    this.buffer.writeInt8(value, start);
  }

  int16(value: number): void {
    const start = this.reserve(2);
    this.buffer.writeInt16BE(value, start);
  }

  uint16(value: number): void {
    const start = this.reserve(2);
    this.buffer.writeUInt16BE(value, start);
  }

  int32(value: number): void {
    const start = this.reserve(4);
    this.buffer.writeInt32BE(value, start);
  }

  uint32(value: number): void {
    const start = this.reserve(4);
    this.buffer.writeUInt32BE(value, start);
  }

  int64(value: bigint): void {
    const start = this.reserve(8);
    this.buffer.writeBigInt64BE(value, start);
  }

  /** A safe integer as int64. */
  long(value: number): void {
    if (!Number.isSafeInteger(value)) throw new ProtocolError('INVALID_VALUE', `${value} is not a safe integer`);
    const start = this.reserve(8);
    const high = Math.floor(value / TWO_32);
    this.buffer.writeInt32BE(high, start);
    this.buffer.writeUInt32BE(value - high * TWO_32, start + 4);
  }

  float64(value: number): void {
    const start = this.reserve(8);
    this.buffer.writeDoubleBE(value, start);
  }

  uvarint(value: number): void {
    let rest = value >>> 0;
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
    const length = Buffer.byteLength(value);
    if (length > STRING_BYTES_MAX) throw tooLong(length);
    const start = this.reserve(2 + length);
    this.buffer.writeInt16BE(length, start);
    if (length > 0) this.buffer.write(value, start + 2, length, 'utf8');
  }

  compactNullableString(value: string | null): void {
    if (value === null) this.uvarint(0);
    else this.compactString(value);
  }

  compactString(value: string): void {
    const length = Buffer.byteLength(value);
    if (length > STRING_BYTES_MAX) throw tooLong(length);
    this.uvarint(length + 1);
    const start = this.reserve(length);
    if (length > 0) this.buffer.write(value, start, length, 'utf8');
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
    if (Buffer.isBuffer(value)) this.raw(value);
    else for (const part of value) this.raw(part);
  }

  /** Bytes as they are; from {@link CHUNK_BYTES_MIN} on without a copy. */
  raw(value: Buffer): void {
    if (value.length < CHUNK_BYTES_MIN) {
      const start = this.reserve(value.length);
      value.copy(this.buffer, start);
      return;
    }
    this.chunks ??= [];
    if (this.position > this.segmentStart) this.chunks.push(this.buffer.subarray(this.segmentStart, this.position));
    this.chunks.push(value);
    this.chunkBytes += this.position - this.segmentStart + value.length;
    this.segmentStart = this.position;
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
    const rest = this.buffer.subarray(this.segmentStart, this.position);
    if (this.chunks === null) return [rest];
    if (rest.length > 0) this.chunks.push(rest);
    return this.chunks;
  }

  /** What was written, as one buffer. */
  toBuffer(): Buffer {
    const chunks = this.finish();
    return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
  }
}

function byteCount(value: Buffer | readonly Buffer[]): number {
  if (Buffer.isBuffer(value)) return value.length;
  let total = 0;
  for (const part of value) total += part.length;
  return total;
}

function tooLong(length: number): ProtocolError {
  return new ProtocolError(
    'INVALID_LENGTH',
    `a string of ${length} bytes does not fit; ${STRING_BYTES_MAX} is the most`,
  );
}
