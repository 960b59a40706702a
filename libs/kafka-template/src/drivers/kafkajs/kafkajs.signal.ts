/**
 * Wakes whoever waits. A signal raised while nobody waits is forgotten: look at the state first, then wait.
 */
import type { Clock } from '../../io/clock.js';

/** Something may have changed. */
export class Signal {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Wakes all who wait. */
  raise(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves when raised, at the latest after `timeoutMs`. */
  wait(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        timer.cancel();
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = this.#clock.setTimer(Math.max(0, timeoutMs), wake);
      this.#waiting.add(wake);
    });
  }
}
