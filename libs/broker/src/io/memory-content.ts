/**
 * The bytes of one file in memory: a list of buffers that are kept as they were written.
 * Guarantees: appending copies nothing; neighbours in the same memory become one piece, so that many small writes stay few.
 * Leaves out efficiency of overwriting: that happens in tests only, and rebuilds the file.
 */

/** See the file comment. */
export class MemoryContent {
  private pieces: Buffer[] = [];
  private starts: number[] = [];
  private length = 0;

  get sizeBytes(): number {
    return this.length;
  }

  /** A copy that shares the (immutable) bytes. */
  clone(): MemoryContent {
    const copy = new MemoryContent();
    copy.pieces = [...this.pieces];
    copy.starts = [...this.starts];
    copy.length = this.length;
    return copy;
  }

  /** Up to `count` bytes from `position`. A view where possible. */
  read(position: number, count: number): Buffer {
    const end = Math.min(position + count, this.length);
    if (position >= end) return Buffer.alloc(0);
    let index = this.pieceAt(position);
    const first = this.pieces[index] as Buffer;
    const offset = position - (this.starts[index] as number);
    if (first.length - offset >= end - position) return first.subarray(offset, offset + end - position);
    const out = Buffer.allocUnsafe(end - position);
    let filled = first.copy(out, 0, offset);
    while (filled < out.length) filled += (this.pieces[++index] as Buffer).copy(out, filled);
    return out;
  }

  write(buffers: readonly Buffer[], position: number): void {
    if (position < this.length) return this.overwrite(buffers, position);
    if (position > this.length) this.append(Buffer.alloc(position - this.length));
    for (const buffer of buffers) this.append(buffer);
  }

  truncate(sizeBytes: number): void {
    if (sizeBytes > this.length) return this.append(Buffer.alloc(sizeBytes - this.length));
    while (this.pieces.length > 0 && (this.starts[this.starts.length - 1] as number) >= sizeBytes) {
      this.pieces.pop();
      this.starts.pop();
    }
    this.length = sizeBytes;
    const last = this.pieces.length - 1;
    if (last < 0) return;
    this.pieces[last] = (this.pieces[last] as Buffer).subarray(0, sizeBytes - (this.starts[last] as number));
  }

  private overwrite(buffers: readonly Buffer[], position: number): void {
    const added = Buffer.concat(buffers);
    const tail = this.read(position + added.length, this.length);
    const after = Buffer.from(tail);
    this.truncate(position);
    this.append(added);
    this.append(after);
  }

  private append(buffer: Buffer): void {
    if (buffer.length === 0) return;
    const last = this.pieces[this.pieces.length - 1];
    this.length += buffer.length;
    if (last && last.buffer === buffer.buffer && last.byteOffset + last.length === buffer.byteOffset) {
      this.pieces[this.pieces.length - 1] = Buffer.from(last.buffer, last.byteOffset, last.length + buffer.length);
      return;
    }
    this.pieces.push(buffer);
    this.starts.push(this.length - buffer.length);
  }

  /** Index of the piece that holds `position`. */
  private pieceAt(position: number): number {
    let low = 0;
    let high = this.pieces.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.starts[middle] as number) <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
