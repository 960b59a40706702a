/**
 * The state machine of share groups (KIP-932): what a request, the state of partitions, or time, makes of a group.
 *
 * Guarantees: pure; the group given in stays as it was but for `checkedTopics`, which is no state. The runtime stores the
 * records, then makes the decided group the present one, then answers. Texts are Kafka's.
 */
import {
  ErrorCode,
  errorMessage,
  type ResponseInput,
  type ShareGroupHeartbeat,
  type ShareGroupHeartbeatRequest,
} from '@kafka-template/protocol';
import { NO_TARGET, sameTarget, targetRows } from '../../consumer-group/assignment.js';
import { Refusal } from '../../consumer-group/replies.js';
import { metadataHash } from '../../consumer-group/subscriptions.js';
import { ShareGroupDraft } from './draft.js';
import type { ShareGroupRecord } from './records.js';
import {
  LEAVE_EPOCH,
  newShareMember,
  type ShareGroup,
  type ShareMember,
  type ShareMemberMetadata,
  type ShareTopics,
  type ShareWorld,
} from './share-group.js';
import { assignSimply, type ShareSubscriber } from './simple-assignor.js';
import { addTopics, missingTopics, subscribedShareTopics, withoutTopics } from './share-topics.js';

/** An answer to ShareGroupHeartbeat. */
export type ShareHeartbeatAnswer = ResponseInput<typeof ShareGroupHeartbeat>;

/** A heartbeat and who sent it. */
export interface ShareHeartbeatCommand {
  readonly request: ShareGroupHeartbeatRequest;
  readonly clientId: string;
  readonly clientHost: string;
}

/** What a decision comes to. Nothing has happened yet. */
export interface ShareGroupDecision<A> {
  readonly group: ShareGroup;
  readonly records: readonly ShareGroupRecord[];
  readonly answer: A;
  /** The member whose session starts over; null for none. */
  readonly alive: string | null;
}

/** An answer with an error. */
export function shareHeartbeatFailure(errorCode: number, text: string = errorMessage(errorCode)): ShareHeartbeatAnswer {
  return { errorCode, errorMessage: text, memberId: null, memberEpoch: 0, heartbeatIntervalMs: 0, assignment: null };
}

function demand(condition: boolean, text: string): void {
  if (!condition) throw new Refusal(ErrorCode.INVALID_REQUEST, text);
}

/** Throws a {@link Refusal} when the request is not to be followed whatever the group is. */
export function checkShareHeartbeat(request: ShareGroupHeartbeatRequest): void {
  const { groupId, memberId, memberEpoch, rackId, subscribedTopicNames } = request;
  demand(memberId.trim() !== '', "MemberId can't be empty.");
  demand(groupId.trim() !== '', "GroupId can't be empty.");
  demand(rackId === null || rackId.trim() !== '', "RackId can't be empty.");
  demand(memberEpoch >= LEAVE_EPOCH, 'MemberEpoch is invalid.');
  const subscribes = subscribedTopicNames !== null && subscribedTopicNames.length > 0;
  if (memberEpoch === 0) demand(subscribes, 'SubscribedTopicNames must be set in first request.');
}

/** ShareGroupHeartbeat. The request has passed {@link checkShareHeartbeat}. */
export function decideShareHeartbeat(
  group: ShareGroup,
  command: ShareHeartbeatCommand,
  world: ShareWorld,
): ShareGroupDecision<ShareHeartbeatAnswer> {
  const draft = new ShareGroupDraft(group, world);
  const leaves = command.request.memberEpoch === LEAVE_EPOCH;
  try {
    const answer = leaves ? decideLeave(draft, command.request) : decideStay(draft, command);
    return { group: draft.group, records: draft.records, answer, alive: leaves ? null : command.request.memberId };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { group, records: [], answer: shareHeartbeatFailure(error.errorCode, error.message), alive: null };
  }
}

function decideLeave(draft: ShareGroupDraft, { memberId }: ShareGroupHeartbeatRequest): ShareHeartbeatAnswer {
  if (!draft.group.members.has(memberId)) throw unknownMember(draft.group, memberId);
  removeMembers(draft, [memberId]);
  return { errorCode: ErrorCode.NONE, memberId, memberEpoch: LEAVE_EPOCH, heartbeatIntervalMs: 0 };
}

