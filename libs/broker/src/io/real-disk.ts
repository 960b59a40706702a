/**
 * The disk of this machine, on node:fs.
 * Guarantees: what the port promises (disk.ts); short writes are continued until all bytes are out or an error says why.
 * Small writes are made at once, as long as the system takes them at once (prompt-writes.ts).
 * Leaves out caching and read-ahead: the operating system does both better.
 */
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { type Disk, DiskError, type DiskFile, type DiskStat, type OpenMode, SyncError } from './disk.js';
import { lockDirectory } from './directory-lock.js';
import { PromptWrites } from './prompt-writes.js';

function codeOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return typeof code === 'string' ? code : 'EIO';
}

function failed(what: string, path: string, error: unknown): DiskError {
  const reason = error instanceof Error ? error.message : String(error);
  return new DiskError(`Cannot ${what} ${path}: ${reason}`, codeOf(error), { cause: error });
}

function syncFailed(path: string, error: unknown): SyncError {
  return new SyncError(failed('flush', path, error));
}

async function attempt<T>(what: string, path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw error instanceof DiskError ? error : failed(what, path, error);
  }
}

function byteCount(buffers: readonly Buffer[]): number {
  let bytes = 0;
  for (const buffer of buffers) bytes += buffer.length;
  return bytes;
}

/** What is left of `buffers` after the first `bytes` bytes. */
function rest(buffers: readonly Buffer[], bytes: number): Buffer[] {
  let skip = bytes;
  const left: Buffer[] = [];
  for (const buffer of buffers) {
    if (skip >= buffer.length) {
      skip -= buffer.length;
      continue;
    }
    left.push(skip > 0 ? buffer.subarray(skip) : buffer);
    skip = 0;
  }
  return left;
}

/** One for the process: what makes one write wait makes all of them wait. */
const promptWrites = new PromptWrites(() => performance.now());

class RealFile implements DiskFile {
  constructor(
    readonly path: string,
    private readonly fd: number,
  ) {}

  read(position: number, length: number, into?: Buffer): Promise<Buffer> {
    const buffer = into ?? Buffer.allocUnsafe(length);
    return new Promise((resolve, reject) => {
      const step = (filled: number): void => {
        fs.read(this.fd, buffer, filled, length - filled, position + filled, (error, bytesRead) => {
          if (error) reject(failed('read', this.path, error));
          else if (bytesRead === 0 || filled + bytesRead === length) resolve(buffer.subarray(0, filled + bytesRead));
          else step(filled + bytesRead);
        });
      };
      if (length === 0) resolve(buffer.subarray(0, 0));
      else step(0);
    });
  }

  writev(buffers: readonly Buffer[], position: number, done: (error: DiskError | null) => void): void {
    const wantedBytes = byteCount(buffers);
    const ended = (error: unknown, written: number): void => {
      if (error) return done(failed('write', this.path, error));
      if (written === wantedBytes) return done(null);
      if (written === 0) return done(failed('write', this.path, new Error('the system took no bytes')));
      // A short write is not an error yet: trying the rest tells us why (usually a full disk), or succeeds.
      this.writev(rest(buffers, written), position + written, done);
    };
    const beganMs = promptWrites.begin(wantedBytes);
    if (beganMs === null) {
      fs.writev(this.fd, buffers, position, ended);
      return;
    }
    let failure: unknown = null;
    let written = 0;
    try {
      written = fs.writevSync(this.fd, buffers, position);
    } catch (error) {
      failure = error;
    }
    promptWrites.ended(beganMs);
    ended(failure, written);
  }

  truncate(sizeBytes: number): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.ftruncate(this.fd, sizeBytes, (error) => (error ? reject(failed('truncate', this.path, error)) : resolve()));
    });
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.fdatasync(this.fd, (error) => (error ? reject(syncFailed(this.path, error)) : resolve()));
    });
  }

  size(): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.fstat(this.fd, (error, stat) => (error ? reject(failed('look at', this.path, error)) : resolve(stat.size)));
    });
  }

  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.close(this.fd, (error) => (error ? reject(failed('close', this.path, error)) : resolve()));
    });
  }
}

const OPEN_FLAGS: Readonly<Record<OpenMode, number>> = {
  read: fs.constants.O_RDONLY,
  write: fs.constants.O_RDWR | fs.constants.O_CREAT,
  create: fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_TRUNC,
};

async function stat(path: string): Promise<DiskStat | null> {
  try {
    const found = await fs.promises.stat(path);
    return { sizeBytes: found.size, modifiedMs: Math.floor(found.mtimeMs), isDirectory: found.isDirectory() };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw failed('look at', path, error);
  }
}

/**
 * One directory after the other: the recursive form of Node tries for ever where the system says that a directory it has
 * is missing, as in /proc.
 */
async function makeDirectory(path: string): Promise<void> {
  try {
    await fs.promises.mkdir(path);
    return;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST' || code === 'EISDIR' || code === 'EROFS' || code === 'EACCES') {
      // The system may refuse to make what is there already before it looks.
      if ((await stat(path).catch(() => null))?.isDirectory === true) return;
      throw code === 'EEXIST' ? Object.assign(new Error('a file is in the way'), { code: 'ENOTDIR' }) : error;
    }
    const parent = dirname(path);
    if (code !== 'ENOENT' || parent === path || (await stat(parent)) !== null) throw error;
    await makeDirectory(parent);
  }
  await makeDirectory(path);
}

async function replaceFile(path: string, content: Buffer, options: { sync: boolean }): Promise<void> {
  const temporary = `${path}.tmp`;
  await attempt('write', path, async () => {
    const handle = await fs.promises.open(temporary, 'w');
    try {
      await handle.writeFile(content);
      if (options.sync) await syncHandle(handle, path);
    } catch (error) {
      // On a full disk somebody else needs the room.
      await handle.truncate(0).catch(() => undefined);
      throw error;
    } finally {
      await handle.close();
    }
    await fs.promises.rename(temporary, path);
  });
  if (options.sync) await syncDirectory(path.slice(0, Math.max(path.lastIndexOf('/'), 1)));
}

async function syncHandle(handle: fs.promises.FileHandle, path: string): Promise<void> {
  try {
    await handle.sync();
  } catch (error) {
    throw syncFailed(path, error);
  }
}

async function syncDirectory(path: string): Promise<void> {
  // Windows cannot open a directory; its file systems journal names themselves.
  if (process.platform === 'win32') return;
  await attempt('flush', path, async () => {
    const handle = await fs.promises.open(path, 'r');
    try {
      await syncHandle(handle, path);
    } finally {
      await handle.close();
    }
  });
}

/** See the file comment. Has no state of its own: one is enough for a process. */
export const realDisk: Disk = {
  keepsBuffers: false,
  open(path, mode) {
    return new Promise((resolve, reject) => {
      fs.open(path, OPEN_FLAGS[mode], 0o644, (error, fd) => {
        if (error) reject(failed('open', path, error));
        else resolve(new RealFile(path, fd));
      });
    });
  },
  readFile: (path) => attempt('read', path, () => fs.promises.readFile(path)),
  replaceFile,
  readdir: (path) => attempt('list', path, () => fs.promises.readdir(path)),
  stat,
  mkdir: (path) => attempt('create', path, () => makeDirectory(path)),
  rename: (from, to) => attempt('rename', from, () => fs.promises.rename(from, to)),
  unlink: (path) => attempt('remove', path, () => fs.promises.rm(path, { force: true })),
  removeDirectory: (path) => attempt('remove', path, () => fs.promises.rm(path, { force: true, recursive: true })),
  syncDirectory,
  lock: lockDirectory,
};
