/**
 * One compaction of one log: a pass that learns the newest offset of every key in the dirty part, and a pass that writes
 * the log up to there again, group of segments by group.
 * Guarantees: whatever goes wrong or is cancelled, the log is as it was, or as it will be, for each group; readers and
 * appends go on meanwhile; memory and the time of one turn are bounded.
 * Leaves out choosing logs and remembering how far they are: log-cleaner.ts.
 */
import { RecordReader, batchLastOffset, batchRecordCount, isControlBatch } from '@kafka-template/protocol';
import type { Disk } from '../../io/disk.js';
import { SegmentSuffix } from '../file-names.js';
import type { Log } from '../log.js';
import type { Segment } from '../segment.js';
import { BatchRetention, type LastOfProducer, type RetentionRules } from './batch-retention.js';
import { walkBatches } from './batch-walk.js';
import { CleanedSegment } from './cleaned-segment.js';
import { CleanedTransactions } from './cleaned-transactions.js';
import { KeyOffsets } from './key-offsets.js';
import { groupSegments } from './segment-groups.js';
import type { WorkSlices } from './work-slices.js';

/** What to compact and with what means. */
export interface CompactionOptions {
  readonly log: Log;
  readonly disk: Disk;
  /** Keys below it are known to be newest among themselves. */
  readonly firstDirtyOffset: number;
  /** A segment begins here; nothing at or above it is touched. */
  readonly endOffset: number;
  readonly nowMs: number;
  /** Most keys that may be held. */
  readonly keysMax: number;
  readonly loadFactor: number;
  readonly slices: WorkSlices;
}

/** What a compaction did. */
export interface CompactionResult {
  /** Up to where the log is compacted now; below the end of the range when the keys did not fit. */
  readonly endOffset: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

const RECORDS_PER_GLANCE = 16;

class LogCompaction {
  private readonly keys: KeyOffsets;
  /** Up to where `keys` knows the log. */
  private keysEndOffset: number;
  private bytesBefore = 0;
  private bytesAfter = 0;

  constructor(private readonly options: CompactionOptions) {
    const { firstDirtyOffset, endOffset, keysMax, loadFactor } = options;
    this.keysEndOffset = firstDirtyOffset;
    this.keys = new KeyOffsets(Math.max(1, Math.min(keysMax, endOffset - firstDirtyOffset)), loadFactor);
  }

  async run(): Promise<CompactionResult> {
    await this.learnKeys();
    const segments = this.segmentsBelow(this.keysEndOffset);
    const rules = this.rules();
    const transactions = this.transactionsFrom(segments[0]?.baseOffset ?? 0);
    const retention = new BatchRetention(rules, transactions);
    let from = 0;
    for (const count of groupSegments(await this.facts(segments), this.options.log.config)) {
      await this.cleanGroup(segments.slice(from, from + count), retention);
      from += count;
    }
    return { endOffset: this.keysEndOffset, bytesBefore: this.bytesBefore, bytesAfter: this.bytesAfter };
  }

  /** The first pass. */
  private async learnKeys(): Promise<void> {
    const { log, firstDirtyOffset, endOffset, slices } = this.options;
    const transactions = this.transactionsFrom(firstDirtyOffset);
    const segments = log.segments.between(firstDirtyOffset, endOffset);
    const reader = new RecordReader();
    for (const [index, segment] of segments.entries()) {
      const { offsets } = await log.reader.indexes(segment);
      let isFull = false;
      await walkBatches({
        read: (position, length) => this.read(segment, position, length),
        position: offsets.floor(firstDirtyOffset),
        endPosition: segment.sizeBytes,
        visit: async (batch) => {
          if (slices.isOver) await slices.pause();
          const isSkipped = isControlBatch(batch)
            ? transactions.marker(batch, 0) !== null
            : transactions.data(batch, 0);
          if (batchLastOffset(batch) < firstDirtyOffset) return true;
          if (!isSkipped && !(await this.learnBatch(reader, batch))) {
            isFull = true;
            return false;
          }
          this.keysEndOffset = Math.max(this.keysEndOffset, batchLastOffset(batch) + 1);
          return true;
        },
      });
      if (isFull) return;
      // Offsets that an earlier compaction has left out count as known.
      this.keysEndOffset = Math.max(this.keysEndOffset, segments[index + 1]?.baseOffset ?? endOffset);
    }
  }