function unknownMember(group: ShareGroup, memberId: string): Refusal {
  return new Refusal(ErrorCode.UNKNOWN_MEMBER_ID, `Member ${memberId} is not a member of group ${group.id}.`);
}

function decideStay(draft: ShareGroupDraft, command: ShareHeartbeatCommand): ShareHeartbeatAnswer {
  const { memberId, memberEpoch } = command.request;
  const { rules, topics } = draft.world;
  throwIfFull(draft, memberId);
  const before = draft.group.members.get(memberId) ?? newShareMember(memberId);
  checkEpoch(draft.group, before, memberEpoch);
  const changed = updateMember(draft, before, command);
  if (changed || draft.group.checkedTopics !== topics) refreshEpoch(draft, changed);
  announceTopics(draft);
  if (draft.group.epoch > draft.group.assignmentEpoch) assignTargets(draft);
  draft.group.checkedTopics = topics;
  const epoch = draft.group.assignmentEpoch;
  const assigned = draft.group.targets.get(memberId) ?? NO_TARGET;
  const differs = !sameTarget(before.assigned, assigned);
  if (before.epoch !== epoch || differs) {
    draft.emit({ type: 'shareCurrent', memberId, value: { epoch, previousEpoch: before.epoch, assigned } });
  }
  return {
    errorCode: ErrorCode.NONE,
    memberId,
    memberEpoch: epoch,
    heartbeatIntervalMs: rules.heartbeatIntervalMs,
    assignment: memberEpoch === 0 || differs ? { topicPartitions: targetRows(assigned) } : null,
  };
}

function throwIfFull({ group, world }: ShareGroupDraft, memberId: string): void {
  const max = world.rules.membersMax;
  if (group.members.size < max || group.members.has(memberId)) return;
  const text = `The share group has reached its maximum capacity of ${max} members.`;
  throw new Refusal(ErrorCode.GROUP_MAX_SIZE_REACHED, text);
}

/** An epoch from the past is taken once: the answer that told the present one may have been lost. */
function checkEpoch(group: ShareGroup, member: ShareMember, received: number): void {
  if (received === 0 || received === member.epoch) return;
  if (!group.members.has(member.id)) throw unknownMember(group, member.id);
  if (received === member.previousEpoch) return;
  const advice = 'The member must abandon all its partitions and rejoin.';
  const known = `member epoch (${received}) than the one known by the group coordinator (${member.epoch})`;
  const text =
    received > member.epoch
      ? `The share group member has a greater ${known}. ${advice}`
      : `The share group member has a smaller ${known}, and it does not match the previous member epoch ` +
        `(${member.previousEpoch}). ${advice}`;
  throw new Refusal(ErrorCode.FENCED_MEMBER_EPOCH, text);
}

/** Stores what the member says about itself if it is news; true when it reads other topics now. */
function updateMember(draft: ShareGroupDraft, before: ShareMember, command: ShareHeartbeatCommand): boolean {
  const { request, clientId, clientHost } = command;
  const names = request.subscribedTopicNames;
  const value: ShareMemberMetadata = {
    rackId: request.rackId ?? before.rackId,
    clientId,
    clientHost,
    subscribedTopicNames: names === null ? before.subscribedTopicNames : [...new Set(names)].sort(),
  };
  const { rackId, subscribedTopicNames } = before;
  const old = { rackId, clientId: before.clientId, clientHost: before.clientHost, subscribedTopicNames };
  const isNew = !draft.group.members.has(before.id);
  if (isNew || JSON.stringify(value) !== JSON.stringify(old)) {
    draft.emit({ type: 'shareMember', memberId: before.id, value });
  }
  return isNew || JSON.stringify(value.subscribedTopicNames) !== JSON.stringify(subscribedTopicNames);
}

/** Raises the epoch when `changed`, or when the topics are not what they were. */
function refreshEpoch(draft: ShareGroupDraft, changed: boolean): void {
  const { group, world } = draft;
  const hash = metadataHash(subscribedShareTopics(group, world.topics));
  if (!changed && hash === group.metadataHash) return;
  draft.emit({ type: 'shareGroup', value: { epoch: group.epoch + 1, metadataHash: hash } });
}

