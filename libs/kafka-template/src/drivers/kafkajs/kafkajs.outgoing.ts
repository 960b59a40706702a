/**
 * A record on its way through kafkajs: the message kafkajs encodes, the deadline, and the one call of its callback.
 */
import type { DriverProducerRecord, RecordMetadata, SendCallback } from '../driver.js';
import { KafkaJsError, unsupportedError } from './kafkajs.error.js';
import type { KafkaJsMessage, KafkaJsSendOutcome } from './kafkajs.types.js';

/** Bytes a record takes beside its contents, at most. */
const RECORD_OVERHEAD_BYTES = 32;

/** No partition has been chosen yet. */
export const NOT_CHOSEN = -1;

/** When a record has waited long enough. Epoch milliseconds. */
export interface Deadlines {
  /** Until when there must be room for it; Infinity when there is. */
  readonly roomMs: number;
  /** Until when the partitions of its topic must be known. */
  readonly metadataMs: number;
  readonly deliveryMs: number;
}

/** One record between `append` and its callback. */
export class Outgoing {
  readonly message: KafkaJsMessage;
  readonly sizeBytes: number;
  #callback: SendCallback | undefined;

  constructor(
    readonly record: DriverProducerRecord,
    readonly deadlines: Deadlines,
    nowMs: number,
    callback: SendCallback,
  ) {
    const { key = null, value = null, timestamp, partition } = record;
    const headers: KafkaJsMessage['headers'] = Object.create(null) as KafkaJsMessage['headers'];
    let sizeBytes = RECORD_OVERHEAD_BYTES + bytesOf(key) + bytesOf(value);
    for (const header of record.headers ?? []) {
      // kafkajs fails on it while it encodes the whole batch.
      if (header.value === null) throw unsupportedError(`send the header ${header.key} without a value (null)`);
      const known = headers[header.key];
      if (known === undefined) headers[header.key] = header.value;
      else headers[header.key] = Array.isArray(known) ? [...known, header.value] : [known, header.value];
      sizeBytes += RECORD_OVERHEAD_BYTES + bytesOf(header.key) + bytesOf(header.value);
    }
    this.sizeBytes = sizeBytes;
    this.message = {
      key,
      value,
      headers,
      timestamp: String(timestamp ?? nowMs),
      chosen: partition ?? NOT_CHOSEN,
      turn: 0,
      isMisdirected: false,
    };
    this.#callback = callback;
  }

  /** Calls the callback, unless it has been called. */
  fail(error: Error): void {
    const callback = this.#callback;
    this.#callback = undefined;
    callback?.(error, null);
  }

  /** Calls the callback, unless it has been called. */
  succeed(metadata: RecordMetadata): void {
    const callback = this.#callback;
    this.#callback = undefined;
    callback?.(null, metadata);
  }
}

/**
 * Tells each record of a batch its place; kafkajs keeps their order inside each partition. With acks 0 nothing is known;
 * otherwise a partition without an answer has not been written to.
 */
export function answerAll(
  topic: string,
  acks: number,
  batch: readonly Outgoing[],
  outcomes: readonly KafkaJsSendOutcome[],
): void {
  const byPartition = new Map(outcomes.map((outcome) => [outcome.partition, outcome]));
  const counts = new Map<number, number>();
  for (const outgoing of batch) {
    const { chosen, key, value, timestamp } = outgoing.message;
    const index = counts.get(chosen) ?? 0;
    counts.set(chosen, index + 1);
    const outcome = byPartition.get(chosen);
    if (outcome === undefined && acks !== 0) {
      outgoing.fail(new KafkaJsError('UNKNOWN_SERVER_ERROR', `No answer came for partition ${chosen} of ${topic}.`));
      continue;
    }
    const logAppendTime = Number(outcome?.logAppendTime ?? -1);
    outgoing.succeed({
      topic,
      partition: chosen,
      offset: outcome?.baseOffset === undefined ? -1 : Number(outcome.baseOffset) + index,
      timestamp: logAppendTime >= 0 ? logAppendTime : Number(timestamp),
      serializedKeySize: key === null ? -1 : bytesOf(key),
      serializedValueSize: value === null ? -1 : bytesOf(value),
    });
  }
}

function bytesOf(content: Buffer | string | null): number {
  return content === null ? 0 : Buffer.byteLength(content);
}
