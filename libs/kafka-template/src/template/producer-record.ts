/**
 * A record to send, as Kafka's clients know it, with key and value still as objects.
 *
 * Leaves out serialisation of key and value: the template does it when the record is sent. Headers become bytes here.
 */
import type { RecordHeader } from '../drivers/driver.js';
import { SerializationError } from '../errors.js';

/**
 * Value of a header to send. Strings are UTF-8; numbers, BigInt and booleans are sent as their text, which is what `@KafkaHeader`
 * gives; bytes as they are; null without a value. Anything else is refused: write it as JSON yourself.
 */
export type HeaderValue = string | Buffer | Uint8Array | number | bigint | boolean | null;

/** A header to send. */
export interface HeaderToSend {
  /** Its name. */
  readonly key: string;
  /** Numbers, booleans and BigInt are sent as text; null: no value. */
  readonly value: HeaderValue;
}

/** Headers to send: a list, when order matters, or an object; a list of values in it repeats the header. */
export type HeadersToSend =
  readonly HeaderToSend[] | Readonly<Record<string, HeaderValue | readonly HeaderValue[] | undefined>>;

/** A record to send. */
export interface ProducerRecord<K = unknown, V = unknown> {
  /** Where it goes. */
  readonly topic: string;
  /** Absent or null: chosen by the partitioner, by key where there is one. */
  readonly partition?: number | null;
  /** Epoch milliseconds. Absent or null: now. */
  readonly timestamp?: number | null;
  /** Equal keys go to the same partition. Absent or null: no key. */
  readonly key?: K | null;
  /** Null is a tombstone. */
  readonly value: V | null;
  /** An object, or a list where order or repetition counts. */
  readonly headers?: HeadersToSend;
}

/** Headers as a list, values as they were given. Undefined values are absent headers. */
export function headerEntries(headers: HeadersToSend | null | undefined): readonly HeaderToSend[] {
  if (headers === undefined || headers === null) return [];
  if (isList(headers)) return headers;
  return Object.entries(headers).flatMap(([key, value]) => {
    if (value === undefined) return [];
    return isValues(value) ? value.map((one) => ({ key, value: one })) : [{ key, value }];
  });
}

/** Headers in the form drivers take; undefined for none. Throws SerializationError. */
export function headerList(headers: HeadersToSend | null | undefined): readonly RecordHeader[] | undefined {
  if (headers === undefined || headers === null) return undefined;
  const entries = headerEntries(headers);
  for (const header of entries) {
    if (typeof header !== 'object' || header === null) {
      throw new SerializationError(
        `headers hold ${String(header)}; use { key, value }, or an object of names and values`,
      );
    }
    if (typeof header.key !== 'string') throw new SerializationError(`a header has the name ${String(header.key)}`);
  }
  return entries.every(isReady) ? (entries as readonly RecordHeader[]) : entries.map(readyHeader);
}

function isReady({ value }: HeaderToSend): boolean {
  return value === null || typeof value === 'string' || Buffer.isBuffer(value);
}

function readyHeader(header: HeaderToSend): RecordHeader {
  const { key, value } = header;
  if (isReady(header)) return header as RecordHeader;
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') {
    return { key, value: String(value) };
  }
  if (value instanceof Uint8Array) return { key, value: Buffer.from(value.buffer, value.byteOffset, value.byteLength) };
  throw new SerializationError(
    `header ${key} is of type ${typeof value}; use text, a number, a boolean, a Buffer ` +
      'or null, and JSON.stringify for objects',
  );
}

function isList(headers: HeadersToSend): headers is readonly HeaderToSend[] {
  return Array.isArray(headers);
}

function isValues(value: HeaderValue | readonly HeaderValue[]): value is readonly HeaderValue[] {
  return Array.isArray(value);
}
