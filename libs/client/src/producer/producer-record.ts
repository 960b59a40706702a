/**
 * What goes into a producer and what comes back: records, their metadata, the callback.
 */
import type { RecordHeader } from '@kafka-template/protocol';
import type { KafkaError } from '../errors.js';
import type { ClientLogger } from '../io/logger.js';

/** One record to be sent. Strings are sent as UTF-8. The producer encodes or copies it during `append` and keeps nothing of it. */
export interface ProducerRecord {
  readonly topic: string;
  /** Partition number; absent or null leaves the choice to the partitioner. */
  readonly partition?: number | null;
  /** Records of one key go to one partition. Absent or null: no key. */
  readonly key?: Buffer | string | null;
  /** Absent or null: a tombstone. */
  readonly value?: Buffer | string | null;
  /** Milliseconds since the epoch. Default: now. */
  readonly timestamp?: number | null;
  /** In order, repeated keys allowed. */
  readonly headers?: readonly RecordHeader[] | null;
}

/** Where a record went. */
export class RecordMetadata {
  constructor(
    readonly topic: string,
    readonly partition: number,
    /** -1 when the broker did not tell: `acks` 0, or a repeated batch it had stored before but remembers no more. */
    readonly offset: number,
    /** The record's timestamp, or the broker's if the topic uses `LogAppendTime`. Milliseconds since the epoch. */
    readonly timestamp: number,
    /** Bytes of the key, -1 without one. */
    readonly serializedKeySize: number,
    /** Bytes of the value, -1 without one. */
    readonly serializedValueSize: number,
  ) {}
}

/**
 * Told the outcome of one record, exactly once: the metadata, or an error. Never called during `append`. What it throws
 * is logged and goes no further.
 */
export type DeliveryCallback = (error: KafkaError | null, metadata: RecordMetadata | null) => void;

/**
 * The promise of a `send`, for as long as its record has no outcome: kept by what resolves it and nothing else, because
 * there may be ten thousands of them.
 */
export class SendPromise {
  constructor(private readonly resolve: (outcome: RecordMetadata | Promise<never>) => void) {}

  /** Settles the promise. */
  settle(error: KafkaError | null, metadata: RecordMetadata | null): void {
    // Resolved with a rejected promise it is rejected with the same reason.
    this.resolve(error === null ? (metadata as RecordMetadata) : Promise.reject(error));
  }
}

/** Who is told the outcome of a record. */
export type Delivery = DeliveryCallback | SendPromise;

/** A record that stays as it is, whatever becomes of the given one and its buffers. */
export function copyRecord({ topic, partition, key, value, timestamp, headers }: ProducerRecord): ProducerRecord {
  const copied = headers == null ? null : headers.map((each) => ({ key: each.key, value: copyData(each.value) }));
  return { topic, partition, key: copyData(key), value: copyData(value), timestamp, headers: copied };
}

function copyData(data: Buffer | string | null | undefined): Buffer | string | null {
  return typeof data === 'string' || data == null ? (data ?? null) : Buffer.from(data);
}

/** Tells an outcome; what a callback throws is logged, so that it does not keep other records from their outcome. */
export function callSafely(
  callback: Delivery,
  logger: ClientLogger,
  error: KafkaError | null,
  metadata: RecordMetadata | null,
): void {
  if (typeof callback !== 'function') {
    callback.settle(error, metadata);
    return;
  }
  try {
    callback(error, metadata);
  } catch (thrown) {
    logger.error('A delivery callback threw; the outcome of its record stands.', { error: thrown });
  }
}
