/**
 * RECORD: each record is committed as soon as the listener has finished it. Not for batch listeners.
 */
import { QueuedStrategy } from './queued-strategy.js';

/** Commits after every record. */
export class RecordStrategy extends QueuedStrategy {
  protected override isDue(): boolean {
    return !this.pending.isEmpty;
  }
}
