/**
 * Sends records: fire and forget, synchronously, or with callbacks. Spring's KafkaTemplate.
 *
 * `send` never blocks and never throws for anything a broker or a record's contents may cause: every failure arrives by
 * the returned future and then by the ProducerListener, and never before `send` has returned. Records are handed to the
 * producer in the order of the calls. Leaves out transactions and request/reply.
 */
import type { DriverProducer, DriverProducerRecord, PartitionInfo, RecordMetadata } from '../drivers/driver.js';
import { callGuarded } from '../io/call-guarded.js';
import { KafkaTemplateError, KafkaTemplateErrorCode, SerializationError, messageOf } from '../errors.js';
import type { Clock } from '../io/clock.js';
import type { Log } from '../io/log.js';
import type { RecordSerdes } from '../serde/record-serdes.js';
import { type Serde, autoSerde } from '../serde/serde.js';
import { KafkaSendError, describeTarget } from './kafka-send-error.js';
import type { ProducerListener } from './producer-listener.js';
import { type ProducerRecord, headerList } from './producer-record.js';
import { SendFuture, type SendFutureHost } from './send-future.js';
import { SendResult } from './send-result.js';

/** Settings of a template. */
export interface TemplateOptions {
  /** Topic of `sendDefault`. */
  defaultTopic?: string;
  /** How long `close` waits for records on their way. Default 10000. */
  closeTimeoutMs?: number;
}

/** What a template works with. */
export interface KafkaTemplateParts {
  readonly producer: DriverProducer;
  readonly serdes: RecordSerdes;
  readonly listener: ProducerListener;
  readonly clock: Clock;
  readonly log: Log;
}

const DEFAULT_CLOSE_TIMEOUT_MS = 10_000;

/** Strings and bytes as they are; a value that is absent is a tombstone. */
const RAW: RecordSerdes = {
  key: autoSerde,
  value: { ...autoSerde, serialize: (data, topic) => autoSerde.serialize(data ?? null, topic) },
};

/** Stands in the future and for the ProducerListener where something else than a readable record was given. */
const NO_RECORD: ProducerRecord = { topic: '', value: null };

const RECORD_PROPERTIES = ['topic', 'partition', 'timestamp', 'key', 'value', 'headers'] as const;

/** Injectable sender of records. One per application is the normal case; it is safe to use from everywhere. */
export class KafkaTemplate {
  readonly #parts: KafkaTemplateParts;
  readonly #options: TemplateOptions;
  readonly #host: SendFutureHost;
  #closing: Promise<void> | undefined;

  constructor(parts: KafkaTemplateParts, options: TemplateOptions = {}) {
    this.#parts = parts;
    this.#options = options;
    this.#host = { clock: parts.clock, log: parts.log };
  }

  /** Topic of `sendDefault`, if one is configured. */
  get defaultTopic(): string | undefined {
    return this.#options.defaultTopic;
  }

  /** Sends a record with everything a record can have. */
  send<K, V>(record: ProducerRecord<K, V>): SendFuture<K, V>;
  /** Sends a value without a key; the partition is the producer's choice. */
  send<V>(topic: string, value: V): SendFuture<null, V>;
  /** Sends a value with a key: equal keys go to the same partition and keep their order. */
  send<K, V>(topic: string, key: K, value: V): SendFuture<K, V>;
  /** Sends to a chosen partition. */
  send<K, V>(topic: string, partition: number | null, key: K, value: V): SendFuture<K, V>;
  /** Sends to a chosen partition with a timestamp in epoch milliseconds. */
  send<K, V>(topic: string, partition: number | null, timestamp: number | null, key: K, value: V): SendFuture<K, V>;
  send(first: string | ProducerRecord, ...rest: unknown[]): unknown {
    return this.#dispatch(typeof first === 'string' ? recordOf(first, rest) : first, this.#parts.serdes);
  }

  /** Sends a record whose key and value are bytes already: no serializer sees them. For forwarding what was received. */
  sendRaw(record: DriverProducerRecord): SendFuture<Buffer | string, Buffer | string> {
    return this.#dispatch(record as ProducerRecord, RAW) as SendFuture<Buffer | string, Buffer | string>;
  }

