/**
 * JSON in both directions, with refusals instead of silent losses.
 *
 * What JSON would drop without a word (undefined, functions, Map, Set) is an error that says what to send instead.
 * A BigInt is written as a number, with all its digits.
 * Throws SerializationError or SyntaxError; whoever knows topic and offset adds them.
 */
import { SerializationError, messageOf } from '../errors.js';
import { parseExact, stringifyExact } from './json-numbers.js';

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
    text = stringify(data);
  } catch (error) {
    throw new SerializationError(`it cannot be written as JSON: ${messageOf(error)}`, error);
  }
  if (text === undefined) {
    const cure = data === undefined ? '; pass null to send a tombstone' : '; JSON has no such value';
    throw new SerializationError(`${typeof data} cannot be sent${cure}`);
  }
  return text;
}

/** A BigInt makes JSON.stringify give up; the exact way is then taken, and tells whether it was for that. */
function stringify(data: unknown): string | undefined {
  try {
    return JSON.stringify(data);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return stringifyExact(data);
  }
}

/** The value some JSON text stands for. Throws SyntaxError. */
export function decodeJson(bytes: Buffer): unknown {
  return JSON.parse(bytes.toString());
}

/** The same, with a BigInt for each integer that a number cannot hold. */
export function decodeJsonExactly(bytes: Buffer): unknown {
  return parseExact(bytes.toString());
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
