/**
 * A disk in memory: what a broker without a data directory runs on, and what tests break on purpose.
 * Guarantees: the same behaviour as the real disk seen through the port; written buffers are kept, not copied.
 * Tests can hold writes back, make operations fail, count them, let the disk run full, and take it as it is after a crash.
 * Leaves out the durability of names: after a simulated power loss names are there, only unsynced bytes are gone.
 */
import { type Disk, DiskError, type DiskFile, type DiskLock, type DiskStat, type OpenMode, SyncError } from './disk.js';
import { MemoryContent } from './memory-content.js';

/** Operations a test can fail or count. A write that is made to fail leaves the first half of its bytes. */
export type DiskOperation = 'open' | 'read' | 'write' | 'truncate' | 'sync' | 'replace' | 'rename' | 'unlink';

interface Node {
  content: MemoryContent;
  /** What a power loss leaves; null until the first sync. */
  synced: MemoryContent | null;
  modifiedMs: number;
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0));
}

class MemoryFile implements DiskFile {
  private open = true;

  constructor(
    readonly path: string,
    private readonly disk: MemoryDisk,
    private readonly node: Node,
  ) {}

  async read(position: number, length: number): Promise<Buffer> {
    this.check('read');
    return this.node.content.read(position, length);
  }

  writev(buffers: readonly Buffer[], position: number, done: (error: DiskError | null) => void): void {
    this.disk.afterHold(() => {
      try {
        this.check('write');
      } catch (error) {
        const torn = Buffer.concat(buffers);
        this.node.content.write([torn.subarray(0, torn.length >> 1)], position);
        return done(error as DiskError);
      }
      const bytes = buffers.reduce((sum, { length }) => sum + length, 0);
      const lacking = this.disk.lacking(position + bytes - this.node.content.sizeBytes);
      if (lacking > 0) {
        this.node.content.write([Buffer.concat(buffers).subarray(0, Math.max(bytes - lacking, 0))], position);
        return done(this.disk.full(this.path));
      }
      this.node.content.write(buffers, position);
      this.node.modifiedMs = this.disk.now();
      done(null);
    });
  }

  async truncate(sizeBytes: number): Promise<void> {
    this.check('truncate');
    this.node.content.truncate(sizeBytes);
  }

  async sync(): Promise<void> {
    try {
      this.check('sync');
    } catch (error) {
      throw error instanceof DiskError ? new SyncError(error) : error;
    }
    this.node.synced = this.node.content.clone();
  }

  async size(): Promise<number> {
    return this.node.content.sizeBytes;
  }

  async close(): Promise<void> {
    this.open = false;
  }

  private check(operation: DiskOperation): void {
    if (!this.open) throw new DiskError(`Cannot ${operation} ${this.path}: the file is closed`, 'EBADF');
    this.disk.perform(operation, this.path);
  }
}

/** See the file comment. */
export class MemoryDisk implements Disk {
  readonly keepsBuffers = true;
  private readonly files = new Map<string, Node>();
  private readonly directories = new Set<string>(['']);
  private readonly locks = new Set<string>();
  private held: (() => void)[] | null = null;

  /** Called before each operation; what it throws (a `DiskError`) is the operation's failure. For tests. */
  intercept: ((operation: DiskOperation, path: string) => void) | null = null;
  /** Operations performed so far, by kind. */
  readonly counts: Record<DiskOperation, number> = {
    open: 0,
    read: 0,
    write: 0,
    truncate: 0,
    sync: 0,
    replace: 0,
    rename: 0,
    unlink: 0,
  };

  /** Bytes that all files together can have; a write beyond that leaves what fits and fails with ENOSPC. For tests. */
  capacityBytes = Infinity;

  /** `now` dates files, in epoch milliseconds. */
  constructor(readonly now: () => number = () => 0) {}

  /** Keeps writes waiting until `letGo`, so that a test can see what happens meanwhile. */
  hold(): void {
    this.held ??= [];
  }

  /** Lets held writes happen, in order. */
  letGo(): void {
    const held = this.held ?? [];
    this.held = null;
    for (const write of held) queueMicrotask(write);
  }

  /** Used by files of this disk. */
  afterHold(write: () => void): void {
    if (this.held) this.held.push(write);
    else queueMicrotask(write);
  }

  /** Used by files of this disk: counts an operation and lets a test fail it. */
  perform(operation: DiskOperation, path: string): void {
    this.counts[operation]++;
    this.intercept?.(operation, path);
  }

  /** Bytes in all files. */
  get usedBytes(): number {
    let bytes = 0;
    for (const { content } of this.files.values()) bytes += content.sizeBytes;
    return bytes;
  }

  /** Used by files of this disk: how many of `bytes` more bytes do not fit. */
  lacking(bytes: number): number {
    return this.capacityBytes === Infinity || bytes <= 0 ? 0 : Math.max(this.usedBytes + bytes - this.capacityBytes, 0);
  }

