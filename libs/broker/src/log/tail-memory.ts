/**
 * The memory of all tails of a broker together.
 * Guarantees: beyond the bound the oldest chunks of any partition are let go, as far as they are written.
 */
import { TAIL_BYTES_TOTAL_MAX } from '../limits.js';
import type { TailChunk } from './tail-chunk.js';

/** See the file comment. */
export class TailMemory {
  /** Oldest first. */
  private readonly chunks = new Set<TailChunk>();
  private bytes = 0;

  constructor(private readonly bytesMax: number = TAIL_BYTES_TOTAL_MAX) {}

  /** Bytes held by all tails. */
  get totalBytes(): number {
    return this.bytes;
  }

  /** Memory for a new chunk, after making room for it. */
  take(sizeBytes: number): Buffer {
    for (const chunk of this.chunks) {
      if (this.bytes + sizeBytes <= this.bytesMax) break;
      // The oldest chunk of all is the oldest of its tail. One that is not written yet stops the search: newer ones of
      // other partitions may be written, but unwritten bytes have their own bound, so this evens out.
      if (chunk.tail.dropOldest() === 0) break;
    }
    return Buffer.allocUnsafeSlow(sizeBytes);
  }

  remember(chunk: TailChunk): void {
    this.chunks.add(chunk);
    this.bytes += chunk.buffer.length;
  }

  forget(chunk: TailChunk): void {
    if (this.chunks.delete(chunk)) this.bytes -= chunk.buffer.length;
  }
}
