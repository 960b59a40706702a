/**
 * One step of a member towards its target: first it gives up what it shall not have, then it gets what is free.
 *
 * Guarantees: a partition is given out only when nobody has it any more; a member stays in its epoch until it has said
 * that it gave up what it was told to. Source: KIP-848, "Member Reconciliation".
 */
import { NO_OWNED, partitionKey, type Owned, type Target, type TopicPartitions } from './assignment.js';
import { isReconciled, MemberState, type ConsumerMember, type MemberAssignment } from './consumer-group.js';

/** What a step depends on beside the member. */
export interface ReconcileFacts {
  readonly target: Target;
  readonly assignmentEpoch: number;
  /** True while some member, this one included, has the partition. */
  readonly isOwned: (key: string) => boolean;
  /** What the member says it owns; null when it did not say. */
  readonly owned: readonly TopicPartitions[] | null;
}

/** The member's next assignment; the very same object when nothing changes. */
export function reconcile(member: ConsumerMember, facts: ReconcileFacts): MemberAssignment {
  if (isReconciled(member, facts.assignmentEpoch)) return member;
  switch (member.state) {
    case MemberState.UNREVOKED:
      if (stillOwns(facts.owned, member.pendingRevocation)) return member;
      return next(member, member.epoch + 1, facts);
    case MemberState.STABLE:
    case MemberState.UNRELEASED:
      return next(member, member.epoch, facts);
    default:
      return next(member, facts.assignmentEpoch, facts);
  }
}

/** Unless the member says otherwise it has everything it was given. */
function stillOwns(owned: readonly TopicPartitions[] | null, revoked: Owned): boolean {
  if (owned === null) return true;
  return owned.some(({ topicId, partitions }) => {
    const epochs = revoked.get(topicId);
    return epochs !== undefined && partitions.some((partition) => epochs.has(partition));
  });
}

function next(member: ConsumerMember, epoch: number, facts: ReconcileFacts): MemberAssignment {
  const { assigned, revoked, added, isMissingSome } = difference(member.assigned, facts);
  const previousEpoch = member.epoch;
  if (revoked.size > 0 && stillOwns(facts.owned, revoked)) {
    return { epoch, previousEpoch, state: MemberState.UNREVOKED, assigned, pendingRevocation: revoked };
  }
  for (const [topicId, epochs] of added) {
    assigned.set(topicId, new Map([...(assigned.get(topicId) ?? []), ...epochs]));
  }
  const state = isMissingSome ? MemberState.UNRELEASED : MemberState.STABLE;
  return { epoch: facts.assignmentEpoch, previousEpoch, state, assigned, pendingRevocation: NO_OWNED };
}

/** What the member keeps, must give up and can have now; and whether others still have some of its target. */
function difference(current: Owned, { target, assignmentEpoch, isOwned }: ReconcileFacts) {
  const assigned = new Map<string, Map<number, number>>();
  const revoked = new Map<string, Map<number, number>>();
  const added = new Map<string, Map<number, number>>();
  let isMissingSome = false;
  const put = (into: Map<string, Map<number, number>>, topicId: string, partition: number, epoch: number): void => {
    const epochs = into.get(topicId);
    if (epochs) epochs.set(partition, epoch);
    else into.set(topicId, new Map([[partition, epoch]]));
  };
  for (const [topicId, epochs] of current) {
    const wanted = new Set(target.get(topicId));
    for (const [partition, epoch] of epochs) put(wanted.has(partition) ? assigned : revoked, topicId, partition, epoch);
  }
  for (const [topicId, partitions] of target) {
    const had = current.get(topicId);
    for (const partition of partitions) {
      if (had?.has(partition)) continue;
      if (isOwned(partitionKey(topicId, partition))) isMissingSome = true;
      else put(added, topicId, partition, assignmentEpoch);
    }
  }
  return { assigned, revoked, added, isMissingSome };
}
