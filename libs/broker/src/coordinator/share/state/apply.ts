/**
 * What a record does to the stored state of share partitions: the only way it changes.
 *
 * Guarantees: decisions and recovery go through the same function.
 */
import type { ShareStateRecord } from './records.js';
import { overlay, shareKeyText, type ShareState } from './share-state.js';

/** Changes `states` as the record says; Updates of what is not there do nothing. */
export function applyShareState(states: Map<string, ShareState>, record: ShareStateRecord): void {
  const key = shareKeyText(record.key);
  if (record.type === 'snapshot') {
    if (record.value === null) states.delete(key);
    else states.set(key, record.value);
    return;
  }
  const before = states.get(key);
  if (before === undefined || record.value === null) return;
  const { snapshotEpoch, leaderEpoch, startOffset, deliveryCompleteCount, batches } = record.value;
  const start = startOffset === -1 ? before.startOffset : startOffset;
  states.set(key, {
    ...before,
    snapshotEpoch,
    leaderEpoch: leaderEpoch === -1 ? before.leaderEpoch : leaderEpoch,
    startOffset: start,
    deliveryCompleteCount,
    batches: overlay(before.batches, batches, start),
  });
}
