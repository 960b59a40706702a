/**
 * Record batch v2: the 61-byte header as functions of (buffer, position).
 *
 * No object is made: a broker looks at a batch, checks its CRC, gives it offsets and passes it on without ever unpacking a
 * record. The functions do not check bounds; call {@link wholeBatchBytes} first for bytes from outside.
 */
import { ProtocolError } from '../protocol-error.js';
import { crc32c } from './crc32c.js';

/** Bytes of the header of a batch. */
export const BATCH_HEADER_BYTES = 61;
/** Bytes before and including the length field, which counts what comes after it. */
export const BATCH_LENGTH_PREFIX_BYTES = 12;
/** The only batch format of Kafka 4. */
export const BATCH_MAGIC = 2;

const LENGTH = 8;
const LEADER_EPOCH = 12;
const MAGIC = 16;
const CRC = 17;
const ATTRIBUTES = 21;
const LAST_OFFSET_DELTA = 23;
const BASE_TIMESTAMP = 27;
const MAX_TIMESTAMP = 35;
const PRODUCER_ID = 43;
const PRODUCER_EPOCH = 51;
const BASE_SEQUENCE = 53;
const RECORD_COUNT = 57;

const COMPRESSION_MASK = 0x07;
const TIMESTAMP_TYPE_BIT = 0x08;
const TRANSACTIONAL_BIT = 0x10;
const CONTROL_BIT = 0x20;
const TWO_32 = 0x1_0000_0000;

function readLong(buffer: Buffer, position: number): number {
  return buffer.readInt32BE(position) * TWO_32 + buffer.readUInt32BE(position + 4);
}

function writeLong(buffer: Buffer, position: number, value: number): void {
  const high = Math.floor(value / TWO_32);
  buffer.writeInt32BE(high, position);
  buffer.writeUInt32BE(value - high * TWO_32, position + 4);
}

/**
 * The size of the batch at a position if it is there whole, or -1 if the buffer ends before it does.
 *
 * @throws ProtocolError CORRUPT_BATCH when its length or its format cannot be.
 */
export function wholeBatchBytes(buffer: Buffer, position: number, end = buffer.length): number {
  if (end - position < BATCH_HEADER_BYTES) return -1;
  const size = batchSizeBytes(buffer, position);
  if (size < BATCH_HEADER_BYTES) {
    throw new ProtocolError('CORRUPT_BATCH', `the batch at position ${position} has the length ${size}`);
  }
  const magic = batchMagic(buffer, position);
  if (magic !== BATCH_MAGIC) {
    throw new ProtocolError(
      'CORRUPT_BATCH',
      `the batch at position ${position} has format ${magic}; only format ${BATCH_MAGIC} (Kafka 0.11 and later) is read`,
    );
  }
  return size <= end - position ? size : -1;
}

/** Offset of the first record. */
export function batchBaseOffset(buffer: Buffer, position = 0): number {
  return readLong(buffer, position);
}

/** Size of the whole batch in bytes, header and length field included. */
export function batchSizeBytes(buffer: Buffer, position = 0): number {
  return BATCH_LENGTH_PREFIX_BYTES + buffer.readInt32BE(position + LENGTH);
}

/** Epoch of the leader that appended the batch. */
export function batchLeaderEpoch(buffer: Buffer, position = 0): number {
  return buffer.readInt32BE(position + LEADER_EPOCH);
}

/** Format of the batch. */
export function batchMagic(buffer: Buffer, position = 0): number {
  return buffer.readInt8(position + MAGIC);
}

/** The stored CRC-32C, unsigned. */
export function batchCrc(buffer: Buffer, position = 0): number {
  return buffer.readUInt32BE(position + CRC);
}

/** The attribute bits. */
export function batchAttributes(buffer: Buffer, position = 0): number {
  return buffer.readInt16BE(position + ATTRIBUTES);
}

/** Last offset minus base offset. */
export function batchLastOffsetDelta(buffer: Buffer, position = 0): number {
  return buffer.readInt32BE(position + LAST_OFFSET_DELTA);
}

/** Offset of the last record (which compaction may have removed). */
export function batchLastOffset(buffer: Buffer, position = 0): number {
  return batchBaseOffset(buffer, position) + batchLastOffsetDelta(buffer, position);
}

/** Timestamp from which the records' deltas count, in milliseconds. */
export function batchBaseTimestamp(buffer: Buffer, position = 0): number {
  return readLong(buffer, position + BASE_TIMESTAMP);
}

/** Largest timestamp of the records in milliseconds, or the append time. */
export function batchMaxTimestamp(buffer: Buffer, position = 0): number {
  return readLong(buffer, position + MAX_TIMESTAMP);
}

/** Producer id, or -1. */
export function batchProducerId(buffer: Buffer, position = 0): number {
  return readLong(buffer, position + PRODUCER_ID);
}

