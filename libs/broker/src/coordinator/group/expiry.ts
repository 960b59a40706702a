/**
 * How long committed offsets are kept: as pure functions of group, offsets and time.
 *
 * Guarantees Kafka's rules (KIP-211): while a group has members, only offsets of topics it no longer reads expire; an
 * empty group keeps its offsets for the retention time after it became empty; a group that never had members keeps each
 * offset for the retention time after its commit; an expiry chosen by the committer counts for itself. One thing is
 * kinder than Kafka: an offset committed to a group that is long empty also has its whole time.
 */
import { CONSUMER_PROTOCOL_TYPE, type Group } from './group.js';
import type { CommittedOffset } from './records.js';

/** Time and `offsets.retention.minutes`, both in milliseconds. */
export interface ExpiryRules {
  readonly nowEpochMs: number;
  readonly retentionMs: number;
}

/** When the retention of an offset begins, or null while it does not run. */
function retentionStartMs(group: Group, topic: string, offset: CommittedOffset): number | null {
  if (group.protocolType === null) return offset.commitTimestampMs;
  if (group.state === 'Empty') return Math.max(group.stateTimestampMs, offset.commitTimestampMs);
  const isConsumer = group.protocolType === CONSUMER_PROTOCOL_TYPE && group.state === 'Stable';
  if (!isConsumer || group.subscribedTopics === null || group.subscribedTopics.has(topic)) return null;
  return offset.commitTimestampMs;
}

/** True when the offset is to be forgotten now. */
export function isExpired(group: Group, topic: string, offset: CommittedOffset, rules: ExpiryRules): boolean {
  const startMs = retentionStartMs(group, topic, offset);
  if (startMs === null) return false;
  if (offset.expireTimestampMs !== null) return rules.nowEpochMs >= offset.expireTimestampMs;
  return rules.nowEpochMs - startMs >= rules.retentionMs;
}

/** True when nothing is left of a group that would be worth keeping. */
export function isForgettable(group: Group, hasOffsets: boolean): boolean {
  return group.state === 'Empty' && group.pendingMembers.size === 0 && !hasOffsets;
}
