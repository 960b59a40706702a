/**
 * COUNT: what has queued up is committed when it is `ackCount` records, or when a poll finds nothing more.
 *
 * A batch listener's records are counted as records, not as partitions as Spring does; its commits fall on whole batches.
 */
import type { Offsets } from './commit-strategy.js';
import { QueuedStrategy } from './queued-strategy.js';

/** Commits by number of records. */
export class CountStrategy extends QueuedStrategy {
  readonly #ackCount: number;

  constructor(ackCount: number) {
    super();
    this.#ackCount = ackCount;
  }

  protected override isDue(_now: number): boolean {
    return this.count >= this.#ackCount;
  }

  override onPollDone(count: number, now: number): Offsets | undefined {
    return count === 0 ? this.handOut(now) : super.onPollDone(count, now);
  }
}
