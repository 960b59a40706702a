/**
 * Integers at a position of a buffer, big-endian, by arithmetic on single bytes.
 *
 * Buffer's own methods check their arguments on every call, which costs several times what they do. Here nothing checks
 * bounds: {@link Reader}, {@link Writer} and generated code do that once, for several fields in a row where they can.
 * What is written must fit; {@link misfit} is the error for what does not.
 */
import { ProtocolError } from './protocol-error.js';

const TWO_32 = 0x1_0000_0000;

/** The int32 at a position. */
export function int32At(buffer: Buffer, position: number): number {
  return (
    ((buffer[position] as number) << 24) |
    ((buffer[position + 1] as number) << 16) |
    ((buffer[position + 2] as number) << 8) |
    (buffer[position + 3] as number)
  );
}

/** The int16 at a position. */
export function int16At(buffer: Buffer, position: number): number {
  return (((buffer[position] as number) << 24) >> 16) | (buffer[position + 1] as number);
}

/**
 * The int64 at a position as a number.
 *
 * @throws ProtocolError INVALID_VALUE beyond 2^53.
 */
export function longAt(buffer: Buffer, position: number): number {
  const value = int32At(buffer, position) * TWO_32 + (int32At(buffer, position + 4) >>> 0);
  if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER) throw beyondSafe(position);
  return value;
}

/** Writes an int32. */
export function putInt32(buffer: Buffer, position: number, value: number): void {
  if (value !== (value | 0)) throw misfit('int32', value);
  buffer[position] = value >>> 24;
  buffer[position + 1] = value >>> 16;
  buffer[position + 2] = value >>> 8;
  buffer[position + 3] = value;
}

/** Writes an int16. */
export function putInt16(buffer: Buffer, position: number, value: number): void {
  if (value !== (value << 16) >> 16) throw misfit('int16', value);
  buffer[position] = value >>> 8;
  buffer[position + 1] = value;
}

/** Writes a safe integer as int64. */
export function putLong(buffer: Buffer, position: number, value: number): void {
  if (!Number.isSafeInteger(value)) throw misfit('int64', value);
  const high = Math.floor(value / TWO_32);
  const low = value - high * TWO_32;
  buffer[position] = high >>> 24;
  buffer[position + 1] = high >>> 16;
  buffer[position + 2] = high >>> 8;
  buffer[position + 3] = high;
  buffer[position + 4] = low >>> 24;
  buffer[position + 5] = low >>> 16;
  buffer[position + 6] = low >>> 8;
  buffer[position + 7] = low;
}

/** The error for an int64 that a number cannot hold. */
export function beyondSafe(position: number): ProtocolError {
  return new ProtocolError('INVALID_VALUE', `the int64 at position ${position} is beyond 2^53`);
}

/** The error for a value that its type cannot hold. */
export function misfit(type: string, value: unknown): ProtocolError {
  return new ProtocolError('INVALID_VALUE', `${String(value)} is not a value of type ${type}`);
}
