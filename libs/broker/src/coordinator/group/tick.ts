/**
 * What happens in a group by itself, because time has passed.
 *
 * Guarantees: a member that waits for an answer of ours is not dropped for its silence; members that were promised an id
 * and never came do not hold up the others for longer than their session timeout; a rebalance always ends.
 */
import { ErrorCode } from '@kafka-template/protocol';
import type { GroupDraft } from './draft.js';
import { isWaiting } from './group.js';

/** Members whose sessions are over are dropped. True when there were any. */
function dropSilent(draft: GroupDraft): boolean {
  const { group, now } = draft;
  let changed = false;
  for (const [memberId, deadlineMs] of [...group.pendingMembers]) {
    if (deadlineMs > now.monotonicMs) continue;
    group.pendingMembers.delete(memberId);
    changed ||= group.state === 'PreparingRebalance';
  }
  for (const member of [...group.members.values()]) {
    if (isWaiting(member) || member.sessionDeadlineMs > now.monotonicMs) continue;
    draft.removeMember(member, ErrorCode.UNKNOWN_MEMBER_ID);
    changed = true;
  }
  return changed;
}

/** The join phase has lasted as long as it may, or is still in the initial delay and goes on while members come. */
function endJoinPhase(draft: GroupDraft): void {
  const { group, now, rules } = draft;
  const { initialDelay } = group;
  if (!initialDelay?.memberCame || initialDelay.remainingMs === 0) return draft.completeJoin();
  const furtherMs = Math.min(rules.initialRebalanceDelayMs, initialDelay.remainingMs);
  group.initialDelay = { remainingMs: initialDelay.remainingMs - furtherMs, memberCame: false };
  group.joinDeadlineMs = now.monotonicMs + furtherMs;
}

/** Members that never asked for their assignment hold the others up, or own partitions nobody reads. */
function dropUnsynced(draft: GroupDraft): void {
  const { group } = draft;
  group.syncDeadlineMs = null;
  const unsynced = [...group.members.values()].filter((member) => !member.hasSynced);
  for (const member of unsynced) draft.removeMember(member, ErrorCode.UNKNOWN_MEMBER_ID);
  if (unsynced.length > 0) draft.prepareRebalance();
}

/** Does everything whose time has come. */
export function decideTick(draft: GroupDraft): void {
  const { group, now } = draft;
  if (dropSilent(draft)) draft.rebalance();
  if (group.joinDeadlineMs !== null && group.joinDeadlineMs <= now.monotonicMs) endJoinPhase(draft);
  if (group.syncDeadlineMs !== null && group.syncDeadlineMs <= now.monotonicMs) dropUnsynced(draft);
}
