/**
 * Delivers a failed record again by a back-off, then recovers it and goes on. Spring's DefaultErrorHandler.
 *
 * By default a record is delivered ten times in all, without a pause, then logged and skipped; what no repetition can
 * change is recovered at once. While a record waits, its partition waits and the others go on. A recoverer that throws has
 * the record delivered again, as if it had never failed.
 */
import type { TopicPartition } from '../drivers/driver.js';
import { recordName } from '../drivers/driver.js';
import { reasonOf } from '../io/error-report.js';
import { KafkaTemplateError } from '../errors.js';
import type { Log } from '../io/log.js';
import type { ConsumerRecord } from '../record/consumer-record.js';
import { counted, milliseconds } from '../io/wording.js';
import { Attempts } from './attempts.js';
import { type BackOff, FixedBackOff } from './back-off.js';
import { type ClassificationOptions, ErrorClassifier } from './classifier.js';
import type { BatchFailure, ErrorDecision, ErrorHandler, RecordFailure } from './error-handler.js';

/** Takes over a record that has been given up. Awaited. */
export type RecordRecoverer = (
  record: ConsumerRecord,
  error: Error,
  source: { readonly listenerId: string; readonly groupId: string | undefined },
) => void | Promise<void>;

/** Hears about deliveries that failed. */
export interface RetryListener {
  /** Delivery number `attempt` (from 1) has failed. */
  failedDelivery?(record: ConsumerRecord, error: Error, attempt: number): void;
  /** The record was given up and recovered. */
  recovered?(record: ConsumerRecord, error: Error): void;
  /** The record was given up and could not be recovered; it will be delivered again. */
  recoveryFailed?(record: ConsumerRecord, original: Error, failure: unknown): void;
}

/** Settings of {@link DefaultErrorHandler}. */
export interface DefaultErrorHandlerOptions extends ClassificationOptions {
  /** Default: 0 ms, 9 retries. */
  readonly backOff?: BackOff;
  /** A back-off for some failures; undefined: the one above. */
  readonly backOffFor?: (record: ConsumerRecord, error: Error) => BackOff | undefined;
  /** Default: an error in the log. */
  readonly recoverer?: RecordRecoverer;
  /** Whether a recovered record counts as done and is committed. Default true. */
  readonly ackAfterHandle?: boolean;
  /** Whether another class of error starts the count anew. Default true. */
  readonly resetStateOnExceptionChange?: boolean;
  /** Hear of every failed delivery and of what recovery brought. */
  readonly retryListeners?: readonly RetryListener[];
  /** Where retries and skipped records are logged. Default: the module's log. */
  readonly log?: Log;
}

const DEFAULT_BACK_OFF = new FixedBackOff(0, 9);

/** The error handler of a container that has no other. */
export class DefaultErrorHandler implements ErrorHandler {
  readonly #options: DefaultErrorHandlerOptions;
  readonly #classifier: ErrorClassifier;
  readonly #attempts: Attempts;
  #log: Log | undefined;

  constructor(options: DefaultErrorHandlerOptions = {}) {
    this.#options = options;
    this.#log = options.log;
    this.#classifier = new ErrorClassifier(options);
    this.#attempts = new Attempts({ resetOnErrorChange: options.resetStateOnExceptionChange ?? true });
  }

  /**
   * The module lends its log to a handler that has none.
   * @internal
   */
  useLog(log: Log): void {
    this.#log ??= log;
  }

  async handleOne(failure: RecordFailure): Promise<ErrorDecision> {
    const { record, error, listenerId } = failure;
    const failures = this.#attempts.failed(listenerId, record, error);
    for (const listener of this.#options.retryListeners ?? []) listener.failedDelivery?.(record, error, failures);
    const delayMs = this.#delayMs(record, error, failures);
    if (delayMs !== undefined) {
      this.#log?.warn(
        `Delivery ${failures} of ${recordName(record)} to ${listenerId} failed, next ${when(delayMs)}: ${reasonOf(error)}`,
      );
      return { action: 'retry', delayMs };
    }
    return this.#giveUp(failure, failures);
  }

  async handleBatch(failure: BatchFailure): Promise<ErrorDecision> {
    const { records, error, listenerId, attempt } = failure;
    const first = records[0];
    if (first === undefined) return { action: 'recovered', commit: true };
    const delayMs = this.#delayMs(first, error, attempt);
    if (delayMs !== undefined) {
      this.#log?.warn(
        `Delivery ${attempt} of ${counted(records.length, 'record')} from ${recordName(first)} to ${listenerId} failed, ` +
          `next ${when(delayMs)}: ${reasonOf(error)}`,
      );
      return { action: 'retry', delayMs };
    }
    for (const record of records) {
      const decision = await this.#giveUp({ ...failure, record }, attempt);
      if (decision.action !== 'recovered') return decision;
    }
    return { action: 'recovered', commit: this.#options.ackAfterHandle ?? true };
  }

  deliveryAttempt(record: ConsumerRecord, listenerId: string): number {
    return this.#attempts.failuresOf(listenerId, record) + 1;
  }

  onSuccess(record: ConsumerRecord, listenerId: string): void {
    this.#attempts.clear(listenerId, record);
  }

  forget(listenerId: string, partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#attempts.forget(listenerId, partition);
  }

  /** Undefined: not again. */
  #delayMs(record: ConsumerRecord, error: Error, failures: number): number | undefined {
    if (!this.#classifier.isRetryable(error)) return undefined;
    const backOff = this.#options.backOffFor?.(record, error) ?? this.#options.backOff ?? DEFAULT_BACK_OFF;
    return backOff.delayMs(failures);
  }

  async #giveUp(failure: RecordFailure, failures: number): Promise<ErrorDecision> {
    const { record, error, listenerId, groupId } = failure;
    const listeners = this.#options.retryListeners ?? [];
    try {
      if (this.#options.recoverer !== undefined) await this.#options.recoverer(record, error, { listenerId, groupId });
      else this.#skip(failure, failures);
    } catch (thrown) {
      this.#attempts.clear(listenerId, record);
      this.#recoveryFailed(record, thrown);
      for (const listener of listeners) listener.recoveryFailed?.(record, error, thrown);
      return { action: 'retry', delayMs: this.#options.backOff?.delayMs(1) ?? 0 };
    }
    this.#attempts.clear(listenerId, record);
    for (const listener of listeners) listener.recovered?.(record, error);
    return { action: 'recovered', commit: this.#options.ackAfterHandle ?? true };
  }

  /** Nothing is lost. What a failed send has to say, the ProducerListener has said already. */
  #recoveryFailed(record: ConsumerRecord, thrown: unknown): void {
    const message = `${recordName(record)} could not be recovered and will be delivered again`;
    if (thrown instanceof KafkaTemplateError) this.#log?.warn(`${message}: ${reasonOf(thrown)}`);
    else this.#log?.error(message, thrown);
  }

  #skip({ record, error, listenerId }: RecordFailure, failures: number): void {
    const times = failures === 1 ? 'once' : counted(failures, 'time');
    this.#log?.error(`${recordName(record)} was delivered to ${listenerId} ${times} and is skipped`, error);
  }
}

function when(delayMs: number): string {
  return delayMs === 0 ? 'at once' : `in ${milliseconds(delayMs)}`;
}
