/**
 * What the rules have in common: records queue up and are handed out together when the rule says it is time.
 *
 * A rule is a subclass that overrides `isDue` or the event it reacts to. Keeps the number of records queued since
 * the last hand-out. Leaves out acknowledgement: `onAcknowledged` is for the manual rules.
 */
import type { TopicPartition } from '../drivers/driver.js';
import type { CommitStrategy, Offsets, RecordRef } from './commit-strategy.js';
import { PendingOffsets } from './pending-offsets.js';

/** Base of the rules of this folder and of one's own. */
export class QueuedStrategy implements CommitStrategy {
  readonly manual: boolean = false;
  protected readonly pending = new PendingOffsets();
  /** Records queued since the last hand-out. */
  protected count = 0;

  /** Whether what is queued is to be committed now. Asked after each record, each batch and each poll. */
  protected isDue(_now: number): boolean {
    return false;
  }

  onProcessed(record: RecordRef, now: number): Offsets | undefined {
    if (this.pending.add(record)) this.count++;
    return this.isDue(now) ? this.handOut(now) : undefined;
  }

  onBatchProcessed(records: readonly RecordRef[], now: number): Offsets | undefined {
    for (const record of records) if (this.pending.add(record)) this.count++;
    return this.isDue(now) ? this.handOut(now) : undefined;
  }

  onPollDone(_count: number, now: number): Offsets | undefined {
    return this.isDue(now) ? this.handOut(now) : undefined;
  }

  onAcknowledged(_record: RecordRef, _now: number): Offsets | undefined {
    return undefined;
  }

  onFailed(record: RecordRef): Offsets | undefined {
    this.pending.capAt(record);
    this.count = 0;
    return this.pending.take();
  }

  onRevoked(partitions: readonly TopicPartition[]): Offsets | undefined {
    const offsets = this.pending.takeOf(partitions);
    for (const partition of partitions) this.pending.forget(partition);
    if (this.pending.isEmpty) this.count = 0;
    return offsets;
  }

  onSeek(partition: TopicPartition): void {
    this.pending.forget(partition);
    if (this.pending.isEmpty) this.count = 0;
  }

  onFlush(now: number): Offsets | undefined {
    return this.handOut(now);
  }

  onChosen(offsets: Offsets): Offsets {
    return offsets.filter((offset) => this.pending.advance(offset));
  }

  /** Everything queued, and the counter back to 0. */
  protected handOut(_now: number): Offsets | undefined {
    this.count = 0;
    return this.pending.take();
  }
}
