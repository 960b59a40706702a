/**
 * A group in the making: a copy that a decision changes step by step, with what is to be stored and answered.
 *
 * Guarantees: the group it was made from stays as it was; every way into a rebalance and out of it goes through the
 * functions here, so that no waiting request is forgotten on the way.
 * Source: Kafka, `GroupMetadataManager` and `ClassicGroup`; KIP-345, KIP-394, KIP-559.
 */
import { ErrorCode } from '@kafka-template/protocol';
import {
  copyGroup,
  hasAllJoined,
  rebalanceTimeoutMs,
  type Group,
  type GroupStateName,
  type Instant,
  type Member,
} from './group.js';
import { chooseProtocol, metadataFor, subscribedTopics } from './protocols.js';
import { groupMetadataValue, type GroupRecord } from './records.js';
import { joinFailure, syncFailure, type GroupReply, type JoinAnswer } from './replies.js';

/** How long the first rebalance waits for members that are between the two steps of a join. */
export const PENDING_GRACE_MS = 500;

const NO_BYTES = Buffer.alloc(0);

/** Settings that decisions depend on. Milliseconds. */
export interface GroupRules {
  /** `group.initial.rebalance.delay.ms`. */
  readonly initialRebalanceDelayMs: number;
  /** `group.max.size`. */
  readonly membersMax: number;
}

/** What a decision comes to. `group` is the group after it; nothing has happened yet. */
export interface Decision {
  readonly group: Group;
  /** To be in the log before any of the replies is given. */
  readonly records: readonly GroupRecord[];
  readonly replies: readonly GroupReply[];
}

/** See the file comment. */
export class GroupDraft implements Decision {
  readonly group: Group;
  readonly records: GroupRecord[] = [];
  readonly replies: GroupReply[] = [];

  constructor(
    group: Group,
    readonly now: Instant,
    readonly rules: GroupRules,
  ) {
    this.group = copyGroup(group);
  }

  replyJoin(token: number, answer: JoinAnswer): void {
    if (token !== 0) this.replies.push({ type: 'join', token, answer });
  }

  replySync(token: number, errorCode: number, assignment: Buffer = NO_BYTES): void {
    if (token === 0) return;
    const { protocolType, protocolName } = this.group;
    const answer =
      errorCode === ErrorCode.NONE ? { errorCode, protocolType, protocolName, assignment } : syncFailure(errorCode);
    this.replies.push({ type: 'sync', token, answer });
  }

  /** Replaces a member by one with other facts. */
  putMember(member: Member): void {
    this.group.members.set(member.id, member);
  }

  /** Takes a new member in, waiting for the end of the join phase. */
  addMember(member: Member, protocolType: string): void {
    const { group } = this;
    if (group.members.size === 0) group.protocolType = protocolType;
    group.leaderId ??= member.id;
    group.pendingMembers.delete(member.id);
    if (member.instanceId !== null) group.staticMembers.set(member.instanceId, member.id);
    if (group.initialDelay) group.initialDelay = { ...group.initialDelay, memberCame: true };
    this.putMember(member);
  }

  /** Drops a member; what it waits for is answered with the code. Says nothing to the others: see `rebalance`. */
  removeMember(member: Member, errorCode: number): void {
    const { group } = this;
    this.replyJoin(member.joinToken, joinFailure(errorCode, member.id));
    this.replySync(member.syncToken, errorCode);
    group.members.delete(member.id);
    if (member.instanceId !== null && group.staticMembers.get(member.instanceId) === member.id) {
      group.staticMembers.delete(member.instanceId);
    }
    if (group.leaderId === member.id) group.leaderId = group.members.keys().next().value ?? null;
  }

  /** Members changed: starts a rebalance, or lets one under way end if it can now. */
  rebalance(): void {
    if (this.group.state === 'PreparingRebalance') this.completeJoinIfAll();
    else this.prepareRebalance();
  }

  /** The state after one of two kinds of change: with the time it was entered. */
  enter(state: GroupStateName): void {
    this.group.state = state;
    this.group.stateTimestampMs = this.now.epochMs;
  }

