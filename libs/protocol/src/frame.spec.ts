/**
 * Framing: any cut of the stream gives the same frames, and nothing is allocated for what a length only announces.
 */
import { FrameSplitter } from './frame.js';

function frameOf(bytes: number, fill: number): Buffer {
  const frame = Buffer.alloc(4 + bytes, fill);
  frame.writeInt32BE(bytes, 0);
  return frame;
}

describe('FrameSplitter', () => {
  const frames = [frameOf(0, 1), frameOf(1, 2), frameOf(300, 3), frameOf(40_000, 4), frameOf(7, 5)];
  const stream = Buffer.concat(frames);

  it.each([1, 2, 3, 4, 5, 7, 64, 1000, 16_384, 40_003, stream.length])(
    'gives the same frames in chunks of %i',
    (size) => {
      const splitter = new FrameSplitter(1_000_000);
      const seen: Buffer[] = [];
      for (let position = 0; position < stream.length; position += size) {
        splitter.push(Buffer.from(stream.subarray(position, position + size)), (frame) =>
          seen.push(Buffer.from(frame)),
        );
      }
      expect(seen.map((frame) => frame.length)).toEqual(frames.map((frame) => frame.length - 4));
      expect(Buffer.concat(seen).equals(Buffer.concat(frames.map((frame) => frame.subarray(4))))).toBe(true);
      expect(splitter.heldBytes).toBe(0);
    },
  );

  it('refuses negative and too large lengths, whole or cut', () => {
    const huge = Buffer.from([0x7f, 0xff, 0xff, 0xff]);
    expect(() => new FrameSplitter(100).push(huge, () => undefined)).toThrow(
      expect.objectContaining({ message: 'a frame announces 2147483647 bytes; 100 is the most' }),
    );
    expect(() => new FrameSplitter(100).push(Buffer.alloc(4, 0xff), () => undefined)).toThrow('announces -1 bytes');
    const cut = new FrameSplitter(100);
    cut.push(huge.subarray(0, 2), () => undefined);
    expect(() => cut.push(huge.subarray(2), () => undefined)).toThrow('announces 2147483647 bytes');
  });

  it('holds no more than came, whatever the length announces', () => {
    const splitter = new FrameSplitter(2 ** 31 - 1);
    const before = process.memoryUsage().arrayBuffers;
    splitter.push(Buffer.from([0x7f, 0xff, 0xff, 0xff, 1, 2, 3]), () => undefined);
    expect(splitter.heldBytes).toBe(7);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
  });
});
