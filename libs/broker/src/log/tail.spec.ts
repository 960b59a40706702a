import { setBatchBaseOffset } from '@kafka-template/protocol';
import { recordsIn, testBatch } from '../testing/log-world.js';
import { TailMemory } from './tail-memory.js';
import { Tail } from './tail.js';

const MIB = 1024 * 1024;

/** A tail with `count` batches of two records from offset 0 on. */
function filled(count: number, valueBytes: number, memory = new TailMemory()): Tail {
  const tail = new Tail(memory, 0);
  for (let index = 0; index < count; index++) add(tail, 2 * index, valueBytes);
  return tail;
}

function add(tail: Tail, baseOffset: number, valueBytes: number, isWritten = true): void {
  const batch = testBatch({ records: 2, valueBytes });
  const chunk = tail.add(batch, baseOffset, baseOffset + 2);
  setBatchBaseOffset(chunk.buffer, chunk.used - batch.length, baseOffset);
  if (isWritten) chunk.unwrittenBytes -= batch.length;
}

describe('tail', () => {
  it.each([
    [10, 5000],
    [300, 2000],
    [3000, 40],
  ])('gives the batch that holds an offset and whole batches after it (value of %d bytes)', (valueBytes, count) => {
    const tail = filled(count, valueBytes);
    const end = 2 * count;
    const first = Math.max(tail.startOffset, end - 400);
    for (let offset = first; offset < end; offset += 7) {
      for (const maxBytes of [1, 700, 30_000]) {
        const { buffers, sizeBytes, nextOffset } = tail.read(offset, end, maxBytes, true);
        const records = recordsIn(buffers);
        expect(records[0]?.offset).toBe(offset - (offset % 2));
        expect(records[records.length - 1]?.offset).toBe(nextOffset - 1);
        expect(sizeBytes <= maxBytes || records.length === 2).toBe(true);
      }
    }
  });

  it('fills what it is allowed to, and stops at the end given', () => {
    const tail = filled(200, 50);
    expect(tail.read(10, 400, MIB, true).nextOffset).toBe(400);
    expect(tail.read(10, 60, MIB, true).nextOffset).toBe(60);
    const batchBytes = tail.read(10, 12, MIB, true).sizeBytes;
    expect(tail.read(10, 400, 5 * batchBytes, true).nextOffset).toBe(20);
    expect(tail.read(10, 400, 5 * batchBytes - 1, true).nextOffset).toBe(18);
    expect(tail.read(10, 400, batchBytes - 1, false)).toMatchObject({ sizeBytes: 0, nextOffset: 10 });
  });

  it('lets the oldest go beyond its bound, but nothing that is not written', () => {
    const tail = filled(300, 50_000);
    expect(tail.capacityBytes).toBeLessThanOrEqual(9 * MIB);
    expect(tail.startOffset).toBeGreaterThan(400);
    const unwritten = new Tail(new TailMemory(), 0);
    for (let index = 0; index < 300; index++) add(unwritten, 2 * index, 50_000, false);
    expect(unwritten.startOffset).toBe(0);
  });

  it('costs an idle partition little', () => {
    expect(filled(1, 10).capacityBytes).toBe(16 * 1024);
  });

  it('shares one bound: the oldest chunks of all partitions go first', () => {
    const memory = new TailMemory({ bytesMax: MIB });
    const early = filled(20, 10_000, memory);
    const late = filled(60, 10_000, memory);
    expect(memory.totalBytes).toBeLessThanOrEqual(MIB);
    expect(early.startOffset).toBe(40);
    expect(late.read(118, 120, MIB, true).nextOffset).toBe(120);
    add(early, 40, 100);
    expect(early.startOffset).toBe(40);
    expect(recordsIn(early.read(41, 42, MIB, true).buffers).map(({ offset }) => offset)).toEqual([40, 41]);
  });

  describe('using memory again', () => {
    /** Fills the tail until what `read` was given has left it. */
    function push(tail: Tail, count: number): void {
      for (let index = 0; index < count; index++) add(tail, tail.nextOffset, 100_000);
    }

    it('takes back what nobody reads, within its bound', () => {
      const memory = new TailMemory({ poison: true });
      push(filled(1, 10, memory), 200);
      expect(memory.pooledBytes).toBeGreaterThan(0);
      const other = filled(1, 10, memory);
      other.clear(0);
      const many = Array.from({ length: 4 }, () => filled(40, 200_000, memory));
      for (const tail of many) tail.clear(0);
      expect(memory.pooledBytes).toBe(16 * MIB);
      expect(memory.totalBytes).toBeLessThanOrEqual(9 * MIB);
    });

    it('leaves a reader its bytes until it is done, and takes them back then', () => {
      const memory = new TailMemory({ poison: true });
      const tail = filled(10, 200_000, memory);
      const read = tail.read(6, 12, 2 * MIB, true);
      const other = tail.read(6, 8, 2 * MIB, true);
      const bytes = Buffer.concat(read.buffers);
      tail.clear(20);
      push(tail, 200);
      expect(Buffer.concat(read.buffers).equals(bytes)).toBe(true);
      read.release();
      read.release();
      expect(recordsIn(other.buffers).map(({ offset }) => offset)).toEqual([6, 7]);
      const before = memory.pooledBytes;
      other.release();
      expect(memory.pooledBytes).toBe(before + MIB);
      expect(other.buffers[0]?.every((byte) => byte === 0xdb)).toBe(true);
    });

    it('never takes back what the disk may still read', () => {
      const memory = new TailMemory({ poison: true });
      const tail = new Tail(memory, 0);
      for (let index = 0; index < 30; index++) add(tail, 2 * index, 200_000, false);
      tail.clear(60);
      expect(memory.pooledBytes).toBe(0);
    });

    it('takes nothing back from a disk that keeps its buffers', () => {
      const memory = new TailMemory({ mayReuse: false });
      push(filled(1, 10, memory), 200);
      expect(memory.pooledBytes).toBe(0);
    });
  });

  it('forgets everything when told to, and gives its memory back', () => {
    const memory = new TailMemory();
    const tail = filled(100, 1000, memory);
    tail.clear(7);
    expect([memory.totalBytes, tail.capacityBytes, tail.startOffset]).toEqual([0, 0, 7]);
  });
});
