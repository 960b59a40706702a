/**
 * Time as the library sees it: one port, one implementation on Node's timers.
 *
 * Everything that waits or reads a clock does it through here, so that a spec can drive a container without sleeping.
 * Leaves out wall-clock formatting and anything periodic: the container's loop is the only thing that repeats.
 */

/** A timer that has been set and can be called off. */
export interface Timer {
  /** Calls the timer off. Harmless when it has already fired. */
  cancel(): void;
}

/** Clock and timers. Times are epoch milliseconds. */
export interface Clock {
  /** Now, in milliseconds since the epoch. */
  now(): number;
  /** Runs `callback` once after `delayMs`. */
  setTimer(delayMs: number, callback: () => void): Timer;
  /** Lets timers and sockets have their turn; resolves in the next turn of the event loop. */
  nextTurn(): Promise<void>;
}

/** The real clock. Its timers keep the process alive until they fire or are cancelled. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimer(delayMs, callback) {
    const handle = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
  nextTurn: () => new Promise((resolve) => setImmediate(resolve)),
};
