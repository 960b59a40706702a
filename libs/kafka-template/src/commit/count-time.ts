/**
 * COUNT_TIME: whichever of COUNT and TIME comes first; either one starts both anew.
 */
import type { Offsets } from './commit-strategy.js';
import { CountStrategy } from './count.js';

/** Commits by number of records or at intervals. */
export class CountTimeStrategy extends CountStrategy {
  readonly #ackTimeMs: number;
  #lastCommitAt: number;

  /** `startedAt` is the time the container starts, in epoch milliseconds. */
  constructor(limits: { readonly ackCount: number; readonly ackTimeMs: number }, startedAt: number) {
    super(limits.ackCount);
    this.#ackTimeMs = limits.ackTimeMs;
    this.#lastCommitAt = startedAt;
  }

  protected override isDue(now: number): boolean {
    const isLate = now - this.#lastCommitAt > this.#ackTimeMs && !this.pending.isEmpty;
    return isLate || super.isDue(now);
  }

  protected override handOut(now: number): Offsets | undefined {
    this.#lastCommitAt = now;
    return super.handOut(now);
  }
}
