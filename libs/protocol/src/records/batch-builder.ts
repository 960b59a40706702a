/**
 * Builds one record batch by appending records to a single growing buffer.
 *
 * A record is encoded when it is appended: nothing is kept of it but its bytes. The batch is finished once and then
 * handed out without a copy (with compression: with the one copy that compression makes).
 */
import { copyInto } from '../bytes.js';
import { misfit } from '../integers.js';
import { ProtocolError } from '../protocol-error.js';
import { SHORT_TEXT_CHARS, utf8Length, writeLongText, writeText } from '../text.js';
import { BATCH_HEADER_BYTES, writeBatchHeader } from './batch.js';
import { type CompressionName, compress, compressionType } from './compression.js';
import { varintBytes, varlongBytes, writeVarint, writeVarlong } from './varint.js';

/** A header of a record to be encoded. A null value is kept as null. */
export interface RecordHeader {
  readonly key: string;
  readonly value: Buffer | string | null;
}

/** What a finished batch carries besides its records; the defaults are those of a plain producer. */
export interface BatchFinish {
  readonly baseOffset?: number;
  readonly leaderEpoch?: number;
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly transactional?: boolean;
  readonly control?: boolean;
}

/** Most bytes a record takes besides key, value and headers: five varints of 5 bytes, a varlong of 10, attributes. */
const RECORD_OVERHEAD_BYTES_MAX = 36;
const HEADER_OVERHEAD_BYTES_MAX = 10;
const NULL_VARINT_BYTES = 1;
/** Attributes, timestamp and offset in a byte each, two lengths; a null key or value takes no more than its length. */
const BODY_BYTES_MIN = 5;
/** What those and the length of the body can take beyond a byte each. */
const BODY_SLACK_BYTES = 26;
/** The most bytes {@link BatchBuilder.appendContent} adds to the content: two varints of 5, a varlong of 10, attributes. */
export const CONTENT_OVERHEAD_BYTES_MAX = 21;
/** Up to this many bytes a loop over them is faster than a call into native code. */
const SHORT_BYTES = 12;
/** Where a varint of one byte ends, and one of two bytes. */
const ONE_BYTE_VARINT = 0x40;
const TWO_BYTE_VARINT = 0x2000;
/** The bits of a delta that takes one byte; a fraction is no such delta. */
const SMALL_DELTA = ONE_BYTE_VARINT - 1;
/** What writing gives when a text turned out not to be ASCII; no position is negative. */
const NOT_ASCII = -1;

/** UTF-8 length of a text, or length of a buffer. */
function byteLength(value: Buffer | string): number {
  if (typeof value === 'string') return utf8Length(value);
  if (!((value as unknown) instanceof Uint8Array)) throw misfit('bytes or text', value);
  return value.length;
}

/** The same, but a short text counts as ASCII until writing it shows that it is not: that saves walking over it twice. */
function presumedLength(value: Buffer | string): number {
  return typeof value === 'string' && value.length > SHORT_TEXT_CHARS ? Buffer.byteLength(value) : value.length;
}

/** Writes a value of the {@link presumedLength} and returns the position after it, or {@link NOT_ASCII}. */
function writePresumed(buffer: Buffer, position: number, value: Buffer | string, length: number): number {
  if (typeof value === 'string') return writePresumedText(buffer, position, value, length);
  if (length > SHORT_BYTES) copyInto(buffer, value, position);
  else for (let index = 0; index < length; index++) buffer[position + index] = value[index] as number;
  return position + length;
}

function writePresumedText(buffer: Buffer, position: number, text: string, length: number): number {
  if (length > SHORT_TEXT_CHARS) {
    writeLongText(buffer, position, text, length);
    return position + length;
  }
  let seen = 0;
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index);
    seen |= code;
    buffer[position + index] = code;
  }
  return seen > 0x7f ? NOT_ASCII : position + length;
}

/** Writes a value whose length is known and returns the position after it. */
function writeBytes(buffer: Buffer, position: number, value: Buffer | string, length: number): number {
  if (typeof value === 'string') writeText(buffer, position, value, length);
  else copyInto(buffer, value, position);
  return position + length;
}

/** {@link varintBytes} of a length, without the rare cases inlined. */
function lengthBytes(length: number): number {
  if (length < ONE_BYTE_VARINT) return 1;
  return length < TWO_BYTE_VARINT ? 2 : varintBytes(length);
}

