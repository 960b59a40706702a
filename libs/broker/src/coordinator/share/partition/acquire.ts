/**
 * Which records a member gets: locks on what is free among the batches that were read for it.
 *
 * Guarantees: pure; a record is locked for one member at a time; offsets between batches, at which there is nothing, and
 * batches that are not for readers (markers, aborted ones) are done with at once. Whole batches are handed out unless the
 * member asked for no more than it said (KIP-1206). Source: KIP-932, "Fetching and acknowledging records".
 */
import { DeliveryState } from '../state/share-state.js';
import { archived, isDone, recordsInFlight, type Delivery, type DeliveryRules, type InFlight } from './delivery.js';

/** A batch of the log. Ends included. */
export interface ReadBatch {
  readonly first: number;
  readonly last: number;
  /** Nobody is to see it. */
  readonly hidden: boolean;
}

/** What is wanted. */
export interface AcquireCommand {
  readonly memberId: string;
  /** Where the read began; batches follow it in the order of the log. */
  readonly readOffset: number;
  readonly batches: readonly ReadBatch[];
  readonly recordsMax: number;
  /** Records of one acquired batch, if the batches of the log allow. */
  readonly batchSize: number;
  /** Never more than `recordsMax`, even if that divides a batch. */
  readonly strict: boolean;
}

/** Records that were handed out together. */
export interface Acquired {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly deliveryCount: number;
}

/** What it comes to: rows in ascending order, and what the member is told. */
export interface AcquireDecision {
  readonly changed: readonly InFlight[];
  readonly acquired: readonly Acquired[];
}

/** Decides one read for one member. */
export function decideAcquire(
  delivery: Delivery,
  command: AcquireCommand,
  rules: DeliveryRules,
  nowMs: number,
): AcquireDecision {
  const acquisition = new Acquisition(delivery, command, rules, nowMs);
  let next = Math.max(command.readOffset, delivery.startOffset);
  for (const batch of command.batches) {
    if (batch.last < next) continue;
    if (batch.first > next) acquisition.archive(next, batch.first - 1);
    const first = Math.max(batch.first, next);
    if (batch.hidden) acquisition.archive(first, batch.last);
    else if (!acquisition.take(first, batch.last)) break;
    next = batch.last + 1;
  }
  return acquisition;
}

class Acquisition implements AcquireDecision {
  readonly changed: InFlight[] = [];
  readonly acquired: Acquired[] = [];
  private left: number;
  /** Records that were never handed out and still may be. */
  private newLeft: number;
  private readonly deadlineMs: number;

  constructor(
    private readonly delivery: Delivery,
    private readonly command: AcquireCommand,
    rules: DeliveryRules,
    nowMs: number,
  ) {
    this.left = command.recordsMax;
    this.newLeft = rules.recordLocksMax - recordsInFlight(delivery);
    this.deadlineMs = nowMs + rules.lockDurationMs;
  }

  /** Nobody will ever need these, unless somebody has them right now. */
  archive(first: number, last: number): void {
    for (const row of this.free(first, last)) this.changed.push(archived(row.first, row.last, row.deliveryCount));
  }

  /** Locks what is free; false when there is to be no more. */
  take(first: number, last: number): boolean {
    for (const row of this.free(first, last)) {
      if (this.left <= 0) return false;
      const isNew = row.first >= this.delivery.endOffset;
      if (isNew && this.newLeft <= 0) return false;
      const most = this.command.strict ? Math.min(this.left, isNew ? this.newLeft : Infinity) : Infinity;
      const end = Math.min(row.last, row.first + most - 1);
      this.lock(row.first, end, row.deliveryCount + 1);
      this.left -= end - row.first + 1;
      if (isNew) this.newLeft -= end - row.first + 1;
      if (end < row.last) return false;
    }
    return true;
  }

  private lock(first: number, last: number, deliveryCount: number): void {
    const { memberId, batchSize } = this.command;
    this.changed.push({
      first,
      last,
      state: DeliveryState.ACQUIRED,
      deliveryCount,
      memberId,
      deadlineMs: this.deadlineMs,
    });
    const before = this.acquired.at(-1);
    const joins =
      before?.lastOffset === first - 1 &&
      before.deliveryCount === deliveryCount &&
      last - before.firstOffset + 1 <= batchSize;
    if (joins) this.acquired[this.acquired.length - 1] = { ...before, lastOffset: last };
    else this.acquired.push({ firstOffset: first, lastOffset: last, deliveryCount });
  }

  /** The free parts of a range: what is available, and what was never handed out. */
  private *free(first: number, last: number): Iterable<Pick<InFlight, 'first' | 'last' | 'deliveryCount'>> {
    const { rows, endOffset } = this.delivery;
    for (const row of rows) {
      if (row.first > last) break;
      if (row.last < first || row.state !== DeliveryState.AVAILABLE || isDone(row)) continue;
      const { deliveryCount } = row;
      yield { first: Math.max(first, row.first), last: Math.min(last, row.last), deliveryCount };
    }
    if (last >= endOffset) yield { first: Math.max(first, endOffset), last, deliveryCount: 0 };
  }
}
