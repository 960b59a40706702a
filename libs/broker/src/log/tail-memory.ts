/**
 * The memory of all tails of a broker together.
 * Guarantees: beyond the bound the oldest chunks of any partition are let go, as far as they are written; memory is used
 * again only when neither the disk nor a reader can still look at it. Fresh memory costs more than filling it.
 * A reader that never says it is done costs nothing but this: its chunk is left to the garbage collector.
 */
import { TAIL_BYTES_TOTAL_MAX, TAIL_CHUNK_BYTES_MAX, TAIL_POOL_BYTES_MAX } from '../limits.js';
import type { TailChunk } from './tail-chunk.js';

/** How to run; everything has a default. */
export interface TailMemoryOptions {
  /** Bound of all tails together. Default {@link TAIL_BYTES_TOTAL_MAX}. */
  readonly bytesMax?: number;
  /** False when the disk keeps the buffers it is given. Default true. */
  readonly mayReuse?: boolean;
  /** Overwrites memory before it is used again, so that a mistake is seen at once. For tests. Default false. */
  readonly poison?: boolean;
}

const POISON = 0xdb;

/** See the file comment. */
export class TailMemory {
  /** Oldest first. */
  private readonly chunks = new Set<TailChunk>();
  /** Buffers of the largest chunk size, free to use. */
  private readonly pool: Buffer[] = [];
  private readonly bytesMax: number;
  private readonly mayReuse: boolean;
  private readonly poison: boolean;
  private bytes = 0;

  constructor(options: TailMemoryOptions = {}) {
    this.bytesMax = options.bytesMax ?? TAIL_BYTES_TOTAL_MAX;
    this.mayReuse = options.mayReuse ?? true;
    this.poison = options.poison ?? false;
  }

  /** Bytes held by all tails. */
  get totalBytes(): number {
    return this.bytes;
  }

  /** Bytes that wait to be used again. */
  get pooledBytes(): number {
    return this.pool.length * TAIL_CHUNK_BYTES_MAX;
  }

  /** Size of a chunk for a batch that would waste much of a usual one: its own, or one that can be used again. */
  sizeFor(batchBytes: number): number {
    const isReusable = this.mayReuse && batchBytes <= TAIL_CHUNK_BYTES_MAX && batchBytes > TAIL_CHUNK_BYTES_MAX / 2;
    return isReusable ? TAIL_CHUNK_BYTES_MAX : batchBytes;
  }

  /** Memory for a new chunk, after making room for it. */
  take(sizeBytes: number): Buffer {
    for (const chunk of this.chunks) {
      if (this.bytes + sizeBytes <= this.bytesMax) break;
      // The oldest chunk of all is the oldest of its tail. One that is not written yet stops the search: newer ones of
      // other partitions may be written, but unwritten bytes have their own bound, so this evens out.
      if (chunk.owner.dropOldest() === 0) break;
    }
    const reused = sizeBytes === TAIL_CHUNK_BYTES_MAX ? this.pool.pop() : undefined;
    return reused ?? Buffer.allocUnsafeSlow(sizeBytes);
  }

  /** A chunk is part of a tail now. */
  remember(chunk: TailChunk): void {
    this.chunks.add(chunk);
    this.bytes += chunk.buffer.length;
  }

  /** A chunk is no part of a tail any more. */
  forget(chunk: TailChunk): void {
    if (!this.chunks.delete(chunk)) return;
    this.bytes -= chunk.buffer.length;
    chunk.isForgotten = true;
    this.reuse(chunk);
  }

  /** A reader has no use any more for the chunks it was given. */
  released(chunks: readonly TailChunk[]): void {
    for (const chunk of chunks) {
      chunk.readers--;
      if (chunk.isForgotten) this.reuse(chunk);
    }
  }

  private reuse(chunk: TailChunk): void {
    const isFree = chunk.readers === 0 && chunk.unwrittenBytes === 0;
    if (!this.mayReuse || !isFree || chunk.buffer.length !== TAIL_CHUNK_BYTES_MAX) return;
    if (this.pooledBytes >= TAIL_POOL_BYTES_MAX) return;
    if (this.poison) chunk.buffer.fill(POISON);
    this.pool.push(chunk.buffer);
  }
}
