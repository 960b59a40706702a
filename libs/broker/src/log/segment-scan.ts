/**
 * Walks over the batches of a segment file, block by block, and stops at the first bytes that are no good batch.
 * Guarantees: `validBytes` is where the last good batch ends; never more than a block, or one batch, is in memory.
 * Leaves out judging records: a batch is good if its header makes sense, its offsets go on and (if asked) its CRC is right.
 */
import {
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  batchBaseOffset,
  batchLastOffset,
  batchLastOffsetDelta,
  batchMagic,
  batchRecordCount,
  batchSizeBytes,
  verifyBatchCrc,
} from '@kafka-template/protocol';
import { SCAN_BYTES } from '../limits.js';

/** Reads bytes of the file that is scanned. */
export type ReadBytes = (position: number, length: number) => Promise<Buffer>;

/** What to scan and how strictly. */
export interface ScanOptions {
  readonly read: ReadBytes;
  /** Where the first batch begins. */
  readonly position: number;
  /** Where the file ends. */
  readonly endPosition: number;
  /** First offset the segment may hold. */
  readonly baseOffset: number;
  /** Check the CRC of every batch. */
  readonly checkCrc: boolean;
  /** Refuse gaps between offsets. Right for a log that was never compacted and never followed a compacted one. */
  readonly contiguous?: boolean;
  /**
   * Called for each good batch: it is in `block` at `at`, and at `position` in the file. Returning false ends the scan
   * before the batch.
   */
  readonly visit: (block: Buffer, at: number, position: number) => boolean | void;
}

/** Where the scan ended, and why it was not at the end of the file. */
export interface ScanResult {
  readonly validBytes: number;
  /** Null when every byte was good, or `visit` ended the scan. */
  readonly problem: string | null;
}

const INT32_MAX = 2 ** 31 - 1;
/** The largest batch Kafka's length field can describe. */
const BATCH_BYTES_MAX = INT32_MAX;

class Scan {
  private nextOffset: number;
  private block: Buffer = Buffer.alloc(0);
  private blockStart = 0;
  private problem: string | null = null;
  private ended = false;

  constructor(
    private readonly options: ScanOptions,
    private position: number,
  ) {
    this.nextOffset = options.baseOffset;
  }

  async run(): Promise<ScanResult> {
    while (!this.ended && this.problem === null && this.position < this.options.endPosition) {
      await this.load(SCAN_BYTES);
      this.walkBlock();
      if (this.ended || this.problem !== null || this.position >= this.options.endPosition) break;
      await this.loadLargeBatch();
    }
    return { validBytes: this.position, problem: this.problem };
  }

  private async load(bytes: number): Promise<void> {
    const length = Math.min(bytes, this.options.endPosition - this.position);
    this.block = await this.options.read(this.position, length);
    this.blockStart = this.position;
  }

  /** All whole batches of the block. */
  private walkBlock(): void {
    while (!this.ended && this.problem === null) {
      const at = this.position - this.blockStart;
      if (this.block.length - at < BATCH_HEADER_BYTES) return;
      const sizeBytes = batchSizeBytes(this.block, at);
      this.problem = this.headerProblem(at, sizeBytes);
      if (this.problem !== null || this.block.length - at < sizeBytes) return;
      this.problem = this.contentProblem(at);
      if (this.problem === null) this.accept(at, sizeBytes);
    }
  }

  private accept(at: number, sizeBytes: number): void {
    if (this.options.visit(this.block, at, this.position) === false) {
      this.ended = true;
      return;
    }
    this.nextOffset = batchLastOffset(this.block, at) + 1;
    this.position += sizeBytes;
  }

  /** The block ended inside a batch. If the batch is larger than a block it is loaded whole; if the file is shorter, it is torn. */
  private async loadLargeBatch(): Promise<void> {
    const left = this.options.endPosition - this.position;
    const at = this.position - this.blockStart;
    if (left < BATCH_HEADER_BYTES) {
      this.problem = `only ${left} bytes are left, a batch header has ${BATCH_HEADER_BYTES}`;
    } else if (at === 0 && this.block.length >= BATCH_HEADER_BYTES) {
      await this.load(batchSizeBytes(this.block, 0));
      this.walkBlock();
      if (!this.ended && this.problem === null && this.position === this.blockStart) {
        this.problem = 'the file is shorter than its size said';
      }
    } else if (at === 0) {
      this.problem = 'the file is shorter than its size said';
    }
  }

  private headerProblem(at: number, sizeBytes: number): string | null {
    const left = this.options.endPosition - this.position;
    if (sizeBytes < BATCH_HEADER_BYTES || sizeBytes > BATCH_BYTES_MAX) return `a batch claims ${sizeBytes} bytes`;
    if (sizeBytes > left) return `a batch claims ${sizeBytes} bytes, ${left} are left`;
    const magic = batchMagic(this.block, at);
    return magic === BATCH_MAGIC ? null : `a batch has format ${magic}`;
  }

  private contentProblem(at: number): string | null {
    const { block, options } = this;
    const baseOffset = batchBaseOffset(block, at);
    const delta = batchLastOffsetDelta(block, at);
    const isNext = options.contiguous === true ? baseOffset === this.nextOffset : baseOffset >= this.nextOffset;
    if (!isNext) return `a batch begins at offset ${baseOffset}, ${this.nextOffset} was to come`;
    if (delta < 0 || baseOffset + delta - options.baseOffset > INT32_MAX) return `a batch spans ${delta} offsets`;
    const count = batchRecordCount(block, at);
    if (count < 0 || count > delta + 1) return `a batch claims ${count} records for ${delta + 1} offsets`;
    return options.checkCrc && !verifyBatchCrc(block, at) ? 'the checksum of a batch is wrong' : null;
  }
}

/** Scans a segment file; see {@link ScanOptions}. Rejects only when the file cannot be read. */
export function scanSegment(options: ScanOptions): Promise<ScanResult> {
  return new Scan(options, options.position).run();
}
