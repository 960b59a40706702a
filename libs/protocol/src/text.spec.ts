/**
 * Texts: the length and the bytes of `Buffer.from`, by every way.
 */
import { utf8Length, writeText } from './text.js';

const LETTERS = ['a', '\u007f', '\u0080', 'ü', 'ÿ', 'Ā', '主', '\u{1f600}', '\ud800', '\u0000'];

describe('writeText', () => {
  it.each([0, 1, 19, 20, 21, 22, 500])('%i characters', (length) => {
    for (const letter of LETTERS) {
      for (const text of [letter.repeat(length), `${'x'.repeat(length)}${letter}`]) {
        const utf8 = Buffer.from(text);
        expect(utf8Length(text)).toBe(utf8.length);
        const buffer = Buffer.alloc(utf8.length + 2, 9);
        writeText(buffer, 1, text, utf8.length);
        expect(buffer).toEqual(Buffer.concat([Buffer.of(9), utf8, Buffer.of(9)]));
      }
    }
  });
});
