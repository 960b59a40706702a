/**
 * The largest timestamp up to an offset of a segment: what finds an offset by time, and the age of a segment.
 * Guarantees: timestamps and offsets only grow from entry to entry; a file that makes no sense is refused.
 * Layout of an entry: timestamp int64, relative offset int32 (12 bytes).
 */
import { IndexEntries } from './index-entries.js';

const ENTRY_BYTES = 12;
const TWO_32 = 0x1_0000_0000;

function readTimestamp(bytes: Buffer, position: number): number {
  return bytes.readInt32BE(position) * TWO_32 + bytes.readUInt32BE(position + 4);
}

/** See the file comment. */
export class TimeIndex extends IndexEntries {
  constructor(
    private readonly baseOffset: number,
    sizeBytesMax: number,
    content?: Buffer,
  ) {
    super(ENTRY_BYTES, Math.max(1, Math.floor(sizeBytesMax / ENTRY_BYTES)), content);
  }

  /** The index in a file, or null when it cannot be right and must be rebuilt. Zeros at its end are ignored. */
  static parse(baseOffset: number, sizeBytesMax: number, file: Buffer): TimeIndex | null {
    let end = file.length - (file.length % ENTRY_BYTES);
    while (end > 0 && file.subarray(end - ENTRY_BYTES, end).every((byte) => byte === 0)) end -= ENTRY_BYTES;
    const index = new TimeIndex(baseOffset, sizeBytesMax, Buffer.from(file.subarray(0, end)));
    index.cutFile = end !== file.length;
    for (let at = 0; at < end; at += ENTRY_BYTES) {
      if (file.readInt32BE(at + 8) < 0) return null;
      if (at === 0) continue;
      if (readTimestamp(file, at) <= readTimestamp(file, at - ENTRY_BYTES)) return null;
      if (file.readInt32BE(at + 8) < file.readInt32BE(at + 8 - ENTRY_BYTES)) return null;
    }
    return index;
  }

  /** Timestamp of the last entry, -1 when there is none. */
  get lastTimestamp(): number {
    return this.count === 0 ? -1 : readTimestamp(this.bytes, (this.count - 1) * ENTRY_BYTES);
  }

  /** Offset of the last entry, the segment's first when there is none. */
  get lastOffset(): number {
    return this.count === 0
      ? this.baseOffset
      : this.baseOffset + this.bytes.readInt32BE((this.count - 1) * ENTRY_BYTES + 8);
  }

  /** Adds an entry: up to and including `offset` no timestamp is larger. Does nothing unless `timestamp` has grown. */
  append(timestamp: number, offset: number): void {
    if (timestamp <= this.lastTimestamp) return;
    const at = this.grow();
    const high = Math.floor(timestamp / TWO_32);
    this.bytes.writeInt32BE(high, at);
    this.bytes.writeUInt32BE(timestamp - high * TWO_32, at + 4);
    this.bytes.writeInt32BE(offset - this.baseOffset, at + 8);
  }

  /** An offset before which, itself included, every timestamp is smaller than `timestamp`; -1 when none is known. */
  offsetBefore(timestamp: number): number {
    let low = -1;
    let high = this.count - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (readTimestamp(this.bytes, middle * ENTRY_BYTES) < timestamp) low = middle;
      else high = middle - 1;
    }
    return low < 0 ? -1 : this.baseOffset + this.bytes.readInt32BE(low * ENTRY_BYTES + 8);
  }

  /** Keeps entries for offsets below `endOffset`. */
  truncate(endOffset: number): void {
    let count = this.count;
    while (count > 0 && this.baseOffset + this.bytes.readInt32BE((count - 1) * ENTRY_BYTES + 8) >= endOffset) count--;
    this.keep(count);
  }
}
