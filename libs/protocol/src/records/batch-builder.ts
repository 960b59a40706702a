/**
 * Builds one record batch by appending records to a single growing buffer.
 *
 * A record is encoded when it is appended: nothing is kept of it but its bytes. The batch is finished once and then
 * handed out without a copy (with compression: with the one copy that compression makes).
 */
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
/** Up to this many characters a loop over the characters is faster than a call into native code. */
const SHORT_TEXT_CHARS = 48;
const NULL_VARINT_BYTES = 1;

/** UTF-8 length of a text, or of a buffer. */
function byteLength(value: Buffer | string): number {
  if (typeof value !== 'string') return value.length;
  const { length } = value;
  if (length > SHORT_TEXT_CHARS) return Buffer.byteLength(value);
  for (let index = 0; index < length; index++) {
    if (value.charCodeAt(index) > 0x7f) return Buffer.byteLength(value);
  }
  return length;
}

/** Writes a value whose UTF-8 length is known and returns the position after it. */
function writeBytes(buffer: Buffer, position: number, value: Buffer | string, length: number): number {
  if (typeof value !== 'string') {
    buffer.set(value, position);
  } else if (length === value.length && length <= SHORT_TEXT_CHARS) {
    for (let index = 0; index < length; index++) buffer[position + index] = value.charCodeAt(index);
  } else {
    buffer.write(value, position, length, 'utf8');
  }
  return position + length;
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

  /** @param options.capacityBytes what is allocated at once; a batch grows beyond it when a record needs more. */
  constructor(options: { readonly capacityBytes: number; readonly compression?: CompressionName }) {
    this.buffer = Buffer.allocUnsafeSlow(Math.max(options.capacityBytes, BATCH_HEADER_BYTES));
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
   * @throws ProtocolError INVALID_VALUE when a header has no key or the timestamp is too far from the first one's.
   */
  append(
    timestamp: number,
    key: Buffer | string | null,
    value: Buffer | string | null,
    headers: readonly RecordHeader[] | null,
  ): void {
    const first = this.count === 0;
    const timestampDelta = first ? 0 : timestamp - this.baseTimestamp;
    const keyLength = key === null ? -1 : byteLength(key);
    const valueLength = value === null ? -1 : byteLength(value);
    const bodyBytes =
      1 +
      varlongBytes(timestampDelta) +
      varintBytes(this.count) +
      (key === null ? NULL_VARINT_BYTES : varintBytes(keyLength) + keyLength) +
      (value === null ? NULL_VARINT_BYTES : varintBytes(valueLength) + valueLength) +
      (headers === null ? 1 : headersBytes(headers));
    const needed = this.position + varintBytes(bodyBytes) + bodyBytes;
    if (needed > this.buffer.length) this.grow(needed);
    const { buffer } = this;
    let next = writeVarint(buffer, this.position, bodyBytes);
    buffer[next++] = 0;
    next = writeVarlong(buffer, next, timestampDelta);
    next = writeVarint(buffer, next, this.count);
    next = writeVarint(buffer, next, keyLength);
    if (key !== null) next = writeBytes(buffer, next, key, keyLength);
    next = writeVarint(buffer, next, valueLength);
    if (value !== null) next = writeBytes(buffer, next, value, valueLength);
    this.position = headers === null ? writeVarint(buffer, next, 0) : writeHeaders(buffer, next, headers);
    if (first) this.baseTimestamp = timestamp;
    if (timestamp > this.maxTimestamp) this.maxTimestamp = timestamp;
    this.count++;
  }

  private grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.buffer.length * 2));
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

function headersBytes(headers: readonly RecordHeader[]): number {
  let total = varintBytes(headers.length);
  for (const { key, value } of headers) {
    const keyLength = byteLength(key);
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