/** The most bytes a record can take in a batch. */
export function recordSizeBound(
  key: Buffer | string | null,
  value: Buffer | string | null,
  headers: readonly RecordHeader[] | null,
): number {
  let bound = RECORD_OVERHEAD_BYTES_MAX;
  if (key !== null) bound += byteLength(key);
  if (value !== null) bound += byteLength(value);
  if (headers !== null) {
    for (const header of headers) {
      bound += HEADER_OVERHEAD_BYTES_MAX + byteLength(header.key);
      if (header.value !== null) bound += byteLength(header.value);
    }
  }
  return bound;
}

/** One batch under construction. */
export class BatchBuilder {
  private buffer: Buffer;
  private position = BATCH_HEADER_BYTES;
  private count = 0;
  private baseTimestamp = 0;
  private maxTimestamp = -1;
  private readonly compression: number;

  /**
   * @param options.capacityBytes what is allocated at once; a batch grows beyond it when a record needs more.
   * @param options.buffer used instead of an allocation if it has as many bytes. The finished batch is a view of it, too.
   */
  constructor(options: {
    readonly capacityBytes: number;
    readonly compression?: CompressionName;
    readonly buffer?: Buffer | undefined;
  }) {
    const capacity = Math.max(options.capacityBytes, BATCH_HEADER_BYTES);
    const { buffer } = options;
    this.buffer = buffer !== undefined && buffer.length >= capacity ? buffer : Buffer.allocUnsafeSlow(capacity);
    this.compression = compressionType(options.compression ?? 'none');
  }

  /** Records appended so far. */
  get recordCount(): number {
    return this.count;
  }

  /** Bytes so far, uncompressed and with the header. */
  get sizeBytes(): number {
    return this.position;
  }

  /**
   * Encodes one record at the end of the batch.
   *
   * @param timestamp milliseconds since the epoch.
   * @throws ProtocolError INVALID_VALUE when a header has no key, when something is neither Buffer nor string, when the
   * timestamp is no integer or too far from the first one's. The batch stays as it was.
   */
  append(
    timestamp: number,
    key: Buffer | string | null,
    value: Buffer | string | null,
    headers: readonly RecordHeader[] | null,
  ): void {
    const keyLength = key === null ? -1 : presumedLength(key);
    const valueLength = value === null ? -1 : presumedLength(value);
    const bodyMin = BODY_BYTES_MIN + keyLength + valueLength + (headers === null ? 1 : headersBytes(headers));
    // Turned round, so that a length which is no number is seen too.
    if (!(this.position + bodyMin + BODY_SLACK_BYTES <= this.buffer.length)) this.grow(bodyMin + BODY_SLACK_BYTES);
    const { buffer, position, count } = this;
    const timestampDelta = count === 0 ? 0 : timestamp - this.baseTimestamp;
    // The length of the body comes before it and is known after it: room is left for what it nearly always takes.
    const bodyStart = position + lengthBytes(bodyMin);
    let next = bodyStart;
    buffer[next++] = 0;
    // Small varints in place: this function is large enough that calls in it are not inlined any more.
    if (timestampDelta === (timestampDelta & SMALL_DELTA)) buffer[next++] = timestampDelta << 1;
    else next = writeVarlong(buffer, next, timestampDelta);
    if (count < ONE_BYTE_VARINT) buffer[next++] = count << 1;
    else next = writeVarint(buffer, next, count);
    next = writeVarint(buffer, next, keyLength);
    if (key !== null) next = writePresumed(buffer, next, key, keyLength);
    if (next !== NOT_ASCII) {
      next = writeVarint(buffer, next, valueLength);
      if (value !== null) next = writePresumed(buffer, next, value, valueLength);
    }
    if (next === NOT_ASCII) return this.appendEncoded(timestamp, key, value, headers);
    if (headers === null) buffer[next++] = 0;
    else next = writeHeaders(buffer, next, headers);
    const bodyBytes = next - bodyStart;
    if (position + lengthBytes(bodyBytes) !== bodyStart) next = this.moveBody(bodyStart, next);
    writeVarint(buffer, position, bodyBytes);
    if (count === 0) this.beginAt(timestamp);
    else if (timestamp > this.maxTimestamp) this.maxTimestamp = timestamp;
    this.position = next;
    this.count = count + 1;
  }

  /** The way of the few records whose key or value is a short text outside ASCII. */
  private appendEncoded(
    timestamp: number,
    key: Buffer | string | null,
    value: Buffer | string | null,
    headers: readonly RecordHeader[] | null,
  ): void {
    this.append(timestamp, encoded(key), encoded(value), headers);
  }

