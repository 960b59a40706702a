/**
 * Decides which writes are made at once, in the event loop, and which by a thread of the pool.
 *
 * A small write into the page cache takes less time than telling a thread of it and hearing back. But a system whose cache
 * is full lets a writer wait for the device: the first such wait is noticed, and for a while no write is made at once.
 * Guarantees that the event loop waits at most once per `WRITES_AVOIDED_MS`.
 */

/** Largest write that is made at once, in bytes; a larger one is worth a thread. */
export const PROMPT_WRITE_BYTES_MAX = 128 * 1024;
/** A write that took so long has waited for the device, or its thread for a processor; in milliseconds. */
export const PROMPT_WRITE_MS_MAX = 10;
/** For so long after a slow write all writes are left to threads, in milliseconds. */
export const WRITES_AVOIDED_MS = 1000;

/** See the file comment. Times are those of `now`, monotonic milliseconds. */
export class PromptWrites {
  private avoidedUntilMs = -Infinity;

  constructor(private readonly now: () => number) {}

  /** The time at which a write of so many bytes may be made at once; null when a thread has to do it. */
  begin(bytes: number): number | null {
    if (bytes > PROMPT_WRITE_BYTES_MAX) return null;
    const nowMs = this.now();
    return nowMs < this.avoidedUntilMs ? null : nowMs;
  }

  /** The write that began then has ended. */
  ended(beganMs: number): void {
    const nowMs = this.now();
    if (nowMs - beganMs > PROMPT_WRITE_MS_MAX) this.avoidedUntilMs = nowMs + WRITES_AVOIDED_MS;
  }
}
