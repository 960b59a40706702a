/**
 * The clock port: the only way the client sees time, timers and "later".
 *
 * Guarantees that nothing else in the library reads the time or sets a timer, so that a test owns all of it
 * (testing/fake-clock.ts). Durations use the monotonic clock; only record timestamps use the wall clock.
 */

/** A timer that was set and can be cleared. Opaque. */
export interface Timer {
  readonly timer: unknown;
}

/** Time, timers, and deferral to the end of the current turn of the event loop. */
export interface Clock {
  /** Wall clock in milliseconds since the epoch. For timestamps only. */
  now(): number;
  /** Milliseconds that never go backwards. For deadlines and durations. */
  monotonic(): number;
  /** Calls `callback` once after at least `delayMs`. A negative delay counts as 0. */
  setTimer(delayMs: number, callback: () => void): Timer;
  /** Cancels a timer; does nothing when it has fired or was cleared. */
  clearTimer(timer: Timer): void;
  /** Calls `callback` once all input that is ready now has been handled: what happens in one turn is joined. */
  defer(callback: () => void): void;
}

/** Longest delay Node accepts; a longer one would fire at once. */
const TIMER_DELAY_MAX_MS = 0x7fffffff;

/** The real clock. Its timers keep the process alive, so that work under way is finished. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer: (delayMs, callback) => ({
    timer: setTimeout(callback, Math.min(Math.max(delayMs, 0), TIMER_DELAY_MAX_MS)),
  }),
  clearTimer: ({ timer }) => clearTimeout(timer as NodeJS.Timeout),
  defer: (callback) => void setImmediate(callback),
};

/** Resolves after at least `delayMs`. */
export function delay(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => void clock.setTimer(delayMs, resolve));
}
