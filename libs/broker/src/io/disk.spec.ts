import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Disk, DiskError, type DiskFile } from './disk.js';
import { MemoryDisk } from './memory-disk.js';
import { realDisk } from './real-disk.js';

const write = (file: DiskFile, buffers: Buffer[], position: number): Promise<void> =>
  new Promise((resolve, reject) => file.writev(buffers, position, (error) => (error ? reject(error) : resolve())));

describe.each([
  ['the real disk', async (): Promise<[Disk, string]> => [realDisk, await mkdtemp(join(tmpdir(), 'broker-disk-'))]],
  ['a disk in memory', async (): Promise<[Disk, string]> => [new MemoryDisk(() => 5), 'root']],
])('disk: %s', (_name, make) => {
  let disk: Disk;
  let root: string;

  beforeEach(async () => {
    [disk, root] = await make();
    await disk.mkdir(root);
  });

  afterEach(async () => {
    await disk.removeDirectory(root);
    expect(await disk.stat(root)).toBeNull();
  });

  it('makes a directory with its parents, and leaves one that is there', async () => {
    await disk.mkdir(`${root}/a/b/c`);
    await disk.mkdir(`${root}/a/b/c`);
    expect(await disk.stat(`${root}/a/b/c`)).toMatchObject({ isDirectory: true });
  });

  it('writes several buffers in order and reads them at any position', async () => {
    const file = await disk.open(`${root}/a`, 'create');
    await write(file, [Buffer.from('abc'), Buffer.from(''), Buffer.from('defg')], 0);
    await write(file, [Buffer.from('hi')], 7);
    expect(await file.size()).toBe(9);
    expect(String(await file.read(0, 100))).toBe('abcdefghi');
    expect(String(await file.read(2, 4))).toBe('cdef');
    expect((await file.read(9, 10)).length).toBe(0);
    expect((await file.read(100, 10)).length).toBe(0);
    expect((await file.read(3, 0)).length).toBe(0);
    await file.close();
  });

  it('writes more buffers than one system call takes', async () => {
    const file = await disk.open(`${root}/a`, 'create');
    const buffers = Array.from({ length: 3000 }, (_, index) => Buffer.from(`${index},`));
    await write(file, buffers, 0);
    expect((await file.read(0, 100_000)).equals(Buffer.concat(buffers))).toBe(true);
    await file.close();
  });

  it('overwrites, cuts and extends', async () => {
    const file = await disk.open(`${root}/a`, 'create');
    await write(file, [Buffer.from('0123456789')], 0);
    await write(file, [Buffer.from('AB')], 4);
    expect(String(await file.read(0, 20))).toBe('0123AB6789');
    await file.truncate(6);
    expect(String(await file.read(0, 20))).toBe('0123AB');
    await file.truncate(8);
    expect((await file.read(6, 5)).equals(Buffer.alloc(2))).toBe(true);
    await write(file, [Buffer.from('z')], 10);
    expect(await file.size()).toBe(11);
    await file.sync();
    await file.close();
  });

  it('opens to write without losing what is there, and to create with nothing in it', async () => {
    for (const [mode, expected] of [
      ['write', 3],
      ['create', 0],
    ] as const) {
      await disk.replaceFile(`${root}/a`, Buffer.from('abc'), { sync: true });
      const file = await disk.open(`${root}/a`, mode);
      expect(await file.size()).toBe(expected);
      await file.close();
    }
  });

  it('says which file is missing', async () => {
    await expect(disk.open(`${root}/none`, 'read')).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(disk.readFile(`${root}/none`)).rejects.toThrow(`${root}/none`);
    await expect(disk.readdir(`${root}/none`)).rejects.toBeInstanceOf(DiskError);
    await expect(disk.open(`${root}/no/directory`, 'create')).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await disk.stat(`${root}/none`)).toBeNull();
    await disk.unlink(`${root}/none`);
    await disk.removeDirectory(`${root}/none`);
  });

  it('lists, renames and removes files and directories', async () => {
    await disk.mkdir(`${root}/d/e`);
    await disk.replaceFile(`${root}/d/e/f`, Buffer.from('x'), { sync: false });
    await disk.replaceFile(`${root}/g`, Buffer.from('yy'), { sync: false });
    expect((await disk.readdir(root)).sort()).toEqual(['d', 'g']);
    expect(await disk.stat(`${root}/g`)).toMatchObject({ sizeBytes: 2, isDirectory: false });
    expect(await disk.stat(`${root}/d`)).toMatchObject({ isDirectory: true });
    await disk.rename(`${root}/d`, `${root}/h`);
    expect(String(await disk.readFile(`${root}/h/e/f`))).toBe('x');
    expect(await disk.stat(`${root}/d`)).toBeNull();
    await disk.syncDirectory(root);
    await disk.unlink(`${root}/g`);
    await disk.removeDirectory(`${root}/h`);
    expect(await disk.readdir(root)).toEqual([]);
  });

  it('gives a directory to one owner at a time', async () => {
    const lock = await disk.lock(root);
    await expect(disk.lock(root)).rejects.toMatchObject({ code: 'LOCKED' });
    await lock.release();
    await (await disk.lock(root)).release();
  });
});

