/**
 * ConsumerGroupHeartbeat: entering a group of the new protocol and staying in it.
 *
 * Guarantees: one request goes through all of it: what the member says about itself, the epoch of the group, the
 * targets, and one step of the member towards its own; the assignment is in the answer when the member told everything
 * about itself or when it changed. Source: KIP-848; Kafka's texts.
 */
import { ErrorCode } from '@kafka-template/protocol';
import { assignTargets, isAssignmentDue, refreshEpoch } from './assign.js';
import { ownedRows, sameOwned, type TopicPartitions } from './assignment.js';
import {
  LEAVE_STATIC_EPOCH,
  newConsumerMember,
  targetFor,
  type ConsumerGroup,
  type ConsumerMember,
  type MemberMetadata,
} from './consumer-group.js';
import type { ConsumerGroupDraft } from './draft.js';
import { removeMember } from './leave.js';
import { topicPattern } from './pattern/topic-pattern.js';
import { reconcile } from './reconcile.js';
import { Refusal, type HeartbeatAnswer } from './replies.js';
import type { HeartbeatRequest } from './request.js';

/** A heartbeat and who sent it. The member has an id. */
export interface HeartbeatCommand {
  readonly request: HeartbeatRequest;
  readonly memberId: string;
  readonly clientId: string;
  readonly clientHost: string;
  /** True when the group is not stored yet. */
  readonly isNewGroup: boolean;
}

/** Decides a heartbeat whose epoch is 0 or more. Throws a {@link Refusal}. */
export function decideHeartbeat(draft: ConsumerGroupDraft, command: HeartbeatCommand): HeartbeatAnswer {
  const { request, memberId } = command;
  const { rules, topics } = draft.world;
  throwIfFull(draft, memberId);
  const before = request.instanceId === null ? dynamicMember(draft, command) : staticMember(draft, command);
  const changed = updateMember(draft, before, command);
  if (changed || draft.group.checkedTopics !== topics) refreshEpoch(draft, changed);
  if (draft.group.epoch > draft.group.assignmentEpoch) {
    const { epoch, metadataHash } = draft.group;
    const isStored = !command.isNewGroup || draft.records.some(({ type }) => type === 'group');
    if (!isStored) draft.emit({ type: 'group', value: { epoch, metadataHash } });
    if (isAssignmentDue(draft)) assignTargets(draft);
  }
  draft.group.checkedTopics = topics;

  const { group } = draft;
  const member = group.members.get(memberId) ?? before;
  const assignment = reconcile(member, {
    target: targetFor(group, memberId),
    assignmentEpoch: group.assignmentEpoch,
    isOwned: (key) => group.owners.has(key),
    owned: request.topicPartitions,
  });
  if (assignment !== member) {
    const { epoch, previousEpoch, state, assigned, pendingRevocation } = assignment;
    draft.emit({ type: 'current', memberId, value: { epoch, previousEpoch, state, assigned, pendingRevocation } });
  }
  const isFull = isFullRequest(request) || !sameOwned(before.assigned, assignment.assigned);
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    memberId,
    memberEpoch: assignment.epoch,
    heartbeatIntervalMs: rules.heartbeatIntervalMs,
    assignment: isFull ? { topicPartitions: ownedRows(assignment.assigned) } : null,
  };
}

/** Told everything about itself: when it joins, and after errors. */
function isFullRequest(request: HeartbeatRequest): boolean {
  if (request.memberEpoch === 0) return true;
  const { rebalanceTimeoutMs, subscribedTopicNames, subscribedTopicRegex, topicPartitions } = request;
  const subscribes = subscribedTopicNames !== null || subscribedTopicRegex !== null;
  return rebalanceTimeoutMs !== -1 && subscribes && topicPartitions !== null;
}

function throwIfFull({ group, world }: ConsumerGroupDraft, memberId: string): void {
  const max = world.rules.membersMax;
  if (group.members.size < max || group.members.has(memberId)) return;
  const text = `The consumer group has reached its maximum capacity of ${max} members.`;
  throw new Refusal(ErrorCode.GROUP_MAX_SIZE_REACHED, text);
}

function dynamicMember({ group }: ConsumerGroupDraft, { request, memberId }: HeartbeatCommand): ConsumerMember {
  const member = group.members.get(memberId);
  if (member) {
    checkEpoch(member, request);
    return member;
  }
  if (request.memberEpoch === 0) return newConsumerMember(memberId);
  throw unknownMember(group, memberId);
}

/** The refusal of a member that is not in the group. */
export function unknownMember(group: ConsumerGroup, memberId: string): Refusal {
  return new Refusal(ErrorCode.UNKNOWN_MEMBER_ID, `Member ${memberId} is not a member of group ${group.id}.`);
}

