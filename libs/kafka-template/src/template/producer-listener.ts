/**
 * Hears about every send of a template, also those whose future nobody looks at. Spring's ProducerListener.
 *
 * The default logs failures with topic, partition and the first characters of key and value.
 */
import type { RecordMetadata } from '../drivers/driver.js';
import type { Log } from '../io/log.js';
import { counted } from '../io/wording.js';
import { type KafkaSendError, describeTarget } from './kafka-send-error.js';
import type { ProducerRecord } from './producer-record.js';

/** Called after the future of the send has completed. What it throws is logged and goes no further. */
export interface ProducerListener {
  /** The broker has the record. */
  onSuccess?(record: ProducerRecord, metadata: RecordMetadata): void;
  /** `metadata` is what was known when it failed, usually null. */
  onError?(record: ProducerRecord, metadata: RecordMetadata | null, error: KafkaSendError): void;
}

/** How much of a key or value the log shows, in characters. */
export const LOGGED_VALUE_LENGTH_MAX = 100;

/** What {@link LoggingProducerListener} writes. */
export interface LoggingProducerListenerOptions {
  /** Whether key and value are part of the message. Default true; false where they are confidential. */
  readonly includeContents?: boolean;
}

/** Logs every failed send as an error. The default listener. */
export class LoggingProducerListener implements ProducerListener {
  readonly #log: Log;
  readonly #includeContents: boolean;

  constructor(log: Log, options: LoggingProducerListenerOptions = {}) {
    this.#log = log;
    this.#includeContents = options.includeContents ?? true;
  }

  /** Writes one line and the error. */
  onError(record: ProducerRecord, _metadata: RecordMetadata | null, error: KafkaSendError): void {
    const contents = this.#includeContents
      ? ` (key ${shorten(record.key ?? null)}, value ${shorten(record.value)})`
      : '';
    this.#log.error(`A record for ${describeTarget(record)} was not sent${contents}`, error.cause ?? error);
  }
}

/** Tells several listeners, in order. */
export class CompositeProducerListener implements ProducerListener {
  readonly #listeners: readonly ProducerListener[];

  constructor(...listeners: ProducerListener[]) {
    this.#listeners = listeners;
  }

  onSuccess(record: ProducerRecord, metadata: RecordMetadata): void {
    for (const listener of this.#listeners) listener.onSuccess?.(record, metadata);
  }

  onError(record: ProducerRecord, metadata: RecordMetadata | null, error: KafkaSendError): void {
    for (const listener of this.#listeners) listener.onError?.(record, metadata, error);
  }
}

/** A key or value for the log: JSON where it can be, at most {@link LOGGED_VALUE_LENGTH_MAX} characters and `...`. */
function shorten(data: unknown): string {
  if (Buffer.isBuffer(data)) return counted(data.length, 'byte');
  let text: string;
  try {
    text = typeof data === 'string' ? data : (JSON.stringify(data) ?? String(data));
  } catch {
    text = Object.prototype.toString.call(data);
  }
  return text.length > LOGGED_VALUE_LENGTH_MAX ? `${text.slice(0, LOGGED_VALUE_LENGTH_MAX)}...` : text;
}
