/**
 * Reads whole batches of one log from its files: floor segment, index, walk over headers, one aligned piece of bytes.
 * Guarantees: the first batch holds the offset asked for; usually one read of the file; a reader that goes on where its
 * last read ended needs no index at all.
 * Leaves out what is visible: the caller says where to stop.
 */
import { BATCH_HEADER_BYTES, batchLastOffset, batchSizeBytes } from '@kafka-template/protocol';
import { READ_POSITIONS_PER_LOG_MAX } from '../limits.js';
import type { Disk } from '../io/disk.js';
import type { FilePool } from './file-pool.js';
import type { IndexCache } from './index-cache.js';
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

/** What is read from a file belongs to its reader alone. */
const release = (): void => undefined;

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
    let index = this.segments.indexOf(request.offset);
    for (let segment = this.segments.at(index); segment; segment = this.segments.at(++index)) {
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

/** One read inside one segment. */
class AlignedRead {
  private block: Buffer = Buffer.alloc(0);
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
      if (position - this.blockStart + BATCH_HEADER_BYTES > this.block.length) await this.load(position, usualBytes);
      const at = position - this.blockStart;
      if (this.block.length - at < BATCH_HEADER_BYTES) return null;
      if (batchLastOffset(this.block, at) >= offset) return this.collect(position);
      position += batchSizeBytes(this.block, at);
    }
    return null;
  }

  private async load(position: number, bytes: number): Promise<void> {
    const length = Math.min(bytes, this.segment.sizeBytes - position);
    this.block = await this.files.read(this.segment.logPath, position, length);
    this.blockStart = position;
  }

  /** Whole batches from `position` on. */
  private async collect(position: number): Promise<Found> {
    const { offset, endOffset, maxBytes, minOneBatch } = this.request;
    const start = position - this.blockStart;
    const firstBytes = batchSizeBytes(this.block, start);
    const isReadable = batchLastOffset(this.block, start) < endOffset && (firstBytes <= maxBytes || minOneBatch);
    if (!isReadable) return { buffers: [], sizeBytes: 0, nextOffset: offset, endPosition: position, release };
    if (start + firstBytes > this.block.length) {
      await this.load(position, firstBytes);
      return this.result(0, Math.min(firstBytes, this.block.length), batchLastOffset(this.block, 0) + 1);
    }
    let end = start;
    let nextOffset = offset;
    while (this.block.length - end >= BATCH_HEADER_BYTES) {
      const next = end + batchSizeBytes(this.block, end);
      const lastOffset = batchLastOffset(this.block, end);
      if (next > this.block.length || lastOffset >= endOffset || (end > start && next - start > maxBytes)) break;
      nextOffset = lastOffset + 1;
      end = next;
    }
    return this.result(start, end, nextOffset);
  }

  private result(start: number, end: number, nextOffset: number): Found {
    const bytes = this.block.subarray(start, end);
    return { buffers: [bytes], sizeBytes: bytes.length, nextOffset, endPosition: this.blockStart + end, release };
  }
}