function staticMember(draft: ConsumerGroupDraft, { request, memberId }: HeartbeatCommand): ConsumerMember {
  const { group } = draft;
  const instanceId = request.instanceId ?? '';
  const presentId = group.staticMembers.get(instanceId);
  const present = presentId === undefined ? undefined : group.members.get(presentId);
  if (request.memberEpoch !== 0) {
    const member = knownStaticMember(group, { memberId, instanceId });
    checkEpoch(member, request);
    return member;
  }
  if (!present) return group.members.get(memberId) ?? newConsumerMember(memberId);
  if (present.epoch !== LEAVE_STATIC_EPOCH) {
    const text =
      `Static member ${memberId} with instance id ${instanceId} cannot join the group ` +
      `because the instance id is owned by ${present.id} member.`;
    throw new Refusal(ErrorCode.UNRELEASED_INSTANCE_ID, text);
  }
  return replaceStatic(draft, present, memberId);
}

/** The static member under its instance id, if it is the one that asks. */
export function knownStaticMember(
  group: ConsumerGroup,
  { memberId, instanceId }: { readonly memberId: string; readonly instanceId: string },
): ConsumerMember {
  const presentId = group.staticMembers.get(instanceId);
  const present = presentId === undefined ? undefined : group.members.get(presentId);
  if (!present) throw new Refusal(ErrorCode.UNKNOWN_MEMBER_ID, `Instance id ${instanceId} is unknown.`);
  if (present.id === memberId) return present;
  const text = `Static member ${memberId} with instance id ${instanceId} was fenced by member ${present.id}.`;
  throw new Refusal(ErrorCode.FENCED_INSTANCE_ID, text);
}

/** A static member came back: it goes on with what the one before it had, and nobody else notices. */
function replaceStatic(draft: ConsumerGroupDraft, before: ConsumerMember, memberId: string): ConsumerMember {
  const target = targetFor(draft.group, before.id);
  removeMember(draft, before.id);
  draft.emit({ type: 'member', memberId, value: metadataOf(before) });
  draft.emit({ type: 'target', memberId, value: target });
  const { state, assigned, pendingRevocation } = before;
  draft.emit({
    type: 'current',
    memberId,
    value: { epoch: 0, previousEpoch: 0, state, assigned, pendingRevocation },
  });
  return draft.group.members.get(memberId) ?? newConsumerMember(memberId);
}

/** An epoch from the past is taken once: the answer that told the present one may have been lost. */
function checkEpoch(member: ConsumerMember, { memberEpoch: received, topicPartitions }: HeartbeatRequest): void {
  if (received === member.epoch || received === 0) return;
  const known = `member epoch (${received}) than the one known by the group coordinator (${member.epoch}). `;
  const advice = 'The member must abandon all its partitions and rejoin.';
  if (received > member.epoch) {
    const text = `The consumer group member has a greater ${known}${advice}`;
    throw new Refusal(ErrorCode.FENCED_MEMBER_EPOCH, text);
  }
  if (received === member.previousEpoch && isSubset(topicPartitions, member)) return;
  throw new Refusal(ErrorCode.FENCED_MEMBER_EPOCH, `The consumer group member has a smaller ${known}${advice}`);
}

function isSubset(owned: readonly TopicPartitions[] | null, { assigned }: ConsumerMember): boolean {
  if (owned === null) return false;
  return owned.every(({ topicId, partitions }) => {
    const epochs = assigned.get(topicId);
    return partitions.every((partition) => epochs?.has(partition) ?? false);
  });
}

function metadataOf(member: ConsumerMember): MemberMetadata {
  const { instanceId, rackId, clientId, clientHost, subscribedTopicNames, subscribedTopicRegex } = member;
  const { rebalanceTimeoutMs, serverAssignor } = member;
  return {
    instanceId,
    rackId,
    clientId,
    clientHost,
    subscribedTopicNames,
    subscribedTopicRegex,
    rebalanceTimeoutMs,
    serverAssignor,
  };
}

/** Stores what the member says about itself if it is news; true when it reads other topics now. */
function updateMember(draft: ConsumerGroupDraft, before: ConsumerMember, command: HeartbeatCommand): boolean {
  const { request, memberId, clientId, clientHost } = command;
  const names = request.subscribedTopicNames;
  const value: MemberMetadata = {
    instanceId: request.instanceId ?? before.instanceId,
    rackId: request.rackId ?? before.rackId,
    clientId,
    clientHost,
    subscribedTopicNames: names === null ? before.subscribedTopicNames : [...new Set(names)].sort(),
    subscribedTopicRegex: request.subscribedTopicRegex ?? before.subscribedTopicRegex,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs === -1 ? before.rebalanceTimeoutMs : request.rebalanceTimeoutMs,
    serverAssignor: request.serverAssignor ?? before.serverAssignor,
  };
  const isNew = !draft.group.members.has(memberId);
  const resubscribes =
    value.subscribedTopicRegex !== before.subscribedTopicRegex ||
    JSON.stringify(value.subscribedTopicNames) !== JSON.stringify(before.subscribedTopicNames);
  // Compiling is how a pattern is checked.
  if (value.subscribedTopicRegex !== before.subscribedTopicRegex) topicPattern(value.subscribedTopicRegex);
  if (isNew || resubscribes || JSON.stringify(value) !== JSON.stringify(metadataOf(before))) {
    draft.emit({ type: 'member', memberId, value });
  }
  return resubscribes;
}
