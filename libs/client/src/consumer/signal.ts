/**
 * "Something has changed, look again": what the poll loop and the calls that wait for a position sleep on.
 *
 * Guarantees that whoever waits wakes at the next `raise` or at the given time, whichever comes first, and that no timer
 * is left behind. Carries no message: those who wake look at the state themselves.
 */
import type { Clock } from '../io/clock.js';

/** A point to wait at. */
export class Signal {
  private waiters: (() => void)[] = [];

  constructor(private readonly clock: Clock) {}

  /** Wakes all who wait now. */
  raise(): void {
    if (this.waiters.length === 0) return;
    const waiters = this.waiters;
    this.waiters = [];
    for (const wake of waiters) wake();
  }

  /** Resolves at the next `raise`, or when the monotonic time is `untilMs`. */
  wait(untilMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.clock.setTimer(Math.ceil(untilMs - this.clock.monotonic()), () => {
        this.waiters = this.waiters.filter((each) => each !== wake);
        resolve();
      });
      const wake = (): void => {
        this.clock.clearTimer(timer);
        resolve();
      };
      this.waiters.push(wake);
    });
  }
}
