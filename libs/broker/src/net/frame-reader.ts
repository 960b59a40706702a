/**
 * Splits the bytes of one connection into frames, without keeping any of them.
 *
 * A frame that lies whole in a read is handed on in place. Another one is gathered in a buffer of the listener's memory,
 * into which the socket may read directly (`target`), and which is used again afterwards: a frame is valid only during
 * the call that hands it on. Pure; a wrong length throws a ProtocolError and ends the stream.
 */
import { checkFrameLength } from '@kafka-template/protocol';
import { DIRECT_READ_BYTES_MIN } from '../limits.js';
import type { FrameMemory } from './frame-memory.js';

const LENGTH_BYTES = 4;
const NO_FRAME = -1;

/** See the head of this file. */
export class FrameReader {
  private readonly prefix = Buffer.alloc(LENGTH_BYTES);
  private prefixBytes = 0;
  private frameBytes = NO_FRAME;
  private filled = 0;
  private gather: Buffer | null = null;

  constructor(
    private readonly frameBytesMax: number,
    private readonly memory: FrameMemory,
  ) {}

  /** Takes the next bytes and hands on each frame they complete, without its length. */
  push(chunk: Buffer, onFrame: (frame: Buffer) => void): void {
    let position = 0;
    while (position < chunk.length) {
      if (!this.hasFrame()) {
        position = this.begin(chunk, position);
        if (!this.hasFrame()) continue;
        const end = position + this.frameBytes;
        if (end <= chunk.length) {
          this.frameBytes = NO_FRAME;
          onFrame(chunk.subarray(position, end));
          position = end;
          continue;
        }
      }
      if (position < chunk.length) position += this.fill(chunk, position);
      if (this.filled === this.frameBytes) this.finish(onFrame);
    }
  }

  /** Where the socket should put the next bytes: the rest of a large frame, or null for its own buffer. */
  target(): Buffer | null {
    const missing = this.frameBytes - this.filled;
    if (this.gather === null || missing < DIRECT_READ_BYTES_MIN) return null;
    if (this.gather.length - this.filled < DIRECT_READ_BYTES_MIN) this.reserve(this.filled + DIRECT_READ_BYTES_MIN);
    return this.gather.subarray(this.filled, Math.min(this.gather.length, this.frameBytes));
  }

  /** Gives the memory of an unfinished frame back. Nothing may be pushed afterwards. */
  release(): void {
    if (this.gather !== null) this.memory.give(this.gather);
    this.gather = null;
    this.frameBytes = NO_FRAME;
  }

  /** A length was read, its frame is not complete. */
  private hasFrame(): boolean {
    return this.frameBytes !== NO_FRAME;
  }

  /** Reads as much of a length as there is; answers the position behind it. */
  private begin(chunk: Buffer, from: number): number {
    let position = from;
    let length: number;
    if (this.prefixBytes === 0 && chunk.length - position >= LENGTH_BYTES) {
      length = chunk.readInt32BE(position);
      position += LENGTH_BYTES;
    } else {
      while (this.prefixBytes < LENGTH_BYTES && position < chunk.length) {
        this.prefix[this.prefixBytes++] = chunk[position++]!;
      }
      if (this.prefixBytes < LENGTH_BYTES) return position;
      this.prefixBytes = 0;
      length = this.prefix.readInt32BE(0);
    }
    checkFrameLength(length, this.frameBytesMax);
    this.frameBytes = length;
    this.filled = 0;
    return position;
  }

  private fill(chunk: Buffer, position: number): number {
    const bytes = Math.min(this.frameBytes - this.filled, chunk.length - position);
    // What was read directly is there already.
    if (this.gather === null || chunk.buffer !== this.gather.buffer) {
      const gather = this.reserve(this.filled + bytes);
      chunk.copy(gather, this.filled, position, position + bytes);
    }
    this.filled += bytes;
    return bytes;
  }

  private reserve(bytes: number): Buffer {
    const before = this.gather;
    if (before !== null && before.length >= bytes) return before;
    const larger = this.memory.take(bytes, this.frameBytes);
    if (before !== null) {
      before.copy(larger, 0, 0, this.filled);
      this.memory.give(before);
    }
    this.gather = larger;
    return larger;
  }

  private finish(onFrame: (frame: Buffer) => void): void {
    const { gather } = this;
    const frame = gather?.subarray(0, this.frameBytes) ?? this.prefix.subarray(0, 0);
    this.gather = null;
    this.frameBytes = NO_FRAME;
    onFrame(frame);
    if (gather !== null) this.memory.give(gather);
  }
}
