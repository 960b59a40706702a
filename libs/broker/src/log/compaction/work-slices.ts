/**
 * Keeps a long job from holding up everything else in the process: it works in short slices, and not faster than told.
 * Guarantees: a slice ends within {@link COMPACTION_SLICE_MS} if the job asks often enough; a cancelled job ends at its
 * next pause with a {@link Cancelled}.
 */
import type { Clock } from '../../io/clock.js';
import { COMPACTION_SLICE_MS } from '../../limits.js';

/** A throttled job looks around at least so often: whoever waits for its end must not wait for its speed limit. */
const THROTTLE_STEP_MS = 250;

/** The job was told to end; what it has done so far is to be thrown away. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled';
}

/** What slices are made by. */
export interface SliceOptions {
  readonly clock: Clock;
  /** Bytes read and written in a second; Infinity for no limit. */
  readonly bytesPerSecond: number;
  readonly isCancelled: () => boolean;
}

/** See the file comment. */
export class WorkSlices {
  private startedMs: number;
  private readonly beganMs: number;
  private bytes = 0;

  constructor(private readonly options: SliceOptions) {
    this.beganMs = options.clock.monotonic();
    this.startedMs = this.beganMs;
  }

  /** It is time to `pause`. */
  get isOver(): boolean {
    return this.options.clock.monotonic() - this.startedMs >= COMPACTION_SLICE_MS;
  }

  /** Lets others have a turn. Throws {@link Cancelled}. */
  async pause(): Promise<void> {
    const { clock, isCancelled } = this.options;
    await new Promise<void>((resolve) => clock.defer(resolve));
    if (isCancelled()) throw new Cancelled('The compaction was cancelled.');
    this.startedMs = clock.monotonic();
  }

  /** Notes that so many bytes were read or written, and waits if that was too fast. Throws {@link Cancelled}. */
  async spend(bytes: number): Promise<void> {
    this.bytes += bytes;
    const { clock, bytesPerSecond, isCancelled } = this.options;
    const dueMs = this.beganMs + (this.bytes / bytesPerSecond) * 1000;
    for (;;) {
      if (isCancelled()) throw new Cancelled('The compaction was cancelled.');
      const waitMs = Math.min(dueMs - clock.monotonic(), THROTTLE_STEP_MS);
      if (waitMs <= 0) return;
      await new Promise<void>((resolve) => void clock.setTimer(waitMs, resolve));
      this.startedMs = clock.monotonic();
    }
  }
}
