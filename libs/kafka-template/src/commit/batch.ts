/**
 * BATCH: one commit per poll, when all its records have been handled and before the next poll.
 */
import type { Offsets } from './commit-strategy.js';
import { QueuedStrategy } from './queued-strategy.js';

/** Commits after the records of a poll. */
export class BatchStrategy extends QueuedStrategy {
  override onPollDone(_count: number, now: number): Offsets | undefined {
    return this.handOut(now);
  }
}
