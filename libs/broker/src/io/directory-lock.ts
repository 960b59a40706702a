/**
 * The `.lock` file of a data directory: one broker at a time.
 * Guarantees: a second live process is refused with its owner's name; a lock left by a dead process (kill -9, power loss)
 * is taken over, also when its process id has been given to somebody else since, where the system tells start times.
 * Leaves out machines that share a directory over a network, and containers that share one without sharing processes:
 * a process that cannot be seen counts as dead.
 */
import * as fs from 'node:fs';
import { randomBytes } from 'node:crypto';
import { DiskError, type DiskLock } from './disk.js';

interface Owner {
  readonly pid: number;
  /** Start time of the process in the system's own unit; null where it cannot be known. */
  readonly startedAt: string | null;
  /** Tells two locks of one process apart. */
  readonly token: string;
}

const ATTEMPTS_MAX = 5;

/** Field 22 of /proc/<pid>/stat: clock ticks since boot. The command name before it may contain blanks and brackets. */
function startTimeOf(pid: number): string | null {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A process that has ended but was not waited for yet holds nothing any more.
    return afterName[0] === 'Z' ? null : (afterName[19] ?? null);
  } catch {
    return null;
  }
}

function isAlive(owner: Owner): boolean {
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    // EPERM: somebody else's process, alive.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return owner.startedAt === null || startTimeOf(owner.pid) === owner.startedAt;
}

function parse(text: string): Owner | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return null;
    const { pid, startedAt, token } = value as Partial<Owner>;
    if (typeof pid !== 'number' || !Number.isInteger(pid) || pid <= 0) return null;
    return { pid, startedAt: typeof startedAt === 'string' ? startedAt : null, token: String(token) };
  } catch {
    return null;
  }
}

async function readText(path: string): Promise<string | null> {
  try {
    return await fs.promises.readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Puts a complete file in place only if there is none: a hard link is atomic where "open exclusively, then write" is not. */
async function createExclusively(path: string, text: string, token: string): Promise<boolean> {
  const temporary = `${path}.${token}`;
  await fs.promises.writeFile(temporary, text);
  try {
    await fs.promises.link(temporary, path);
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EEXIST') return false;
    // File systems without hard links.
    return await fs.promises.writeFile(path, text, { flag: 'wx' }).then(
      () => true,
      () => false,
    );
  } finally {
    await fs.promises.rm(temporary, { force: true });
  }
}

/**
 * Moves a stale lock out of the way. Two starters may both have seen it: the slower one could otherwise remove the fresh
 * lock of the faster one, so it looks at what it has moved, and puts it back if that is not what it meant.
 */
async function removeStale(path: string, staleText: string, token: string): Promise<void> {
  const aside = `${path}.stale.${token}`;
  try {
    await fs.promises.rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if ((await readText(aside)) !== staleText) await fs.promises.link(aside, path).catch(() => undefined);
  await fs.promises.rm(aside, { force: true });
}

/** Implements `Disk.lock` on the real file system; see disk.ts. */
export async function lockDirectory(directory: string): Promise<DiskLock> {
  const path = `${directory}/.lock`;
  const token = randomBytes(9).toString('base64url');
  const text = JSON.stringify({ pid: process.pid, startedAt: startTimeOf(process.pid), token } satisfies Owner);
  try {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      if ((await createExclusively(path, text, token)) && (await readText(path)) === text) {
        return { release: () => release(path, text) };
      }
      const found = await readText(path);
      if (found === null) continue;
      const owner = parse(found);
      if (owner && isAlive(owner)) {
        throw new DiskError(`${directory} is in use by another broker, process ${owner.pid}.`, 'LOCKED');
      }
      await removeStale(path, found, token);
    }
  } catch (error) {
    if (error instanceof DiskError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    const code = (error as NodeJS.ErrnoException).code ?? 'EIO';
    throw new DiskError(`Cannot lock ${directory}: ${reason}`, code, { cause: error });
  }
  throw new DiskError(`${directory} is in use: its lock changed hands while this process tried to take it.`, 'LOCKED');
}

async function release(path: string, text: string): Promise<void> {
  if ((await readText(path).catch(() => null)) === text) await fs.promises.rm(path, { force: true });
}
