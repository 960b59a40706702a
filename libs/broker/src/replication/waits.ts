/**
 * The one place where requests wait for a partition to move: fetches for bytes, and whoever else needs a wake-up.
 * Guarantees: every wait ends exactly once, by data, by its deadline, by the removal of a partition, or by `close`; waits
 * that become ready in one tick are woken together at its end, never inside an append; one timer serves all deadlines.
 * Leaves out reading: whoever was woken reads again, and parks again with the same deadline if that was not enough.
 */
import type { Clock, Timer } from '../io/clock.js';
import { PARKED_WAITS_MAX } from '../limits.js';
import { DeadlineHeap } from './deadline-heap.js';
import type { Partition } from './partition.js';

/** What to wait for. */
export interface Wait {
  readonly partitions: readonly Partition[];
  /** Bytes that must become readable, over all partitions, counted from `park` on. At least 1. */
  readonly minBytes: number;
  /** Absolute time on `clock.monotonic()` at which waiting ends. */
  readonly deadlineMs: number;
  /** Count bytes below the last stable offset instead of the high watermark. Default false. */
  readonly readCommitted?: boolean;
  /**
   * What the caller's read saw as end of each partition (high watermark, or last stable offset with `readCommitted`).
   * Needed when the read was asynchronous: if a partition has moved since, the wait is ready at once. Default: now.
   */
  readonly seenOffsets?: readonly number[];
  /** Called exactly once unless the wait is cancelled; never before `park` has returned. */
  onReady(): void;
}

/** What `park` returns; only good for `cancel`. */
export interface WaitHandle {
  readonly deadlineMs: number;
}

class Waiter implements WaitHandle {
  heapIndex = -1;
  /** Readable bytes of all partitions together when the wait is over. */
  readonly wantedBytes: number;
  queued = false;
  done = false;

  constructor(
    readonly wait: Wait,
    readonly deadlineMs: number,
  ) {
    this.wantedBytes = this.readableBytes() + Math.max(1, wait.minBytes);
  }

  readableBytes(): number {
    let bytes = 0;
    for (const partition of this.wait.partitions) {
      bytes += this.wait.readCommitted === true ? partition.stableBytes : partition.visibleBytes;
    }
    return bytes;
  }

  hasMissedSomething(): boolean {
    const { partitions, seenOffsets, readCommitted } = this.wait;
    if (!seenOffsets) return false;
    return partitions.some((partition, index) => {
      const end = readCommitted === true ? partition.lastStableOffset : partition.highWatermark;
      return end !== (seenOffsets[index] ?? end);
    });
  }
}

/** See the file comment. */
export class Waits {
  private readonly byPartition = new Map<Partition, Set<Waiter>>();
  private readonly deadlines = new DeadlineHeap<Waiter>();
  private moved = new Set<Partition>();
  private ready: Waiter[] = [];
  private wakeScheduled = false;
  private timer: Timer | null = null;
  private timerAtMs = Infinity;
  private closed = false;

  constructor(private readonly clock: Clock) {}

  /** Requests waiting at this moment. */
  get parked(): number {
    return this.deadlines.size;
  }

  /** Parks a request. Over the bound {@link PARKED_WAITS_MAX}, and after `close`, the wait is ready at once. */
  park(wait: Wait): WaitHandle {
    const waiter = new Waiter(wait, wait.deadlineMs);
    const refused = this.closed || this.deadlines.size >= PARKED_WAITS_MAX;
    if (refused || waiter.hasMissedSomething() || wait.partitions.some((partition) => !partition.isOnline)) {
      this.enqueue(waiter);
      return waiter;
    }
    for (const partition of wait.partitions) {
      let waiters = this.byPartition.get(partition);
      if (!waiters) this.byPartition.set(partition, (waiters = new Set()));
      waiters.add(waiter);
    }
    this.deadlines.push(waiter);
    this.armTimer();
    return waiter;
  }

  /** Forgets a wait, for example because its connection is gone. Harmless when it is already over. */
  cancel(handle: WaitHandle): void {
    const waiter = handle as Waiter;
    waiter.done = true;
    this.remove(waiter);
  }

  /** To be called when a partition's high watermark or last stable offset has moved. Cheap when nobody waits. */
  advanced(partition: Partition): void {
    if (!this.byPartition.has(partition)) return;
    this.moved.add(partition);
    this.scheduleWake();
  }

  /** To be called when a partition was deleted, went offline or changed its leader: all its waits are over. */
  removed(partition: Partition): void {
    for (const waiter of this.byPartition.get(partition) ?? []) this.enqueue(waiter);
  }

  /** Ends all waits, at the end of this tick. */
  close(): void {
    this.closed = true;
    for (const waiters of [...this.byPartition.values()]) for (const waiter of [...waiters]) this.enqueue(waiter);
    if (this.timer) this.clock.clearTimer(this.timer);
    this.timer = null;
  }

  private enqueue(waiter: Waiter): void {
    if (waiter.queued) return;
    waiter.queued = true;
    this.remove(waiter);
    this.ready.push(waiter);
    this.scheduleWake();
  }

  private scheduleWake(): void {
    if (this.wakeScheduled) return;
    this.wakeScheduled = true;
    this.clock.defer(() => this.wake());
  }

  private wake(): void {
    this.wakeScheduled = false;
    const moved = this.moved;
    if (moved.size > 0) this.moved = new Set();
    for (const partition of moved) {
      for (const waiter of this.byPartition.get(partition) ?? []) {
        if (waiter.readableBytes() >= waiter.wantedBytes) this.enqueue(waiter);
      }
    }
    const ready = this.ready;
    this.ready = [];
    this.finish(ready);
  }

  private finish(waiters: readonly Waiter[]): void {
    for (const waiter of waiters) {
      if (waiter.done) continue;
      waiter.done = true;
      waiter.wait.onReady();
    }
  }

  private remove(waiter: Waiter): void {
    this.deadlines.remove(waiter);
    for (const partition of waiter.wait.partitions) {
      const waiters = this.byPartition.get(partition);
      if (waiters?.delete(waiter) && waiters.size === 0) this.byPartition.delete(partition);
    }
  }

  private armTimer(): void {
    const first = this.deadlines.peek();
    if (!first || first.deadlineMs >= this.timerAtMs) return;
    if (this.timer) this.clock.clearTimer(this.timer);
    this.timerAtMs = first.deadlineMs;
    this.timer = this.clock.setTimer(first.deadlineMs - this.clock.monotonic(), () => this.expire());
  }

  private expire(): void {
    this.timer = null;
    this.timerAtMs = Infinity;
    const now = this.clock.monotonic();
    const expired: Waiter[] = [];
    for (let first = this.deadlines.peek(); first && first.deadlineMs <= now; first = this.deadlines.peek()) {
      this.remove(first);
      expired.push(first);
    }
    this.finish(expired);
    this.armTimer();
  }
}
