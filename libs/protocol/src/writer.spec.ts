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
});
