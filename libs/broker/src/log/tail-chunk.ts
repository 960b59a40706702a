/**
 * A piece of memory with whole batches of one log, one after the other, as they are in the file.
 * Guarantees: what was added never changes again; a batch is found by its offset without walking over many others.
 */
import { BATCH_LENGTH_PREFIX_BYTES, batchLastOffset, batchSizeBytes } from '@kafka-template/protocol';

/** The log end that a chunk belongs to, as far as the shared memory needs it. */
export interface ChunkOwner {
  /** Lets go of the owner's oldest chunk if it is written. Returns the bytes set free. */
  dropOldest(): number;
}

/** Bytes between two places that a chunk remembers, so that a search walks over few batches. */
const MARK_INTERVAL_BYTES = 4096;

/** See the file comment. */
export class TailChunk {
  used = 0;
  /** Bytes the disk has not accepted yet. */
  unwrittenBytes = 0;
  /** Readers that were given bytes of this chunk and have not said that they are done. */
  readers = 0;
  /** No tail holds the chunk any more. */
  isForgotten = false;
  /** Offset after the last batch. */
  endOffset: number;
  private readonly markOffsets: number[] = [];
  private readonly markPositions: number[] = [];

  constructor(
    readonly owner: ChunkOwner,
    readonly buffer: Buffer,
    readonly startOffset: number,
  ) {
    this.endOffset = startOffset;
  }

  /** Copies a batch in and returns its position. There must be room. */
  add(batch: Buffer, baseOffset: number, nextOffset: number): number {
    const position = this.used;
    const lastMark = this.markPositions[this.markPositions.length - 1];
    if (lastMark === undefined || position - lastMark >= MARK_INTERVAL_BYTES) {
      this.markOffsets.push(baseOffset);
      this.markPositions.push(position);
    }
    batch.copy(this.buffer, position);
    this.used += batch.length;
    this.unwrittenBytes += batch.length;
    this.endOffset = nextOffset;
    return position;
  }

  /** Position of the batch that holds `offset`. */
  positionOf(offset: number): number {
    let position = this.markPositions[this.markBefore(this.markOffsets, offset)] ?? 0;
    while (batchLastOffset(this.buffer, position) < offset) position += batchSizeBytes(this.buffer, position);
    return position;
  }

  /** End of the last whole batch that lies below `offset` and ends at or before `limit`; at least `from`. */
  endBelow(offset: number, limit: number, from: number): number {
    if (this.endOffset <= offset && this.used <= limit) return this.used;
    const byOffset = this.markBefore(this.markOffsets, offset);
    const byPosition = this.markBefore(this.markPositions, limit);
    let end = Math.max(this.markPositions[Math.min(byOffset, byPosition)] ?? 0, from);
    while (end + BATCH_LENGTH_PREFIX_BYTES <= this.used) {
      const next = end + batchSizeBytes(this.buffer, end);
      if (next > limit || batchLastOffset(this.buffer, end) >= offset) break;
      end = next;
    }
    return end;
  }

  /** Index of the last mark that is not above `value`. */
  private markBefore(marks: readonly number[], value: number): number {
    let low = 0;
    let high = marks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((marks[middle] as number) <= value) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
