/**
 * Records as JSON: what `kt consume` prints is what `kt produce` reads, so that one can be piped into the other.
 *
 * `{topic, partition, offset, ts, key, value, headers: [{k, v}]}`; bytes that are no UTF-8 are `{"$base64": "…"}`, null
 * stays null. On the way in everything but the value may be left out, and a value that is other JSON is written as JSON.
 */
import type { ConsumerRecord, ProducerRecord } from '@kafka-template/client';
import { CommandError } from './exit-code.js';

type JsonBytes = string | null | { readonly $base64: string };

/** One record on the way out. */
export interface RecordJson {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds since the epoch. */
  readonly ts: number;
  readonly key: JsonBytes;
  readonly value: JsonBytes;
  readonly headers: readonly { readonly k: string; readonly v: JsonBytes }[];
}

/** How much of a wrong line an error shows, in characters. */
const LINE_SHOWN_MAX = 80;

const BASE64 = /^(?:[\w+/-]{4})*(?:[\w+/-]{2}(?:==)?|[\w+/-]{3}=?)?$/;

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A consumed record as JSON. */
export function recordToJson(record: ConsumerRecord): RecordJson {
  const { topic, partition, offset, timestamp } = record;
  return {
    topic,
    partition,
    offset,
    ts: timestamp,
    key: bytesToJson(record.key),
    value: bytesToJson(record.value),
    headers: record.headers.map(({ key, value }) => ({ k: key, v: bytesToJson(value) })),
  };
}

/** A line of JSON as a record for `topic`. Throws a CommandError that names the line. */
export function recordFromJson(line: string, lineNumber: number, topic: string): ProducerRecord {
  const refuse = (why: string): never => {
    throw new CommandError(`Line ${lineNumber} ${why}: ${shorten(line)}`);
  };
  const parsed = parse(line);
  if (parsed === null) return refuse('is no JSON object (without --json each line is a value)');
  // A line without a value is more likely a mistake than a wish to delete something.
  if (parsed['value'] === undefined) return refuse('has no "value" (write "value": null for a tombstone)');
  const bytes = (value: unknown): Buffer | string | null =>
    bytesFromJson(value) ?? (value === null ? null : refuse('has a "$base64" that is no base64'));
  const headers = parsed['headers'] ?? [];
  if (!isHeaders(headers)) return refuse('has "headers" that are no list of {"k": "name", "v": value}');
  return {
    topic,
    key: bytes(parsed['key'] ?? null),
    value: bytes(parsed['value']),
    headers: headers.map(({ k, v }) => ({ key: k, value: bytes(v ?? null) })),
  };
}

function parse(line: string): Readonly<Record<string, unknown>> | null {
  try {
    const parsed = JSON.parse(line) as unknown;
    return isObject(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isHeaders(value: unknown): value is readonly { readonly k: string; readonly v?: unknown }[] {
  return Array.isArray(value) && value.every((header) => isObject(header) && typeof header['k'] === 'string');
}

function shorten(line: string): string {
  return line.length > LINE_SHOWN_MAX ? `${line.slice(0, LINE_SHOWN_MAX)}…` : line;
}

function bytesToJson(bytes: Buffer | null): JsonBytes {
  if (bytes === null) return null;
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return { $base64: bytes.toString('base64') };
  }
}

/** Null for null, and for base64 that is none. */
function bytesFromJson(value: unknown): Buffer | string | null {
  if (value === null || typeof value === 'string') return value;
  const base64 = (value as { $base64?: unknown }).$base64;
  if (typeof base64 !== 'string') return JSON.stringify(value);
  return BASE64.test(base64) ? Buffer.from(base64, 'base64') : null;
}
