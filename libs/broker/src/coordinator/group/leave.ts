/**
 * LeaveGroup: members go, by themselves or taken out by an administrator.
 *
 * Guarantees: one error per member (version 3 on); a static member may be named by its instance id alone, which is how
 * tools remove it. Source: Kafka, `GroupMetadataManager.classicGroupLeaveToClassicGroup`, KIP-345.
 */
import { ErrorCode } from '@kafka-template/protocol';
import { checkMember, type MemberIdentity } from './checks.js';
import type { GroupDraft } from './draft.js';

/** A LeaveGroup request; of versions before 3, with one member. */
export interface LeaveCommand {
  readonly type: 'leave';
  readonly token: number;
  readonly members: readonly MemberIdentity[];
}

/** Takes one out; NONE when it is gone. Says nothing to the others yet. */
function removeOne(draft: GroupDraft, identity: MemberIdentity): number {
  const { group } = draft;
  if (group.pendingMembers.delete(identity.memberId)) return ErrorCode.NONE;
  const byInstance =
    identity.memberId === '' && identity.groupInstanceId !== null
      ? group.staticMembers.get(identity.groupInstanceId)
      : undefined;
  const memberId = byInstance ?? identity.memberId;
  const errorCode = byInstance === undefined ? checkMember(group, identity) : ErrorCode.NONE;
  const member = group.members.get(memberId);
  if (errorCode !== ErrorCode.NONE || !member) return errorCode || ErrorCode.UNKNOWN_MEMBER_ID;
  draft.removeMember(member, ErrorCode.UNKNOWN_MEMBER_ID);
  return ErrorCode.NONE;
}

/** Decides a LeaveGroup request. */
export function decideLeave(draft: GroupDraft, { members, token }: LeaveCommand): void {
  const answers = members.map((identity) => ({ ...identity, errorCode: removeOne(draft, identity) }));
  draft.replies.push({
    type: 'leave',
    token,
    members: answers.map(({ memberId, groupInstanceId, errorCode }) => ({ memberId, groupInstanceId, errorCode })),
  });
  const changed = answers.some(({ errorCode }) => errorCode === ErrorCode.NONE);
  if (changed && draft.group.state !== 'Empty') draft.rebalance();
}