/** Producer epoch, or -1. */
export function batchProducerEpoch(buffer: Buffer, position = 0): number {
  return buffer.readInt16BE(position + PRODUCER_EPOCH);
}

/** Sequence number of the first record, or -1. */
export function batchBaseSequence(buffer: Buffer, position = 0): number {
  return buffer.readInt32BE(position + BASE_SEQUENCE);
}

/** Number of records in the batch. */
export function batchRecordCount(buffer: Buffer, position = 0): number {
  return buffer.readInt32BE(position + RECORD_COUNT);
}

/** Compression: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
export function batchCompression(buffer: Buffer, position = 0): number {
  return batchAttributes(buffer, position) & COMPRESSION_MASK;
}

/** True when the records carry the time of the append instead of the producer's. */
export function isLogAppendTime(buffer: Buffer, position = 0): boolean {
  return (batchAttributes(buffer, position) & TIMESTAMP_TYPE_BIT) !== 0;
}

/** True when the batch belongs to a transaction. */
export function isTransactionalBatch(buffer: Buffer, position = 0): boolean {
  return (batchAttributes(buffer, position) & TRANSACTIONAL_BIT) !== 0;
}

/** True when the batch holds a transaction marker and no records of an application. */
export function isControlBatch(buffer: Buffer, position = 0): boolean {
  return (batchAttributes(buffer, position) & CONTROL_BIT) !== 0;
}

/** Gives the batch its place in the log. Outside the CRC. */
export function setBatchBaseOffset(buffer: Buffer, position: number, offset: number): void {
  writeLong(buffer, position, offset);
}

/** Notes the leader's epoch. Outside the CRC. */
export function setBatchLeaderEpoch(buffer: Buffer, position: number, epoch: number): void {
  buffer.writeInt32BE(epoch, position + LEADER_EPOCH);
}

/** Sets producer id, epoch and first sequence; call {@link sealBatch} afterwards. */
export function setBatchProducer(
  buffer: Buffer,
  position: number,
  producer: { readonly producerId: number; readonly producerEpoch: number; readonly baseSequence: number },
): void {
  writeLong(buffer, position + PRODUCER_ID, producer.producerId);
  buffer.writeInt16BE(producer.producerEpoch, position + PRODUCER_EPOCH);
  buffer.writeInt32BE(producer.baseSequence, position + BASE_SEQUENCE);
}

/** Makes the batch carry the time of its append; call {@link sealBatch} afterwards. */
export function setBatchLogAppendTime(buffer: Buffer, position: number, timestamp: number): void {
  buffer.writeInt16BE(batchAttributes(buffer, position) | TIMESTAMP_TYPE_BIT, position + ATTRIBUTES);
  writeLong(buffer, position + MAX_TIMESTAMP, timestamp);
}

/** Computes the CRC-32C of the batch and stores it. */
export function sealBatch(buffer: Buffer, position = 0): void {
  buffer.writeUInt32BE(computeBatchCrc(buffer, position), position + CRC);
}

/** True when the stored CRC-32C is that of the bytes. */
export function verifyBatchCrc(buffer: Buffer, position = 0): boolean {
  return batchCrc(buffer, position) === computeBatchCrc(buffer, position);
}

function computeBatchCrc(buffer: Buffer, position: number): number {
  return crc32c(buffer, position + ATTRIBUTES, position + batchSizeBytes(buffer, position));
}

/** What {@link writeBatchHeader} puts into a header besides the CRC. */
export interface BatchHeader {
  readonly baseOffset: number;
  readonly sizeBytes: number;
  readonly leaderEpoch: number;
  readonly compression: number;
  readonly transactional: boolean;
  readonly control: boolean;
  readonly lastOffsetDelta: number;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly recordCount: number;
}

/** Writes a whole header at a position and seals the batch; the records must be in place. */
export function writeBatchHeader(buffer: Buffer, position: number, header: BatchHeader): void {
  const attributes =
    header.compression | (header.transactional ? TRANSACTIONAL_BIT : 0) | (header.control ? CONTROL_BIT : 0);
  writeLong(buffer, position, header.baseOffset);
  buffer.writeInt32BE(header.sizeBytes - BATCH_LENGTH_PREFIX_BYTES, position + LENGTH);
  buffer.writeInt32BE(header.leaderEpoch, position + LEADER_EPOCH);
  buffer.writeInt8(BATCH_MAGIC, position + MAGIC);
  buffer.writeInt16BE(attributes, position + ATTRIBUTES);
  buffer.writeInt32BE(header.lastOffsetDelta, position + LAST_OFFSET_DELTA);
  writeLong(buffer, position + BASE_TIMESTAMP, header.baseTimestamp);
  writeLong(buffer, position + MAX_TIMESTAMP, header.maxTimestamp);
  setBatchProducer(buffer, position, header);
  buffer.writeInt32BE(header.recordCount, position + RECORD_COUNT);
  sealBatch(buffer, position);
}
