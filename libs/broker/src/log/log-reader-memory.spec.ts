import { READ_POOL_BUFFER_BYTES_MAX, READ_POOL_STEP_BYTES } from '../limits.js';
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