  /** Everybody has to join again. */
  prepareRebalance(): void {
    const { group, now, rules } = this;
    if (group.state === 'CompletingRebalance') this.dropAssignments(ErrorCode.REBALANCE_IN_PROGRESS);
    const isFirst = group.state === 'Empty';
    group.syncDeadlineMs = null;
    this.enter('PreparingRebalance');
    const longest = rebalanceTimeoutMs(group);
    // Members that are about to come are worth a moment, so that they do not make the next rebalance at once.
    const delayMs = isFirst ? Math.max(rules.initialRebalanceDelayMs, 0) : 0;
    if (delayMs > 0) {
      group.initialDelay = { remainingMs: Math.max(longest - delayMs, 0), memberCame: false };
      group.joinDeadlineMs = now.monotonicMs + delayMs;
      return;
    }
    const limitMs = isFirst && group.pendingMembers.size > 0 ? Math.min(longest, PENDING_GRACE_MS) : longest;
    group.joinDeadlineMs = now.monotonicMs + limitMs;
    this.completeJoinIfAll();
  }

  /** Ends the join phase when everybody is there and no initial delay is running. */
  completeJoinIfAll(): void {
    if (this.group.state === 'PreparingRebalance' && !this.group.initialDelay && hasAllJoined(this.group)) {
      this.completeJoin();
    }
  }

  /** The join phase is over: whoever is there makes the next generation. */
  completeJoin(): void {
    const { group, now } = this;
    group.initialDelay = null;
    for (const member of [...group.members.values()]) {
      const rejoined = member.joinToken !== 0;
      if (!rejoined && member.instanceId === null) this.removeMember(member, ErrorCode.UNKNOWN_MEMBER_ID);
    }
    if (group.members.size > 0 && !this.electLeader()) {
      // Only static members that did not come: they have until their sessions end.
      group.joinDeadlineMs = now.monotonicMs + rebalanceTimeoutMs(group);
      return;
    }
    group.joinDeadlineMs = null;
    // An int32 on the wire: after two billion rebalances the generations begin again.
    group.generationId = group.generationId >= 2 ** 31 - 1 ? 1 : group.generationId + 1;
    if (group.members.size === 0) this.becomeEmpty();
    else this.startGeneration();
  }

  /** The leader stays if it rejoined, else the first who did leads. False when nobody did. */
  private electLeader(): boolean {
    const { group } = this;
    const leader = group.leaderId === null ? undefined : group.members.get(group.leaderId);
    if (leader && leader.joinToken !== 0) return true;
    for (const member of group.members.values()) {
      if (member.joinToken === 0) continue;
      group.leaderId = member.id;
      return true;
    }
    return false;
  }

  private becomeEmpty(): void {
    const { group } = this;
    group.protocolName = null;
    group.leaderId = null;
    group.syncDeadlineMs = null;
    this.enter('Empty');
    group.subscribedTopics = subscribedTopics(group);
    this.store();
  }

  private startGeneration(): void {
    const { group, now } = this;
    group.protocolName = chooseProtocol(group);
    group.subscribedTopics = subscribedTopics(group);
    group.syncDeadlineMs = now.monotonicMs + rebalanceTimeoutMs(group);
    this.enter('CompletingRebalance');
    for (const member of [...group.members.values()]) {
      this.replyJoin(member.joinToken, this.currentGeneration(member.id));
      this.putMember({
        ...member,
        assignment: NO_BYTES,
        joinToken: 0,
        isNew: false,
        hasSynced: false,
        sessionDeadlineMs: now.monotonicMs + member.sessionTimeoutMs,
      });
    }
  }

  /** The answer of a join into the present generation; only the leader learns who else is there. */
  currentGeneration(memberId: string): JoinAnswer {
    const { group } = this;
    return {
      errorCode: ErrorCode.NONE,
      generationId: group.generationId,
      protocolType: group.protocolType,
      protocolName: group.protocolName,
      leader: group.leaderId ?? '',
      skipAssignment: false,
      memberId,
      members: group.leaderId === memberId ? this.memberList() : [],
    };
  }

  /** All members with what they said about the chosen protocol. */
  memberList(): JoinAnswer['members'] {
    return [...this.group.members.values()].map((member) => ({
      memberId: member.id,
      groupInstanceId: member.instanceId,
      metadata: metadataFor(member, this.group.protocolName),
    }));
  }

  /** Forgets assignments that were never handed out, and answers those who wait for theirs. */
  private dropAssignments(errorCode: number): void {
    for (const member of [...this.group.members.values()]) {
      this.replySync(member.syncToken, errorCode);
      this.putMember({ ...member, syncToken: 0, assignment: NO_BYTES });
    }
  }

  /** The group as it is now goes into the log. */
  store(): void {
    const { group } = this;
    this.records.push({ type: 'groupMetadata', groupId: group.id, value: groupMetadataValue(group) });
  }
}
