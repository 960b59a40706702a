/**
 * JoinGroup: entering a group, or its next generation.
 *
 * Guarantees Kafka's table of states: the two steps of KIP-394 for dynamic members from version 4 on, replacement of
 * static members without a rebalance where that is possible (KIP-345, KIP-814), the limit of `group.max.size`.
 * Source: Kafka, `GroupMetadataManager.classicGroupJoin`.
 */
import { ErrorCode, type JoinGroup, type RequestOf } from '@kafka-template/protocol';
import { checkMember } from './checks.js';
import { GroupDraft } from './draft.js';
import type { Group, Member } from './group.js';
import { chooseProtocol, sameProtocols, supportsProtocols } from './protocols.js';
import { joinFailure, type JoinAnswer } from './replies.js';

/** Kafka gives a new member this long in the join phase before it is dropped, whatever its session timeout. */
export const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60_000;

/** A JoinGroup request and who sent it. `newMemberId` is the id to use if the member has none yet. */
export interface JoinCommand {
  readonly type: 'join';
  readonly token: number;
  readonly request: RequestOf<typeof JoinGroup>;
  readonly apiVersion: number;
  readonly clientId: string;
  readonly clientHost: string;
  readonly newMemberId: string;
}

/** Static members must not be asked to come twice, and old clients do not know how to. */
function mustKnowItsId({ apiVersion, request }: JoinCommand): boolean {
  return apiVersion >= 4 && request.groupInstanceId === null;
}

/** True when `group.max.size` lets the member in. A member that is already counted is. */
function hasRoom(group: Group, memberId: string, membersMax: number): boolean {
  const member = group.members.get(memberId);
  switch (group.state) {
    case 'Empty':
      return true;
    case 'PreparingRebalance': {
      if (member && member.joinToken !== 0) return true;
      let waiting = 0;
      for (const { joinToken } of group.members.values()) if (joinToken !== 0) waiting += 1;
      return waiting < membersMax;
    }
    default:
      return member !== undefined || group.members.size < membersMax;
  }
}

/** Decides a JoinGroup request. */
export function decideJoin(draft: GroupDraft, command: JoinCommand): void {
  const { group } = draft;
  const { request, token } = command;
  const refuse = (errorCode: number, memberId = request.memberId): void =>
    draft.replyJoin(token, joinFailure(errorCode, memberId));

  if (!hasRoom(group, request.memberId, draft.rules.membersMax)) {
    const member = group.members.get(request.memberId);
    if (member) {
      draft.removeMember(member, ErrorCode.UNKNOWN_MEMBER_ID);
      draft.rebalance();
    }
    return refuse(ErrorCode.GROUP_MAX_SIZE_REACHED, '');
  }
  if (!supportsProtocols(group, request.protocolType, request.protocols)) {
    return refuse(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
  }
  if (request.memberId === '') return joinAsUnknown(draft, command);
  if (group.pendingMembers.has(request.memberId)) {
    // Ids are promised to dynamic members only, so one that comes with an instance id is not who it says.
    if (request.groupInstanceId !== null) return refuse(ErrorCode.UNKNOWN_MEMBER_ID);
    draft.addMember(newMember(draft, command, request.memberId), request.protocolType);
    return draft.rebalance();
  }
  const errorCode = checkMember(group, request);
  const member = group.members.get(request.memberId);
  if (errorCode !== ErrorCode.NONE || !member) return refuse(errorCode || ErrorCode.UNKNOWN_MEMBER_ID);
  joinAgain(draft, command, member);
}

function joinAsUnknown(draft: GroupDraft, command: JoinCommand): void {
  const { group, now } = draft;
  const { request, token, newMemberId } = command;
  if (mustKnowItsId(command)) {
    group.pendingMembers.set(newMemberId, now.monotonicMs + request.sessionTimeoutMs);
    return draft.replyJoin(token, joinFailure(ErrorCode.MEMBER_ID_REQUIRED, newMemberId));
  }
  const instanceId = request.groupInstanceId;
  const presentId = instanceId === null ? undefined : group.staticMembers.get(instanceId);
  const present = presentId === undefined ? undefined : group.members.get(presentId);
  if (present) return replaceStatic(draft, command, present);
  draft.addMember(newMember(draft, command, newMemberId), request.protocolType);
  draft.rebalance();
}

function newMember(draft: GroupDraft, command: JoinCommand, id: string): Member {
  const { request, clientId, clientHost, token } = command;
  return {
    id,
    instanceId: request.groupInstanceId,
    clientId,
    clientHost,
    sessionTimeoutMs: request.sessionTimeoutMs,
    rebalanceTimeoutMs: timeoutOf(command),
    protocols: ownProtocols(command),
    assignment: Buffer.alloc(0),
    joinToken: token,
    syncToken: 0,
    isNew: true,
    hasSynced: false,
    sessionDeadlineMs: draft.now.monotonicMs + NEW_MEMBER_JOIN_TIMEOUT_MS,
  };
}

/** Version 0 has one timeout for both. */
function timeoutOf({ request }: JoinCommand): number {
  return request.rebalanceTimeoutMs === -1 ? request.sessionTimeoutMs : request.rebalanceTimeoutMs;
}

/** The request's bytes are views into its frame, and a member outlives that by far. */
function ownProtocols({ request }: JoinCommand): { name: string; metadata: Buffer }[] {
  return request.protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) }));
}

