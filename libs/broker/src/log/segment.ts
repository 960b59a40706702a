/**
 * One segment of a log: a `.log` file with its indexes, named after its first offset.
 * Guarantees: sizes and timestamps describe what is in the file (`sizeBytes`) and what is on its way (`plannedBytes`);
 * an index that is missing or wrong is made again from the `.log` file.
 * Leaves out who writes and when: the log appends, the write queue writes.
 */
import { batchLastOffset, batchMaxTimestamp, batchRecordCount, batchSizeBytes } from '@kafka-template/protocol';
import { type Disk, type DiskFile, isMissing } from '../io/disk.js';
import { segmentFileName, SegmentSuffix, SwapStage } from './file-names.js';
import type { IndexEntries } from './index-entries.js';
import type { TopicConfig } from './log-config.js';
import { OffsetIndex } from './offset-index.js';
import { type ReadBytes, scanSegment } from './segment-scan.js';
import { TimeIndex } from './time-index.js';
import { type AbortedTransactionEntry, encodeTransactionEntry } from './transaction-index.js';

/** Both indexes of a segment, in memory. */
export interface SegmentIndexes {
  readonly offsets: OffsetIndex;
  readonly times: TimeIndex;
}

/** See the file comment. */
export class Segment {
  /** The open file, for the active segment only. */
  file: DiskFile | null = null;
  /** Bytes in the file. */
  sizeBytes = 0;
  /** Bytes in the file when all pending writes are done. */
  plannedBytes = 0;
  /** Largest timestamp so far, -1 when there is none. */
  maxTimestamp = -1;
  /** {@link maxTimestamp} is known: of a sealed segment only once its index has been loaded. */
  hasTimestamps = false;
  /** Last offset of the first batch that carries {@link maxTimestamp}. */
  maxTimestampOffset: number;
  /** Largest timestamp of the first batch, -1 before there is one; a segment's age by record time counts from it. */
  firstTimestamp = -1;
  /** Wall clock of the last write. */
  modifiedMs: number;
  /** Null while the indexes of a sealed segment are not in memory. */
  indexes: SegmentIndexes | null = null;
  /** Aborted transactions whose marker is in this segment. */
  aborted: AbortedTransactionEntry[] = [];
  /** How many of them the `.txnindex` file holds. */
  abortedPersisted = 0;
  /** The file and its name have been forced to the device since the last write. */
  isSynced = false;
  /** What the names of the files end with while compaction replaces the segment or makes it. */
  stage: SwapStage = SwapStage.FINAL;
  /** The indexes stay in memory: their files are on the move or gone. */
  keepsIndexes = false;
  private bytesSinceEntry = 0;
  private loading: Promise<SegmentIndexes> | null = null;

  constructor(
    readonly directory: string,
    readonly baseOffset: number,
    /** Wall clock of the creation; a segment without timestamps ages from it. */
    readonly createdMs: number,
  ) {
    this.maxTimestampOffset = baseOffset;
    this.modifiedMs = createdMs;
  }

  /** Path of one of the segment's files. */
  path(suffix: string): string {
    return `${this.directory}/${segmentFileName(this.baseOffset, suffix)}${this.stage}`;
  }

  get logPath(): string {
    return this.path(SegmentSuffix.LOG);
  }

  /** Gives a new segment its empty indexes. */
  startIndexes(config: TopicConfig): SegmentIndexes {
    this.indexes = {
      offsets: new OffsetIndex(this.baseOffset, config.segmentIndexBytes),
      times: new TimeIndex(this.baseOffset, config.segmentIndexBytes),
    };
    this.bytesSinceEntry = 0;
    this.hasTimestamps = true;
    return this.indexes;
  }

  /** Notes a batch that goes to `position`; `block` holds it at `at`. Adds index entries as Kafka does. */
  note(block: Buffer, at: number, position: number, indexIntervalBytes: number): void {
    const indexes = this.indexes as SegmentIndexes;
    const lastOffset = batchLastOffset(block, at);
    // A batch that compaction has emptied is no answer to a question about time.
    const maxTimestamp = batchRecordCount(block, at) === 0 ? -1 : batchMaxTimestamp(block, at);
    const sizeBytes = batchSizeBytes(block, at);
    if (maxTimestamp > this.maxTimestamp) {
      this.maxTimestamp = maxTimestamp;
      this.maxTimestampOffset = lastOffset;
    }
    if (position === 0) this.firstTimestamp = batchMaxTimestamp(block, at);
    if (this.bytesSinceEntry > indexIntervalBytes) {
      indexes.offsets.append(lastOffset, position);
      indexes.times.append(this.maxTimestamp, this.maxTimestampOffset);
      this.bytesSinceEntry = 0;
    }
    this.bytesSinceEntry += sizeBytes;
    this.plannedBytes = position + sizeBytes;
  }

  /** The indexes, from memory, from their files, or from a walk over the `.log` file. */
  async loadIndexes(disk: Disk, config: TopicConfig, read: ReadBytes): Promise<SegmentIndexes> {
    if (this.indexes) return this.indexes;
    this.loading ??= this.readIndexes(disk, config, read).finally(() => (this.loading = null));
    return this.loading;
  }