  /**
   * Appends a record whose key, value and headers are encoded already, lengths included, as {@link RecordReader} finds them
   * from `contentStart` to `recordEnd`. They are copied and not looked at.
   */
  appendContent(timestamp: number, content: Buffer): void {
    const timestampDelta = this.count === 0 ? 0 : timestamp - this.baseTimestamp;
    const bodyBytes = 1 + varlongBytes(timestampDelta) + varintBytes(this.count) + content.length;
    const needed = varintBytes(bodyBytes) + bodyBytes;
    if (this.position + needed > this.buffer.length) this.grow(needed);
    const { buffer } = this;
    let next = writeVarint(buffer, this.position, bodyBytes);
    buffer[next++] = 0;
    next = writeVarlong(buffer, next, timestampDelta);
    next = writeVarint(buffer, next, this.count);
    copyInto(buffer, content, next);
    if (this.count === 0) this.beginAt(timestamp);
    else if (timestamp > this.maxTimestamp) this.maxTimestamp = timestamp;
    this.position = next + content.length;
    this.count++;
  }

  /** Takes the timestamp of the first record, from which the others count. */
  private beginAt(timestamp: number): void {
    if (!Number.isSafeInteger(timestamp)) throw misfit('timestamp', timestamp);
    this.baseTimestamp = timestamp;
    this.maxTimestamp = timestamp;
  }

  /** Makes room for a length that takes one byte more than was left for it; returns the new end of the body. */
  private moveBody(start: number, end: number): number {
    this.buffer.copyWithin(start + 1, start, end);
    return end + 1;
  }

  private grow(bytes: number): void {
    if (!(bytes > 0))
      throw new ProtocolError('INVALID_VALUE', 'a key or value is neither a Buffer nor a string nor null');
    const larger = Buffer.allocUnsafeSlow(Math.max(this.position + bytes, this.buffer.length * 2));
    this.buffer.copy(larger, 0, 0, this.position);
    this.buffer = larger;
  }

  /** Writes the header and returns the batch. The builder must not be used afterwards. */
  finish(options: BatchFinish = {}): Buffer {
    let batch = this.buffer.subarray(0, this.position);
    if (this.compression !== 0) {
      const records = compress(this.compression, this.buffer.subarray(BATCH_HEADER_BYTES, this.position));
      batch = Buffer.allocUnsafeSlow(BATCH_HEADER_BYTES + records.length);
      records.copy(batch, BATCH_HEADER_BYTES);
    }
    writeBatchHeader(batch, 0, {
      baseOffset: options.baseOffset ?? 0,
      sizeBytes: batch.length,
      leaderEpoch: options.leaderEpoch ?? -1,
      compression: this.compression,
      transactional: options.transactional ?? false,
      control: options.control ?? false,
      lastOffsetDelta: this.count - 1,
      baseTimestamp: this.baseTimestamp,
      maxTimestamp: this.maxTimestamp,
      producerId: options.producerId ?? -1,
      producerEpoch: options.producerEpoch ?? -1,
      baseSequence: options.baseSequence ?? -1,
      recordCount: this.count,
    });
    return batch;
  }
}

function encoded(value: Buffer | string | null): Buffer | null {
  return typeof value === 'string' ? Buffer.from(value) : value;
}

function headersBytes(headers: readonly RecordHeader[]): number {
  let total = varintBytes(headers.length);
  for (const { key, value } of headers) {
    if (typeof key !== 'string') throw misfit('string (the key of a header)', key);
    const keyLength = utf8Length(key);
    total += varintBytes(keyLength) + keyLength;
    if (value === null) {
      total += NULL_VARINT_BYTES;
    } else {
      const valueLength = byteLength(value);
      total += varintBytes(valueLength) + valueLength;
    }
  }
  return total;
}

function writeHeaders(buffer: Buffer, position: number, headers: readonly RecordHeader[]): number {
  let next = writeVarint(buffer, position, headers.length);
  for (const { key, value } of headers) {
    const keyLength = byteLength(key);
    next = writeBytes(buffer, writeVarint(buffer, next, keyLength), key, keyLength);
    if (value === null) {
      next = writeVarint(buffer, next, -1);
    } else {
      const valueLength = byteLength(value);
      next = writeBytes(buffer, writeVarint(buffer, next, valueLength), value, valueLength);
    }
  }
  return next;
}
