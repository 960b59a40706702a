/**
 * A bounds-checked cursor over one buffer: Kafka's primitive types, big-endian.
 *
 * Every read checks the end first, every length is checked against what is left before anything is allocated, and byte
 * strings are views, not copies. A read that would pass the end raises a {@link ProtocolError} and never crashes.
 */
import { int16At, int32At, longAt } from './integers.js';
import { ProtocolError } from './protocol-error.js';
import { ZERO_UUID } from './schema.js';
import { viewOf } from './bytes.js';

const TWO_32 = 0x1_0000_0000;

/**
 * The most array elements one message may have, in all its arrays together. An element takes a byte of input at least and
 * up to some 40 times as much memory, so the size of a frame alone does not keep a hostile message small.
 */
export const DECODED_ELEMENTS_MAX = 5_000_000;

/** The most bytes of a string, compact or not: Kafka refuses longer ones both ways, and so does {@link Writer}. */
const STRING_BYTES_MAX = 32767;

/** Reads Kafka's primitive types from a buffer, from `position` up to `end`. */
export class Reader {
  buffer: Buffer;
  position: number;
  end: number;
  /** Array elements that may still come; set it lower or higher before decoding. */
  elementsLeft = DECODED_ELEMENTS_MAX;

  constructor(buffer: Buffer, position = 0, end = buffer.length) {
    this.buffer = buffer;
    this.position = position;
    this.end = end;
  }

  /** Bytes left. */
  get remaining(): number {
    return this.end - this.position;
  }

  private take(count: number): number {
    const start = this.position;
    if (count > this.end - start) throw this.truncated(count);
    this.position = start + count;
    return start;
  }

  private truncated(count: number): ProtocolError {
    const { position, remaining } = this;
    return new ProtocolError('TRUNCATED', `needs ${count} bytes at position ${position}, only ${remaining} are left`);
  }

  bool(): boolean {
    return this.buffer[this.take(1)] !== 0;
  }

  int8(): number {
    return ((this.buffer[this.take(1)] as number) << 24) >> 24;
  }

  int16(): number {
    return int16At(this.buffer, this.take(2));
  }

  uint16(): number {
    return int16At(this.buffer, this.take(2)) & 0xffff;
  }

  int32(): number {
    return int32At(this.buffer, this.take(4));
  }

  uint32(): number {
    return int32At(this.buffer, this.take(4)) >>> 0;
  }

  int64(): bigint {
    return this.buffer.readBigInt64BE(this.take(8));
  }

  /** An int64 as a number; raises INVALID_VALUE beyond 2^53. */
  long(): number {
    return longAt(this.buffer, this.take(8));
  }

  float64(): number {
    return this.buffer.readDoubleBE(this.take(8));
  }

  /** Unsigned varint, at most 5 bytes. */
  uvarint(): number {
    const { position } = this;
    if (position >= this.end) throw this.truncated(1);
    const byte = this.buffer[position] as number;
    if (byte > 0x7f) return this.longerUvarint();
    this.position = position + 1;
    return byte;
  }

  private longerUvarint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.buffer[this.take(1)] as number;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        if (value >= TWO_32) break;
        return value;
      }
    }
    throw new ProtocolError('INVALID_VALUE', `a varint before position ${this.position} does not fit 32 bits`);
  }

  uuid(): string {
    const start = this.take(16);
    const text = this.buffer.toString('base64url', start, start + 16);
    return text === ZERO_UUID ? ZERO_UUID : text;
  }

  /** A length already read: -1 is null, anything else must be there. */
  private text(length: number): string | null {
    if (length === -1) return null;
    if (length < 0 || length > STRING_BYTES_MAX) {
      throw new ProtocolError('INVALID_LENGTH', `a string has the length ${length}; ${STRING_BYTES_MAX} is the most`);
    }
    const start = this.take(length);
    return length === 0 ? '' : this.buffer.toString('utf8', start, start + length);
  }

  private view(length: number): Buffer | null {
    if (length === -1) return null;
    if (length < 0) throw new ProtocolError('INVALID_LENGTH', `a byte string has the length ${length}`);
    const start = this.take(length);
    return viewOf(this.buffer, start, start + length);
  }

  nullableString(): string | null {
    return this.text(this.int16());
  }

  string(): string {
    return notNull(this.text(this.int16()), 'string');
  }

  compactNullableString(): string | null {
    return this.text(this.uvarint() - 1);
  }

  compactString(): string {
    return notNull(this.text(this.uvarint() - 1), 'string');
  }

  nullableBytes(): Buffer | null {
    return this.view(this.int32());
  }

  bytes(): Buffer {
    return notNull(this.view(this.int32()), 'byte string');
  }

  compactNullableBytes(): Buffer | null {
    return this.view(this.uvarint() - 1);
  }

  compactBytes(): Buffer {
    return notNull(this.view(this.uvarint() - 1), 'byte string');
  }

  private count(length: number, elementBytesMin: number): number {
    if (length < -1) throw new ProtocolError('INVALID_LENGTH', `an array has the length ${length}`);
    if (length * elementBytesMin > this.end - this.position) {
      throw new ProtocolError(
        'INVALID_LENGTH',
        `an array claims ${length} elements, only ${this.end - this.position} bytes are left`,
      );
    }
    if (length > 0) this.elementsLeft -= length;
    if (this.elementsLeft < 0) {
      throw new ProtocolError(
        'TOO_MANY_ELEMENTS',
        `an array claims ${length} elements, more than one message may have`,
      );
    }
    return length;
  }

  /** Count of an array whose elements take at least `elementBytesMin` bytes each; -1 is null. */
  nullableCount(elementBytesMin: number): number {
    return this.count(this.int32(), elementBytesMin);
  }

  arrayCount(elementBytesMin: number): number {
    return notNegative(this.count(this.int32(), elementBytesMin));
  }

  compactNullableCount(elementBytesMin: number): number {
    return this.count(this.uvarint() - 1, elementBytesMin);
  }

  compactCount(elementBytesMin: number): number {
    return notNegative(this.count(this.uvarint() - 1, elementBytesMin));
  }

  /** Presence byte of a nullable struct: true when the struct follows. */
  present(): boolean {
    return this.int8() >= 0;
  }

  /** Presence of a nullable struct inside a tagged field, which is a varint there. */
  taggedPresent(): boolean {
    return this.uvarint() > 0;
  }

  /** Reads the size of a tagged field and returns the position at which the field must end. */
  taggedEnd(): number {
    const size = this.uvarint();
    if (size > this.end - this.position) {
      throw new ProtocolError('INVALID_LENGTH', `a tagged field claims ${size} bytes, only ${this.remaining} are left`);
    }
    return this.position + size;
  }

  /** Raises INVALID_LENGTH when a tagged field did not take the bytes it announced. */
  finishTagged(fieldEnd: number): void {
    if (this.position !== fieldEnd) {
      throw new ProtocolError('INVALID_LENGTH', `a tagged field took ${this.position - fieldEnd} bytes too many`);
    }
  }

  /** Skips a tagged section of which no tag is known. */
  skipTagged(): void {
    for (let count = this.uvarint(); count > 0; count--) {
      this.uvarint();
      this.position = this.taggedEnd();
    }
  }
}

function notNull<T>(value: T | null, what: string): T {
  if (value === null) throw new ProtocolError('INVALID_VALUE', `a ${what} that must not be null is null`);
  return value;
}

function notNegative(count: number): number {
  if (count < 0) throw new ProtocolError('INVALID_VALUE', 'an array that must not be null is null');
  return count;
}
