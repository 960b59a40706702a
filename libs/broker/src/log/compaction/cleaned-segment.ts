/**
 * The segment that compaction makes: written beside its originals, with indexes of its own.
 * Guarantees: when `finish` resolves all of it is on the device, under names that a start throws away.
 * Leaves out the exchange for the originals: segment-swap.ts does that.
 */
import { COMPACTION_WRITE_BYTES } from '../../limits.js';
import type { Disk, DiskFile } from '../../io/disk.js';
import { SegmentSuffix, SwapStage } from '../file-names.js';
import type { TopicConfig } from '../log-config.js';
import { Segment } from '../segment.js';
import type { AbortedTransactionEntry } from '../transaction-index.js';

/** See the file comment. */
export class CleanedSegment {
  readonly segment: Segment;
  private file: DiskFile | null = null;
  private waiting: Buffer[] = [];
  private waitingBytes = 0;

  constructor(
    private readonly disk: Disk,
    private readonly config: TopicConfig,
    directory: string,
    baseOffset: number,
    createdMs: number,
  ) {
    this.segment = new Segment(directory, baseOffset, createdMs);
    this.segment.stage = SwapStage.CLEANED;
    this.segment.keepsIndexes = true;
    this.segment.startIndexes(config);
  }

  /** Makes the file. */
  async open(): Promise<void> {
    this.file = await this.disk.open(this.segment.logPath, 'create');
  }

  /** Takes a copy of a batch. Resolves with the bytes that were written meanwhile. */
  async add(batch: Buffer): Promise<number> {
    const { segment } = this;
    segment.note(batch, 0, segment.plannedBytes, this.config.indexIntervalBytes);
    // A copy: the batch is a view of a block that would stay in memory with it.
    this.waiting.push(Buffer.from(batch));
    this.waitingBytes += batch.length;
    return this.waitingBytes >= COMPACTION_WRITE_BYTES ? this.write() : 0;
  }

  /** Notes a transaction that was aborted by a marker in the segment. */
  addAborted(entry: AbortedTransactionEntry): void {
    this.segment.aborted.push(entry);
  }

  /** Writes everything and forces it to the device. */
  async finish(modifiedMs: number): Promise<void> {
    const { segment, file } = this;
    await this.write();
    segment.modifiedMs = modifiedMs;
    await segment.flushIndexes(this.disk, { seal: true, sync: true });
    await file?.sync();
    segment.isSynced = true;
    await this.close();
  }

  /** Removes what was written. */
  async discard(): Promise<void> {
    await this.close();
    for (const suffix of Object.values(SegmentSuffix)) await this.disk.unlink(this.segment.path(suffix));
  }

  private async close(): Promise<void> {
    const { file } = this;
    this.file = null;
    await file?.close();
  }

  private async write(): Promise<number> {
    const { file, segment } = this;
    if (this.waitingBytes === 0 || !file) return 0;
    const bytes = Buffer.concat(this.waiting, this.waitingBytes);
    this.waiting = [];
    this.waitingBytes = 0;
    await new Promise<void>((resolve, reject) => {
      file.writev([bytes], segment.sizeBytes, (error) => (error ? reject(error) : resolve()));
    });
    segment.sizeBytes += bytes.length;
    return bytes.length;
  }
}
