/**
 * The one timer structure of the coordinators: any number of alarms, one timer of the clock.
 *
 * Guarantees: an alarm rings once for each time it is set, not before its time, earliest first; setting it again moves it.
 * After a stall of the event loop (the timer came late) the alarms wait once for as long as the stall took, up to a
 * bound: the heartbeats that arrived meanwhile are still in the sockets, and nobody should be dropped for our own silence.
 */
import type { Clock, Timer } from '../../io/clock.js';
import { DeadlineHeap, type HeapItem } from '../../replication/deadline-heap.js';

/** A timer that comes later than this was held up by a stall. */
export const STALL_MS = 250;

/** The longest wait after a stall. */
export const STALL_GRACE_MS_MAX = 10_000;

/** Something that rings. Belongs to one {@link Alarms}. */
export class Alarm implements HeapItem {
  heapIndex = -1;
  deadlineMs = Infinity;

  /** `ring` must not throw; it may set alarms, this one included. */
  constructor(readonly ring: () => void) {}
}

/** See the file comment. */
export class Alarms {
  private readonly heap = new DeadlineHeap<Alarm>();
  private timer: Timer | null = null;
  private timerAtMs = Infinity;
  private graceGiven = false;

  constructor(private readonly clock: Clock) {}

  /** Rings `alarm` at the monotonic time; Infinity takes it out. */
  set(alarm: Alarm, deadlineMs: number): void {
    if (alarm.heapIndex >= 0 && alarm.deadlineMs === deadlineMs) return;
    this.heap.remove(alarm);
    alarm.deadlineMs = deadlineMs;
    if (deadlineMs === Infinity) return;
    this.heap.push(alarm);
    this.arm();
  }

  clear(alarm: Alarm): void {
    this.set(alarm, Infinity);
  }

  /** Takes all alarms out. */
  close(): void {
    for (let alarm = this.heap.peek(); alarm; alarm = this.heap.peek()) this.clear(alarm);
    this.disarm();
  }

  /** Alarms that are set. */
  get size(): number {
    return this.heap.size;
  }

  private disarm(): void {
    if (this.timer) this.clock.clearTimer(this.timer);
    this.timer = null;
    this.timerAtMs = Infinity;
  }

  /** The timer may be early (an alarm was moved): then it finds nothing to ring and is armed again. */
  private arm(): void {
    const first = this.heap.peek();
    if (!first || first.deadlineMs >= this.timerAtMs) return;
    this.startTimer(first.deadlineMs);
  }

  private startTimer(atMs: number): void {
    this.disarm();
    this.timerAtMs = atMs;
    this.timer = this.clock.setTimer(Math.max(0, atMs - this.clock.monotonic()), () => this.expire());
  }

  private expire(): void {
    const nowMs = this.clock.monotonic();
    const lateMs = nowMs - this.timerAtMs;
    this.timer = null;
    this.timerAtMs = Infinity;
    if (lateMs > STALL_MS && !this.graceGiven) {
      this.graceGiven = true;
      return this.startTimer(nowMs + Math.min(lateMs, STALL_GRACE_MS_MAX));
    }
    this.graceGiven = false;
    for (let alarm = this.heap.peek(); alarm && alarm.deadlineMs <= nowMs; alarm = this.heap.peek()) {
      this.heap.remove(alarm);
      alarm.deadlineMs = Infinity;
      alarm.ring();
    }
    this.arm();
  }
}
