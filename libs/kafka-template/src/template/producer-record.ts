/**
 * A record to send, as Kafka's clients know it, with key and value still as objects.
 *
 * Leaves out serialisation: the template does it when the record is sent.
 */
import type { RecordHeader } from '../drivers/driver.js';
import { SerializationError } from '../errors.js';

/** Headers to send: a list, when order or repetition matters, or an object. Strings are encoded as UTF-8. */
export type HeadersToSend = readonly RecordHeader[] | Readonly<Record<string, Buffer | string | null>>;

/** A record to send. */
export interface ProducerRecord<K = unknown, V = unknown> {
  readonly topic: string;
  /** Absent or null: chosen by the partitioner, by key where there is one. */
  readonly partition?: number | null;
  /** Epoch milliseconds. Absent or null: now. */
  readonly timestamp?: number | null;
  readonly key?: K | null;
  /** Null is a tombstone. */
  readonly value: V | null;
  readonly headers?: HeadersToSend;
}

/** Headers in the form drivers take. Throws SerializationError. */
export function headerList(headers: HeadersToSend | null | undefined): readonly RecordHeader[] | undefined {
  if (headers === undefined || headers === null) return undefined;
  const list: readonly RecordHeader[] = isList(headers)
    ? headers
    : Object.entries(headers).map(([key, value]) => ({ key, value }));
  for (const header of list) {
    if (typeof header !== 'object' || header === null) {
      throw new SerializationError(
        `headers hold ${String(header)}; use { key, value }, or an object of names and values`,
      );
    }
    const { value } = header;
    if (typeof header.key !== 'string' || !(value === null || typeof value === 'string' || Buffer.isBuffer(value))) {
      throw new SerializationError(`header ${String(header.key)} is a ${typeof value}; use a string, a Buffer or null`);
    }
  }
  return list;
}

function isList(headers: HeadersToSend): headers is readonly RecordHeader[] {
  return Array.isArray(headers);
}