describe('disk: the lock of the real disk', () => {
  let root: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'broker-lock-'));
  });

  afterEach(() => rm(root, { recursive: true, force: true }));

  /** A process that holds the lock as another broker would, by its file. */
  async function holdInAnotherProcess(): Promise<{ pid: number; kill(): Promise<void> }> {
    const child = spawn(process.execPath, ['-e', "process.stdout.write('up'); setInterval(() => {}, 1000)"]);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const pid = child.pid ?? -1;
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => null);
    const startedAt = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
    await writeFile(join(root, '.lock'), JSON.stringify({ pid, startedAt, token: 'x' }));
    const ended = new Promise((resolve) => child.once('exit', resolve));
    const kill = async (): Promise<void> => {
      child.kill('SIGKILL');
      await ended;
    };
    return { pid, kill };
  }

  it('names the live process that holds it, and is free once that was killed', async () => {
    const holder = await holdInAnotherProcess();
    try {
      await expect(realDisk.lock(root)).rejects.toThrow(`in use by another broker, process ${holder.pid}`);
    } finally {
      await holder.kill();
    }
    await (await realDisk.lock(root)).release();
  });

  it('takes over when the process id has gone to somebody else since', async () => {
    if (process.platform !== 'linux') return;
    await writeFile(join(root, '.lock'), JSON.stringify({ pid: process.pid, startedAt: '1', token: 'x' }));
    const lock = await realDisk.lock(root);
    await expect(realDisk.lock(root)).rejects.toMatchObject({ code: 'LOCKED' });
    await lock.release();
  });

  it.each(['', '{', '{"pid":"none"}', '{"pid":-1}', 'null'])('takes over a lock file that says %j', async (content) => {
    await writeFile(join(root, '.lock'), content);
    await (await realDisk.lock(root)).release();
  });

  it('goes to exactly one of many who find a stale lock', async () => {
    for (let round = 0; round < 20; round++) {
      await writeFile(join(root, '.lock'), JSON.stringify({ pid: 2 ** 22 + 1, startedAt: '1', token: 'x' }));
      const results = await Promise.allSettled(Array.from({ length: 8 }, () => realDisk.lock(root)));
      const winners = results.filter(({ status }) => status === 'fulfilled');
      expect(winners).toHaveLength(1);
      for (const winner of winners) if (winner.status === 'fulfilled') await winner.value.release();
    }
  });
});

describe('disk: a disk in memory, for tests', () => {
  it('forgets what was not synced in a power loss, and nothing in a kill', async () => {
    const disk = new MemoryDisk();
    await disk.mkdir('d');
    const file = await disk.open('d/a', 'create');
    await write(file, [Buffer.from('safe')], 0);
    await file.sync();
    await write(file, [Buffer.from(' lost')], 4);
    expect(String(await disk.afterCrash('powerLoss').readFile('d/a'))).toBe('safe');
    expect(String(await disk.afterCrash('kill').readFile('d/a'))).toBe('safe lost');
  });

  it('never calls back before the call has returned', () => {
    const disk = new MemoryDisk();
    return disk.open('a', 'create').then((file) => {
      let called = false;
      const done = new Promise<void>((resolve) =>
        file.writev([Buffer.from('x')], 0, () => {
          called = true;
          resolve();
        }),
      );
      expect(called).toBe(false);
      return done;
    });
  });
});
