/**
 * How locks end: by what their member says, by time, or because the member is gone.
 *
 * Guarantees: pure; an acknowledgement of several batches holds for all of them or for none; a record that was delivered
 * as often as it may be is never free again. Texts are Kafka's. Source: KIP-932; KIP-1222 (renewal).
 */
import { ErrorCode } from '@kafka-template/protocol';
import { DeliveryState } from '../state/share-state.js';
import { archived, available, type Delivery, type DeliveryRules, type InFlight } from './delivery.js';

/** What a member says about a record. The numbers are Kafka's; a gap is an offset at which it found nothing. */
export const AcknowledgeType = { GAP: 0, ACCEPT: 1, RELEASE: 2, REJECT: 3, RENEW: 4 } as const;

/** Batches of an acknowledgement: one type for all records, or one for each. */
export interface AcknowledgedBatch {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly acknowledgeTypes: readonly number[];
}

/** What it comes to: rows in ascending order, or why not. */
export interface SettleDecision {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly changed: readonly InFlight[];
}

function refused(errorCode: number, errorMessage: string | null = null): SettleDecision {
  return { errorCode, errorMessage, changed: [] };
}

/** Null when the batches make sense whatever the state is, else Kafka's code. */
export function checkBatches(batches: readonly AcknowledgedBatch[], renews: boolean): number | null {
  let before = -1;
  const typeMax = renews ? AcknowledgeType.RENEW : AcknowledgeType.REJECT;
  for (const { firstOffset, lastOffset, acknowledgeTypes } of batches) {
    const count = acknowledgeTypes.length;
    if (firstOffset > lastOffset || firstOffset <= before) return ErrorCode.INVALID_REQUEST;
    if (count === 0 || (count > 1 && count !== lastOffset - firstOffset + 1)) return ErrorCode.INVALID_REQUEST;
    if (acknowledgeTypes.some((type) => type < 0 || type > typeMax)) return ErrorCode.INVALID_REQUEST;
    before = lastOffset;
  }
  return null;
}

/** Decides an acknowledgement that has passed {@link checkBatches}. */
export function decideAcknowledge(
  delivery: Delivery,
  { memberId, batches }: { readonly memberId: string; readonly batches: readonly AcknowledgedBatch[] },
  rules: DeliveryRules,
  nowMs: number,
): SettleDecision {
  const changed: InFlight[] = [];
  for (const batch of batches) {
    // What lies before the start was settled before, or is gone.
    const first = Math.max(batch.firstOffset, delivery.startOffset);
    if (first > batch.lastOffset) continue;
    const complaint = checkRange(delivery, first, batch.lastOffset);
    if (complaint !== null) return complaint;
    for (const row of delivery.rows) {
      if (row.first > batch.lastOffset) break;
      if (row.last < first) continue;
      const isWhole = first <= row.first && row.last <= batch.lastOffset;
      if (row.state !== DeliveryState.ACQUIRED) {
        const text = isWhole
          ? 'The batch cannot be acknowledged. The batch is not in the acquired state.'
          : 'The offset cannot be acknowledged. The offset is not acquired.';
        return refused(ErrorCode.INVALID_RECORD_STATE, text);
      }
      if (row.memberId !== memberId) {
        const text = `Member is not the owner of ${isWhole ? 'batch record' : 'offset'}`;
        return refused(ErrorCode.INVALID_RECORD_STATE, text);
      }
      settleRow({ ...row, first: Math.max(first, row.first), last: Math.min(batch.lastOffset, row.last) }, batch);
    }
  }
  return { errorCode: ErrorCode.NONE, errorMessage: null, changed };

  function settleRow(row: InFlight, { firstOffset, acknowledgeTypes }: AcknowledgedBatch): void {
    if (acknowledgeTypes.length === 1) {
      changed.push(settled(row, acknowledgeTypes[0]!, rules, nowMs));
      return;
    }
    let from = row.first;
    while (from <= row.last) {
      const type = acknowledgeTypes[from - firstOffset]!;
      let to = from;
      while (to < row.last && acknowledgeTypes[to + 1 - firstOffset] === type) to += 1;
      changed.push(settled({ ...row, first: from, last: to }, type, rules, nowMs));
      from = to + 1;
    }
  }
}

function checkRange({ rows, endOffset }: Delivery, first: number, last: number): SettleDecision | null {
  if (rows.length === 0) {
    const text = 'Batch record not found. The request batch offsets are not found in the cache.';
    return refused(ErrorCode.INVALID_RECORD_STATE, text);
  }
  if (last < endOffset) return null;
  const end = first >= endOffset ? 'first' : 'last';
  const text = `Batch record not found. The ${end} offset in request is past acquired records.`;
  return refused(ErrorCode.INVALID_REQUEST, text);
}

function settled(row: InFlight, type: number, rules: DeliveryRules, nowMs: number): InFlight {
  switch (type) {
    case AcknowledgeType.ACCEPT:
      return { ...archived(row.first, row.last, row.deliveryCount), state: DeliveryState.ACKNOWLEDGED };
    case AcknowledgeType.RELEASE:
      return freed(row, rules);
    case AcknowledgeType.RENEW:
      return { ...row, deadlineMs: nowMs + rules.lockDurationMs };
    default:
      return archived(row.first, row.last, row.deliveryCount);
  }
}

function freed({ first, last, deliveryCount }: InFlight, { deliveryCountMax }: DeliveryRules): InFlight {
  return deliveryCount >= deliveryCountMax
    ? archived(first, last, deliveryCount)
    : available(first, last, deliveryCount);
}

/** The member is gone: everything it had is free again. */
export function decideRelease({ rows }: Delivery, memberId: string, rules: DeliveryRules): InFlight[] {
  const locked = rows.filter((row) => row.state === DeliveryState.ACQUIRED && row.memberId === memberId);
  return locked.map((row) => freed(row, rules));
}

/** Time has passed: locks that are over. */
export function decideExpiry({ rows }: Delivery, rules: DeliveryRules, nowMs: number): InFlight[] {
  const over = rows.filter(({ state, deadlineMs }) => state === DeliveryState.ACQUIRED && deadlineMs <= nowMs);
  return over.map((row) => freed(row, rules));
}