  /** Lets go of indexes that can be loaded again. */
  unloadIndexes(): void {
    const { indexes } = this;
    if (this.keepsIndexes) return;
    if (indexes && indexes.offsets.unwrittenBytes + indexes.times.unwrittenBytes === 0) this.indexes = null;
  }

  /** Bytes the indexes take in memory. */
  get indexBytes(): number {
    return this.indexes ? this.indexes.offsets.sizeBytes + this.indexes.times.sizeBytes : 0;
  }

  /**
   * Builds both indexes from the batches between position 0 and `endPosition` that `scan` visits; used by recovery, which
   * does other things with the same batches.
   */
  visitor(config: TopicConfig): (block: Buffer, at: number, position: number) => void {
    this.startIndexes(config);
    this.maxTimestamp = -1;
    this.maxTimestampOffset = this.baseOffset;
    this.plannedBytes = 0;
    return (block, at, position) => this.note(block, at, position, config.indexIntervalBytes);
  }

  /** Writes what the index files lack. A sealed segment gets its last time entry first. */
  async flushIndexes(disk: Disk, options: { seal: boolean; sync: boolean }): Promise<void> {
    const { indexes } = this;
    if (!indexes) return;
    if (options.seal && this.maxTimestamp >= 0) indexes.times.append(this.maxTimestamp, this.maxTimestampOffset);
    await flushIndex(disk, this.path(SegmentSuffix.OFFSET_INDEX), indexes.offsets, options);
    await flushIndex(disk, this.path(SegmentSuffix.TIME_INDEX), indexes.times, options);
    const count = this.aborted.length;
    if (count === this.abortedPersisted) return;
    const entries = Buffer.concat(this.aborted.map(encodeTransactionEntry));
    await disk.replaceFile(this.path(SegmentSuffix.TRANSACTION_INDEX), entries, options);
    this.abortedPersisted = count;
  }

  /** Removes all files of the segment, the log itself first: what is left of an interrupted removal is then no log. */
  async remove(disk: Disk): Promise<void> {
    await disk.unlink(this.logPath);
    await disk.unlink(this.path(SegmentSuffix.OFFSET_INDEX));
    await disk.unlink(this.path(SegmentSuffix.TIME_INDEX));
    await disk.unlink(this.path(SegmentSuffix.TRANSACTION_INDEX));
    await disk.unlink(this.path(SegmentSuffix.SNAPSHOT));
  }

  private async readIndexes(disk: Disk, config: TopicConfig, read: ReadBytes): Promise<SegmentIndexes> {
    const bytesMax = config.segmentIndexBytes;
    const offsetFile = await readIfThere(disk, this.path(SegmentSuffix.OFFSET_INDEX));
    const timeFile = await readIfThere(disk, this.path(SegmentSuffix.TIME_INDEX));
    const offsets = offsetFile && OffsetIndex.parse(this.baseOffset, bytesMax, offsetFile, this.sizeBytes);
    const times = timeFile && TimeIndex.parse(this.baseOffset, bytesMax, timeFile);
    // A sealed segment always ends its time index with an entry; an empty one next to data is a lost file.
    if (!offsets || !times || (times.count === 0 && this.sizeBytes > 0)) {
      await this.rebuildIndexes(disk, config, read);
    } else {
      this.indexes = { offsets, times };
      this.maxTimestamp = times.lastTimestamp;
      this.maxTimestampOffset = times.lastOffset;
      this.hasTimestamps = true;
    }
    return this.indexes as SegmentIndexes;
  }

  private async rebuildIndexes(disk: Disk, config: TopicConfig, read: ReadBytes): Promise<void> {
    const plannedBytes = this.plannedBytes;
    const visit = this.visitor(config);
    const { sizeBytes: endPosition, baseOffset } = this;
    await scanSegment({ read, position: 0, endPosition, baseOffset, checkCrc: false, visit });
    this.plannedBytes = plannedBytes;
    const indexes = this.indexes as unknown as SegmentIndexes;
    indexes.offsets.markRebuilt();
    indexes.times.markRebuilt();
    await this.flushIndexes(disk, { seal: true, sync: false });
  }
}

async function readIfThere(disk: Disk, path: string): Promise<Buffer | null> {
  try {
    return await disk.readFile(path);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

async function flushIndex(disk: Disk, path: string, index: IndexEntries, options: { sync: boolean }): Promise<void> {
  const { slice, position } = index.unwritten();
  const file = await disk.open(path, 'write');
  try {
    if (index.cutFile) await file.truncate(position);
    index.cutFile = false;
    if (slice.length > 0) {
      await new Promise<void>((resolve, reject) => {
        file.writev([slice], position, (error) => (error ? reject(error) : resolve()));
      });
    }
    if (options.sync) await file.sync();
  } finally {
    await file.close();
  }
  index.markWritten(position + slice.length);
}
