/**
 * What becomes of something that was begun: awaited, asked with a deadline, given callbacks, observed, or ignored.
 *
 * Ignored, it costs one small object: no promise exists before somebody asks for one, so a failure nobody looks at
 * cannot become an unhandled rejection. Callbacks run in the order they were added and never inside `addCallback`.
 */
import { Observable } from 'rxjs';
import type { Clock } from '../io/clock.js';
import type { Log } from '../io/log.js';

type SuccessCallback<R> = (result: R) => void;
type FailureCallback<E> = (error: E) => void;

interface CallbackPair<R, E> {
  readonly onSuccess: SuccessCallback<R> | undefined;
  readonly onFailure: FailureCallback<E> | undefined;
}

/** What all outcomes of a template share. */
export interface OutcomeHost {
  readonly clock: Clock;
  readonly log: Log;
}

/** Completes once, with a result or an error. */
export abstract class Outcome<R, E extends Error> implements PromiseLike<R> {
  readonly #host: OutcomeHost;
  #result: R | undefined;
  #error: E | undefined;
  /** The pair that was added first, and those after it, which are rare. */
  #callback: CallbackPair<R, E> | undefined;
  #callbacks: CallbackPair<R, E>[] | undefined;
  #promise: Promise<R> | undefined;

  constructor(host: OutcomeHost) {
    this.#host = host;
  }

  /** What it is the outcome of, for the log: `a send to topic orders`. */
  protected abstract describe(): string;

  /** The error of `get` when the time is over. */
  protected abstract timeoutError(timeoutMs: number): Error;

  /** Whether the outcome is known. */
  get isDone(): boolean {
    return this.#result !== undefined || this.#error !== undefined;
  }

  /** The result, waited for, with a deadline if one is given. Rejects with the error, or with one that tells the deadline. */
  get(timeoutMs?: number): Promise<R> {
    if (timeoutMs === undefined || this.isDone) return this.#asPromise();
    return new Promise((resolve, reject) => {
      const timer = this.#host.clock.setTimer(timeoutMs, () => reject(this.timeoutError(timeoutMs)));
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
   * Calls one of the two when the outcome is known, the asynchronous way; soon, when it is known already.
   * What a callback throws is logged. Returns this, so that calls can be chained.
   */
  addCallback(onSuccess?: SuccessCallback<R> | null, onFailure?: FailureCallback<E> | null): this {
    const pair: CallbackPair<R, E> = { onSuccess: onSuccess ?? undefined, onFailure: onFailure ?? undefined };
    if (this.isDone) queueMicrotask(() => this.#call(pair));
    else if (this.#callback === undefined) this.#callback = pair;
    else (this.#callbacks ??= []).push(pair);
    return this;
  }

  /** An observable of the one result. Subscribing late or twice is fine; nothing is begun again. */
  toObservable(): Observable<R> {
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

  /** Makes `await` work. */
  then<A = R, B = never>(
    onFulfilled?: ((result: R) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#asPromise().then(onFulfilled, onRejected);
  }

  /** As of a promise. */
  catch<B = never>(onRejected?: ((error: unknown) => B | PromiseLike<B>) | null): Promise<R | B> {
    return this.#asPromise().catch(onRejected);
  }

  /** As of a promise. */
  finally(onFinally?: (() => void) | null): Promise<R> {
    return this.#asPromise().finally(onFinally);
  }

  /**
   * Completes it; whoever began it calls this. Only the first call counts; tells whether this was it.
   * @internal
   */
  complete(error: E | undefined, result: R | undefined): boolean {
    if (this.isDone) return false;
    this.#error = error;
    this.#result = result;
    const first = this.#callback;
    if (first === undefined) return true;
    const others = this.#callbacks;
    this.#callback = undefined;
    this.#callbacks = undefined;
    this.#call(first);
    if (others !== undefined) for (const pair of others) this.#call(pair);
    return true;
  }

  #asPromise(): Promise<R> {
    this.#promise ??= new Promise((resolve, reject) => {
      if (this.#result !== undefined) resolve(this.#result);
      else if (this.#error !== undefined) reject(this.#error);
      else this.addCallback(resolve, reject);
    });
    return this.#promise;
  }

  /** As callGuarded does it, without its closures: this runs for every record. */
  #call(pair: CallbackPair<R, E>): void {
    try {
      const returned: unknown =
        this.#result !== undefined ? pair.onSuccess?.(this.#result) : pair.onFailure?.(this.#error as E);
      if (returned instanceof Promise) returned.catch((error: unknown) => this.#callbackFailed(error));
    } catch (error) {
      this.#callbackFailed(error);
    }
  }

  #callbackFailed(error: unknown): void {
    this.#host.log.error(`A callback of ${this.describe()} failed`, error);
  }
}
