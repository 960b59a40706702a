/**
 * Memory for reads of segment files that is used again: fresh memory of such sizes costs more than filling it, and what a
 * garbage collector has not found yet is memory nobody has.
 * Guarantees: a buffer is handed out again only after its reader released it; what waits to be used again is bounded.
 * A reader that never releases costs nothing but this: its buffer is left to the garbage collector.
 */
import { READ_POOL_BYTES_MAX, READ_POOL_BUFFER_BYTES_MAX, READ_POOL_STEP_BYTES } from '../limits.js';

/** Bytes of a file. Immutable until `release`; only its first call counts. */
export interface ReadBlock {
  readonly bytes: Buffer;
  release(): void;
}

/** See the file comment. */
export class ReadMemory {
  /** Free buffers, all of them, the one that has waited longest first. */
  private readonly free: Buffer[] = [];
  private bytes = 0;

  constructor(private readonly bytesMax: number = READ_POOL_BYTES_MAX) {}

  /** Bytes that wait to be used again. */
  get pooledBytes(): number {
    return this.bytes;
  }

  /** Memory for at least `sizeBytes`: sizes are rounded, so that reads of about the same size share it. */
  take(sizeBytes: number): Buffer {
    const size = Math.max(1, Math.ceil(sizeBytes / READ_POOL_STEP_BYTES)) * READ_POOL_STEP_BYTES;
    if (size > READ_POOL_BUFFER_BYTES_MAX) return Buffer.allocUnsafeSlow(sizeBytes);
    const index = this.free.findLastIndex((buffer) => buffer.length === size);
    if (index < 0) return Buffer.allocUnsafeSlow(size);
    this.bytes -= size;
    return this.free.splice(index, 1)[0]!;
  }

  /** Nobody looks at the buffer any more. */
  give(buffer: Buffer): void {
    if (buffer.length > READ_POOL_BUFFER_BYTES_MAX || buffer.length > this.bytesMax) return;
    this.free.push(buffer);
    this.bytes += buffer.length;
    while (this.bytes > this.bytesMax) this.bytes -= this.free.shift()!.length;
  }
}
