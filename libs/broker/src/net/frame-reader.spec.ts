import { ProtocolError } from '@kafka-template/protocol';
import { FRAME_POOL_BUFFER_BYTES_MAX, FRAME_POOL_BYTES_MAX } from '../limits.js';
import { FrameMemory } from './frame-memory.js';
import { FrameReader } from './frame-reader.js';

const MAX_BYTES = 100 * 1024 * 1024;

/** A frame whose bytes tell their place. */
function frame(length: number): Buffer {
  const bytes = Buffer.alloc(4 + length);
  bytes.writeInt32BE(length);
  for (let at = 4; at < bytes.length; at++) bytes[at] = at * 7;
  return bytes;
}

/** Plays a socket: reads into the reader's target when it has one, else into a buffer of its own that is reused. */
function feed(reader: FrameReader, bytes: Buffer, readBytes: number, onFrame: (frame: Buffer) => void): number {
  const shared = Buffer.alloc(readBytes);
  let directBytes = 0;
  for (let at = 0; at < bytes.length;) {
    const target = reader.target();
    const into = target ?? shared;
    const count = bytes.copy(into, 0, at, at + Math.min(into.length, readBytes));
    if (target !== null) directBytes += count;
    reader.push(into.subarray(0, count), onFrame);
    shared.fill(0xee);
    at += count;
  }
  return directBytes;
}

describe('frame reader', () => {
  const lengths = [0, 1, 3, 5000, 0, 70_000, 200_000, 1_500_000, 2, 3_000_000];
  const bytes = Buffer.concat(lengths.map(frame));

  it.each([1000, 4096, 65_536, 262_144, 10_000_000])(
    'gives every frame whole, read %i bytes at a time',
    (readBytes) => {
      const reader = new FrameReader(MAX_BYTES, new FrameMemory());
      const frames: Buffer[] = [];
      feed(reader, bytes, readBytes, (one) => frames.push(Buffer.from(one)));
      expect(frames.map(({ length }) => length)).toEqual(lengths);
      frames.forEach((one, index) => expect(one.equals(frame(lengths[index]!).subarray(4))).toBe(true));
    },
  );

  it('lets the socket read the rest of a large frame in place', () => {
    const reader = new FrameReader(MAX_BYTES, new FrameMemory());
    const directBytes = feed(reader, frame(3_000_000), 262_144, () => undefined);
    expect(directBytes).toBeGreaterThan(2_500_000);
  });

  it('uses the same memory for one frame after the other', () => {
    const memory = new FrameMemory();
    const reader = new FrameReader(MAX_BYTES, memory);
    const seen = new Set<ArrayBufferLike>();
    for (let count = 0; count < 10; count++) feed(reader, frame(1_000_000), 262_144, (one) => seen.add(one.buffer));
    // The first frame grows through the sizes, the others find the largest one free.
    expect(seen.size).toBe(1);
  });

  it('reserves after what came, not after what was announced', () => {
    const memory = new FrameMemory();
    const reader = new FrameReader(MAX_BYTES, memory);
    reader.push(frame(50_000_000).subarray(0, 100_000), () => undefined);
    expect(reader.target()!.length).toBeLessThan(400_000);
    reader.release();
    expect(memory.pooledBytes).toBeLessThan(400_000);
  });

  it('refuses wrong lengths, also when they come byte by byte', () => {
    for (const length of [-1, MAX_BYTES + 1, 0x7fffffff]) {
      const prefix = Buffer.alloc(4);
      prefix.writeInt32BE(length);
      const reader = new FrameReader(MAX_BYTES, new FrameMemory());
      expect(() => feed(reader, prefix, 1, () => undefined)).toThrow(ProtocolError);
    }
  });

  it('survives being released while it hands a frame on', () => {
    const memory = new FrameMemory();
    const reader = new FrameReader(MAX_BYTES, memory);
    let length = 0;
    feed(reader, frame(100_000), 65_536, (one) => {
      reader.release();
      length = one.length;
    });
    expect(length).toBe(100_000);
    expect(memory.take(1, 1)).not.toBe(memory.take(1, 1));
  });
});

describe('frame memory', () => {
  it('keeps a bounded number of bytes, and no huge buffer', () => {
    const memory = new FrameMemory();
    const buffers = Array.from({ length: 20 }, () => memory.take(1_000_000, 1_000_000));
    for (const buffer of buffers) memory.give(buffer);
    expect(memory.pooledBytes).toBe(FRAME_POOL_BYTES_MAX);
    const huge = memory.take(FRAME_POOL_BUFFER_BYTES_MAX + 1, FRAME_POOL_BUFFER_BYTES_MAX + 1);
    memory.give(huge);
    expect(memory.pooledBytes).toBeLessThanOrEqual(FRAME_POOL_BYTES_MAX);
  });
});