  /** As `send` without the topic: the template's `defaultTopic`. Throws ILLEGAL_STATE when there is none. */
  sendDefault<V>(value: V): SendFuture<null, V>;
  sendDefault<K, V>(key: K, value: V): SendFuture<K, V>;
  sendDefault<K, V>(partition: number | null, key: K, value: V): SendFuture<K, V>;
  sendDefault<K, V>(partition: number | null, timestamp: number | null, key: K, value: V): SendFuture<K, V>;
  sendDefault(...parameters: unknown[]): unknown {
    const topic = this.#options.defaultTopic;
    if (topic === undefined) {
      throw new KafkaTemplateError(
        KafkaTemplateErrorCode.ILLEGAL_STATE,
        'sendDefault needs a default topic: set template.defaultTopic in the options of KafkaModule, or use send(topic, ...)',
      );
    }
    return this.#dispatch(recordOf(topic, parameters), this.#parts.serdes);
  }

  /** Resolves when everything sent before has been acknowledged or has failed, callbacks included. */
  flush(): Promise<void> {
    return this.#parts.producer.flush();
  }

  /** The partitions of a topic, as the producer knows them. */
  partitionsFor(topic: string): Promise<readonly PartitionInfo[]> {
    return this.#parts.producer.partitionsFor(topic);
  }

  /**
   * Waits for what is on its way, up to `closeTimeoutMs`, fails the rest, and disconnects: every future has completed
   * when this resolves. The module does it when the application shuts down. Later sends fail.
   */
  close(): Promise<void> {
    this.#closing ??= this.#parts.producer.close(this.#options.closeTimeoutMs ?? DEFAULT_CLOSE_TIMEOUT_MS);
    return this.#closing;
  }

  #dispatch(given: ProducerRecord, serdes: RecordSerdes): SendFuture {
    let data: DriverProducerRecord | undefined;
    let failure: unknown;
    try {
      if (this.#closing !== undefined) {
        throw new KafkaTemplateError('CLOSED', 'the template is closed: the application is shutting down');
      }
      data = serialize(given, serdes);
    } catch (error) {
      failure = error;
    }
    const future = new SendFuture(data !== undefined || isReadable(given) ? given : NO_RECORD, this.#host);
    if (data === undefined) queueMicrotask(() => this.#complete(future, failure, null));
    else this.#append(data, future);
    return future;
  }

  #append(data: DriverProducerRecord, future: SendFuture): void {
    let appended = false;
    try {
      this.#parts.producer.append(data, (error, metadata) => {
        // A driver may know at once that it cannot send. The caller has no future yet, so it hears of it afterwards.
        if (appended) this.#complete(future, error, metadata);
        else queueMicrotask(() => this.#complete(future, error, metadata));
      });
    } catch (error) {
      queueMicrotask(() => this.#complete(future, error, null));
    }
    appended = true;
  }

  #listenerFailed(record: ProducerRecord, error: unknown): void {
    this.#parts.log.error(`The ProducerListener failed on a record for ${describeTarget(record)}`, error);
  }

  /** The order is Spring's: the future first, with its callbacks, then the listener. */
  #complete(future: SendFuture, cause: unknown, metadata: RecordMetadata | null): void {
    const { listener } = this.#parts;
    const { record } = future;
    if (metadata !== null && cause === null) {
      future.complete(undefined, new SendResult(record, metadata));
      if (listener.onSuccess === undefined) return;
      callGuarded(
        () => listener.onSuccess?.(record, metadata),
        (thrown) => this.#listenerFailed(record, thrown),
      );
    } else {
      const error = new KafkaSendError(record, cause);
      future.complete(error, undefined);
      callGuarded(
        () => listener.onError?.(record, metadata, error),
        (thrown) => this.#listenerFailed(record, thrown),
      );
    }
  }
}

/** Whether those who hear of the failure can look at the record without failing themselves. */
function isReadable(given: unknown): boolean {
  if (typeof given !== 'object' || given === null) return false;
  try {
    for (const name of RECORD_PROPERTIES) void (given as Record<string, unknown>)[name];
    return true;
  } catch {
    return false;
  }
}

function kindOf(given: unknown): string {
  return given === null || given === undefined ? String(given) : `a ${typeof given}`;
}

/** The record that the positional forms of `send` stand for. They differ by how many parameters they have. */
function recordOf(topic: string, parameters: readonly unknown[]): ProducerRecord {
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

function serialize(record: ProducerRecord, serdes: RecordSerdes): DriverProducerRecord {
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
  return {
    topic,
    partition: partition ?? null,
    timestamp: timestamp ?? undefined,
    key: serializePart('key', record.key ?? null, topic, serdes.key),
    value: serializePart('value', record.value, topic, serdes.value),
    headers: headerList(record.headers),
  };
}

function serializePart(part: 'key' | 'value', data: unknown, topic: string, serde: Serde): Buffer | string | null {
  try {
    return serde.serialize(data, topic);
  } catch (error) {
    throw new SerializationError(`the ${part} cannot be serialised: ${messageOf(error)}`, error);
  }
}
