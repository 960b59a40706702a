/**
 * Time for the broker: the only door to wall clock, monotonic clock, timers and "end of this tick".
 * Guarantees: timers and deferred work run in order, never inside the call that asked for them.
 * Leaves out repetition: whoever wants a period arms the next timer when the last one fired.
 */

/** What {@link Clock.setTimer} returns; only good for {@link Clock.clearTimer}. */
export type Timer = object;

/** The port. Production uses {@link systemClock}; tests and simulations use `FakeClock`. */
export interface Clock {
  /** Wall clock, milliseconds since 1970. May jump; only for timestamps that leave the broker. */
  now(): number;
  /** Milliseconds since an arbitrary start, never going back. For every deadline and duration. */
  monotonic(): number;
  /** Runs `fn` once after `delayMs` (at least one tick). Delays above 2^31-1 ms are clamped to it. */
  setTimer(delayMs: number, fn: () => void): Timer;
  /** Forgets a timer; harmless when it has already fired. */
  clearTimer(timer: Timer): void;
  /** Runs `fn` at the end of this tick, after all input that is already waiting has been looked at. */
  defer(fn: () => void): void;
}

const DELAY_MS_MAX = 2 ** 31 - 1;

let deferred: (() => void)[] = [];

/**
 * All that was deferred in one tick runs in one call-back, with no microtask in between: what several partitions settle for
 * one connection then leaves it in one write.
 */
function runDeferred(): void {
  const due = deferred;
  deferred = [];
  let done = 0;
  try {
    while (done < due.length) due[done++]!();
  } finally {
    // One that throws ends the process, or is reported by whoever catches it there; it must not cost the others their turn.
    for (const fn of due.slice(done)) defer(fn);
  }
}

function defer(fn: () => void): void {
  if (deferred.push(fn) === 1) setImmediate(runDeferred);
}

/** The real clock of this machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer: (delayMs, fn) => setTimeout(fn, Math.min(Math.max(delayMs, 0), DELAY_MS_MAX)),
  clearTimer: (timer) => clearTimeout(timer as NodeJS.Timeout),
  defer,
};
