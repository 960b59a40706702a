/**
 * MANUAL: what the listener has acknowledged is committed after the records of the poll.
 *
 * Acknowledging a record covers the earlier ones of its partition. A record that is not acknowledged does not hold up
 * later ones; it comes back only if nothing after it was acknowledged before a restart or a rebalance.
 */
import type { Offsets, RecordRef } from './commit-strategy.js';
import { QueuedStrategy } from './queued-strategy.js';

/** Commits what was acknowledged, poll by poll. */
export class ManualStrategy extends QueuedStrategy {
  override readonly manual: boolean = true;

  override onProcessed(_record: RecordRef, _now: number): Offsets | undefined {
    return undefined;
  }

  override onBatchProcessed(_records: readonly RecordRef[], _now: number): Offsets | undefined {
    return undefined;
  }

  override onAcknowledged(record: RecordRef, _now: number): Offsets | undefined {
    this.pending.add(record);
    return undefined;
  }

  override onPollDone(_count: number, now: number): Offsets | undefined {
    return this.handOut(now);
  }
}
