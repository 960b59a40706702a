/**
 * What a record must look like, and the most bytes it can take.
 *
 * Guarantees sentences that name the field and what it takes, Kafka's where Kafka has one.
 */
// Imported, because the global is a getter: it would be called for every key and value.
import { Buffer } from 'node:buffer';
import type { RecordHeader } from '@kafka-template/protocol';
import type { ProducerRecord } from './producer-record.js';

/** Most bytes of a record besides key, value and headers: lengths, attributes, deltas. Two of them are the -1 of nulls. */
export const RECORD_OVERHEAD_BYTES_MAX = 38;

const HEADER_OVERHEAD_BYTES_MAX = 10;

/** Up to this many characters a loop is faster than a call into native code. */
const SHORT_TEXT_CHARS = 48;

/** Bytes of a buffer, or of a text in UTF-8. */
export function byteLength(value: Buffer | string): number {
  if (typeof value !== 'string') return value.length;
  const { length } = value;
  if (length > SHORT_TEXT_CHARS) return Buffer.byteLength(value);
  for (let index = 0; index < length; index++) {
    if (value.charCodeAt(index) > 0x7f) return Buffer.byteLength(value);
  }
  return length;
}

/** Most bytes that headers take. */
export function headersBytesMax(headers: readonly RecordHeader[]): number {
  let bytes = 0;
  for (const { key, value } of headers) {
    bytes += HEADER_OVERHEAD_BYTES_MAX + byteLength(key) + (value === null ? 0 : byteLength(value));
  }
  return bytes;
}

/** Most bytes that a record takes in a batch. */
export function recordBytesMax({ key, value, headers }: ProducerRecord): number {
  const keyBytes = key == null ? -1 : byteLength(key);
  const valueBytes = value == null ? -1 : byteLength(value);
  return RECORD_OVERHEAD_BYTES_MAX + keyBytes + valueBytes + (headers == null ? 0 : headersBytesMax(headers));
}

function isData(value: unknown): boolean {
  return value === null || value === undefined || typeof value === 'string' || Buffer.isBuffer(value);
}

/** What is wrong with a record, or null. Types are checked too: much of what is sent comes from code without types. */
export function recordProblem(record: ProducerRecord): string | null {
  const { topic, partition, timestamp, headers } = record;
  if (typeof topic !== 'string' || topic === '') return 'A record needs a topic: a non-empty string.';
  if (partition !== null && partition !== undefined && !isCount(partition)) {
    return `Invalid partition: ${String(partition)}. Partition number should always be non-negative or null.`;
  }
  if (timestamp !== null && timestamp !== undefined && !isCount(timestamp)) {
    return `Invalid timestamp: ${String(timestamp)}. Timestamp should always be non-negative or null.`;
  }
  if (!isData(record.key)) return 'The key of a record must be a Buffer, a string or null.';
  if (!isData(record.value)) {
    return 'The value of a record must be a Buffer, a string or null. Serialize objects first, for example by JSON.stringify.';
  }
  return headers === null || headers === undefined ? null : headersProblem(headers);
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function headersProblem(headers: readonly RecordHeader[]): string | null {
  if (!Array.isArray(headers)) return 'The headers of a record must be an array of { key, value }.';
  for (const header of headers as readonly Partial<RecordHeader>[]) {
    if (typeof header?.key !== 'string') return 'Every header of a record needs a key: a string.';
    if (header.value === undefined || !isData(header.value)) {
      return `The value of header ${JSON.stringify(header.key)} must be a Buffer, a string or null.`;
    }
  }
  return null;
}
