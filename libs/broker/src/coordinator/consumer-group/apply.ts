/**
 * What a record does to a group of the new protocol: the only way one changes.
 *
 * Guarantees: decisions and recovery go through the same function; records may come in the order that compaction leaves
 * (a member's assignment before the member itself), and tombstones of what is not there do nothing.
 */
import { MemberState, newConsumerMember, type ConsumerGroup, type ConsumerMember } from './consumer-group.js';
import { NO_OWNED, partitionKey, type Owned } from './assignment.js';
import type { ConsumerGroupRecord } from './records.js';

/** Deadlines begin when a record is applied: for a recovered group, when it is loaded. */
export interface ApplyTimes {
  readonly monotonicMs: number;
  readonly sessionTimeoutMs: number;
}

/** Changes the group as the record says. The end of the group itself (type `group` without a value) is the caller's. */
export function applyConsumerGroupRecord(group: ConsumerGroup, record: ConsumerGroupRecord, times: ApplyTimes): void {
  switch (record.type) {
    case 'group':
      if (record.value) Object.assign(group, record.value);
      return;
    case 'member':
      return applyMember(group, record, times);
    case 'targetEpoch':
      group.assignmentEpoch = record.value?.assignmentEpoch ?? 0;
      group.assignedMs = record.value?.timestampMs ?? 0;
      return;
    case 'target':
      if (record.value) group.targets.set(record.memberId, record.value);
      else group.targets.delete(record.memberId);
      return;
    case 'current':
      return applyCurrent(group, record, times);
    case 'pattern':
      if (record.value) group.patterns.set(record.pattern, record.value.topics);
      else group.patterns.delete(record.pattern);
      return;
    case 'topics':
      return;
  }
}

type MemberRecord = Extract<ConsumerGroupRecord, { type: 'member' }>;
type CurrentRecord = Extract<ConsumerGroupRecord, { type: 'current' }>;

function applyMember(group: ConsumerGroup, { memberId, value }: MemberRecord, times: ApplyTimes): void {
  const before = group.members.get(memberId);
  if (before?.instanceId != null && group.staticMembers.get(before.instanceId) === memberId) {
    group.staticMembers.delete(before.instanceId);
  }
  if (!value) {
    if (before) release(group, before);
    group.members.delete(memberId);
    return;
  }
  group.members.set(memberId, { ...(before ?? entering(memberId, times)), ...value });
  if (value.instanceId !== null) group.staticMembers.set(value.instanceId, memberId);
}

function applyCurrent(group: ConsumerGroup, { memberId, value }: CurrentRecord, times: ApplyTimes): void {
  const before = group.members.get(memberId);
  if (!before && !value) return;
  const member = before ?? entering(memberId, times);
  release(group, member);
  const nothing = { epoch: 0, previousEpoch: 0, state: MemberState.STABLE, assigned: NO_OWNED };
  const assignment = value ?? { ...nothing, pendingRevocation: NO_OWNED };
  const revokes = assignment.state === MemberState.UNREVOKED;
  const revocationDeadlineMs = revokes ? times.monotonicMs + Math.max(member.rebalanceTimeoutMs, 0) : Infinity;
  group.members.set(memberId, { ...member, ...assignment, revocationDeadlineMs });
  claim(group, memberId, assignment.assigned);
  claim(group, memberId, assignment.pendingRevocation);
}

function entering(memberId: string, times: ApplyTimes): ConsumerMember {
  return { ...newConsumerMember(memberId), sessionDeadlineMs: times.monotonicMs + times.sessionTimeoutMs };
}

function claim(group: ConsumerGroup, memberId: string, owned: Owned): void {
  for (const [topicId, epochs] of owned) {
    for (const partition of epochs.keys()) group.owners.set(partitionKey(topicId, partition), memberId);
  }
}

function release(group: ConsumerGroup, { id, assigned, pendingRevocation }: ConsumerMember): void {
  for (const owned of [assigned, pendingRevocation]) {
    for (const [topicId, epochs] of owned) {
      for (const partition of epochs.keys()) {
        const key = partitionKey(topicId, partition);
        if (group.owners.get(key) === id) group.owners.delete(key);
      }
    }
  }
}
