/**
 * Length-prefixed framing: bytes in, whole frames out. Pure; the caller owns the socket.
 *
 * A frame that lies whole in a chunk is passed on as a view of that chunk. A frame split over chunks is gathered in a
 * buffer that grows with the bytes that have really come, never with what the length announces.
 */
import { checkFrameLength } from './header.js';

const LENGTH_BYTES = 4;
const GATHER_BYTES_MIN = 16 * 1024;

/** Splits a stream of bytes into frames. */
export class FrameSplitter {
  private pending: Buffer = Buffer.alloc(0);
  private pendingBytes = 0;

  constructor(private readonly frameBytesMax: number) {}

  /**
   * Takes the next bytes and calls `onFrame` for each whole frame, without its length prefix. A frame is a view into
   * `chunk` or into a buffer of its own; it stays valid as long as `chunk` is not overwritten.
   *
   * @throws ProtocolError INVALID_LENGTH or FRAME_TOO_LARGE; the stream cannot be read on after that.
   */
  push(chunk: Buffer, onFrame: (frame: Buffer) => void): void {
    let position = 0;
    while (this.pendingBytes > 0 && position < chunk.length) {
      position += this.gather(chunk, position);
      const frame = this.takePending();
      if (frame !== null) onFrame(frame);
    }
    while (chunk.length - position >= LENGTH_BYTES) {
      const length = chunk.readInt32BE(position);
      checkFrameLength(length, this.frameBytesMax);
      const end = position + LENGTH_BYTES + length;
      if (end > chunk.length) break;
      onFrame(chunk.subarray(position + LENGTH_BYTES, end));
      position = end;
    }
    if (position < chunk.length) this.gather(chunk, position);
  }

  /** Bytes of an unfinished frame that are held. */
  get heldBytes(): number {
    return this.pendingBytes;
  }

  /** Copies what the pending frame still needs and returns how many bytes that were. */
  private gather(chunk: Buffer, position: number): number {
    const available = chunk.length - position;
    let taken = 0;
    if (this.pendingBytes < LENGTH_BYTES) {
      taken = Math.min(LENGTH_BYTES - this.pendingBytes, available);
      this.copyIn(chunk, position, taken);
      if (this.pendingBytes < LENGTH_BYTES) return taken;
      checkFrameLength(this.pending.readInt32BE(0), this.frameBytesMax);
    }
    const missing = LENGTH_BYTES + this.pending.readInt32BE(0) - this.pendingBytes;
    const more = Math.min(missing, available - taken);
    this.copyIn(chunk, position + taken, more);
    return taken + more;
  }

  private copyIn(chunk: Buffer, position: number, count: number): void {
    const needed = this.pendingBytes + count;
    if (needed > this.pending.length) {
      const announced = this.pendingBytes >= LENGTH_BYTES ? LENGTH_BYTES + this.pending.readInt32BE(0) : LENGTH_BYTES;
      const wanted = Math.max(needed, Math.min(announced, Math.max(this.pending.length * 2, GATHER_BYTES_MIN)));
      const larger = Buffer.allocUnsafeSlow(wanted);
      this.pending.copy(larger, 0, 0, this.pendingBytes);
      this.pending = larger;
    }
    chunk.copy(this.pending, this.pendingBytes, position, position + count);
    this.pendingBytes = needed;
  }

  private takePending(): Buffer | null {
    if (this.pendingBytes < LENGTH_BYTES) return null;
    const end = LENGTH_BYTES + this.pending.readInt32BE(0);
    if (this.pendingBytes < end) return null;
    const frame = this.pending.subarray(LENGTH_BYTES, end);
    this.pending = Buffer.alloc(0);
    this.pendingBytes = 0;
    return frame;
  }
}
