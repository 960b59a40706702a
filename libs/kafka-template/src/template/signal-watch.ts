/**
 * Who hears of an `AbortSignal`: one listener per signal, however many sends and requests share it.
 *
 * Guarantees that a signal is let go of as soon as nobody waits for it any more.
 */
import { KafkaTemplateError, KafkaTemplateErrorCode } from '../errors.js';
import { kindOf } from './record-forms.js';

/** Called when the signal is aborted. */
export type OnAbort = () => void;

/** Watches the signals of one template. */
export class SignalWatch {
  readonly #watched = new WeakMap<AbortSignal, Set<OnAbort>>();

  /** Calls `onAbort` when the signal is aborted, unless the function that is returned was called before. */
  on(signal: AbortSignal, onAbort: OnAbort): () => void {
    const waiting = this.#watched.get(signal) ?? new Set();
    this.#watched.set(signal, waiting);
    if (waiting.size === 0) signal.addEventListener('abort', this.#onAbort, { once: true });
    waiting.add(onAbort);
    return () => {
      waiting.delete(onAbort);
      if (waiting.size === 0) signal.removeEventListener('abort', this.#onAbort);
    };
  }

  readonly #onAbort = (event: Event): void => {
    for (const onAbort of this.#watched.get(event.target as AbortSignal) ?? []) onAbort();
  };
}

/** Of any realm. */
function isSignal(given: unknown): given is AbortSignal {
  if (typeof given !== 'object' || given === null) return false;
  const { aborted, addEventListener, removeEventListener } = given as Partial<AbortSignal>;
  return (
    typeof aborted === 'boolean' && typeof addEventListener === 'function' && typeof removeEventListener === 'function'
  );
}

/** Throws unless it is absent or can be used as a signal. */
export function checkSignal(signal: unknown): void {
  if (signal == null || isSignal(signal)) return;
  throw new KafkaTemplateError(
    KafkaTemplateErrorCode.ILLEGAL_STATE,
    `signal must be an AbortSignal, and is ${kindOf(signal)}`,
  );
}

/** The error of what a signal has ended. */
export function abortError(signal: AbortSignal, consequence: string): KafkaTemplateError {
  return new KafkaTemplateError(
    KafkaTemplateErrorCode.ABORTED,
    `its signal was aborted: ${consequence}`,
    signal.reason,
  );
}
