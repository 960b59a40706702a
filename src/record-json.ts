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
  const parsed = parse(line, lineNumber);
  const headers = parsed['headers'] as readonly { k: string; v: unknown }[] | undefined;
  return {
    topic,
    key: bytesFromJson(parsed['key'] ?? null),
    value: bytesFromJson(parsed['value'] ?? null),
    headers: headers?.map(({ k, v }) => ({ key: k, value: bytesFromJson(v ?? null) })),
  };
}

function parse(line: string, lineNumber: number): Readonly<Record<string, unknown>> {
  try {
    const parsed = JSON.parse(line) as unknown;
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
      return parsed as Record<string, unknown>;
  } catch {
    // Told below, with the line.
  }
  throw new CommandError(
    `Line ${lineNumber} is no JSON object with a "value": ${line.slice(0, 80)}. Without --json each line is a value.`,
  );
}

function bytesToJson(bytes: Buffer | null): JsonBytes {
  if (bytes === null) return null;
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return { $base64: bytes.toString('base64') };
  }
}

function bytesFromJson(value: unknown): Buffer | string | null {
  if (value === null || typeof value === 'string') return value;
  const base64 = (value as { $base64?: unknown }).$base64;
  return typeof base64 === 'string' ? Buffer.from(base64, 'base64') : JSON.stringify(value);
}
