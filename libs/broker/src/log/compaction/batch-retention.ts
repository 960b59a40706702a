/**
 * What compaction leaves of each batch, in the order of the log.
 * Guarantees: the newest record of a key stays; a tombstone or a marker stays until its delete horizon; the last batch of
 * every producer, and the last batch of the part that is compacted, stay at least as empty ones, so that sequences, epochs
 * and the end of the log are known as before.
 * Source: Kafka, `Cleaner.cleanInto` and `MemoryRecords.filterTo`; KIP-534 (delete horizon).
 */
import {
  ProtocolError,
  BATCH_HEADER_BYTES,
  RecordReader,
  batchCompression,
  batchLastOffset,
  batchProducerEpoch,
  batchProducerId,
  batchRecordCount,
  isControlBatch,
  verifyBatchCrc,
} from '@kafka-template/protocol';
import type { AbortedTransactionEntry } from '../transaction-index.js';
import { KeptRecords, deleteHorizonOf, emptyBatch, rewriteBatch } from './batch-rewrite.js';
import type { CleanedTransactions } from './cleaned-transactions.js';
import type { KeyOffsets } from './key-offsets.js';
import type { WorkSlices } from './work-slices.js';

/** The last thing known of a producer. */
export interface LastOfProducer {
  /** Last offset of its last batch, -1 when only a marker is known. */
  readonly lastOffset: number;
  readonly epoch: number;
}

/** What the decisions depend on. */
export interface RetentionRules {
  readonly keys: KeyOffsets;
  /** Records above it are not in `keys` and stay. */
  readonly keysEndOffset: number;
  /** End of the part of the log that is compacted. */
  readonly endOffset: number;
  readonly nowMs: number;
  readonly deleteRetentionMs: number;
  readonly producers: ReadonlyMap<number, LastOfProducer>;
  readonly slices: WorkSlices;
}

/** What is left of one batch. */
export interface Remainder {
  /** The batch to write; null when nothing of it is left. */
  readonly batch: Buffer | null;
  /** It is the batch as it was. */
  readonly isUnchanged: boolean;
  /** The transaction that was aborted by the marker in the batch. */
  readonly aborted: AbortedTransactionEntry | null;
}

const NOTHING: Remainder = { batch: null, isUnchanged: false, aborted: null };
/** Records looked at between two glances at the clock. */
const RECORDS_PER_GLANCE = 16;

/** See the file comment. */
export class BatchRetention {
  private readonly reader = new RecordReader();

  constructor(
    private readonly rules: RetentionRules,
    private readonly transactions: CleanedTransactions,
  ) {}

  /** The remainder of the next batch. Rejects with a ProtocolError when it cannot be read. */
  async next(batch: Buffer): Promise<Remainder> {
    if (isControlBatch(batch)) return this.marker(batch);
    const isAborted = this.transactions.data(batch, 0);
    if (isAborted) return this.mustStay(batch) ? changed(emptyBatch(batch, 0)) : NOTHING;
    const horizonMs = deleteHorizonOf(batch, 0);
    const { kept, data } = await this.keptOf(batch, horizonMs);
    if (kept.count === 0) return this.withoutRecords(batch);
    const newHorizonMs = kept.hasTombstone && horizonMs === null ? this.horizonMs : null;
    if (kept.count === batchRecordCount(batch) && newHorizonMs === null) return unchanged(batch);
    return changed(rewriteBatch(batch, 0, data, kept, newHorizonMs));
  }

  private get horizonMs(): number {
    return this.rules.nowMs + this.rules.deleteRetentionMs;
  }

  private marker(batch: Buffer): Remainder {
    const { isObsolete, aborted } = this.transactions.marker(batch, 0);
    const horizonMs = deleteHorizonOf(batch, 0);
    const isLast = this.isLastOfProducer(batch);
    if (batchRecordCount(batch) === 0) return this.withoutRecords(batch);
    // The last marker of a producer keeps its epoch, which fences what is older.
    if (isObsolete && horizonMs !== null && horizonMs <= this.rules.nowMs && !isLast) {
      return this.mustStay(batch) ? changed(emptyBatch(batch, 0)) : NOTHING;
    }
    if (!isObsolete || horizonMs !== null) return unchanged(batch, aborted);
    const { kept, data } = this.all(batch);
    return changed(rewriteBatch(batch, 0, data, kept, this.horizonMs), aborted);
  }

  private withoutRecords(batch: Buffer): Remainder {
    if (!this.mustStay(batch)) return NOTHING;
    return batchRecordCount(batch) === 0 ? unchanged(batch) : changed(emptyBatch(batch, 0));
  }

  private mustStay(batch: Buffer): boolean {
    return batchLastOffset(batch) + 1 === this.rules.endOffset || this.isLastOfProducer(batch);
  }

  private isLastOfProducer(batch: Buffer): boolean {
    const producerId = batchProducerId(batch);
    const last = producerId < 0 ? undefined : this.rules.producers.get(producerId);
    if (!last) return false;
    if (last.lastOffset >= 0) return batchLastOffset(batch) === last.lastOffset;
    return isControlBatch(batch) && batchProducerEpoch(batch) === last.epoch;
  }

  private async keptOf(batch: Buffer, horizonMs: number | null): Promise<{ kept: KeptRecords; data: Buffer }> {
    const { keys, keysEndOffset, nowMs, slices } = this.rules;
    const reader = this.open(batch);
    const keepsTombstones = horizonMs === null || nowMs < horizonMs;
    const kept = new KeptRecords();
    let start = firstRecordPosition(batch);
    for (let index = 1; reader.nextRecord(); index++) {
      const key = reader.key();
      const isTombstone = reader.valueLength < 0;
      const isNew = reader.offset >= keysEndOffset;
      const isNewest = isNew || (key !== null && reader.offset >= keys.get(key));
      if (isNewest && (isNew || !isTombstone || keepsTombstones)) {
        kept.add(start, reader.recordEnd, reader.timestamp, isTombstone);
      }
      start = reader.recordEnd;
      if (index % RECORDS_PER_GLANCE === 0 && slices.isOver) await slices.pause();
    }
    return { kept, data: reader.data };
  }

  private all(batch: Buffer): { kept: KeptRecords; data: Buffer } {
    const reader = this.open(batch);
    const kept = new KeptRecords();
    let start = firstRecordPosition(batch);
    while (reader.nextRecord()) {
      kept.add(start, reader.recordEnd, reader.timestamp, false);
      start = reader.recordEnd;
    }
    return { kept, data: reader.data };
  }

  private open(batch: Buffer): RecordReader {
    // What is written again gets a new checksum; damage must not get one.
    if (!verifyBatchCrc(batch)) throw new ProtocolError('CORRUPT_BATCH', 'the checksum of a batch is wrong');
    this.reader.reset(batch);
    this.reader.nextBatch();
    return this.reader;
  }
}

function firstRecordPosition(batch: Buffer): number {
  return batchCompression(batch) === 0 ? BATCH_HEADER_BYTES : 0;
}

function unchanged(batch: Buffer, aborted: AbortedTransactionEntry | null = null): Remainder {
  return { batch, isUnchanged: true, aborted };
}

function changed(batch: Buffer, aborted: AbortedTransactionEntry | null = null): Remainder {
  return { batch, isUnchanged: false, aborted };
}
