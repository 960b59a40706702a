/**
 * A clock that moves only when a test says so.
 *
 * Guarantees a fixed order: deferred callbacks run before timers, timers in the order of their times, equal times in the
 * order in which they were set. Promise callbacks are let through between any two of them.
 * For specs only; not part of the package.
 */
import type { Clock, Timer } from '../io/clock.js';

interface FakeTimer {
  readonly dueMs: number;
  readonly sequence: number;
  readonly callback: () => void;
}

/** Lets pending promise callbacks run, some levels deep. */
async function settle(): Promise<void> {
  for (let level = 0; level < 10; level++) await Promise.resolve();
}

/** The fake clock. Starts at 0 monotonic and `startMs` wall time. */
export class FakeClock implements Clock {
  private elapsedMs = 0;
  private sequence = 0;
  private readonly timers = new Map<number, FakeTimer>();
  private deferred: (() => void)[] = [];

  constructor(private readonly startMs = 1_700_000_000_000) {}

  now(): number {
    return this.startMs + this.elapsedMs;
  }

  monotonic(): number {
    return this.elapsedMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const sequence = ++this.sequence;
    this.timers.set(sequence, { dueMs: this.elapsedMs + Math.max(delayMs, 0), sequence, callback });
    return { timer: sequence };
  }

  clearTimer({ timer }: Timer): void {
    this.timers.delete(timer as number);
  }

  defer(callback: () => void): void {
    this.deferred.push(callback);
  }

  /** Number of timers that are set. */
  get timerCount(): number {
    return this.timers.size;
  }

  /** Runs everything that was deferred, and what that defers in turn, without moving the time. */
  async run(): Promise<void> {
    await settle();
    while (this.deferred.length > 0) {
      const batch = this.deferred;
      this.deferred = [];
      for (const callback of batch) callback();
      await settle();
    }
  }

  /** Moves the time forward, firing what becomes due at its time. */
  async advance(milliseconds: number): Promise<void> {
    const target = this.elapsedMs + milliseconds;
    await this.run();
    for (let next = this.nextTimer(target); next !== null; next = this.nextTimer(target)) {
      this.timers.delete(next.sequence);
      this.elapsedMs = Math.max(this.elapsedMs, next.dueMs);
      next.callback();
      await this.run();
    }
    this.elapsedMs = target;
  }

  private nextTimer(limitMs: number): FakeTimer | null {
    let next: FakeTimer | null = null;
    for (const timer of this.timers.values()) {
      if (timer.dueMs > limitMs) continue;
      if (next === null || timer.dueMs < next.dueMs) next = timer;
    }
    return next;
  }
}