/** The member with what it asks for now, waiting for the end of the join phase. */
function rejoining(draft: GroupDraft, command: JoinCommand, member: Member): Member {
  // A second request of the same member: the first one's connection is gone, or its client has given up.
  draft.replyJoin(member.joinToken, joinFailure(ErrorCode.REBALANCE_IN_PROGRESS, member.id));
  const { request, clientId, clientHost, token } = command;
  return {
    ...member,
    clientId,
    clientHost,
    sessionTimeoutMs: request.sessionTimeoutMs,
    rebalanceTimeoutMs: timeoutOf(command),
    protocols: ownProtocols(command),
    joinToken: token,
  };
}

function joinAgain(draft: GroupDraft, command: JoinCommand, member: Member): void {
  const { group } = draft;
  const unchanged = sameProtocols(member.protocols, command.request.protocols);
  switch (group.state) {
    case 'Empty':
      return draft.replyJoin(command.token, joinFailure(ErrorCode.UNKNOWN_MEMBER_ID, member.id));
    case 'CompletingRebalance':
      // The answer was lost: the member gets it again, and the others are left in peace.
      if (unchanged) return draft.replyJoin(command.token, draft.currentGeneration(member.id));
      break;
    case 'Stable':
      // Followers ask after a lost answer; a leader asks when it has seen something that calls for other assignments.
      if (unchanged && group.leaderId !== member.id) {
        return draft.replyJoin(command.token, draft.currentGeneration(member.id));
      }
      break;
    case 'PreparingRebalance':
      break;
  }
  draft.putMember(rejoining(draft, command, member));
  draft.rebalance();
}

/** A static member came back without its id: it takes the place of the one before it. */
function replaceStatic(draft: GroupDraft, command: JoinCommand, before: Member): void {
  const { group, now } = draft;
  const { newMemberId, token, apiVersion } = command;
  const leaderBefore = group.leaderId;
  draft.replyJoin(before.joinToken, joinFailure(ErrorCode.FENCED_INSTANCE_ID, before.id));
  draft.replySync(before.syncToken, ErrorCode.FENCED_INSTANCE_ID);
  group.members.delete(before.id);
  if (before.instanceId !== null) group.staticMembers.set(before.instanceId, newMemberId);
  if (group.leaderId === before.id) group.leaderId = newMemberId;
  const renamed: Member = { ...before, id: newMemberId, joinToken: 0, syncToken: 0 };
  const replaced: Member = {
    ...rejoining(draft, command, renamed),
    sessionDeadlineMs: now.monotonicMs + (before.isNew ? NEW_MEMBER_JOIN_TIMEOUT_MS : command.request.sessionTimeoutMs),
  };
  draft.putMember(replaced);
  if (group.state !== 'Stable' || chooseProtocol(group) !== group.protocolName) return draft.rebalance();

  // Nothing changes for the others: the new member goes on with the assignment of the old one.
  draft.putMember({ ...replaced, joinToken: 0, hasSynced: true });
  draft.store();
  draft.replyJoin(token, withoutRebalance(draft, { newMemberId, leaderBefore, apiVersion }));
}

function withoutRebalance(
  draft: GroupDraft,
  facts: { readonly newMemberId: string; readonly leaderBefore: string | null; readonly apiVersion: number },
): JoinAnswer {
  const answer = draft.currentGeneration(facts.newMemberId);
  // From version 9 on a leader can be told that it leads but has nothing to assign. Before, it must not think it leads.
  if (facts.apiVersion >= 9) return { ...answer, skipAssignment: draft.group.leaderId === facts.newMemberId };
  return { ...answer, leader: facts.leaderBefore ?? '', members: [] };
}
