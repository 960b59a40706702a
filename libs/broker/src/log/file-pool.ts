/**
 * Files of segments held open for reading, a bounded number of them, the least recently used closed first.
 * Guarantees: a file is never closed under a running read; `close` resolves when the last read of a file is done.
 * Leaves out writing: the active segment has a handle of its own.
 */
import type { Disk, DiskFile } from '../io/disk.js';
import { assert } from '../assert.js';
import { OPEN_SEGMENT_FILES_MAX } from '../limits.js';
import { type ReadBlock, ReadMemory } from './log-reader-memory.js';

interface Entry {
  readonly file: Promise<DiskFile>;
  readers: number;
  closing: (() => void) | null;
}

/** See the file comment. */
export class FilePool {
  /** What `readBlock` reads into. */
  readonly memory = new ReadMemory();
  private readonly entries = new Map<string, Entry>();

  constructor(
    private readonly disk: Disk,
    private readonly filesMax: number = OPEN_SEGMENT_FILES_MAX,
  ) {}

  /** Files open at this moment. */
  get size(): number {
    return this.entries.size;
  }

  /** Up to `length` bytes of the file at `path`. */
  read(path: string, position: number, length: number): Promise<Buffer> {
    return this.readInto(path, position, length);
  }

  /** The same in memory that is used again when the reader says so. */
  async readBlock(path: string, position: number, length: number): Promise<ReadBlock> {
    // Such a disk answers views of what it keeps anyway.
    if (this.disk.keepsBuffers) return { bytes: await this.read(path, position, length), release: () => undefined };
    let memory: Buffer | null = this.memory.take(length);
    const release = (): void => {
      if (memory !== null) this.memory.give(memory);
      memory = null;
    };
    try {
      return { bytes: await this.readInto(path, position, length, memory), release };
    } catch (error) {
      release();
      throw error;
    }
  }

  private async readInto(path: string, position: number, length: number, into?: Buffer): Promise<Buffer> {
    const entry = this.use(path);
    entry.readers++;
    try {
      return await (await entry.file).read(position, length, into);
    } finally {
      entry.readers--;
      if (entry.readers === 0) entry.closing?.();
    }
  }

  /** Opens a file and keeps it open until `unpin`, whatever happens to its name. */
  async pin(path: string): Promise<void> {
    const entry = this.use(path);
    entry.readers++;
    try {
      await entry.file;
    } catch (error) {
      entry.readers--;
      throw error;
    }
  }

  /** A file is open, or being opened, under this path. */
  isOpen(path: string): boolean {
    return this.entries.has(path);
  }

  /** The file that is pinned under one path goes by another from now on. */
  renamed(from: string, to: string): void {
    const entry = this.entries.get(from);
    assert(entry !== undefined && entry.readers > 0, 'Only a pinned file can be renamed.');
    this.entries.delete(from);
    this.entries.set(to, entry);
  }

  /** Ends what `pin` began; `path` is the one the file goes by now. */
  unpin(path: string): void {
    const entry = this.entries.get(path);
    if (!entry) return;
    entry.readers--;
    if (entry.readers === 0) entry.closing?.();
  }

  /** Closes a file, after its last read; a file that is not open is fine. */
  async close(path: string): Promise<void> {
    const entry = this.entries.get(path);
    if (!entry) return;
    this.entries.delete(path);
    if (entry.readers > 0) await new Promise<void>((resolve) => (entry.closing = resolve));
    const file = await entry.file.catch(() => null);
    await file?.close();
  }

  /** Closes all files. */
  async closeAll(): Promise<void> {
    await Promise.all([...this.entries.keys()].map((path) => this.close(path)));
  }

  private use(path: string): Entry {
    let entry = this.entries.get(path);
    if (entry) {
      this.entries.delete(path);
    } else {
      this.makeRoom();
      entry = { file: this.disk.open(path, 'read'), readers: 0, closing: null };
      // A file that could not be opened is tried again by the next reader; the reader sees the error.
      entry.file.catch(() => this.entries.delete(path));
    }
    this.entries.set(path, entry);
    return entry;
  }

  private makeRoom(): void {
    if (this.entries.size < this.filesMax) return;
    for (const [path, entry] of this.entries) {
      if (entry.readers > 0) continue;
      // Closing a file that was only read loses nothing, whatever the system says about it.
      void this.close(path).catch(() => undefined);
      return;
    }
  }
}
