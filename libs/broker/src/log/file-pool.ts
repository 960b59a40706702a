/**
 * Files of segments held open for reading, a bounded number of them, the least recently used closed first.
 * Guarantees: a file is never closed under a running read; `close` resolves when the last read of a file is done.
 * Leaves out writing: the active segment has a handle of its own.
 */
import type { Disk, DiskFile } from '../io/disk.js';
import { OPEN_SEGMENT_FILES_MAX } from '../limits.js';

interface Entry {
  readonly file: Promise<DiskFile>;
  readers: number;
  closing: (() => void) | null;
}

/** See the file comment. */
export class FilePool {
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
  async read(path: string, position: number, length: number): Promise<Buffer> {
    const entry = this.use(path);
    entry.readers++;
    try {
      return await (await entry.file).read(position, length);
    } finally {
      entry.readers--;
      if (entry.readers === 0) entry.closing?.();
    }
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
