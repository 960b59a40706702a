/**
 * The forms in which records can be given to `send`, and the one record all of them stand for. No state.
 */
import type { DriverProducerRecord } from '../drivers/driver.js';
import { SerializationError, messageOf } from '../errors.js';
import type { RecordSerdes } from '../serde/record-serdes.js';
import { type Serde, autoSerde } from '../serde/serde.js';
import { TopicContract } from '../serde/topic-contract.js';
import {
  type HeaderToSend,
  type HeadersToSend,
  type ProducerRecord,
  headerEntries,
  headerList,
} from './producer-record.js';

/** Headers of an {@link OutgoingMessage} that say where it goes. Spring's names. */
export const MESSAGE_HEADERS = {
  TOPIC: 'kafka_topic',
  PARTITION: 'kafka_partitionId',
  KEY: 'kafka_messageKey',
  TIMESTAMP: 'kafka_timestamp',
} as const;

const ROUTING: ReadonlySet<string> = new Set(Object.values(MESSAGE_HEADERS));

/** A message: a payload and headers, some of which say where it goes. Spring's `Message<?>`. */
export interface OutgoingMessage<V = unknown> {
  /** The value; null: a tombstone. */
  readonly payload: V | null;
  /**
   * `kafka_topic` (default: the default topic), `kafka_partitionId`, `kafka_messageKey` and `kafka_timestamp` are used up; the
   * others are sent.
   */
  readonly headers: HeadersToSend | Readonly<Record<string, unknown>>;
}

/** A record whose topic is a contract. */
export interface ContractRecord<K = unknown, V = unknown> extends Omit<ProducerRecord<K, V>, 'topic'> {
  /** Where it goes, and how it is written. */
  readonly topic: TopicContract<K, V, unknown>;
}

/** A record, and what it is written with. */
export interface RecordToSend {
  readonly record: ProducerRecord;
  /** Those of a contract; undefined: the template's. */
  readonly serdes: RecordSerdes | undefined;
}

/** The record that the positional forms of `send` stand for. They differ by how many parameters they have. */
export function recordOf(topic: string, parameters: readonly unknown[]): ProducerRecord {
  if (parameters.length >= 4) {
    const [partition, timestamp, key, value] = parameters;
    return { topic, partition: partition as number | null, timestamp: timestamp as number | null, key, value };
  }
  if (parameters.length === 3) {
    const [partition, key, value] = parameters;
    return { topic, partition: partition as number | null, key, value };
  }
  if (parameters.length === 2) return { topic, key: parameters[0], value: parameters[1] };
  return { topic, value: parameters[0] };
}

/** The record an object stands for: a record, one with a contract, or a message. Never throws for what it is given. */
export function recordOfObject(given: unknown, defaultTopic: string | undefined): RecordToSend {
  if (typeof given !== 'object' || given === null) return { record: given as ProducerRecord, serdes: undefined };
  const { topic } = given as { topic?: unknown };
  if (topic instanceof TopicContract) {
    return { record: { ...(given as ContractRecord), topic: topic.name }, serdes: topic.serdes };
  }
  if (topic === undefined && 'payload' in given && 'headers' in given) {
    return { record: recordOfMessage(given as OutgoingMessage, defaultTopic), serdes: undefined };
  }
  return { record: given as ProducerRecord, serdes: undefined };
}

/** The record of a request, with the headers of requests besides its own. Throws SerializationError. */
export function requestOf(
  given: unknown,
  defaultTopic: string | undefined,
  headers: readonly HeaderToSend[],
): RecordToSend {
  const { record, serdes } = recordOfObject(given, defaultTopic);
  if (typeof record !== 'object' || record === null) {
    throw new SerializationError(
      `sendAndReceive takes a record ({ topic, key, value }), and was given ${kindOf(record)}`,
    );
  }
  return { record: { ...record, headers: [...headerEntries(record.headers), ...headers] }, serdes };
}

function recordOfMessage({ payload, headers }: OutgoingMessage, defaultTopic: string | undefined): ProducerRecord {
  const routing = new Map<string, unknown>();
  const others: HeaderToSend[] = [];
  for (const header of headerEntries(headers as HeadersToSend)) {
    if (ROUTING.has(header.key)) routing.set(header.key, header.value);
    else others.push(header);
  }
  return {
    topic: (routing.get(MESSAGE_HEADERS.TOPIC) ?? defaultTopic) as string,
    partition: routing.get(MESSAGE_HEADERS.PARTITION) as number | null | undefined,
    timestamp: routing.get(MESSAGE_HEADERS.TIMESTAMP) as number | null | undefined,
    key: routing.get(MESSAGE_HEADERS.KEY),
    value: payload,
    headers: others.length === 0 ? undefined : others,
  };
}

/** The record as a driver takes it. Throws SerializationError. */
export function serializeRecord(record: ProducerRecord, serdes: RecordSerdes): DriverProducerRecord {
  if (typeof record !== 'object' || record === null) {
    throw new SerializationError(
      `send takes a topic and a value, or a record ({ topic, key, value }), and was given ${kindOf(record)}`,
    );
  }
  const { topic, partition, timestamp } = record;
  if (typeof topic !== 'string' || topic === '') {
    throw new SerializationError('the topic must be a string that is not empty');
  }
  if (partition != null && !(Number.isInteger(partition) && partition >= 0)) {
    throw new SerializationError(`partition must be a whole number from 0, or null, and is ${String(partition)}`);
  }
  const headers = headerList(record.headers);
  return {
    topic,
    partition: partition ?? null,
    timestamp: timestamp ?? undefined,
    key: serializePart('key', serdes.key, record.key ?? null, topic, headers),
    value: serializePart('value', serdes.value, record.value, topic, headers),
    headers,
  };
}

function serializePart(
  part: 'key' | 'value',
  serde: Serde,
  data: unknown,
  topic: string,
  headers: DriverProducerRecord['headers'],
): Buffer | string | null {
  try {
    return serde.serialize(data, topic, headers);
  } catch (error) {
    throw new SerializationError(`the ${part} cannot be serialised: ${messageOf(error)}`, error);
  }
}

/** `null`, `undefined`, `a number`: what was given instead of something else. */
export function kindOf(given: unknown): string {
  if (given === null || given === undefined) return String(given);
  return typeof given === 'object' ? 'an object' : `a ${typeof given}`;
}

const RECORD_PROPERTIES = ['topic', 'partition', 'timestamp', 'key', 'value', 'headers'] as const;

/** Whether those who hear of the failure can look at the record without failing themselves. */
export function isReadable(given: unknown): given is ProducerRecord {
  if (typeof given !== 'object' || given === null) return false;
  try {
    for (const name of RECORD_PROPERTIES) void (given as Record<string, unknown>)[name];
    return true;
  } catch {
    return false;
  }
}

/** Strings and bytes as they are; a value that is absent is a tombstone. */
export const RAW: RecordSerdes = {
  key: autoSerde,
  value: { ...autoSerde, serialize: (data, topic) => autoSerde.serialize(data ?? null, topic) },
};

/** Stands in the future and for the ProducerListener where something else than a readable record was given. */
export const NO_RECORD: ProducerRecord = { topic: '', value: null };
