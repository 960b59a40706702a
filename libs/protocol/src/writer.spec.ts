/**
 * The writer at the edges of its buffer: what is written there must not get lost when the buffer grows.
 */
import { Writer } from './writer.js';

describe('Writer', () => {
  it.each([
    ['bool', (writer: Writer) => writer.bool(true), Buffer.of(1)],
    ['uvarint', (writer: Writer) => writer.uvarint(5), Buffer.of(5)],
    ['uvarint of two bytes', (writer: Writer) => writer.uvarint(300), Buffer.of(0xac, 2)],
    ['int8', (writer: Writer) => writer.int8(-1), Buffer.of(0xff)],
    ['int16', (writer: Writer) => writer.int16(-2), Buffer.of(0xff, 0xfe)],
    ['long', (writer: Writer) => writer.long(-1), Buffer.alloc(8, 0xff)],
    ['string', (writer: Writer) => writer.string('ab'), Buffer.of(0, 2, 0x61, 0x62)],
  ])('%s behind a full buffer', (_name, write, expected) => {
    for (let room = 0; room < expected.length; room++) {
      const writer = new Writer(8);
      const filler = Buffer.alloc(8 - room, 7);
      writer.raw(filler);
      write(writer);
      expect(writer.toBuffer()).toEqual(Buffer.concat([filler, expected]));
    }
  });

  it('keeps what it finished apart from what is written next, also while another one is open', () => {
    const outer = new Writer();
    outer.string('outer');
    const inner = new Writer();
    inner.string('inner');
    const innerBytes = inner.toBuffer();
    const later = new Writer();
    later.raw(Buffer.alloc(1500, 9));
    later.finish();
    outer.int32(7);
    const outerBytes = outer.toBuffer();
    new Writer().raw(Buffer.alloc(1500, 8));
    expect(innerBytes).toEqual(Buffer.concat([Buffer.of(0, 5), Buffer.from('inner')]));
    expect(outerBytes).toEqual(Buffer.concat([Buffer.of(0, 5), Buffer.from('outer'), Buffer.of(0, 0, 0, 7)]));
  });

  it('passes large values on uncopied and in place', () => {
    const first = Buffer.alloc(2048, 1);
    const second = Buffer.alloc(70_000, 2);
    const writer = new Writer();
    writer.bytes(first);
    writer.records([second, Buffer.of(3), first]);
    writer.int16(5);
    expect(writer.size).toBe(4 + 2048 + 4 + 70_000 + 1 + 2048 + 2);
    const chunks = writer.finish();
    expect(chunks.map((chunk) => chunk.length)).toEqual([4, 2048, 4, 70_000, 1, 2048, 2]);
    expect([chunks[1], chunks[3], chunks[5]]).toEqual([first, second, first]);
    expect(chunks[1]).toBe(first);
  });

  it('grows beyond what it keeps for the next one', () => {
    const writer = new Writer();
    const parts = Array.from({ length: 100 }, (_, index) => Buffer.alloc(2000, index));
    for (const part of parts) writer.raw(part);
    expect(writer.toBuffer().equals(Buffer.concat(parts))).toBe(true);
  });

  it.each([
    ['int8', [-129, 128, 0.5, Number.NaN]],
    ['int16', [-32769, 32768, 1.5, Infinity]],
    ['uint16', [-1, 65536, 1.5]],
    ['int32', [-2147483649, 2147483648, 1.5, Number.NaN]],
    ['uint32', [-1, 4294967296, 1.5]],
    ['long', [2 ** 53, -(2 ** 53), 1.5, Number.NaN]],
  ] as const)('%s refuses what it cannot hold', (method, values) => {
    for (const value of values) {
      expect(() => new Writer()[method](value)).toThrow(
        expect.objectContaining({ name: 'ProtocolError', code: 'INVALID_VALUE' }) as Error,
      );
    }
  });

  it.each<[string, (writer: Writer) => void]>([
    ['a string', (writer) => writer.string(5 as unknown as string)],
    ['a compact string', (writer) => writer.compactString(5 as unknown as string)],
    ['bytes', (writer) => writer.bytes({} as Buffer)],
    ['compact bytes', (writer) => writer.compactBytes({} as Buffer)],
    ['a count', (writer) => writer.arrayCount(({} as unknown[]).length)],
    ['a compact count', (writer) => writer.compactCount(({} as unknown[]).length)],
    ['a varint', (writer) => writer.uvarint(2 ** 32)],
  ])('%s refuses what is something else, instead of writing null', (_name, write) => {
    expect(() => write(new Writer())).toThrow(
      expect.objectContaining({ name: 'ProtocolError', code: 'INVALID_VALUE' }) as Error,
    );
  });

  it('takes plain Uint8Arrays as records', () => {
    const writer = new Writer();
    writer.records(new Uint8Array([7, 8]) as Buffer);
    expect(writer.toBuffer().toString('hex')).toBe('000000020708');
  });

  it('int64 refuses what 64 bits cannot hold', () => {
    expect(() => new Writer().int64(2n ** 63n)).toThrow('is not a value of type int64');
  });
});
