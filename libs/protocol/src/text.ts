/**
 * UTF-8 text in buffers, by whichever way is fastest for its length.
 *
 * Calls into native code cost more than they do for a few characters, and Buffer's own `write` looks up an encoding on
 * every call. Most texts of this protocol are ASCII; a text is ASCII exactly when its UTF-8 length is its number of
 * characters, and then it needs no conversion.
 */

/** Up to this many characters a loop over them is faster than a call into native code. */
export const SHORT_TEXT_CHARS = 20;

/** What `Buffer.prototype.write` calls for one encoding, without its look-up; Node, Deno and Bun have it. */
interface DirectWrite {
  latin1Write?(text: string, position: number, bytes: number): number;
}

const hasDirectWrite = typeof (Buffer.prototype as Buffer & DirectWrite).latin1Write === 'function';

/** Bytes of a text in UTF-8. */
export function utf8Length(text: string): number {
  const { length } = text;
  if (length > SHORT_TEXT_CHARS) return Buffer.byteLength(text);
  for (let index = 0; index < length; index++) {
    if (text.charCodeAt(index) > 0x7f) return Buffer.byteLength(text);
  }
  return length;
}

/** Writes a text whose {@link utf8Length} is `bytes`; the room must be there. */
export function writeText(buffer: Buffer, position: number, text: string, bytes: number): void {
  if (bytes > SHORT_TEXT_CHARS || bytes !== text.length) writeLongText(buffer, position, text, bytes);
  else for (let index = 0; index < bytes; index++) buffer[position + index] = text.charCodeAt(index);
}

/** {@link writeText} without the way for short texts. */
export function writeLongText(buffer: Buffer, position: number, text: string, bytes: number): void {
  if (hasDirectWrite && bytes === text.length) {
    (buffer as Buffer & Required<DirectWrite>).latin1Write(text, position, bytes);
  } else {
    buffer.write(text, position, bytes, 'utf8');
  }
}
