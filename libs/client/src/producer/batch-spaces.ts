/**
 * Space for batches, to be used again: allocated for each batch it is a good part of the work of a busy producer, and
 * what waits for the garbage collector a good part of its memory.
 *
 * Guarantees that a space is given to one batch at a time, and that no more than POOLED_BYTES_MAX of buffers are kept.
 * Whoever returns one knows that nobody reads it any more. All have the size of a full batch.
 */
import { Deliveries } from './deliveries.js';
import { POOLED_BYTES_MAX } from './limits.js';

/** What a batch puts its records and callbacks into. */
export interface BatchSpace {
  readonly buffer: Buffer;
  readonly deliveries: Deliveries;
}

/** The pool of one producer. */
export class BatchSpaces {
  private readonly free: BatchSpace[] = [];
  private readonly countMax: number;

  /** @param batchSize bytes of each buffer */
  constructor(private readonly batchSize: number) {
    this.countMax = Math.floor(POOLED_BYTES_MAX / Math.max(1, batchSize));
  }

  /** Space for a batch of about so many bytes; undefined when they are too few, or too many, for a pooled one. */
  take(bytes: number): BatchSpace | undefined {
    if (this.countMax === 0 || bytes > this.batchSize || bytes * 2 < this.batchSize) return undefined;
    return this.free.pop() ?? { buffer: Buffer.allocUnsafeSlow(this.batchSize), deliveries: new Deliveries() };
  }

  /** Returns a space of {@link take}. */
  giveBack(space: BatchSpace): void {
    space.deliveries.clear();
    if (this.free.length < this.countMax) this.free.push(space);
  }
}