  /** Used by files of this disk. */
  full(path: string): DiskError {
    return new DiskError(`Cannot write ${path}: no space left on device`, 'ENOSPC');
  }

  /** A new disk as the next start finds it: after `kill` with all that was written, after `powerLoss` with what was synced. */
  afterCrash(kind: 'kill' | 'powerLoss'): MemoryDisk {
    const disk = new MemoryDisk(this.now);
    for (const path of this.directories) disk.directories.add(path);
    for (const [path, node] of this.files) {
      const content = kind === 'kill' ? node.content.clone() : (node.synced?.clone() ?? new MemoryContent());
      disk.files.set(path, { content, synced: content.clone(), modifiedMs: node.modifiedMs });
    }
    return disk;
  }

  /** All file paths, sorted. */
  list(): string[] {
    return [...this.files.keys()].sort();
  }

  async open(path: string, mode: OpenMode): Promise<DiskFile> {
    this.perform('open', path);
    let node = this.files.get(path);
    if (!node) {
      if (mode === 'read' || !this.directories.has(parentOf(path))) throw this.missing('open', path);
      node = { content: new MemoryContent(), synced: null, modifiedMs: this.now() };
      this.files.set(path, node);
    } else if (mode === 'create') {
      node.content.truncate(0);
    }
    return new MemoryFile(path, this, node);
  }

  async readFile(path: string): Promise<Buffer> {
    this.perform('read', path);
    const node = this.files.get(path);
    if (!node) throw this.missing('read', path);
    return Buffer.from(node.content.read(0, node.content.sizeBytes));
  }

  async replaceFile(path: string, content: Buffer, options: { sync: boolean }): Promise<void> {
    this.perform('replace', path);
    if (!this.directories.has(parentOf(path))) throw this.missing('write', path);
    // Both are there for a moment, as on a real disk.
    if (this.lacking(content.length) > 0) throw this.full(path);
    const replaced = new MemoryContent();
    replaced.write([Buffer.from(content)], 0);
    const synced = options.sync ? replaced.clone() : null;
    this.files.set(path, { content: replaced, synced, modifiedMs: this.now() });
  }

  async readdir(path: string): Promise<string[]> {
    if (!this.directories.has(path)) throw this.missing('list', path);
    const names: string[] = [];
    for (const entry of [...this.files.keys(), ...this.directories]) {
      if (entry !== path && parentOf(entry) === path) names.push(entry.slice(path.length + 1));
    }
    return names;
  }

  async stat(path: string): Promise<DiskStat | null> {
    const node = this.files.get(path);
    if (node) return { sizeBytes: node.content.sizeBytes, modifiedMs: node.modifiedMs, isDirectory: false };
    return this.directories.has(path) ? { sizeBytes: 0, modifiedMs: 0, isDirectory: true } : null;
  }

  async mkdir(path: string): Promise<void> {
    for (let at = path; at !== '' && !this.directories.has(at); at = parentOf(at)) this.directories.add(at);
  }

  async rename(from: string, to: string): Promise<void> {
    this.perform('rename', from);
    const node = this.files.get(from);
    if (node) {
      this.files.delete(from);
      this.files.set(to, node);
      return;
    }
    if (!this.directories.has(from)) throw this.missing('rename', from);
    const moved = (path: string): string => to + path.slice(from.length);
    const isInside = (path: string): boolean => path === from || path.startsWith(`${from}/`);
    for (const path of [...this.directories].filter(isInside)) {
      this.directories.delete(path);
      this.directories.add(moved(path));
    }
    for (const [path, inside] of [...this.files].filter(([path]) => isInside(path))) {
      this.files.delete(path);
      this.files.set(moved(path), inside);
    }
  }

  async unlink(path: string): Promise<void> {
    this.perform('unlink', path);
    this.files.delete(path);
  }

  async removeDirectory(path: string): Promise<void> {
    const isInside = (entry: string): boolean => entry === path || entry.startsWith(`${path}/`);
    for (const entry of [...this.files.keys()].filter(isInside)) this.files.delete(entry);
    for (const entry of [...this.directories].filter(isInside)) this.directories.delete(entry);
  }

  async syncDirectory(): Promise<void> {
    // Names are durable at once here.
  }

  async lock(directory: string): Promise<DiskLock> {
    if (this.locks.has(directory)) {
      throw new DiskError(`${directory} is in use by another broker in this process.`, 'LOCKED');
    }
    this.locks.add(directory);
    return { release: async () => void this.locks.delete(directory) };
  }

  private missing(what: string, path: string): DiskError {
    return new DiskError(`Cannot ${what} ${path}: no such file or directory`, 'ENOENT');
  }
}
