/**
 * Zigzag varints of records, written in place. Reading is inlined where it is hot (record-reader.ts).
 */
import { ProtocolError } from '../protocol-error.js';

/** Bytes of an int32 as zigzag varint: 1 to 5. */
export function varintBytes(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  if (zigzag < 0x80) return 1;
  if (zigzag < 0x4000) return 2;
  if (zigzag < 0x20_0000) return 3;
  return zigzag < 0x1000_0000 ? 4 : 5;
}

/** Writes an int32 as zigzag varint and returns the position after it. */
export function writeVarint(buffer: Buffer, position: number, value: number): number {
  const zigzag = (value << 1) ^ (value >> 31);
  if ((zigzag & ~0x7f) === 0) {
    buffer[position] = zigzag;
    return position + 1;
  }
  if ((zigzag & ~0x3fff) === 0) {
    buffer[position] = zigzag | 0x80;
    buffer[position + 1] = zigzag >> 7;
    return position + 2;
  }
  return writeLongerVarint(buffer, position, zigzag >>> 0);
}

function writeLongerVarint(buffer: Buffer, position: number, zigzag: number): number {
  let next = position;
  let rest = zigzag;
  while (rest >= 0x80) {
    buffer[next++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  buffer[next++] = rest;
  return next;
}

function zigzagLong(value: number): number {
  const zigzag = value >= 0 ? value * 2 : -value * 2 - 1;
  if (!Number.isInteger(value) || zigzag > Number.MAX_SAFE_INTEGER)
    throw new ProtocolError('INVALID_VALUE', `${value} does not fit a varlong`);
  return zigzag;
}

/** Bytes of a safe integer as zigzag varlong: 1 to 8. */
export function varlongBytes(value: number): number {
  if (value === (value << 1) >> 1) return varintBytes(value);
  let bytes = 1;
  for (let rest = zigzagLong(value); rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}

/** Writes a safe integer as zigzag varlong and returns the position after it. */
export function writeVarlong(buffer: Buffer, position: number, value: number): number {
  if (value === (value << 1) >> 1) return writeVarint(buffer, position, value);
  let next = position;
  let rest = zigzagLong(value);
  while (rest >= 0x80) {
    buffer[next++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  buffer[next++] = rest;
  return next;
}
