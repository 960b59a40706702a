import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realDisk } from '../io/real-disk.js';
import { READ_POOL_BUFFER_BYTES_MAX, READ_POOL_STEP_BYTES } from '../limits.js';
import { FilePool } from './file-pool.js';
import { ReadMemory } from './log-reader-memory.js';

const STEP = READ_POOL_STEP_BYTES;

describe('memory for reads of files', () => {
  it('is used again for a read of about the same size', () => {
    const memory = new ReadMemory();
    const first = memory.take(STEP - 1);
    expect(first.length).toBe(STEP);
    memory.give(first);
    expect(memory.pooledBytes).toBe(STEP);
    expect(memory.take(2 * STEP)).not.toBe(first);
    expect(memory.take(1)).toBe(first);
    expect(memory.pooledBytes).toBe(0);
  });

  it('keeps no more than its bound, and nothing that is very large', () => {
    const memory = new ReadMemory(3 * STEP);
    const buffers = [1, 1, 2].map((steps) => memory.take(steps * STEP));
    for (const buffer of buffers) memory.give(buffer);
    expect(memory.pooledBytes).toBe(3 * STEP);
    expect(memory.take(STEP)).toBe(buffers[1]);
    memory.give(memory.take(READ_POOL_BUFFER_BYTES_MAX + 1));
    expect(memory.pooledBytes).toBe(2 * STEP);
  });
});

describe('blocks of files', () => {
  it('keep their bytes until they are released, and lend their memory to the next read then', async () => {
    const root = await mkdtemp(join(tmpdir(), 'broker-blocks-'));
    const files = new FilePool(realDisk);
    try {
      const path = join(root, 'file');
      await writeFile(path, 'abcdef');
      const first = await files.readBlock(path, 0, 3);
      const second = await files.readBlock(path, 3, 3);
      expect([String(first.bytes), String(second.bytes)]).toEqual(['abc', 'def']);
      first.release();
      first.release();
      const third = await files.readBlock(path, 1, 3);
      expect(third.bytes.buffer).toBe(first.bytes.buffer);
      expect([String(second.bytes), String(third.bytes)]).toEqual(['def', 'bcd']);
      expect(files.memory.pooledBytes).toBe(0);
      await expect(files.readBlock(join(root, 'missing'), 0, 3)).rejects.toThrow(/missing/);
      expect(files.memory.pooledBytes).toBe(STEP);
    } finally {
      await files.closeAll();
      await rm(root, { recursive: true, force: true });
    }
  });
});
