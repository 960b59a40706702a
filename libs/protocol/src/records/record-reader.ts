/**
 * Reads records lazily: positions first, bytes only when asked for.
 *
 * One reader walks over the batches of a buffer and over the records of each batch without making an object for any of
 * them. A compressed batch is decompressed when its first record is asked for. Every length is checked against the end of
 * its record, so hostile bytes raise a {@link ProtocolError} and nothing else.
 */
import { ProtocolError } from '../protocol-error.js';
import { viewOf } from '../bytes.js';
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
import { DECOMPRESSED_BYTES_MAX, decompress } from './compression.js';

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

/** What a reader takes at most. */
export interface RecordLimits {
  /**
   * The most bytes the records of one batch may decompress to; default {@link DECOMPRESSED_BYTES_MAX}. A batch beyond it
   * is refused as corrupt before it fills the memory.
   */
  readonly decompressedBytesMax?: number;
}

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
  /** Where key, value and headers begin in `data`, lengths included; they end at `recordEnd`. */
  contentStart = 0;
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

  private readonly decompressedBytesMax: number;

  /** A reader of these batches, or of none until {@link RecordReader.reset}. */
  constructor(buffer?: Buffer, limits: RecordLimits = {}) {
    this.decompressedBytesMax = limits.decompressedBytesMax ?? DECOMPRESSED_BYTES_MAX;
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

  /**
   * Moves to the next record of the current batch; false when there is none.
   *
   * @throws ProtocolError CORRUPT_BATCH when its records are not what they say; UNSUPPORTED_COMPRESSION.
   */
  nextRecord(): boolean {
    if (!this.opened) this.open();
    if (this.left <= 0) {
      if (this.position !== this.end) throw corrupt('bytes are left after its last record');
      return false;
    }
    this.left--;
    // The varints below do not check bounds: beyond the end they read zeros, and positions only grow, so the last
    // comparison sees it when one of them, a key or a value passed the end of the record.
    const length = this.varint();
    const recordEnd = this.position + length;
    if (length < 0 || recordEnd > this.end) throw corrupt(`a record claims ${length} bytes`);
    this.position++;
    const timestampDelta = this.varlong();
    this.offset = this.baseOffset + this.varint();
    this.timestamp = this.appendTime === -1 ? this.baseTimestamp + timestampDelta : this.appendTime;
    this.contentStart = this.position;
    this.keyLength = this.varint();
    this.keyStart = this.position;
    if (this.keyLength > 0) this.position += this.keyLength;
    this.valueLength = this.varint();
    this.valueStart = this.position;
    if (this.valueLength > 0) this.position += this.valueLength;
    if (this.position >= recordEnd)
      throw corrupt(`key and value claim ${this.keyLength} and ${this.valueLength} bytes`);
    this.headersStart = this.position;
    this.recordEnd = recordEnd;
    this.position = recordEnd;
    return true;
  }

  private open(): void {
    const { buffer, batchPosition } = this;
    this.opened = true;
    this.position = 0;
    this.end = 0;
    if (this.batchBytes === 0) return; // no batch was asked for
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
      const records = viewOf(buffer, batchPosition + BATCH_HEADER_BYTES, batchEnd);
      this.data = decompress(compression, records, this.decompressedBytesMax);
      this.position = 0;
      this.end = this.data.length;
    }
    if (this.left < 0 || this.left * SMALLEST_RECORD_BYTES > this.end - this.position) {
      throw corrupt(`it claims ${this.left} records in ${this.end - this.position} bytes`);
    }
  }

  /** Bytes of the current record's key, or null. A view. */
  key(): Buffer | null {
    return this.keyLength < 0 ? null : viewOf(this.data, this.keyStart, this.keyStart + this.keyLength);
  }

  /** Bytes of the current record's value, or null. A view. */
  value(): Buffer | null {
    return this.valueLength < 0 ? null : viewOf(this.data, this.valueStart, this.valueStart + this.valueLength);
  }

  /** Headers of the current record, in order. */
  headers(): DecodedHeader[] {
    return decodeHeaders(this.data, this.headersStart, this.recordEnd);
  }

  /** One or two bytes, as nearly all are; small enough to be inlined. */
  private varint(): number {
    const { data, position } = this;
    const first = data[position] as number;
    if (!(first > 0x7f)) {
      this.position = position + 1;
      return (first >>> 1) ^ -(first & 1);
    }
    const second = data[position + 1] as number;
    if (second > 0x7f) return this.longerVarint(position);
    this.position = position + 2;
    const zigzag = (first & 0x7f) | (second << 7);
    return (zigzag >>> 1) ^ -(zigzag & 1);
  }

  private longerVarint(start: number): number {
    const { data } = this;
    let position = start;
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = data[position++] as number;
      value |= (byte & 0x7f) << shift;
      if (byte > 0x7f) continue;
      this.position = position;
      return (value >>> 1) ^ -(value & 1);
    }
    throw corrupt('a varint is longer than 5 bytes');
  }

  private varlong(): number {
    const { data, position } = this;
    const first = data[position] as number;
    const second = data[position + 1] as number;
    if (first > 0x7f && second > 0x7f) return this.longerVarlong(position);
    return this.varint();
  }

  private longerVarlong(start: number): number {
    const { data } = this;
    let position = start;
    let zigzag = 0;
    let factor = 1;
    for (let count = 0; count < 10; count++) {
      const byte = data[position++] as number;
      zigzag += (byte & 0x7f) * factor;
      factor *= 0x80;
      if (byte > 0x7f) continue;
      this.position = position;
      if (zigzag > Number.MAX_SAFE_INTEGER) throw corrupt('a timestamp is beyond 2^53');
      return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
    }
    throw corrupt('a varlong is longer than 10 bytes');
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

  get left(): number {
    return this.end - this.position;
  }

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
    return viewOf(this.data, start, this.position);
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
  if (cursor.left > 0) throw corrupt(`${cursor.left} bytes are left after the headers of a record`);
  return headers;
}

/** All records of all batches of a buffer, each an object of its own: for internal topics and tests, not for hot paths. */
export function decodeRecords(buffer: Buffer, limits?: RecordLimits): DecodedRecord[] {
  const reader = new RecordReader(buffer, limits);
  const all: DecodedRecord[] = [];
  while (reader.nextBatch()) {
    while (reader.nextRecord()) {
      const { offset, timestamp } = reader;
      all.push({ offset, timestamp, key: reader.key(), value: reader.value(), headers: reader.headers() });
    }
  }
  return all;
}
