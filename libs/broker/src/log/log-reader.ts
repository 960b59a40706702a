/**
 * Reads whole batches of one log from its files: floor segment, index, walk over headers, one aligned piece of bytes.
 * Guarantees: the first batch holds the offset asked for; usually one read of the file; a reader that goes on where its
 * last read ended needs no index at all; the memory read into is used again after `release`.
 * Leaves out what is visible: the caller says where to stop.
 */
import { BATCH_HEADER_BYTES, batchLastOffset, batchSizeBytes } from '@kafka-template/protocol';
import { READ_POSITIONS_PER_LOG_MAX } from '../limits.js';
import type { Disk } from '../io/disk.js';
import type { FilePool } from './file-pool.js';
import type { IndexCache } from './index-cache.js';
import type { ReadBlock } from './log-reader-memory.js';
import type { TopicConfig } from './log-config.js';
import type { Segment, SegmentIndexes } from './segment.js';
import type { Segments } from './segments.js';
import type { LogRead } from './tail.js';

/** What to read. */
export interface DiskRead {
  readonly offset: number;
  /** Batches at or above this offset are not read. */
  readonly endOffset: number;
  readonly maxBytes: number;
  /** Return the first batch even when it is larger than `maxBytes`. */
  readonly minOneBatch: boolean;
}

/** Nothing is held. */
const release = (): void => undefined;

/** A block of which less than this part was found is given back at once, and what was found copied. */
const WORTH_KEEPING_PARTS = 2;

interface Place {
  readonly segment: Segment;
  readonly position: number;
}

/** See the file comment. */
export class LogReader {
  /** Where reads ended, by the offset that comes next; the newest last. */
  private readonly places = new Map<number, Place>();

  constructor(
    private readonly segments: Segments,
    private readonly disk: Disk,
    private readonly files: FilePool,
    private readonly cache: IndexCache,
    private readonly config: () => TopicConfig,
  ) {}

  /** See {@link DiskRead}. Empty when nothing is there. Rejects with a `DiskError`. */
  async read(request: DiskRead): Promise<LogRead> {
    const first = this.segments.at(this.segments.indexOf(request.offset));
    // Compaction may make one segment of several between two turns: places in the list mean nothing.
    for (let segment = first; segment; segment = this.segments.after(segment)) {
      const known = this.places.get(request.offset);
      const isKnown = known?.segment === segment;
      const position = isKnown ? known.position : (await this.indexes(segment)).offsets.floor(request.offset);
      const slack = isKnown ? 0 : this.config().indexIntervalBytes + BATCH_HEADER_BYTES;
      const found = await new AlignedRead(this.files, segment, request).run(position, slack);
      if (!found) continue;
      this.remember(found.nextOffset, { segment, position: found.endPosition });
      return found;
    }
    return { buffers: [], sizeBytes: 0, nextOffset: request.offset, release };
  }

  /** The indexes of a segment, loaded if need be. */
  async indexes(segment: Segment): Promise<SegmentIndexes> {
    const read = (position: number, length: number): Promise<Buffer> => this.readBytes(segment, position, length);
    const indexes = segment.indexes ?? (await segment.loadIndexes(this.disk, this.config(), read));
    if (segment !== this.segments.active) this.cache.used(segment);
    return indexes;
  }

  /** Bytes of a segment's file. */
  readBytes(segment: Segment, position: number, length: number): Promise<Buffer> {
    return this.files.read(segment.logPath, position, length);
  }

  /** Forgets where reads ended; for a log that was cut or removed. */
  forgetPlaces(): void {
    this.places.clear();
  }

  private remember(nextOffset: number, place: Place): void {
    this.places.delete(nextOffset);
    this.places.set(nextOffset, place);
    if (this.places.size <= READ_POSITIONS_PER_LOG_MAX) return;
    for (const oldest of this.places.keys()) {
      this.places.delete(oldest);
      return;
    }
  }
}

interface Found extends LogRead {
  readonly endPosition: number;
}

const NO_BLOCK: ReadBlock = { bytes: Buffer.alloc(0), release };

/** One read inside one segment. */
class AlignedRead {
  private block = NO_BLOCK;
  private blockStart = 0;

  constructor(
    private readonly files: FilePool,
    private readonly segment: Segment,
    private readonly request: DiskRead,
  ) {}

  /** Null when the offset comes after everything in the segment (compaction may leave such a gap). */
  async run(fromPosition: number, slackBytes: number): Promise<Found | null> {
    const { offset, maxBytes } = this.request;
    const usualBytes = Math.max(maxBytes + slackBytes, BATCH_HEADER_BYTES);
    let position = fromPosition;
    while (this.segment.sizeBytes - position >= BATCH_HEADER_BYTES) {
      if (position - this.blockStart + BATCH_HEADER_BYTES > this.block.bytes.length) {
        await this.load(position, usualBytes);
      }
      const at = position - this.blockStart;
      const { bytes } = this.block;
      if (bytes.length - at < BATCH_HEADER_BYTES) break;
      if (batchLastOffset(bytes, at) >= offset) return this.collect(position);
      position += batchSizeBytes(bytes, at);
    }
    this.block.release();
    return null;
  }

  private async load(position: number, bytes: number): Promise<void> {
    const length = Math.min(bytes, this.segment.sizeBytes - position);
    this.block.release();
    this.block = NO_BLOCK;
    this.block = await this.files.readBlock(this.segment.logPath, position, length);
    this.blockStart = position;
  }

  /** Whole batches from `position` on. */
  private async collect(position: number): Promise<Found> {
    const { offset, endOffset, maxBytes, minOneBatch } = this.request;
    const start = position - this.blockStart;
    const firstBytes = batchSizeBytes(this.block.bytes, start);
    const isReadable = batchLastOffset(this.block.bytes, start) < endOffset && (firstBytes <= maxBytes || minOneBatch);
    if (!isReadable) {
      this.block.release();
      return { buffers: [], sizeBytes: 0, nextOffset: offset, endPosition: position, release };
    }
    if (start + firstBytes > this.block.bytes.length) {
      await this.load(position, firstBytes);
      const { bytes } = this.block;
      return this.result(0, Math.min(firstBytes, bytes.length), batchLastOffset(bytes, 0) + 1);
    }
    const { bytes } = this.block;
    let end = start;
    let nextOffset = offset;
    while (bytes.length - end >= BATCH_HEADER_BYTES) {
      const next = end + batchSizeBytes(bytes, end);
      const lastOffset = batchLastOffset(bytes, end);
      if (next > bytes.length || lastOffset >= endOffset || (end > start && next - start > maxBytes)) break;
      nextOffset = lastOffset + 1;
      end = next;
    }
    return this.result(start, end, nextOffset);
  }

  private result(start: number, end: number, nextOffset: number): Found {
    const { block } = this;
    const found = block.bytes.subarray(start, end);
    const endPosition = this.blockStart + end;
    const sizeBytes = found.length;
    if (sizeBytes * WORTH_KEEPING_PARTS >= block.bytes.length) {
      return { buffers: [found], sizeBytes, nextOffset, endPosition, release: () => block.release() };
    }
    // A slow reader must not hold a large block for a few bytes of it: what it holds is what is counted.
    const buffers = [Buffer.from(found)];
    block.release();
    return { buffers, sizeBytes, nextOffset, endPosition, release };
  }
}
