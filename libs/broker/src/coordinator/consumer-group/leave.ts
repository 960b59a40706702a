/**
 * Members of the new protocol go: for good, for a while, by an administrator, or because their time is over.
 *
 * Guarantees: whoever goes leaves no partition behind that others would wait for, but a static member that will come
 * back: it keeps its own. Source: KIP-848.
 */
import { ErrorCode } from '@kafka-template/protocol';
import { refreshEpoch } from './assign.js';
import { NO_OWNED } from './assignment.js';
import { LEAVE_STATIC_EPOCH, type ConsumerMember } from './consumer-group.js';
import type { ConsumerGroupDraft } from './draft.js';
import type { MemberIdentity } from '../group/checks.js';

/** Takes members out and raises the epoch once. */
export function fenceMembers(draft: ConsumerGroupDraft, memberIds: readonly string[]): void {
  if (memberIds.length === 0) return;
  for (const memberId of memberIds) removeMember(draft, memberId);
  refreshEpoch(draft, true);
}

/** The tombstones of a member, in Kafka's order. */
export function removeMember(draft: ConsumerGroupDraft, memberId: string): void {
  draft.emit({ type: 'current', memberId, value: null });
  draft.emit({ type: 'target', memberId, value: null });
  draft.emit({ type: 'member', memberId, value: null });
}

/** A static member goes and says that it will be back before its session is over. */
export function leaveForAWhile(draft: ConsumerGroupDraft, member: ConsumerMember): void {
  const { id: memberId, epoch: previousEpoch, state, assigned } = member;
  const value = { epoch: LEAVE_STATIC_EPOCH, previousEpoch, state, assigned, pendingRevocation: NO_OWNED };
  draft.emit({ type: 'current', memberId, value });
}

/** LeaveGroup of the classic protocol, as tools send it: each with its own code. */
export function decideRemoval(draft: ConsumerGroupDraft, identities: readonly MemberIdentity[]): number[] {
  const going = new Set<string>();
  const codes = identities.map(({ memberId, groupInstanceId }) => {
    const byInstance = groupInstanceId === null ? undefined : draft.group.staticMembers.get(groupInstanceId);
    if (groupInstanceId !== null && byInstance === undefined) return ErrorCode.UNKNOWN_MEMBER_ID;
    if (byInstance !== undefined && memberId !== '' && memberId !== byInstance) return ErrorCode.FENCED_INSTANCE_ID;
    const id = byInstance ?? memberId;
    if (!draft.group.members.has(id) || going.has(id)) return ErrorCode.UNKNOWN_MEMBER_ID;
    going.add(id);
    return ErrorCode.NONE;
  });
  fenceMembers(draft, [...going]);
  return codes;
}
