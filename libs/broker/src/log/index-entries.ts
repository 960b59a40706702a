/**
 * The common part of the offset index and the time index: fixed-size big-endian entries that only ever grow at the end.
 * Guarantees: the bytes are those of the file; a slice that was handed out to be written is never changed afterwards.
 * Leaves out files: a segment reads and writes them.
 */

/** See the file comment. `entryBytes` is the size of one entry, `entriesMax` how many fit. */
export class IndexEntries {
  protected bytes: Buffer;
  /** The file holds more than these entries: it must be cut before the next write. */
  cutFile = false;
  private used = 0;
  private persisted = 0;

  constructor(
    protected readonly entryBytes: number,
    readonly entriesMax: number,
    content: Buffer = Buffer.alloc(0),
  ) {
    this.bytes = content;
    this.used = content.length;
    this.persisted = content.length;
  }

  get count(): number {
    return this.used / this.entryBytes;
  }

  get sizeBytes(): number {
    return this.used;
  }

  get isFull(): boolean {
    return this.count >= this.entriesMax;
  }

  /** Bytes that are not in the file yet, and where they belong. */
  unwritten(): { slice: Buffer; position: number } {
    return { slice: this.bytes.subarray(this.persisted, this.used), position: this.persisted };
  }

  /** Number of bytes waiting for the file. */
  get unwrittenBytes(): number {
    return this.used - this.persisted;
  }

  /** Notes that everything up to `sizeBytes` is in the file. */
  markWritten(sizeBytes: number): void {
    this.persisted = Math.max(this.persisted, Math.min(sizeBytes, this.used));
  }

  /** The entries were made again from the log: whatever the file holds is replaced. */
  markRebuilt(): void {
    this.persisted = 0;
    this.cutFile = true;
  }

  /** Position in `bytes` of a new entry. */
  protected grow(): number {
    const position = this.used;
    this.used += this.entryBytes;
    if (this.used > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.used, this.bytes.length * 2, 32 * this.entryBytes));
      this.bytes.copy(larger, 0, 0, position);
      this.bytes = larger;
    }
    return position;
  }

  /** Keeps the first `count` entries. The file must be cut as well; what follows is written over it. */
  protected keep(count: number): void {
    const kept = Math.min(count * this.entryBytes, this.used);
    // New memory: slices of the old one may still be on their way to the disk.
    this.bytes = Buffer.from(this.bytes.subarray(0, kept));
    this.used = kept;
    this.persisted = Math.min(this.persisted, kept);
    this.cutFile = true;
  }
}
