/**
 * SyncGroup: the leader hands in the assignments, every member gets its own.
 *
 * Guarantees: assignments are in the log before anybody learns of them; a member the leader forgot gets no bytes at all,
 * as in Kafka. Source: Kafka, `GroupMetadataManager.classicGroupSync`.
 */
import { ErrorCode, type RequestOf, type SyncGroup } from '@kafka-template/protocol';
import { checkMembership } from './checks.js';
import type { GroupDraft } from './draft.js';
import type { Group, Member } from './group.js';

/** A SyncGroup request. */
export interface SyncCommand {
  readonly type: 'sync';
  readonly token: number;
  readonly request: RequestOf<typeof SyncGroup>;
}

const NO_BYTES = Buffer.alloc(0);

function check(group: Group, request: SyncCommand['request']): number {
  const errorCode = checkMembership(group, request);
  if (errorCode !== ErrorCode.NONE) return errorCode;
  const { protocolType, protocolName } = request;
  const otherType = protocolType !== null && protocolType !== group.protocolType;
  const otherName = protocolName !== null && group.protocolName !== null && protocolName !== group.protocolName;
  return otherType || otherName ? ErrorCode.INCONSISTENT_GROUP_PROTOCOL : ErrorCode.NONE;
}

/** Decides a SyncGroup request. */
export function decideSync(draft: GroupDraft, { request, token }: SyncCommand): void {
  const { group } = draft;
  const errorCode = check(group, request);
  const member = group.members.get(request.memberId);
  if (errorCode !== ErrorCode.NONE || !member) return draft.replySync(token, errorCode);
  switch (group.state) {
    case 'Empty':
      return draft.replySync(token, ErrorCode.UNKNOWN_MEMBER_ID);
    case 'PreparingRebalance':
      return draft.replySync(token, ErrorCode.REBALANCE_IN_PROGRESS);
    case 'Stable':
      draft.putMember(alive(draft, member));
      return draft.replySync(token, ErrorCode.NONE, member.assignment);
    case 'CompletingRebalance':
      // A second request of the same member: nobody waits for the answer to the first one any more.
      draft.replySync(member.syncToken, ErrorCode.REBALANCE_IN_PROGRESS);
      draft.putMember({ ...alive(draft, member), syncToken: token });
      if (group.leaderId === member.id) assign(draft, request.assignments);
  }
}

function alive(draft: GroupDraft, member: Member): Member {
  return { ...member, hasSynced: true, sessionDeadlineMs: draft.now.monotonicMs + member.sessionTimeoutMs };
}

function assign(draft: GroupDraft, assignments: SyncCommand['request']['assignments']): void {
  const { group } = draft;
  // The request's bytes are views into its frame, and assignments outlive it.
  const given = new Map(assignments.map(({ memberId, assignment }) => [memberId, Buffer.from(assignment)]));
  for (const member of [...group.members.values()]) {
    const assignment = given.get(member.id) ?? NO_BYTES;
    draft.replySync(member.syncToken, ErrorCode.NONE, assignment);
    const waited = member.syncToken !== 0;
    draft.putMember({ ...(waited ? alive(draft, member) : member), syncToken: 0, assignment });
  }
  draft.enter('Stable');
  draft.store();
}
