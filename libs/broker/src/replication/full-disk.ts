/**
 * Brings partitions back that could not write because the disk was full, once there is room again.
 * Guarantees: looks by the clock, one partition after the other, and not before a file of `DISK_PROBE_BYTES` fits; a
 * partition that cannot be brought back because there still is no room waits for the next look.
 * Leaves out making room: retention, DeleteRecords and the operator do that.
 */
import type { Clock, Timer } from '../io/clock.js';
import { type Disk, type DiskError, isPassing } from '../io/disk.js';
import { DISK_FULL_RETRY_MS, DISK_PROBE_BYTES } from '../limits.js';

const PROBE_FILE = '.space-probe';

/** What the look for room works with. `T` is what waits for it. */
export interface FullDiskOptions<T> {
  readonly disk: Disk;
  readonly clock: Clock;
  /** The data directory. */
  readonly directory: string;
  /** Brings one back. A rejection with a passing `DiskError` leaves it waiting, any other is for `broken`. */
  revive(waiting: T): Promise<void>;
  /** The disk is not full but broken; nothing is looked for any more. */
  broken(error: Error): void;
}

/** See the file comment. */
export class FullDisk<T> {
  private readonly waiting = new Set<T>();
  private timer: Timer | null = null;
  private looking: Promise<void> | null = null;
  private isStopped = false;

  constructor(private readonly options: FullDiskOptions<T>) {}

  /** From now on looks for room for `item`. */
  add(item: T): void {
    this.waiting.add(item);
    this.arm();
  }

  /** `item` needs no room any more. */
  forget(item: T): void {
    this.waiting.delete(item);
  }

  /** Looks no more; resolves when a look that is under way has ended. */
  async stop(): Promise<void> {
    this.isStopped = true;
    if (this.timer) this.options.clock.clearTimer(this.timer);
    this.timer = null;
    await this.looking;
  }

  private arm(): void {
    if (this.isStopped || this.timer || this.looking || this.waiting.size === 0) return;
    this.timer = this.options.clock.setTimer(DISK_FULL_RETRY_MS, () => {
      this.timer = null;
      this.looking = this.look().finally(() => {
        this.looking = null;
        this.arm();
      });
    });
  }

  private async look(): Promise<void> {
    try {
      await this.probe();
      for (const item of [...this.waiting]) {
        if (this.isStopped) return;
        if (!this.waiting.has(item)) continue;
        await this.options.revive(item);
        this.waiting.delete(item);
      }
    } catch (error) {
      if (isPassing(error)) return;
      this.isStopped = true;
      this.options.broken(error as Error);
    }
  }

  /** Writes a file and takes it away again. */
  private async probe(): Promise<void> {
    const { disk, directory } = this.options;
    const path = `${directory}/${PROBE_FILE}`;
    try {
      const file = await disk.open(path, 'create');
      try {
        await new Promise<void>((resolve, reject) => {
          const done = (error: DiskError | null): void => (error ? reject(error) : resolve());
          file.writev([Buffer.alloc(DISK_PROBE_BYTES)], 0, done);
        });
      } finally {
        await file.close();
      }
    } finally {
      await disk.unlink(path);
    }
  }
}
