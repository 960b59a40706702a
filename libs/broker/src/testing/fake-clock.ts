/**
 * A clock that stands still until a test moves it.
 * Guarantees: timers fire in order of their time, then of their making; deferred work runs before time moves on.
 * Leaves out real waiting: `advance` lets promises settle between steps, so asynchronous code keeps up with it.
 */
import type { Clock, Timer } from '../io/clock.js';

interface FakeTimer {
  atMs: number;
  order: number;
  fn: () => void;
}

/** See the file comment. Starts at {@link FakeClock.START_MS} unless told otherwise. */
export class FakeClock implements Clock {
  /** 2026-01-01T00:00:00Z: a date that is obviously chosen. */
  static readonly START_MS = 1_767_225_600_000;

  private elapsedMs = 0;
  private order = 0;
  private readonly timers = new Set<FakeTimer>();
  private deferred: (() => void)[] = [];

  constructor(private startMs: number = FakeClock.START_MS) {}

  now(): number {
    return this.startMs + this.elapsedMs;
  }

  monotonic(): number {
    return this.elapsedMs;
  }

  setTimer(delayMs: number, fn: () => void): Timer {
    const timer: FakeTimer = { atMs: this.elapsedMs + Math.max(delayMs, 0), order: this.order++, fn };
    this.timers.add(timer);
    return timer;
  }

  clearTimer(timer: Timer): void {
    this.timers.delete(timer as FakeTimer);
  }

  defer(fn: () => void): void {
    this.deferred.push(fn);
  }

  /** Timers armed and not yet fired: a test can assert that nothing was left behind. */
  get pendingTimers(): number {
    return this.timers.size;
  }

  /** Moves the wall clock without moving monotonic time, as a time server would. */
  jump(byMs: number): void {
    this.startMs += byMs;
  }

  /** Runs what was deferred so far, and what that defers in turn, without moving time. */
  runDeferred(): void {
    while (this.deferred.length > 0) {
      const batch = this.deferred;
      this.deferred = [];
      for (const fn of batch) fn();
    }
  }

  /** Runs deferred work until neither it nor a settled promise brings more. Resolves when the world is quiet. */
  async settle(): Promise<void> {
    let quiet = 0;
    while (quiet < 3) {
      quiet = this.deferred.length > 0 ? 0 : quiet + 1;
      this.runDeferred();
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  /** Moves time forward, firing each timer at its own moment and settling promises in between. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.elapsedMs + byMs;
    await this.settle();
    for (let timer = this.next(untilMs); timer; timer = this.next(untilMs)) {
      this.elapsedMs = Math.max(this.elapsedMs, timer.atMs);
      this.timers.delete(timer);
      timer.fn();
      await this.settle();
    }
    this.elapsedMs = untilMs;
  }

  private next(untilMs: number): FakeTimer | undefined {
    let first: FakeTimer | undefined;
    for (const timer of this.timers) {
      if (timer.atMs > untilMs) continue;
      if (!first || timer.atMs < first.atMs || (timer.atMs === first.atMs && timer.order < first.order)) first = timer;
    }
    return first;
  }
}
