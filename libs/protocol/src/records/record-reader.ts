/**
 * Reads records lazily: positions first, bytes only when asked for.
 *
 * One reader walks over the batches of a buffer and over the records of each batch without making an object for any of
 * them. A compressed batch is decompressed when its first record is asked for. Every length is checked against the end of
 * its record, so hostile bytes raise a {@link ProtocolError} and nothing else.
 */
import { ProtocolError } from '../protocol-error.js';
import {
  BATCH_HEADER_BYTES,
  batchBaseOffset,
  batchBaseTimestamp,
  batchCompression,
  batchMaxTimestamp,
  batchRecordCount,
  isLogAppendTime,
  verifyBatchCrc,
  wholeBatchBytes,
} from './batch.js';
import { decompress } from './compression.js';

/** A header of a record as it was read. */
export interface DecodedHeader {
  readonly key: string;
  readonly value: Buffer | null;
}

/** A record with everything in it, as {@link decodeRecords} gives it. */
export interface DecodedRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: DecodedHeader[];
}

const EMPTY = Buffer.alloc(0);
const SMALLEST_RECORD_BYTES = 7;

/** Walks over record batches. Use: `while (reader.nextBatch()) while (reader.nextRecord()) …`. */
export class RecordReader {
  /** The buffer of the batches. */
  buffer: Buffer = EMPTY;
  /** Where the current batch begins in `buffer`; the header functions of batch.ts take it. */
  batchPosition = 0;
  /** Size of the current batch in bytes. */
  batchBytes = 0;

  /** The records of the current batch, uncompressed: what the positions below point into. */
  data: Buffer = EMPTY;
  /** Offset of the current record. */
  offset = -1;
  /** Timestamp of the current record in milliseconds; the append time where the topic says so. */
  timestamp = -1;
  keyStart = 0;
  /** Bytes of the key, -1 for null. */
  keyLength = -1;
  valueStart = 0;
  /** Bytes of the value, -1 for null. */
  valueLength = -1;
  headersStart = 0;
  /** End of the current record in `data`. */
  recordEnd = 0;

  private nextBatchPosition = 0;
  private position = 0;
  private end = 0;
  private left = 0;
  private opened = false;
  private baseOffset = 0;
  private baseTimestamp = 0;
  private appendTime = -1;

  constructor(buffer?: Buffer) {
    if (buffer !== undefined) this.reset(buffer);
  }

  /** Starts over with other batches. */
  reset(buffer: Buffer): void {
    this.buffer = buffer;
    this.batchPosition = 0;
    this.batchBytes = 0;
    this.nextBatchPosition = 0;
    this.left = 0;
    this.opened = false;
  }

  /**
   * Moves to the next batch; false when there is none or the rest is only a part of one.
   *
   * @throws ProtocolError CORRUPT_BATCH when the bytes are not a batch.
   */
  nextBatch(): boolean {
    const size = wholeBatchBytes(this.buffer, this.nextBatchPosition);
    if (size === -1) return false;
    this.batchPosition = this.nextBatchPosition;
    this.batchBytes = size;
    this.nextBatchPosition += size;
    this.opened = false;
    this.left = batchRecordCount(this.buffer, this.batchPosition);
    return true;
  }

  /** True when the checksum of the current batch is right. */
  checkCrc(): boolean {
    return verifyBatchCrc(this.buffer, this.batchPosition);
  }

  /** Moves to the next record of the current batch; false when there is none. */
  nextRecord(): boolean {
    if (!this.opened) this.open();
    if (this.left <= 0) {
      if (this.position !== this.end) throw corrupt('bytes are left after its last record');
      return false;
    }
    this.left--;
    const length = this.varint();
    const start = this.position;
    const recordEnd = start + length;
    if (length < 0 || recordEnd > this.end) throw corrupt(`a record claims ${length} bytes`);
    this.position = start + 1;
    const timestampDelta = this.varlong();
    this.offset = this.baseOffset + this.varint();
    this.timestamp = this.appendTime === -1 ? this.baseTimestamp + timestampDelta : this.appendTime;
    this.keyLength = this.varint();
    this.keyStart = this.position;
    if (this.keyLength > 0) this.position += this.keyLength;
    if (this.position > recordEnd) throw corrupt(`a key claims ${this.keyLength} bytes`);
    this.valueLength = this.varint();
    this.valueStart = this.position;
    if (this.valueLength > 0) this.position += this.valueLength;
    if (this.position > recordEnd) throw corrupt(`a value claims ${this.valueLength} bytes`);
    this.headersStart = this.position;
    this.recordEnd = recordEnd;
    this.position = recordEnd;
    return true;
  }

