/**
 * A clock that stands still until it is told to go on. For specs of whatever takes a `Clock`.
 */
import { type Clock, type Timer, systemClock } from '../io/clock.js';

interface Pending {
  readonly at: number;
  readonly callback: () => void;
}

/** Time by hand. Starts at 1000000 ms. */
export class FakeClock implements Clock {
  #now = 1_000_000;
  readonly #pending = new Set<Pending>();

  now(): number {
    return this.#now;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const pending = { at: this.#now + delayMs, callback };
    this.#pending.add(pending);
    return { cancel: () => this.#pending.delete(pending) };
  }

  nextTurn(): Promise<void> {
    return systemClock.nextTurn();
  }

  /** Timers that wait. */
  get timerCount(): number {
    return this.#pending.size;
  }

  /** Lets `ms` pass and runs the timers that fall due, in order of their times. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#pending].filter((pending) => pending.at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#pending.delete(due);
      this.#now = Math.max(this.#now, due.at);
      due.callback();
    }
    this.#now = end;
  }
}
