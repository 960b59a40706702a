/**
 * Buffers in which the connections of one listener gather frames that are larger than a read.
 *
 * Guarantees: what is allocated follows the bytes that have come, never what was announced; used buffers are used again,
 * up to a bound. Fresh memory costs the garbage collector more than filling it costs.
 */
import { FRAME_BUFFER_BYTES_MIN, FRAME_POOL_BUFFER_BYTES_MAX, FRAME_POOL_BYTES_MAX } from '../limits.js';

/** See the head of this file. */
export class FrameMemory {
  /** Free buffers by size; sizes are powers of two. */
  private readonly free = new Map<number, Buffer[]>();
  private freeBytes = 0;

  /** Bytes that wait to be used again. */
  get pooledBytes(): number {
    return this.freeBytes;
  }

  /**
   * A buffer of at least `needed` bytes. `wanted` are the bytes of the whole frame: that much at once only if it lies
   * around already, else about twice what is needed.
   */
  take(needed: number, wanted: number): Buffer {
    for (let size = sizeClass(wanted); size <= FRAME_POOL_BUFFER_BYTES_MAX; size *= 2) {
      const pooled = this.pop(size);
      if (pooled !== null) return pooled;
    }
    const bytes = Math.max(needed, Math.min(wanted, Math.max(2 * needed, FRAME_BUFFER_BYTES_MIN)));
    if (bytes > FRAME_POOL_BUFFER_BYTES_MAX) return Buffer.allocUnsafeSlow(bytes);
    const size = sizeClass(bytes);
    return this.pop(size) ?? Buffer.allocUnsafeSlow(size);
  }

  /** Takes a buffer back; nobody may look at it any more. */
  give(buffer: Buffer): void {
    const size = buffer.length;
    if (size !== sizeClass(size) || size > FRAME_POOL_BUFFER_BYTES_MAX) return;
    if (this.freeBytes + size > FRAME_POOL_BYTES_MAX) return;
    const others = this.free.get(size);
    if (others === undefined) this.free.set(size, [buffer]);
    else others.push(buffer);
    this.freeBytes += size;
  }

  private pop(size: number): Buffer | null {
    const buffer = this.free.get(size)?.pop();
    if (buffer === undefined) return null;
    this.freeBytes -= size;
    return buffer;
  }
}

/** The smallest power of two that holds so many bytes. */
function sizeClass(bytes: number): number {
  let size = FRAME_BUFFER_BYTES_MIN;
  while (size < bytes) size *= 2;
  return size;
}
