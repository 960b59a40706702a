/**
 * How @nestjs/microservices writes messages to Kafka: which headers make a request, and what a reply looks like.
 *
 * The same bytes as its ClientKafka and ServerKafka (version 12): values are text, JSON for objects and arrays; requests carry
 * a correlation id, a topic and a partition for the reply. Different: nothing of the caller is changed.
 */
import type { DriverProducerRecord, RecordHeader } from '../drivers/driver.js';
import type { ConsumerRecord } from '../record/consumer-record.js';

/** Names of the headers (KafkaHeaders of @nestjs/microservices). */
export const NEST_HEADERS = {
  CORRELATION_ID: 'kafka_correlationId',
  REPLY_TOPIC: 'kafka_replyTopic',
  REPLY_PARTITION: 'kafka_replyPartition',
  ERROR: 'kafka_nest-err',
  IS_DISPOSED: 'kafka_nest-is-disposed',
} as const;

/** Where the reply to a request goes. */
export interface ReplyTarget {
  readonly topic: string;
  /** Undefined: any partition. */
  readonly partition: number | undefined;
  /** As it came: it is sent back byte by byte. */
  readonly correlationId: Buffer;
}

/** One message of a reply. */
export interface Reply {
  readonly response?: unknown;
  readonly error?: unknown;
  /** It is the last one. */
  readonly isDisposed: boolean;
}

/** A record in the form of Nest's KafkaContext. */
export interface IncomingMessage {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly timestamp: string;
  readonly key: unknown;
  readonly value: unknown;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** Where a record wants its reply; undefined when it is no request. */
export function replyTargetOf(record: ConsumerRecord): ReplyTarget | undefined {
  const correlationId = record.header(NEST_HEADERS.CORRELATION_ID);
  const topic = record.header(NEST_HEADERS.REPLY_TOPIC);
  if (correlationId == null || correlationId.length === 0 || topic == null || topic.length === 0) return undefined;
  const partition = Number.parseInt(record.header(NEST_HEADERS.REPLY_PARTITION)?.toString() ?? '', 10);
  return { topic: topic.toString(), partition: Number.isNaN(partition) ? undefined : partition, correlationId };
}

/** The value as a handler gets it. Bytes that begin with 0 (a schema registry's) stay bytes; null is a tombstone. */
export function payloadOf(record: ConsumerRecord): unknown {
  return record.rawValue?.[0] === 0 ? record.rawValue : record.value;
}

/** A record in the form of Nest's KafkaContext. */
export function incomingMessage(record: ConsumerRecord): IncomingMessage {
  const { topic, partition, offset, timestamp } = record;
  const headers: Record<string, unknown> = {};
  for (const { key, value } of record.headers) headers[key] = textOrJson(value);
  return {
    topic,
    partition,
    offset: String(offset),
    timestamp: String(timestamp),
    key: record.key,
    value: payloadOf(record),
    headers,
  };
}

/** A reply as a record. */
export function replyRecord(target: ReplyTarget, { response, error, isDisposed }: Reply): DriverProducerRecord {
  const { key, value, headers } = isMessage(response) ? response : { value: response };
  const sent: RecordHeader[] = Object.entries(headers ?? {}).map(([name, one]) => ({
    key: name,
    value: Buffer.isBuffer(one) ? one : String(one),
  }));
  sent.push({ key: NEST_HEADERS.CORRELATION_ID, value: target.correlationId });
  if (error !== undefined) sent.push({ key: NEST_HEADERS.ERROR, value: errorText(error) });
  if (isDisposed) sent.push({ key: NEST_HEADERS.IS_DISPOSED, value: Buffer.alloc(1) });
  return {
    topic: target.topic,
    partition: target.partition ?? null,
    key: encode(key),
    value: encode(value),
    headers: sent,
  };
}

interface OutgoingMessage {
  readonly key?: unknown;
  readonly value?: unknown;
  readonly headers?: Readonly<Record<string, unknown>>;
}

/** As Nest decides it: whatever has a key or a value is a whole message. */
function isMessage(response: unknown): response is OutgoingMessage {
  return typeof response === 'object' && response !== null && ('key' in response || 'value' in response);
}

function encode(content: unknown): Buffer | string | null {
  if (content === undefined || content === null) return null;
  if (typeof content === 'string' || Buffer.isBuffer(content)) return content;
  if (typeof content !== 'object') return (content as number).toString();
  const prototype: unknown = Object.getPrototypeOf(content);
  const hasOwnText = (content as { toString?: unknown }).toString !== Object.prototype.toString;
  const isPlain = prototype === Object.prototype || prototype === null || Array.isArray(content);
  return isPlain || !hasOwnText ? (JSON.stringify(content) ?? null) : (content as Date).toString();
}

function errorText(error: unknown): string {
  if (typeof error === 'string') return error;
  if (error instanceof Error) return JSON.stringify({ status: 'error', message: error.message });
  return JSON.stringify(error) ?? 'undefined';
}

function textOrJson(bytes: Buffer | null): unknown {
  if (bytes === null || bytes[0] === 0) return bytes;
  const text = bytes.toString();
  if (!text.startsWith('{') && !text.startsWith('[')) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
