/**
 * The state machine of groups of the new protocol (KIP-848): what a request, or time, makes of a group.
 *
 * Guarantees: pure; the group given in stays as it was but for `checkedTopics`, which is no state. The runtime stores the
 * records, then makes the decided group the present one, then answers.
 */
import { ErrorCode } from '@kafka-template/protocol';
import type { MemberIdentity } from '../group/checks.js';
import { LEAVE_EPOCH, LEAVE_STATIC_EPOCH, type ConsumerGroup, type World } from './consumer-group.js';
import { ConsumerGroupDraft } from './draft.js';
import { decideHeartbeat, knownStaticMember, unknownMember, type HeartbeatCommand } from './heartbeat.js';
import { decideRemoval, fenceMembers, leaveForAWhile } from './leave.js';
import type { ConsumerGroupRecord } from './records.js';
import { heartbeatFailure, Refusal, type HeartbeatAnswer } from './replies.js';
import { decideConsumerTick } from './tick.js';

/** What a decision comes to. Nothing has happened yet. */
export interface ConsumerGroupDecision<A> {
  readonly group: ConsumerGroup;
  readonly records: readonly ConsumerGroupRecord[];
  readonly answer: A;
  /** The member whose session starts over; null for none. */
  readonly alive: string | null;
}

/** ConsumerGroupHeartbeat. The request has passed `checkRequest`. */
export function decideRequest(
  group: ConsumerGroup,
  command: HeartbeatCommand,
  world: World,
): ConsumerGroupDecision<HeartbeatAnswer> {
  const draft = new ConsumerGroupDraft(group, world);
  try {
    const leaves = command.request.memberEpoch < 0;
    const answer = leaves ? decideLeave(draft, command) : decideHeartbeat(draft, command);
    return { group: draft.group, records: draft.records, answer, alive: leaves ? null : command.memberId };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { group, records: [], answer: heartbeatFailure(error.errorCode, error.message), alive: null };
  }
}

function decideLeave(draft: ConsumerGroupDraft, { request, memberId }: HeartbeatCommand): HeartbeatAnswer {
  const { group } = draft;
  const { instanceId, memberEpoch } = request;
  const dynamic = group.members.get(memberId);
  const member = instanceId === null ? dynamic : knownStaticMember(group, { memberId, instanceId });
  if (!member) throw unknownMember(group, memberId);
  if (memberEpoch === LEAVE_STATIC_EPOCH) leaveForAWhile(draft, member);
  else fenceMembers(draft, [member.id]);
  const left = memberEpoch === LEAVE_STATIC_EPOCH ? LEAVE_STATIC_EPOCH : LEAVE_EPOCH;
  return { errorCode: ErrorCode.NONE, memberId: member.id, memberEpoch: left, heartbeatIntervalMs: 0 };
}

/** LeaveGroup; the answer has a code for each member. */
export function decideRemovals(
  group: ConsumerGroup,
  members: readonly MemberIdentity[],
  world: World,
): ConsumerGroupDecision<number[]> {
  const draft = new ConsumerGroupDraft(group, world);
  const answer = decideRemoval(draft, members);
  return { group: draft.group, records: draft.records, answer, alive: null };
}

/** Time has passed; the answer has the ids of the members that were dropped. */
export function decideTick(group: ConsumerGroup, world: World): ConsumerGroupDecision<string[]> {
  const draft = new ConsumerGroupDraft(group, world);
  const answer = decideConsumerTick(draft);
  return { group: draft.group, records: draft.records, answer, alive: null };
}

/** Tombstones of everything that is stored of a group without members. */
export function groupTombstones(groupId: string): ConsumerGroupRecord[] {
  return [
    { type: 'targetEpoch', groupId, value: null },
    { type: 'topics', groupId, value: null },
    { type: 'group', groupId, value: null },
  ];
}
