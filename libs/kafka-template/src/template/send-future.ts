/**
 * The outcome of one send: can be awaited, asked with a deadline, given callbacks, observed, or ignored.
 *
 * Ignored, it costs one small object: no promise exists before somebody asks for one, so a failure nobody looks at
 * cannot become an unhandled rejection. Callbacks run in the order they were added, never inside `send` or
 * `addCallback`, and before the ProducerListener hears of the send.
 */
import { Observable } from 'rxjs';
import { callGuarded } from '../io/call-guarded.js';
import { KafkaTemplateError, KafkaTemplateErrorCode } from '../errors.js';
import { milliseconds } from '../io/wording.js';
import type { Clock } from '../io/clock.js';
import type { Log } from '../io/log.js';
import { type KafkaSendError, describeTarget } from './kafka-send-error.js';
import type { ProducerRecord } from './producer-record.js';
import type { SendResult } from './send-result.js';

type SuccessCallback<K, V> = (result: SendResult<K, V>) => void;
type FailureCallback = (error: KafkaSendError) => void;

interface CallbackPair<K, V> {
  readonly onSuccess: SuccessCallback<K, V> | undefined;
  readonly onFailure: FailureCallback | undefined;
}

/** What all futures of a template share. */
export interface SendFutureHost {
  readonly clock: Clock;
  readonly log: Log;
}

/** The future of one send. Completes once, with a {@link SendResult} or a {@link KafkaSendError}. */
export class SendFuture<K = unknown, V = unknown> implements PromiseLike<SendResult<K, V>> {
  /** The record as it was given to the template. */
  readonly record: ProducerRecord<K, V>;
  readonly #host: SendFutureHost;
  #result: SendResult<K, V> | undefined;
  #error: KafkaSendError | undefined;
  #callbacks: CallbackPair<K, V>[] | undefined;
  #promise: Promise<SendResult<K, V>> | undefined;

  constructor(record: ProducerRecord<K, V>, host: SendFutureHost) {
    this.record = record;
    this.#host = host;
  }

  /** Whether the outcome is known. */
  get isDone(): boolean {
    return this.#result !== undefined || this.#error !== undefined;
  }

  /**
   * The result, waited for: the synchronous way to send. With `timeoutMs` it rejects with code `SEND_TIMEOUT` when the
   * broker has not answered by then; the record may still arrive, and a later failure still reaches the
   * ProducerListener. Without, the producer's `deliveryTimeoutMs` is the limit.
   */
  get(timeoutMs?: number): Promise<SendResult<K, V>> {
    if (timeoutMs === undefined || this.isDone) return this.#asPromise();
    return new Promise((resolve, reject) => {
      const timer = this.#host.clock.setTimer(timeoutMs, () => {
        const message =
          `A record for ${describeTarget(this.record)} was not acknowledged within ${milliseconds(timeoutMs)}. ` +
          'It may still arrive: check before sending it again, or wait longer';
        reject(new KafkaTemplateError(KafkaTemplateErrorCode.SEND_TIMEOUT, message));
      });
      this.addCallback(
        (result) => {
          timer.cancel();
          resolve(result);
        },
        (error) => {
          timer.cancel();
          reject(error);
        },
      );
    });
  }

  /**
   * Calls one of the two when the outcome is known, the asynchronous way to send; soon, when it is known already.
   * What a callback throws is logged. Returns this future, so that calls can be chained.
   */
  addCallback(onSuccess?: SuccessCallback<K, V> | null, onFailure?: FailureCallback | null): this {
    const pair: CallbackPair<K, V> = { onSuccess: onSuccess ?? undefined, onFailure: onFailure ?? undefined };
    if (this.isDone) queueMicrotask(() => this.#call(pair));
    else if (this.#callbacks === undefined) this.#callbacks = [pair];
    else this.#callbacks.push(pair);
    return this;
  }

  /** An observable of the one result. Subscribing late or twice is fine; it does not send again. */
  toObservable(): Observable<SendResult<K, V>> {
    return new Observable((subscriber) => {
      this.addCallback(
        (result) => {
          subscriber.next(result);
          subscriber.complete();
        },
        (error) => subscriber.error(error),
      );
    });
  }

  /** Makes `await future` work. */
  then<A = SendResult<K, V>, B = never>(
    onFulfilled?: ((result: SendResult<K, V>) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#asPromise().then(onFulfilled, onRejected);
  }

  /** As of a promise. */
  catch<B = never>(onRejected?: ((error: unknown) => B | PromiseLike<B>) | null): Promise<SendResult<K, V> | B> {
    return this.#asPromise().catch(onRejected);
  }

  /** As of a promise. */
  finally(onFinally?: (() => void) | null): Promise<SendResult<K, V>> {
    return this.#asPromise().finally(onFinally);
  }

  /**
   * Completes the future; the template calls it once.
   * @internal
   */
  complete(error: KafkaSendError | undefined, result: SendResult<K, V> | undefined): void {
    if (this.isDone) return;
    this.#error = error;
    this.#result = result;
    const callbacks = this.#callbacks;
    if (callbacks === undefined) return;
    this.#callbacks = undefined;
    for (const pair of callbacks) this.#call(pair);
  }

  #asPromise(): Promise<SendResult<K, V>> {
    this.#promise ??= new Promise((resolve, reject) => {
      if (this.#result !== undefined) resolve(this.#result);
      else if (this.#error !== undefined) reject(this.#error);
      else this.addCallback(resolve, reject);
    });
    return this.#promise;
  }

  #call(pair: CallbackPair<K, V>): void {
    callGuarded(
      () =>
        this.#result !== undefined ? pair.onSuccess?.(this.#result) : pair.onFailure?.(this.#error as KafkaSendError),
      (error) => this.#host.log.error(`A callback of a send to ${describeTarget(this.record)} failed`, error),
    );
  }
}
