/**
 * Where in a segment file an offset is: one entry about every `index.interval.bytes`, relative offset and position.
 * Guarantees: `floor` never points past the batch that holds the offset; a file that makes no sense is refused.
 * Layout of an entry: relative offset int32, position int32 (8 bytes). An entry names the last offset of its batch.
 */
import { IndexEntries } from './index-entries.js';

const ENTRY_BYTES = 8;

/** See the file comment. */
export class OffsetIndex extends IndexEntries {
  constructor(
    private readonly baseOffset: number,
    sizeBytesMax: number,
    content?: Buffer,
  ) {
    super(ENTRY_BYTES, Math.max(1, Math.floor(sizeBytesMax / ENTRY_BYTES)), content);
  }

  /**
   * The index in a file of a segment of `segmentBytes` bytes, or null when it cannot be right and must be rebuilt.
   * Zeros at the end are what a broker that sizes its index files in advance leaves behind after a crash.
   */
  static parse(baseOffset: number, sizeBytesMax: number, file: Buffer, segmentBytes: number): OffsetIndex | null {
    let end = file.length - (file.length % ENTRY_BYTES);
    while (end > 0 && file.readInt32BE(end - 8) === 0 && file.readInt32BE(end - 4) === 0) end -= ENTRY_BYTES;
    const index = new OffsetIndex(baseOffset, sizeBytesMax, Buffer.from(file.subarray(0, end)));
    index.cutFile = end !== file.length;
    for (let at = 0; at < end; at += ENTRY_BYTES) {
      const isFirst = at === 0;
      if (!isFirst && file.readInt32BE(at) <= file.readInt32BE(at - ENTRY_BYTES)) return null;
      if (!isFirst && file.readInt32BE(at + 4) <= file.readInt32BE(at + 4 - ENTRY_BYTES)) return null;
      if (file.readInt32BE(at) < 0 || file.readInt32BE(at + 4) < 0) return null;
    }
    return end > 0 && file.readInt32BE(end - 4) >= segmentBytes ? null : index;
  }

  /** Position of the last entry, 0 when there is none. */
  get lastPosition(): number {
    return this.count === 0 ? 0 : this.bytes.readInt32BE((this.count - 1) * ENTRY_BYTES + 4);
  }

  /** Position of the last entry at or before `position`, 0 when there is none. */
  positionBefore(position: number): number {
    for (let at = (this.count - 1) * ENTRY_BYTES; at >= 0; at -= ENTRY_BYTES) {
      const found = this.bytes.readInt32BE(at + 4);
      if (found <= position) return found;
    }
    return 0;
  }

  /** Adds an entry: the batch whose last offset is `lastOffset` begins at `position`. */
  append(lastOffset: number, position: number): void {
    const at = this.grow();
    this.bytes.writeInt32BE(lastOffset - this.baseOffset, at);
    this.bytes.writeInt32BE(position, at + 4);
  }

  /** A position at or before the batch that holds `offset`; 0 when the index knows none. */
  floor(offset: number): number {
    const relative = offset - this.baseOffset;
    let low = -1;
    let high = this.count - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.bytes.readInt32BE(middle * ENTRY_BYTES) <= relative) low = middle;
      else high = middle - 1;
    }
    return low < 0 ? 0 : this.bytes.readInt32BE(low * ENTRY_BYTES + 4);
  }

  /** Keeps entries of batches that begin before `position`. */
  truncate(position: number): void {
    let count = this.count;
    while (count > 0 && this.bytes.readInt32BE((count - 1) * ENTRY_BYTES + 4) >= position) count--;
    this.keep(count);
  }
}
