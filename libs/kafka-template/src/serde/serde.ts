/**
 * How keys and values become bytes and back: the contract and the four built-in ways.
 *
 * `auto`, the default, sends strings as they are, bytes as they are, null as a tombstone and everything else as JSON;
 * it reads what the listener's parameter asks for ({@link DecodeTarget}). The raw bytes stay reachable on the record.
 * Leaves out schema registries: a `Serde` of one's own is the place for them.
 */
import type { DriverRecord, RecordHeader } from '../drivers/driver.js';
import { SerializationError } from '../errors.js';
import { decodeJson, decodeJsonExactly, encodeJson, looksLikeJson } from './json.js';

/**
 * What a listener wants to see: `text`, `bytes` or `json` when its parameter type says so, `auto` when it does not
 * (interface, union, unknown): then a value that begins with `{` or `[` is JSON and anything else is text.
 */
export type DecodeTarget = 'auto' | 'text' | 'bytes' | 'json';

/** Turns keys or values into bytes and back. Throws on what it cannot convert; the library adds topic and offset. */
export interface Serde {
  /** Null is sent as null. A string is encoded as UTF-8 by the driver. `headers` are those of the record, if it has any. */
  serialize(data: unknown, topic: string, headers?: readonly RecordHeader[]): Buffer | string | null;
  /** Is not asked about null. `record` is there for its headers, which are decoded when they are asked for. */
  deserialize(bytes: Buffer, target: DecodeTarget, topic: string, record?: Pick<DriverRecord, 'headers'>): unknown;
}

/** The built-in ways, by name. */
export type SerdeName = 'auto' | 'json' | 'string' | 'bytes';

/** Whether `data` is bytes of any of JavaScript's kinds. */
function bytesOf(data: unknown): Buffer | undefined {
  if (Buffer.isBuffer(data)) return data;
  if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (data instanceof ArrayBuffer) return Buffer.from(data);
  return undefined;
}

/** By the type of the value when sending, by the type of the parameter when receiving. */
export const autoSerde: Serde = {
  serialize(data) {
    if (typeof data === 'string') return data;
    if (data === null) return null;
    if (typeof data === 'bigint') return data.toString();
    return bytesOf(data) ?? encodeJson(data);
  },
  deserialize(bytes, target) {
    if (target === 'bytes') return bytes;
    if (target === 'json' || (target === 'auto' && looksLikeJson(bytes))) return decodeJson(bytes);
    return bytes.toString();
  },
};

/** As {@link autoSerde}, but a key of unknown type is always text: `{` at its start means nothing. */
export const autoKeySerde: Serde = {
  serialize: (data, topic) => autoSerde.serialize(data, topic),
  deserialize: (bytes, target, topic) => autoSerde.deserialize(bytes, target === 'auto' ? 'text' : target, topic),
};

/** How a {@link JsonSerde} reads. */
export interface JsonSerdeOptions {
  /**
   * What becomes of integers beyond 2^53: `number` rounds them as JSON.parse does (the default), `bigint` makes them BigInt with
   * all their digits; smaller ones stay numbers.
   */
  readonly largeIntegers?: 'number' | 'bigint';
}

/** JSON with options; without any it is the serializer `json`. A BigInt is written as a number, with all its digits. */
export class JsonSerde implements Serde {
  readonly #isExact: boolean;

  constructor(options: JsonSerdeOptions = {}) {
    this.#isExact = options.largeIntegers === 'bigint';
  }

  serialize(data: unknown): string | null {
    return data === null ? null : encodeJson(data);
  }

  deserialize(bytes: Buffer, target: DecodeTarget): unknown {
    if (target === 'bytes') return bytes;
    return this.#isExact ? decodeJsonExactly(bytes) : decodeJson(bytes);
  }
}

/** Everything is JSON, strings too. */
export const jsonSerde: Serde = new JsonSerde();

/** Everything is text. An object is refused rather than sent as `[object Object]`. */
export const stringSerde: Serde = {
  serialize(data) {
    if (data === null || typeof data === 'string') return data;
    if (typeof data === 'number' || typeof data === 'boolean' || typeof data === 'bigint') return String(data);
    throw new SerializationError(`serializer 'string' got ${describe(data)}; use 'auto' or 'json' to send it as JSON`);
  },
  deserialize: (bytes, target) => (target === 'bytes' ? bytes : bytes.toString()),
};

/** Everything is bytes, and only bytes can be sent. */
export const bytesSerde: Serde = {
  serialize(data) {
    if (data === null) return null;
    const bytes = bytesOf(data);
    if (bytes !== undefined) return bytes;
    throw new SerializationError(`serializer 'bytes' got ${describe(data)}; pass a Buffer or another typed array`);
  },
  deserialize: (bytes) => bytes,
};

/** The serde a name stands for; one's own serde stands for itself. `auto` differs between keys and values. */
export function serdeOf(choice: SerdeName | Serde | undefined, part: 'key' | 'value'): Serde {
  if (typeof choice === 'object') return choice;
  if (choice === 'json') return jsonSerde;
  if (choice === 'string') return stringSerde;
  if (choice === 'bytes') return bytesSerde;
  return part === 'key' ? autoKeySerde : autoSerde;
}

function describe(data: unknown): string {
  if (data === undefined) return 'undefined';
  if (typeof data !== 'object' || data === null) return `a ${typeof data}`;
  return `an object of class ${data.constructor?.name ?? 'null'}`;
}