  /** False when the keys of the batch may not fit. */
  private async learnBatch(reader: RecordReader, batch: Buffer): Promise<boolean> {
    const { firstDirtyOffset, slices } = this.options;
    const count = batchRecordCount(batch);
    if (this.keys.size + count > this.keys.limit) {
      if (this.keys.size > 0) return false;
      // Without this a batch with more keys than the bound would never be compacted.
      this.keys.enlarge(count);
    }
    reader.reset(batch);
    reader.nextBatch();
    for (let index = 1; reader.nextRecord(); index++) {
      const key = reader.key();
      if (key !== null && reader.offset >= firstDirtyOffset) this.keys.put(key, reader.offset);
      if (index % RECORDS_PER_GLANCE === 0 && slices.isOver) await slices.pause();
    }
    return true;
  }

  /** The second pass, for segments that become one. */
  private async cleanGroup(originals: readonly Segment[], retention: BatchRetention): Promise<void> {
    const { log, disk, slices } = this.options;
    const first = originals[0] as Segment;
    const last = originals[originals.length - 1] as Segment;
    const cleaned = new CleanedSegment(disk, log.config, log.directory, first.baseOffset, first.createdMs);
    let isChanged = originals.length > 1;
    try {
      await cleaned.open();
      for (const segment of originals) {
        await this.walk(segment, async (batch) => {
          if (slices.isOver) await slices.pause();
          const { batch: remainder, isUnchanged, aborted } = await retention.next(batch);
          isChanged ||= !isUnchanged;
          if (remainder === null) return;
          if (aborted) cleaned.addAborted(aborted);
          await slices.spend(await cleaned.add(remainder));
        });
      }
      // Nothing to gain; the next compaction looks again.
      if (!isChanged) return await cleaned.discard();
      await cleaned.finish(last.modifiedMs);
      await slices.pause();
    } catch (error) {
      await cleaned.discard().catch(() => undefined);
      throw error;
    }
    for (const segment of originals) this.bytesBefore += segment.sizeBytes;
    this.bytesAfter += cleaned.segment.sizeBytes;
    await log.swap(originals, cleaned.segment);
  }

  private walk(segment: Segment, visit: (batch: Buffer) => Promise<void>): Promise<void> {
    const read = (position: number, length: number): Promise<Buffer> => this.read(segment, position, length);
    return walkBatches({ read, position: 0, endPosition: segment.sizeBytes, visit });
  }

  private async read(segment: Segment, position: number, length: number): Promise<Buffer> {
    const block = await this.options.log.reader.readBytes(segment, position, length);
    await this.options.slices.spend(block.length);
    return block;
  }

  private segmentsBelow(endOffset: number): Segment[] {
    const { log } = this.options;
    return log.segments.between(log.segments.first.baseOffset, endOffset);
  }

  /** Of all segments after it, too: the marker may be far behind the data. */
  private transactionsFrom(fromOffset: number): CleanedTransactions {
    const { log, endOffset } = this.options;
    const entries = log.segments.all().flatMap(({ aborted }) => aborted);
    return new CleanedTransactions(
      entries.filter(({ firstOffset, lastOffset }) => lastOffset >= fromOffset && firstOffset < endOffset),
    );
  }

  private rules(): RetentionRules {
    const { log, endOffset, nowMs, slices } = this.options;
    const producers = new Map<number, LastOfProducer>();
    for (const { producerId, epoch, batches } of log.producers.all()) {
      producers.set(producerId, { epoch, lastOffset: batches.at(-1)?.lastOffset ?? -1 });
    }
    const { deleteRetentionMs } = log.config;
    const { keys, keysEndOffset } = this;
    return { keys, keysEndOffset, endOffset, nowMs, deleteRetentionMs, producers, slices };
  }

  private async facts(segments: readonly Segment[]): Promise<Parameters<typeof groupSegments>[0]> {
    const { disk, endOffset } = this.options;
    const facts = [];
    for (const [index, segment] of segments.entries()) {
      const stat = await disk.stat(segment.path(SegmentSuffix.OFFSET_INDEX));
      facts.push({
        baseOffset: segment.baseOffset,
        sizeBytes: segment.sizeBytes,
        indexBytes: segment.indexes?.offsets.sizeBytes ?? stat?.sizeBytes ?? 0,
        endOffset: segments[index + 1]?.baseOffset ?? endOffset,
      });
    }
    return facts;
  }
}

/**
 * Compacts a log; see the file comment. Rejects with `Cancelled`, with a `DiskError`, or with a `ProtocolError` when
 * something in the log cannot be read.
 */
export function compactLog(options: CompactionOptions): Promise<CompactionResult> {
  return new LogCompaction(options).run();
}
