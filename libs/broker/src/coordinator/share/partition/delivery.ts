/**
 * What is being done with the records of one share partition, as plain data: who has which record locked until when, how
 * often each was delivered, and what needs no delivery any more.
 *
 * Guarantees: values never change. The rows are in ascending order, touch each other, and cover everything from
 * `startOffset` to `endOffset`; the first row is never one that is done with. Source: KIP-932, "In-flight records".
 */
import { DeliveryState, type ShareState, type StateBatch } from '../state/share-state.js';

/** Records next to each other with the same fate. Ends included. */
export interface InFlight {
  readonly first: number;
  readonly last: number;
  /** One of `DeliveryState`. */
  readonly state: number;
  readonly deliveryCount: number;
  /** Who has them locked; '' for nobody. */
  readonly memberId: string;
  /** Monotonic time at which the lock ends; Infinity for no lock. */
  readonly deadlineMs: number;
}

/** See the file comment. */
export interface Delivery {
  /** First record that may still be delivered. */
  readonly startOffset: number;
  /** First record that was never handed out. */
  readonly endOffset: number;
  readonly rows: readonly InFlight[];
}

/** Settings that decisions depend on; the comment gives Kafka's names. */
export interface DeliveryRules {
  /** `group.share.record.lock.duration.ms`, or the group's own `share.record.lock.duration.ms` */
  readonly lockDurationMs: number;
  /** `group.share.delivery.count.limit`, or the group's own `share.delivery.count.limit` */
  readonly deliveryCountMax: number;
  /** `group.share.partition.max.record.locks`, or the group's own `share.partition.max.record.locks` */
  readonly recordLocksMax: number;
}

/** Nobody has taken anything yet. */
export function newDelivery(startOffset: number): Delivery {
  return { startOffset, endOffset: startOffset, rows: [] };
}

/** True when nothing will be done with the records any more. */
export function isDone({ state }: Pick<InFlight, 'state'>): boolean {
  return state === DeliveryState.ACKNOWLEDGED || state === DeliveryState.ARCHIVED;
}

/** Records that anybody may take, delivered so often before. */
export function available(first: number, last: number, deliveryCount: number): InFlight {
  return { first, last, state: DeliveryState.AVAILABLE, deliveryCount, memberId: '', deadlineMs: Infinity };
}

/** Records that nobody will get any more. */
export function archived(first: number, last: number, deliveryCount: number): InFlight {
  return { first, last, state: DeliveryState.ARCHIVED, deliveryCount, memberId: '', deadlineMs: Infinity };
}

/** What was stored. Between the batches lie records that nobody had done anything with. */
export function deliveryOf({ startOffset, batches }: Pick<ShareState, 'startOffset' | 'batches'>): Delivery {
  const rows: InFlight[] = [];
  let next = startOffset;
  for (const { firstOffset, lastOffset, deliveryState: state, deliveryCount } of batches) {
    if (firstOffset > next) rows.push(available(next, firstOffset - 1, 0));
    rows.push({ first: firstOffset, last: lastOffset, state, deliveryCount, memberId: '', deadlineMs: Infinity });
    next = lastOffset + 1;
  }
  return trimmed({ startOffset, endOffset: next, rows });
}

/** The delivery after rows have changed. `changed` is in ascending order; what lies beyond the end moves the end. */
export function withRows(delivery: Delivery, changed: readonly InFlight[]): Delivery {
  const rows: InFlight[] = [];
  let endOffset = delivery.endOffset;
  let at = 0;
  let rest: InFlight | undefined = delivery.rows[0];
  const keepUntil = (offset: number): void => {
    while (rest !== undefined && rest.first < offset) {
      add(rows, rest.last < offset ? rest : { ...rest, last: offset - 1 });
      rest = rest.last < offset ? delivery.rows[++at] : { ...rest, first: offset };
    }
  };
  for (const row of changed) {
    keepUntil(row.first);
    while (rest !== undefined && rest.first <= row.last) {
      rest = rest.last <= row.last ? delivery.rows[++at] : { ...rest, first: row.last + 1 };
    }
    add(rows, row);
    endOffset = Math.max(endOffset, row.last + 1);
  }
  keepUntil(Infinity);
  return trimmed({ startOffset: delivery.startOffset, endOffset, rows });
}

function add(rows: InFlight[], row: InFlight): void {
  const last = rows.at(-1);
  const joins =
    last?.state === row.state &&
    last.deliveryCount === row.deliveryCount &&
    last.memberId === row.memberId &&
    last.deadlineMs === row.deadlineMs;
  if (joins) rows[rows.length - 1] = { ...last, last: row.last };
  else rows.push(row);
}

/** Without what is done with at the beginning. */
function trimmed({ startOffset, endOffset, rows }: Delivery): Delivery {
  let done = 0;
  while (done < rows.length && isDone(rows[done]!)) done += 1;
  const first = rows[done]?.first ?? endOffset;
  return { startOffset: Math.max(startOffset, first), endOffset, rows: done === 0 ? rows : rows.slice(done) };
}

/** The log begins at `logStartOffset` now: what lay before is gone. */
export function withLogStart(delivery: Delivery, logStartOffset: number): Delivery {
  if (logStartOffset <= delivery.startOffset) return delivery;
  const rows = delivery.rows
    .filter(({ last }) => last >= logStartOffset)
    .map((row) => (row.first < logStartOffset ? { ...row, first: logStartOffset } : row));
  return trimmed({ startOffset: logStartOffset, endOffset: Math.max(delivery.endOffset, logStartOffset), rows });
}

/** Where to read next: the first record that anybody may take, else the first that was never handed out. */
export function nextFetchOffset({ rows, endOffset }: Delivery): number {
  return rows.find(({ state }) => state === DeliveryState.AVAILABLE)?.first ?? endOffset;
}

/** Records that were handed out, or may be again. */
export function recordsInFlight({ rows }: Delivery): number {
  let count = 0;
  for (const row of rows) if (!isDone(row)) count += row.last - row.first + 1;
  return count;
}

/** Records after the start that are done with. */
export function recordsDone({ rows }: Delivery): number {
  let count = 0;
  for (const row of rows) if (isDone(row)) count += row.last - row.first + 1;
  return count;
}

/** Monotonic time at which the next lock ends; Infinity for none. */
export function nextLockDeadlineMs({ rows }: Delivery): number {
  let next = Infinity;
  for (const { deadlineMs } of rows) next = Math.min(next, deadlineMs);
  return next;
}

/** What of changed rows has to be stored: locks are not. */
export function storedBatches(changed: readonly InFlight[]): StateBatch[] {
  return changed
    .filter(({ state }) => state !== DeliveryState.ACQUIRED)
    .map(({ first, last, state, deliveryCount }) => ({
      firstOffset: first,
      lastOffset: last,
      deliveryState: state,
      deliveryCount,
    }));
}
