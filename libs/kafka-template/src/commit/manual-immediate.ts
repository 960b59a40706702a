/**
 * MANUAL_IMMEDIATE: what the listener acknowledges is committed at once, inside `acknowledge()`.
 */
import type { Offsets, RecordRef } from './commit-strategy.js';
import { ManualStrategy } from './manual.js';

/** Commits what was acknowledged, record by record. */
export class ManualImmediateStrategy extends ManualStrategy {
  override onAcknowledged(record: RecordRef, now: number): Offsets | undefined {
    return this.pending.add(record) ? this.handOut(now) : undefined;
  }
}