/** Says of which partitions state has to be made before anybody gets them. */
function announceTopics(draft: ShareGroupDraft): void {
  const missing = missingTopics(draft.group, draft.world.topics);
  if (missing.size === 0) return;
  const { initializing, initialized } = draft.group;
  draft.emit({ type: 'shareTopics', value: { initializing: addTopics(initializing, missing), initialized } });
}

/** Computes the targets for the epoch of the group. */
function assignTargets(draft: ShareGroupDraft): void {
  const { group, world } = draft;
  const known = new Map<string, readonly number[]>();
  for (const { id } of subscribedShareTopics(group, world.topics)) {
    const partitions = group.initialized.get(id)?.partitions;
    if (partitions) known.set(id, partitions);
  }
  const members = [...group.members.values()].map((member): ShareSubscriber => {
    const topicIds = member.subscribedTopicNames.flatMap((name) => world.topics.topic(name)?.id ?? []);
    return {
      memberId: member.id,
      topicIds: new Set(topicIds),
      target: group.targets.get(member.id) ?? NO_TARGET,
    };
  });
  for (const [memberId, target] of assignSimply(members, known)) {
    const before = group.targets.get(memberId);
    if (!before || !sameTarget(before, target)) draft.emit({ type: 'shareTarget', memberId, value: target });
  }
  const value = { assignmentEpoch: group.epoch, timestampMs: world.now.epochMs };
  draft.emit({ type: 'shareTargetEpoch', value });
}

function removeMembers(draft: ShareGroupDraft, memberIds: readonly string[]): void {
  if (memberIds.length === 0) return;
  for (const memberId of memberIds) {
    draft.emit({ type: 'shareCurrent', memberId, value: null });
    draft.emit({ type: 'shareTarget', memberId, value: null });
    draft.emit({ type: 'shareMember', memberId, value: null });
  }
  refreshEpoch(draft, true);
}

/** Time has passed; the answer has the ids of the members that were dropped. */
export function decideShareTick(group: ShareGroup, world: ShareWorld): ShareGroupDecision<string[]> {
  const draft = new ShareGroupDraft(group, world);
  const late: string[] = [];
  for (const { id, sessionDeadlineMs } of group.members.values()) {
    if (sessionDeadlineMs <= world.now.monotonicMs) late.push(id);
  }
  removeMembers(draft, late);
  return { group: draft.group, records: draft.records, answer: late, alive: null };
}

/** The state of these partitions exists now: members may have them. */
export function decideInitialized(group: ShareGroup, topics: ShareTopics, world: ShareWorld): ShareGroupDecision<null> {
  const draft = new ShareGroupDraft(group, world);
  const initializing = withoutTopics(group.initializing, topics);
  draft.emit({ type: 'shareTopics', value: { initializing, initialized: addTopics(group.initialized, topics) } });
  draft.emit({ type: 'shareGroup', value: { epoch: group.epoch + 1, metadataHash: group.metadataHash } });
  if (group.members.size > 0) assignTargets(draft);
  return { group: draft.group, records: draft.records, answer: null, alive: null };
}

/** The state of these topics is gone. */
export function decideForgotten(
  group: ShareGroup,
  topicIds: readonly string[],
  world: ShareWorld,
): ShareGroupDecision<null> {
  const draft = new ShareGroupDraft(group, world);
  const gone = new Set(topicIds);
  const rest = (topics: ShareTopics): ShareTopics => new Map([...topics].filter(([id]) => !gone.has(id)));
  const value = { initializing: rest(group.initializing), initialized: rest(group.initialized) };
  draft.emit({ type: 'shareTopics', value });
  return { group: draft.group, records: draft.records, answer: null, alive: null };
}

/** Tombstones of everything that is stored of a group without members. */
export function shareGroupTombstones(groupId: string): ShareGroupRecord[] {
  return [
    { type: 'shareTopics', groupId, value: null },
    { type: 'shareTargetEpoch', groupId, value: null },
    { type: 'shareGroup', groupId, value: null },
  ];
}