  private open(): void {
    const { buffer, batchPosition } = this;
    this.opened = true;
    this.baseOffset = batchBaseOffset(buffer, batchPosition);
    this.baseTimestamp = batchBaseTimestamp(buffer, batchPosition);
    this.appendTime = isLogAppendTime(buffer, batchPosition) ? batchMaxTimestamp(buffer, batchPosition) : -1;
    const compression = batchCompression(buffer, batchPosition);
    const batchEnd = batchPosition + this.batchBytes;
    if (compression === 0) {
      this.data = buffer;
      this.position = batchPosition + BATCH_HEADER_BYTES;
      this.end = batchEnd;
    } else {
      this.data = decompress(compression, buffer.subarray(batchPosition + BATCH_HEADER_BYTES, batchEnd));
      this.position = 0;
      this.end = this.data.length;
    }
    if (this.left < 0 || this.left * SMALLEST_RECORD_BYTES > this.end - this.position) {
      throw corrupt(`it claims ${this.left} records in ${this.end - this.position} bytes`);
    }
  }

  /** Bytes of the current record's key, or null. A view. */
  key(): Buffer | null {
    return this.keyLength < 0 ? null : this.data.subarray(this.keyStart, this.keyStart + this.keyLength);
  }

  /** Bytes of the current record's value, or null. A view. */
  value(): Buffer | null {
    return this.valueLength < 0 ? null : this.data.subarray(this.valueStart, this.valueStart + this.valueLength);
  }

  /** Headers of the current record, in order. */
  headers(): DecodedHeader[] {
    return decodeHeaders(this.data, this.headersStart, this.recordEnd);
  }

  private varint(): number {
    const { data } = this;
    let position = this.position;
    let byte = data[position++] as number;
    let value = byte & 0x7f;
    for (let shift = 7; byte > 0x7f; shift += 7) {
      if (shift > 28) throw corrupt('a varint is longer than 5 bytes');
      byte = data[position++] as number;
      value |= (byte & 0x7f) << shift;
    }
    if (!(position <= this.end)) throw corrupt('it ends in the middle of a record');
    this.position = position;
    return (value >>> 1) ^ -(value & 1);
  }

  private varlong(): number {
    const { data } = this;
    let position = this.position;
    let byte = data[position++] as number;
    let zigzag = byte & 0x7f;
    let factor = 0x80;
    for (let count = 1; byte > 0x7f; count++) {
      if (count > 9) throw corrupt('a varlong is longer than 10 bytes');
      byte = data[position++] as number;
      zigzag += (byte & 0x7f) * factor;
      factor *= 0x80;
    }
    if (!(position <= this.end)) throw corrupt('it ends in the middle of a record');
    this.position = position;
    if (zigzag > Number.MAX_SAFE_INTEGER) throw corrupt('a timestamp is beyond 2^53');
    return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
  }
}

function corrupt(what: string): ProtocolError {
  return new ProtocolError('CORRUPT_BATCH', `the record batch is corrupt: ${what}`);
}

/** A cursor for the rare walk over headers, checked byte by byte. */
class HeaderCursor {
  constructor(
    private readonly data: Buffer,
    private position: number,
    private readonly end: number,
  ) {}

  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (this.position >= this.end) throw corrupt('it ends in the middle of a header');
      const byte = this.data[this.position++] as number;
      value |= (byte & 0x7f) << shift;
      if (byte <= 0x7f) return (value >>> 1) ^ -(value & 1);
    }
    throw corrupt('a varint is longer than 5 bytes');
  }

  bytes(length: number): Buffer {
    if (length < 0 || length > this.end - this.position) throw corrupt(`a header claims ${length} bytes`);
    const start = this.position;
    this.position += length;
    return this.data.subarray(start, this.position);
  }
}

/**
 * Reads the headers that lie between two positions of uncompressed records.
 *
 * @throws ProtocolError CORRUPT_BATCH when they do not fit.
 */
export function decodeHeaders(data: Buffer, start: number, end: number): DecodedHeader[] {
  if (start + 1 === end && data[start] === 0) return [];
  const cursor = new HeaderCursor(data, start, end);
  const count = cursor.varint();
  if (count < 0 || count > end - start) throw corrupt(`a record claims ${count} headers`);
  const headers: DecodedHeader[] = [];
  for (let index = 0; index < count; index++) {
    const key = cursor.bytes(cursor.varint()).toString('utf8');
    const valueLength = cursor.varint();
    headers.push({ key, value: valueLength === -1 ? null : cursor.bytes(valueLength) });
  }
  return headers;
}

/** All records of all batches of a buffer, each an object of its own: for internal topics and tests, not for hot paths. */
export function decodeRecords(buffer: Buffer): DecodedRecord[] {
  const reader = new RecordReader(buffer);
  const all: DecodedRecord[] = [];
  while (reader.nextBatch()) {
    while (reader.nextRecord()) {
      const { offset, timestamp } = reader;
      all.push({ offset, timestamp, key: reader.key(), value: reader.value(), headers: reader.headers() });
    }
  }
  return all;
}
