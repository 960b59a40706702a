/**
 * Messages that carry their own version: an int16, then the body. Kafka stores and embeds them in bytes of others.
 *
 * Guarantees that bytes after the body are ignored, because a newer writer may have put more there.
 * Leaves out which versions a reader accepts: each user of this file says so.
 */
import { messageCodec } from './codec.js';
import { ProtocolError } from './protocol-error.js';
import { Reader } from './reader.js';
import { type DecodedStruct, type Fields, type InputStruct, type Message } from './schema.js';
import { Writer } from './writer.js';

/** Bytes of the version in front of the body. */
export const VERSION_BYTES = 2;

/**
 * Writes `prefix` (the version, or a record type) as int16 and then the message at `version`.
 *
 * @throws ProtocolError UNSUPPORTED_VERSION when the message has no such version or the version lacks a given field.
 */
export function encodeVersioned<F extends Fields>(
  message: Message<F>,
  version: number,
  value: InputStruct<F>,
  prefix: number = version,
): Buffer {
  const writer = new Writer();
  writer.int16(prefix);
  messageCodec(message, version).encode(writer, value);
  return writer.toBuffer();
}

/**
 * Reads the int16 in front of a message.
 *
 * @throws ProtocolError TRUNCATED when there are fewer than two bytes.
 */
export function leadingInt16(bytes: Buffer): number {
  if (bytes.length < VERSION_BYTES) {
    throw new ProtocolError('TRUNCATED', `a version takes ${VERSION_BYTES} bytes, only ${bytes.length} are left`);
  }
  return bytes.readInt16BE(0);
}

/**
 * Reads the body after the int16 in front, at the given version.
 *
 * @throws ProtocolError when the message has no such version or the bytes are malformed.
 */
export function decodeVersioned<F extends Fields>(
  message: Message<F>,
  version: number,
  bytes: Buffer,
): DecodedStruct<F> {
  return messageCodec(message, version).decode(new Reader(bytes, VERSION_BYTES));
}
