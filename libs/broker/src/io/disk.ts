/**
 * The disk as the broker sees it: a port, implemented by `realDisk` (real-disk.ts) and by `MemoryDisk` (memory-disk.ts).
 * Guarantees: an operation either happened or failed with a `DiskError`; `writev` writes all bytes or reports an error.
 * A callback is never called before the call that took it has returned.
 * Leaves out sharing: one writer per file, and a directory belongs to one process (see `lock`).
 */

/** Why an operation failed. `code` is the operating system's name (`ENOSPC`, `EIO`, `ENOENT`) or `LOCKED`. */
export class DiskError extends Error {
  constructor(
    message: string,
    readonly code: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'DiskError';
  }
}

/** The device did not take what it was forced to. Nobody knows what is on it: trying again is not safe. */
export class SyncError extends DiskError {
  constructor(cause: DiskError) {
    super(cause.message, cause.code, { cause });
    this.name = 'SyncError';
  }
}

/** No room on the file system or in the user's share of it; no more open files for the process or the machine. */
const PASSING_CODES: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE']);

/** Tells trouble that may be over in a while, and that leaves alone what was written before, from a broken disk. */
export function isPassing(error: unknown): error is DiskError {
  return error instanceof DiskError && !(error instanceof SyncError) && PASSING_CODES.has(error.code);
}

/** Tells a missing file from every other trouble. */
export function isMissing(error: unknown): boolean {
  return error instanceof DiskError && error.code === 'ENOENT';
}

/** What `stat` knows. Sizes in bytes, times in epoch milliseconds. */
export interface DiskStat {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly isDirectory: boolean;
}

/** An open file. Positions and lengths are bytes. */
export interface DiskFile {
  readonly path: string;
  /**
   * Reads up to `length` bytes from `position`; shorter at the end of the file. The result may be shared: never change it.
   * A disk that copies puts the bytes to the front of `into` when that is given, and answers a view of it.
   */
  read(position: number, length: number, into?: Buffer): Promise<Buffer>;
  /**
   * Writes all buffers one after the other at `position`. The buffers must not change before `done`, and never on a disk
   * that keeps them (see `keepsBuffers`). After an error an unknown part of the bytes may have been written. `done` may be
   * called before this returns.
   */
  writev(buffers: readonly Buffer[], position: number, done: (error: DiskError | null) => void): void;
  /** Cuts or zero-extends the file to `sizeBytes`. */
  truncate(sizeBytes: number): Promise<void>;
  /** Forces the bytes to the device (fdatasync), or rejects with a `SyncError`. The content is unknown then. */
  sync(): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}

/** How to open: `read` an existing file, `write` an existing or new one (never truncated), `create` a new and empty one. */
export type OpenMode = 'read' | 'write' | 'create';

/** Held by one process; ends with `release` or with the process. */
export interface DiskLock {
  release(): Promise<void>;
}

/** The port. Paths are joined by the caller with `/`. */
export interface Disk {
  /** Buffers given to `writev` stay part of the file: they must never be used for anything else. */
  readonly keepsBuffers: boolean;
  open(path: string, mode: OpenMode): Promise<DiskFile>;
  /** The whole content. Rejects with `ENOENT` when there is none. */
  readFile(path: string): Promise<Buffer>;
  /** Replaces a file as one step: readers see the old or the new content. `sync` forces it to the device first. */
  replaceFile(path: string, content: Buffer, options: { sync: boolean }): Promise<void>;
  /** Names (not paths) of the entries of a directory, in no particular order. */
  readdir(path: string): Promise<string[]>;
  /** Null when there is nothing at `path`. */
  stat(path: string): Promise<DiskStat | null>;
  /** Makes a directory and its parents; an existing one is fine. */
  mkdir(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file; a missing one is fine. */
  unlink(path: string): Promise<void>;
  /** Removes a directory with all that is in it; a missing one is fine. */
  removeDirectory(path: string): Promise<void>;
  /** Makes created, renamed and removed names of a directory durable. A no-op where the system has no such call. */
  syncDirectory(path: string): Promise<void>;
  /**
   * Takes `<directory>/.lock` for this process, taking over what a dead process left.
   * Rejects with a `DiskError` of code `LOCKED` that names the owner when another live broker holds it.
   */
  lock(directory: string): Promise<DiskLock>;
}
