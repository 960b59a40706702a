/**
 * The newest batches of a log in memory: what readers at the end of a log are served from, and what writes are made of.
 * Guarantees: a batch is copied in once and not changed while a reader's socket or the disk may still look at it; memory is
 * taken in chunks, the oldest of which are let go beyond the bounds, but never before they are written.
 * Memory that was handed to a slow reader stays alive until the reader is done with it, outside of these bounds: what a
 * connection may hold back is bounded where connections are.
 */
import { batchBaseOffset, batchSizeBytes } from '@kafka-template/protocol';
import { TAIL_BYTES_PER_PARTITION_MAX, TAIL_CHUNK_BYTES_MAX, TAIL_CHUNK_BYTES_MIN } from '../limits.js';
import { type ChunkOwner, TailChunk } from './tail-chunk.js';
import type { TailMemory } from './tail-memory.js';

/** Batches that were found, in memory or on disk. */
export interface LogRead {
  readonly buffers: Buffer[];
  readonly sizeBytes: number;
  /** Offset after the last batch found. */
  readonly nextOffset: number;
  /** Says that nobody looks at the buffers any more. Calling it is optional, and only the first call counts. */
  release(): void;
}

/** A read from the tail: holds on to the chunks until it is released. */
class TailRead implements LogRead {
  readonly buffers: Buffer[] = [];
  sizeBytes = 0;
  private chunks: TailChunk[] = [];

  constructor(
    private readonly memory: TailMemory,
    public nextOffset: number,
  ) {}

  add(chunk: TailChunk, start: number, end: number): void {
    this.buffers.push(chunk.buffer.subarray(start, end));
    this.sizeBytes += end - start;
    chunk.readers++;
    this.chunks.push(chunk);
  }

  release(): void {
    const { chunks } = this;
    this.chunks = [];
    this.memory.released(chunks);
  }
}

/** See the file comment. */
export class Tail implements ChunkOwner {
  private chunks: TailChunk[] = [];
  private bytes = 0;
  /** What lies before is not served from here any more, even if its chunk is still there. */
  private floor = 0;

  constructor(
    private readonly memory: TailMemory,
    private next: number,
  ) {}

  /** Offset after the last batch. */
  get nextOffset(): number {
    return this.next;
  }

  /** First offset that can be read from here. */
  get startOffset(): number {
    return Math.max(this.chunks[0]?.startOffset ?? this.next, this.floor);
  }

  /** Bytes of memory taken. */
  get capacityBytes(): number {
    return this.bytes;
  }

  /** Copies a batch to the end. The chunk it is in holds it at the position `chunk.used - batch.length`. */
  add(batch: Buffer, baseOffset: number, nextOffset: number): TailChunk {
    let chunk = this.chunks[this.chunks.length - 1];
    if (!chunk || chunk.buffer.length - chunk.used < batch.length) chunk = this.newChunk(batch.length, baseOffset);
    chunk.add(batch, baseOffset, nextOffset);
    this.next = nextOffset;
    return chunk;
  }

  /** Whole batches from the one that holds `offset` on, below `endOffset`. The offset must be inside the tail. */
  read(offset: number, endOffset: number, maxBytes: number, minOneBatch: boolean): LogRead {
    const read = new TailRead(this.memory, offset);
    for (let index = this.chunkOf(offset); index < this.chunks.length && read.nextOffset < endOffset; index++) {
      const chunk = this.chunks[index] as TailChunk;
      const start = read.nextOffset > chunk.startOffset ? chunk.positionOf(read.nextOffset) : 0;
      let end = chunk.endBelow(endOffset, start + maxBytes - read.sizeBytes, start);
      const isTooLarge = end === start && read.sizeBytes === 0;
      if (isTooLarge && minOneBatch) end = start + batchSizeBytes(chunk.buffer, start);
      if (end === start) break;
      read.add(chunk, start, end);
      read.nextOffset = end < chunk.used ? batchBaseOffset(chunk.buffer, end) : chunk.endOffset;
      if (end < chunk.used) break;
    }
    return read;
  }

  /** Lets go of the oldest chunk if it is written. Returns the bytes set free. */
  dropOldest(): number {
    const chunk = this.chunks[0];
    if (!chunk || chunk.unwrittenBytes > 0) return 0;
    this.chunks.shift();
    this.memory.forget(chunk);
    this.bytes -= chunk.buffer.length;
    return chunk.buffer.length;
  }

  /** Serves nothing below `offset` any more: what the files hold there has changed. */
  dropBefore(offset: number): void {
    this.floor = Math.max(this.floor, offset);
    while (this.chunks.length > 0 && (this.chunks[0] as TailChunk).endOffset <= offset) {
      if (this.dropOldest() === 0) break;
    }
  }

  /** Forgets everything; the log goes on at `nextOffset`. */
  clear(nextOffset: number): void {
    for (const chunk of this.chunks) this.memory.forget(chunk);
    this.chunks = [];
    this.bytes = 0;
    this.floor = 0;
    this.next = nextOffset;
  }

  private newChunk(neededBytes: number, baseOffset: number): TailChunk {
    const doubled = (this.chunks[this.chunks.length - 1]?.buffer.length ?? 0) * 2;
    const usual = Math.min(Math.max(doubled, TAIL_CHUNK_BYTES_MIN), TAIL_CHUNK_BYTES_MAX);
    // A batch that would waste much of a chunk gets one of its own size.
    const size = neededBytes > usual / 2 ? this.memory.sizeFor(neededBytes) : usual;
    const chunk = new TailChunk(this, this.memory.take(size), baseOffset);
    this.memory.remember(chunk);
    this.chunks.push(chunk);
    this.bytes += size;
    while (this.bytes > TAIL_BYTES_PER_PARTITION_MAX && this.chunks.length > 1) {
      if (this.dropOldest() === 0) break;
    }
    return chunk;
  }

  /** Index of the chunk that holds `offset`; readers are mostly at the end. */
  private chunkOf(offset: number): number {
    let index = this.chunks.length - 1;
    while (index > 0 && (this.chunks[index] as TailChunk).startOffset > offset) index--;
    return index;
  }
}
