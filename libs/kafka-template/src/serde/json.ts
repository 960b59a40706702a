/**
 * JSON in both directions, with refusals instead of silent losses.
 *
 * What JSON would drop without a word (undefined, functions, Map, Set) is an error that says what to send instead.
 * Throws SerializationError or SyntaxError; whoever knows topic and offset adds them.
 */
import { SerializationError, messageOf } from '../errors.js';

const OPENING_BRACE = 0x7b;
const OPENING_BRACKET = 0x5b;
const SPACE = 0x20;

/** JSON text of `data`. */
export function encodeJson(data: unknown): string {
  if (data instanceof Map || data instanceof Set) {
    const cure = data instanceof Map ? 'Object.fromEntries(map)' : '[...set]';
    throw new SerializationError(`JSON has no ${data instanceof Map ? 'Map' : 'Set'}; send ${cure} instead`);
  }
  let text: string | undefined;
  try {
    text = JSON.stringify(data);
  } catch (error) {
    throw new SerializationError(`it cannot be written as JSON: ${messageOf(error)}`, error);
  }
  if (text === undefined) {
    throw new SerializationError(`${typeof data} cannot be sent; pass null to send a tombstone`);
  }
  return text;
}

/** The value some JSON text stands for. Throws SyntaxError. */
export function decodeJson(bytes: Buffer): unknown {
  return JSON.parse(bytes.toString());
}

/** Whether the first character that is not white space opens a JSON object or list. */
export function looksLikeJson(bytes: Buffer): boolean {
  for (let position = 0; position < bytes.length; position++) {
    const byte = bytes[position] as number;
    // Space, tab, line feed and carriage return are JSON's white space; they are all at or below the space.
    if (byte > SPACE) return byte === OPENING_BRACE || byte === OPENING_BRACKET;
  }
  return false;
}
