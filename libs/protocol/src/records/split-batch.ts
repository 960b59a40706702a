/**
 * Splits a batch that a broker found too large (MESSAGE_TOO_LARGE) into smaller ones.
 *
 * Guarantees that the batches hold the same records in the same order, with their offsets, timestamps, keys, values and
 * headers byte for byte, and that codec, producer, transaction and leader epoch stay what they were; sequence numbers go
 * on from batch to batch as a broker expects them. A delete horizon, which only a log cleaner sets, is not kept.
 */
import { ProtocolError } from '../protocol-error.js';
import { viewOf } from '../bytes.js';
import {
  BATCH_HEADER_BYTES,
  batchBaseOffset,
  batchBaseSequence,
  batchCompression,
  batchLeaderEpoch,
  batchMaxTimestamp,
  batchProducerEpoch,
  batchProducerId,
  batchRecordCount,
  isControlBatch,
  isLogAppendTime,
  isTransactionalBatch,
  sealBatch,
  setBatchBaseOffset,
  setBatchLogAppendTime,
} from './batch.js';
import { BatchBuilder, CONTENT_OVERHEAD_BYTES_MAX } from './batch-builder.js';
import { COMPRESSION_NAMES } from './compression.js';
import { type RecordLimits, RecordReader } from './record-reader.js';

/** Sequence numbers begin again at 0 after the largest int32. */
const SEQUENCES = 2 ** 31;

/** How {@link splitBatch} splits. */
export interface SplitOptions extends RecordLimits {
  /**
   * The most bytes a batch may have, header included, compressed as it is sent. A record that alone takes more gets a
   * batch of its own, which is then larger: the caller sees it by its length.
   */
  readonly bytesMax: number;
  /**
   * True gives every batch that is made the base offset 0, which a broker demands of producers; false (the default) keeps
   * the offsets of the records. A batch that is not split stays as it is.
   */
  readonly offsetsFromZero?: boolean;
}

/** One record: its bytes from the length of the key on do not depend on the batch it is in. */
interface Piece {
  readonly offset: number;
  readonly timestamp: number;
  readonly content: Buffer;
}

/**
 * The records of one whole batch in batches of at most `bytesMax` bytes; the batch itself when it is not larger.
 *
 * @throws ProtocolError CORRUPT_BATCH when it is not a whole batch or cannot be read; UNSUPPORTED_COMPRESSION.
 */
export function splitBatch(batch: Buffer, options: SplitOptions): Buffer[] {
  const { bytesMax, offsetsFromZero = false } = options;
  if (batch.length <= bytesMax) return [batch];
  const pieces = piecesOf(batch, options);
  if (pieces.length <= 1) return [batch];
  const bytes = pieces.reduce((sum, { content }) => sum + content.length, BATCH_HEADER_BYTES);
  // Compressed records are expected to shrink as much as they did together. Where they do not, the next attempt is smaller.
  let target = bytesMax * Math.max(1, bytes / batch.length);
  const batches: Buffer[] = [];
  for (let first = 0; first < pieces.length;) {
    const next = batchFrom(batch, pieces, first, target);
    const count = batchRecordCount(next);
    if (next.length > bytesMax && count > 1) {
      target /= 2;
      continue;
    }
    if (offsetsFromZero) setBatchBaseOffset(next, 0, 0);
    batches.push(next);
    first += count;
  }
  return batches;
}

function piecesOf(batch: Buffer, limits: RecordLimits): Piece[] {
  const reader = new RecordReader(batch, limits);
  if (!reader.nextBatch() || reader.batchBytes !== batch.length) {
    throw new ProtocolError('CORRUPT_BATCH', 'what is to be split is not exactly one batch');
  }
  const pieces: Piece[] = [];
  while (reader.nextRecord()) {
    const { data, offset, timestamp, contentStart, recordEnd } = reader;
    pieces.push({ offset, timestamp, content: viewOf(data, contentStart, recordEnd) });
  }
  return pieces;
}

/** As many records from `first` on as have about `target` bytes uncompressed, at least one, without a gap in offsets. */
function batchFrom(batch: Buffer, pieces: readonly Piece[], first: number, target: number): Buffer {
  const start = pieces[first] as Piece;
  const compression = COMPRESSION_NAMES[batchCompression(batch)];
  const builder = new BatchBuilder({ capacityBytes: Math.min(Math.ceil(target), 2 * batch.length), compression });
  for (let index = first; index < pieces.length; index++) {
    const { offset, timestamp, content } = pieces[index] as Piece;
    const full = builder.sizeBytes + content.length + CONTENT_OVERHEAD_BYTES_MAX > target;
    if (index > first && (full || offset !== start.offset + builder.recordCount)) break;
    builder.appendContent(timestamp, content);
  }
  const sequence = batchBaseSequence(batch);
  const made = builder.finish({
    baseOffset: start.offset,
    leaderEpoch: batchLeaderEpoch(batch),
    producerId: batchProducerId(batch),
    producerEpoch: batchProducerEpoch(batch),
    baseSequence: sequence < 0 ? sequence : (sequence + start.offset - batchBaseOffset(batch)) % SEQUENCES,
    transactional: isTransactionalBatch(batch),
    control: isControlBatch(batch),
  });
  if (!isLogAppendTime(batch)) return made;
  setBatchLogAppendTime(made, 0, batchMaxTimestamp(batch));
  sealBatch(made);
  return made;
}
