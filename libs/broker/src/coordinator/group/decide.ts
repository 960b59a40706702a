/**
 * The state machine of classic groups: `decide(group, command, now, rules)` says what comes next, and does nothing.
 *
 * Guarantees: pure; the group given in stays as it was; the same input gives the same decision. The runtime stores the
 * records, then makes the decided group the present one, then gives the replies: in that order, or not at all.
 */
import { ErrorCode } from '@kafka-template/protocol';
import { checkMembership, type MemberIdentity } from './checks.js';
import { GroupDraft, type Decision, type GroupRules } from './draft.js';
import type { Group, Instant } from './group.js';
import { decideJoin, type JoinCommand } from './join.js';
import { decideLeave, type LeaveCommand } from './leave.js';
import { decideSync, type SyncCommand } from './sync.js';
import { decideTick } from './tick.js';

/** What a group can be asked to decide. A tick: time has passed, see `nextDeadlineMs`. */
export type GroupCommand = JoinCommand | SyncCommand | LeaveCommand | { readonly type: 'tick' };

/** See the file comment. */
export function decide(group: Group, command: GroupCommand, now: Instant, rules: GroupRules): Decision {
  const draft = new GroupDraft(group, now, rules);
  switch (command.type) {
    case 'join':
      decideJoin(draft, command);
      break;
    case 'sync':
      decideSync(draft, command);
      break;
    case 'leave':
      decideLeave(draft, command);
      break;
    case 'tick':
      decideTick(draft);
      break;
  }
  return draft;
}

/** A heartbeat, or anything else that tells of life. */
export interface HeartbeatFacts extends MemberIdentity {
  readonly generationId: number;
}

/**
 * Decides a heartbeat without a copy of the group, because there are so many. When `refresh` is set the member's session
 * starts over, also under REBALANCE_IN_PROGRESS.
 */
export function decideHeartbeat(group: Group, request: HeartbeatFacts): { errorCode: number; refresh: boolean } {
  const errorCode = checkMembership(group, request);
  if (errorCode !== ErrorCode.NONE) return { errorCode, refresh: false };
  switch (group.state) {
    case 'Empty':
      return { errorCode: ErrorCode.UNKNOWN_MEMBER_ID, refresh: false };
    case 'PreparingRebalance':
      return { errorCode: ErrorCode.REBALANCE_IN_PROGRESS, refresh: true };
    default:
      return { errorCode: ErrorCode.NONE, refresh: true };
  }
}
