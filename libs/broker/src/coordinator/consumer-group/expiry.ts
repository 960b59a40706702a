/**
 * How long offsets of groups of the new protocol are kept.
 *
 * Guarantees Kafka's rule: offsets of topics that some member reads stay; others for the retention time after their
 * commit; an expiry chosen by the committer counts for itself.
 */
import type { ExpiryRules } from '../group/expiry.js';
import type { CommittedOffset } from '../group/records.js';
import type { ConsumerGroup } from './consumer-group.js';
import { isSubscribed } from './subscriptions.js';

/** True when the offset is to be forgotten now. */
export function isConsumerOffsetExpired(
  group: ConsumerGroup,
  topic: string,
  offset: CommittedOffset,
  rules: ExpiryRules,
): boolean {
  if (isSubscribed(group, topic)) return false;
  if (offset.expireTimestampMs !== null) return rules.nowEpochMs >= offset.expireTimestampMs;
  return rules.nowEpochMs - offset.commitTimestampMs >= rules.retentionMs;
}
