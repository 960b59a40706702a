/**
 * Makes of a batch the one that compaction leaves of it: with some of its records, or with none.
 * Guarantees: offsets, producer, sequence, epoch, compression and the kind of timestamp stay; so does the last offset.
 * A delete horizon takes the place of the base timestamp, against which timestamps are then counted (KIP-534).
 */
import {
  BATCH_HEADER_BYTES,
  BATCH_LENGTH_PREFIX_BYTES,
  batchAttributes,
  batchBaseTimestamp,
  batchCompression,
  compress,
  isLogAppendTime,
  sealBatch,
} from '@kafka-template/protocol';

const LENGTH_POSITION = 8;
const ATTRIBUTES_POSITION = 21;
const BASE_TIMESTAMP_POSITION = 27;
const MAX_TIMESTAMP_POSITION = 35;
const RECORD_COUNT_POSITION = 57;

const COMPRESSION_MASK = 0x07;
const DELETE_HORIZON_BIT = 0x40;
const NO_TIMESTAMP = -1;
const TWO_32 = 0x1_0000_0000;
/** A varint of 5 and a varlong of 10 bytes: what a record may grow by when its timestamp is counted from elsewhere. */
const RECORD_GROWTH_MAX = 15;

/** When the tombstones of a batch, or the marker in it, may go, in epoch milliseconds; null before that is decided. */
export function deleteHorizonOf(block: Buffer, at: number): number | null {
  return (batchAttributes(block, at) & DELETE_HORIZON_BIT) === 0 ? null : batchBaseTimestamp(block, at);
}

/** The records of a batch that stay, as places in its uncompressed records. */
export class KeptRecords {
  count = 0;
  bytes = 0;
  /** Largest timestamp among them. */
  maxTimestamp = NO_TIMESTAMP;
  /** One of them has no value. */
  hasTombstone = false;
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];

  add(start: number, end: number, timestamp: number, isTombstone: boolean): void {
    this.starts.push(start);
    this.ends.push(end);
    this.count++;
    this.bytes += end - start;
    this.maxTimestamp = Math.max(this.maxTimestamp, timestamp);
    if (isTombstone) this.hasTombstone = true;
  }

  /** The records one after the other, as they are. */
  copy(data: Buffer): Buffer {
    const out = Buffer.allocUnsafe(this.bytes);
    let used = 0;
    for (let index = 0; index < this.count; index++) {
      used += data.copy(out, used, this.starts[index], this.ends[index]);
    }
    return out;
  }

  /** The same with timestamps counted from a base that is `shift` milliseconds later. */
  shifted(data: Buffer, shift: number): Buffer {
    const out = Buffer.allocUnsafe(this.bytes + this.count * RECORD_GROWTH_MAX);
    let used = 0;
    for (let index = 0; index < this.count; index++) {
      used = shiftRecord(data, this.starts[index] as number, this.ends[index] as number, shift, out, used);
    }
    return out.subarray(0, used);
  }
}

/**
 * The batch at a position with some of its records. `data` are its uncompressed records; `horizonMs` is a delete horizon
 * that it has not had before, null to leave that as it is.
 */
export function rewriteBatch(
  block: Buffer,
  at: number,
  data: Buffer,
  kept: KeptRecords,
  horizonMs: number | null,
): Buffer {
  const records = horizonMs === null ? kept.copy(data) : kept.shifted(data, horizonMs - batchBaseTimestamp(block, at));
  const compression = batchCompression(block, at);
  const body = compression === 0 ? records : compress(compression, records);
  const batch = withHeader(block, at, body);
  if (horizonMs !== null) {
    batch.writeInt16BE(batchAttributes(block, at) | DELETE_HORIZON_BIT, ATTRIBUTES_POSITION);
    writeLong(batch, BASE_TIMESTAMP_POSITION, horizonMs);
  }
  // With append time it is the time of all records, whichever are left.
  if (!isLogAppendTime(block, at)) writeLong(batch, MAX_TIMESTAMP_POSITION, kept.maxTimestamp);
  batch.writeInt32BE(kept.count, RECORD_COUNT_POSITION);
  sealBatch(batch, 0);
  return batch;
}

/** The header of the batch at a position alone: it keeps the place in the log, and the sequence of its producer. */
export function emptyBatch(block: Buffer, at: number): Buffer {
  const batch = withHeader(block, at, Buffer.alloc(0));
  const attributes = batchAttributes(block, at) & ~(COMPRESSION_MASK | DELETE_HORIZON_BIT);
  batch.writeInt16BE(attributes, ATTRIBUTES_POSITION);
  writeLong(batch, BASE_TIMESTAMP_POSITION, NO_TIMESTAMP);
  batch.writeInt32BE(0, RECORD_COUNT_POSITION);
  sealBatch(batch, 0);
  return batch;
}

function withHeader(block: Buffer, at: number, body: Buffer): Buffer {
  const batch = Buffer.allocUnsafeSlow(BATCH_HEADER_BYTES + body.length);
  block.copy(batch, 0, at, at + BATCH_HEADER_BYTES);
  body.copy(batch, BATCH_HEADER_BYTES);
  batch.writeInt32BE(batch.length - BATCH_LENGTH_PREFIX_BYTES, LENGTH_POSITION);
  return batch;
}

function writeLong(buffer: Buffer, position: number, value: number): void {
  const high = Math.floor(value / TWO_32);
  buffer.writeInt32BE(high, position);
  buffer.writeUInt32BE(value - high * TWO_32, position + 4);
}

/** Record: length varint, attributes int8, timestamp delta varlong, then what does not change. */
function shiftRecord(data: Buffer, start: number, end: number, shift: number, out: Buffer, to: number): number {
  const bodyStart = skipVarint(data, start);
  const deltaStart = bodyStart + 1;
  const restStart = skipVarint(data, deltaStart);
  const delta = readVarlong(data, deltaStart) - shift;
  const restBytes = end - restStart;
  let next = writeVarlong(out, to, 1 + varlongBytes(delta) + restBytes);
  out[next++] = data[bodyStart] as number;
  next = writeVarlong(out, next, delta);
  return next + data.copy(out, next, restStart, end);
}

function skipVarint(data: Buffer, start: number): number {
  let position = start;
  while ((data[position] as number) > 0x7f) position++;
  return position + 1;
}

function readVarlong(data: Buffer, start: number): number {
  let zigzag = 0;
  let factor = 1;
  for (let position = start; ; position++) {
    const byte = data[position] as number;
    zigzag += (byte & 0x7f) * factor;
    factor *= 0x80;
    if (byte <= 0x7f) break;
  }
  return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
}

function zigzagOf(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1;
}

function varlongBytes(value: number): number {
  let bytes = 1;
  for (let rest = zigzagOf(value); rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}

function writeVarlong(out: Buffer, start: number, value: number): number {
  let position = start;
  let rest = zigzagOf(value);
  while (rest > 0x7f) {
    out[position++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  out[position++] = rest;
  return position;
}
