/**
 * Publishes a record that was given up to a dead-letter topic. Spring's DeadLetterPublishingRecoverer.
 *
 * Key, value and headers go as the bytes they came as, to `<topic>-dlt` and the same partition; where that topic has fewer
 * partitions, its partitioner chooses. Header names and encodings are Spring's, so that tools for its dead letters work.
 * The record counts as recovered when the broker has it: a failure has it delivered again, and never lost.
 */
import type { DriverProducerRecord, RecordHeader } from '../drivers/driver.js';
import { classNameOf, reasonOf } from '../io/error-report.js';
import { asError } from '../errors.js';
import { type Clock, systemClock } from '../io/clock.js';
import type { ConsumerRecord } from '../record/consumer-record.js';
import type { RecordRecoverer } from './default-error-handler.js';

/** What the recoverer sends with: a KafkaTemplate is one. */
export interface DeadLetterSender {
  /** Sends bytes as they are; resolves when the broker has them. */
  sendRaw(record: DriverProducerRecord): PromiseLike<unknown>;
  /** The partitions of a topic, to know whether one exists. */
  partitionsFor(topic: string): Promise<readonly { readonly partition: number }[]>;
}

/** Where a dead letter goes; without a partition the partitioner chooses. */
export interface DeadLetterDestination {
  /** Where the record goes. */
  readonly topic: string;
  /** Absent or negative: the partitioner's choice. */
  readonly partition?: number;
}

/** Settings of {@link DeadLetterPublishingRecoverer}. */
export interface DeadLetterOptions {
  /** Where a record goes; null: it is dropped. Default: `<topic>-dlt`, same partition. */
  readonly destination?: (record: ConsumerRecord, error: Error) => DeadLetterDestination | null;
  /** Suffix of the default destination. Default `-dlt`. */
  readonly suffix?: string;
  /** Further headers. */
  readonly headers?: (record: ConsumerRecord, error: Error) => readonly RecordHeader[];
  /** Whether the stack of the error goes along. Default true. */
  readonly includeStackTrace?: boolean;
  /** How long to wait for the partitions of the destination; then its partitioner chooses. Default 5000. */
  readonly verifyTimeoutMs?: number;
  /** For tests. */
  readonly clock?: Clock;
}

const DEFAULT_SUFFIX = '-dlt';
const DEFAULT_VERIFY_TIMEOUT_MS = 5000;
const ORIGINAL = 'kafka_dlt-original-';
const EXCEPTION = 'kafka_dlt-exception-';

/** Sends records that were given up to a topic of their own. */
export class DeadLetterPublishingRecoverer {
  readonly #sender: DeadLetterSender;
  readonly #options: DeadLetterOptions;

  constructor(sender: DeadLetterSender, options: DeadLetterOptions = {}) {
    this.#sender = sender;
    this.#options = options;
  }

  /** For `DefaultErrorHandler`. */
  readonly recoverer: RecordRecoverer = async (record, error, source) => {
    const destination = this.#destination(record, error);
    if (destination === null) return;
    await this.#sender.sendRaw({
      topic: destination.topic,
      partition: await this.#partition(destination),
      key: record.rawKey,
      value: record.rawValue,
      headers: this.#headers(record, error, source.groupId),
    });
  };

  #destination(record: ConsumerRecord, error: Error): DeadLetterDestination | null {
    if (this.#options.destination !== undefined) return this.#options.destination(record, error);
    return { topic: `${record.topic}${this.#options.suffix ?? DEFAULT_SUFFIX}`, partition: record.partition };
  }

  /** The wanted partition, if the topic is known to have it. */
  async #partition({ topic, partition }: DeadLetterDestination): Promise<number | null> {
    if (partition === undefined) return null;
    const { clock = systemClock, verifyTimeoutMs = DEFAULT_VERIFY_TIMEOUT_MS } = this.#options;
    return new Promise((resolve) => {
      const timer = clock.setTimer(verifyTimeoutMs, () => resolve(null));
      const answer = (isThere: boolean): void => {
        timer.cancel();
        resolve(isThere ? partition : null);
      };
      this.#sender.partitionsFor(topic).then(
        (partitions) => answer(partitions.some((info) => info.partition === partition)),
        () => answer(false),
      );
    });
  }

  /** The record's own headers first, without those of an earlier dead letter's error; then ours, in Spring's order. */
  #headers(record: ConsumerRecord, error: Error, groupId: string | undefined): RecordHeader[] {
    const cause = error.cause === undefined ? error : asError(error.cause);
    const own = record.headers.filter((header) => !header.key.startsWith(EXCEPTION));
    const headers: RecordHeader[] = [
      ...own,
      { key: `${EXCEPTION}fqcn`, value: classNameOf(error) },
      { key: `${EXCEPTION}cause-fqcn`, value: classNameOf(cause) },
      { key: `${EXCEPTION}message`, value: reasonOf(error) },
    ];
    if (this.#options.includeStackTrace !== false) {
      headers.push({ key: `${EXCEPTION}stacktrace`, value: error.stack ?? error.message });
    }
    headers.push(
      { key: `${ORIGINAL}topic`, value: record.topic },
      { key: `${ORIGINAL}partition`, value: int32(record.partition) },
      { key: `${ORIGINAL}offset`, value: int64(record.offset) },
      { key: `${ORIGINAL}timestamp`, value: int64(record.timestamp) },
      { key: `${ORIGINAL}timestamp-type`, value: record.timestampType },
    );
    if (groupId !== undefined) headers.push({ key: `${ORIGINAL}consumer-group`, value: groupId });
    return [...headers, ...(this.#options.headers?.(record, error) ?? [])];
  }
}

/** 4 bytes, big-endian. */
function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

/** 8 bytes, big-endian. */
function int64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
}
