/**
 * Buffers for batches, to be used again: allocated for each batch they are a good part of the work of a busy producer,
 * and what waits for the garbage collector a good part of its memory.
 *
 * Guarantees that a buffer is given to one batch at a time, and that no more than POOLED_BYTES_MAX are kept. Whoever
 * returns a buffer knows that nobody reads it any more. All have the size of a full batch.
 */
import { POOLED_BYTES_MAX } from './limits.js';

/** The pool of one producer. */
export class BatchBuffers {
  private readonly free: Buffer[] = [];
  private readonly countMax: number;

  /** @param batchSize bytes of each buffer */
  constructor(private readonly batchSize: number) {
    this.countMax = Math.floor(POOLED_BYTES_MAX / Math.max(1, batchSize));
  }

  /** A buffer for a batch of about so many bytes; undefined when they are too few, or too many, for a pooled one. */
  take(bytes: number): Buffer | undefined {
    if (this.countMax === 0 || bytes > this.batchSize || bytes * 2 < this.batchSize) return undefined;
    return this.free.pop() ?? Buffer.allocUnsafeSlow(this.batchSize);
  }

  /** Returns a buffer of {@link take}. */
  giveBack(buffer: Buffer): void {
    if (this.free.length < this.countMax) this.free.push(buffer);
  }
}
