/**
 * Kafka's `simple` assignor of share groups: partitions are shared out, not owned.
 *
 * Guarantees: every partition somebody reads has at least one member that reads it, every member has a partition of what
 * it reads when there is one, and the numbers of members of the partitions differ as little as the subscriptions allow.
 * Members keep what they had where that is not too much. Source: KIP-932, "Share group assignment".
 */
import { partitionKey, targetOf, type Target } from '../../consumer-group/assignment.js';

/** A member as the assignor sees it. */
export interface ShareSubscriber {
  readonly memberId: string;
  /** Ids of the topics it reads, all of which exist. */
  readonly topicIds: ReadonlySet<string>;
  /** What it was to have until now. */
  readonly target: Target;
}

interface Slot {
  readonly topicId: string;
  readonly partition: number;
  readonly members: Set<string>;
}

/** Members, and the partitions of each topic, to what each member shall have; every member is in the result. */
export function assignSimply(
  members: readonly ShareSubscriber[],
  partitions: ReadonlyMap<string, readonly number[]>,
): Map<string, Target> {
  const slots = new Map<string, Slot>();
  for (const [topicId, numbers] of partitions) {
    for (const partition of numbers) {
      slots.set(partitionKey(topicId, partition), { topicId, partition, members: new Set() });
    }
  }
  const counts = new Map(members.map(({ memberId }) => [memberId, 0]));
  const give = (slot: Slot, memberId: string): void => {
    if (slot.members.has(memberId)) return;
    slot.members.add(memberId);
    counts.set(memberId, (counts.get(memberId) ?? 0) + 1);
  };
  const ordered = [...members].sort((left, right) => (left.memberId < right.memberId ? -1 : 1));
  keep(ordered, slots, give);
  for (const slot of slots.values()) {
    if (slot.members.size > 0) continue;
    const taker = least(
      ordered.filter(({ topicIds }) => topicIds.has(slot.topicId)),
      ({ memberId }) => counts.get(memberId) ?? 0,
    );
    if (taker) give(slot, taker.memberId);
  }
  for (const { memberId, topicIds } of ordered) {
    if ((counts.get(memberId) ?? 0) > 0) continue;
    const readable = [...slots.values()].filter(({ topicId }) => topicIds.has(topicId));
    const slot = least(readable, (candidate) => candidate.members.size);
    if (slot) give(slot, memberId);
  }
  return targets(ordered, slots);
}

/** What members had stays theirs: one member of a partition, and no more partitions than a fair part. */
function keep(
  members: readonly ShareSubscriber[],
  slots: ReadonlyMap<string, Slot>,
  give: (slot: Slot, memberId: string) => void,
): void {
  const partitionsEach = Math.max(1, Math.ceil(slots.size / Math.max(1, members.length)));
  const membersEach = Math.max(1, Math.ceil(members.length / Math.max(1, slots.size)));
  for (const { memberId, topicIds, target } of members) {
    let kept = 0;
    for (const [topicId, numbers] of target) {
      if (!topicIds.has(topicId)) continue;
      for (const partition of numbers) {
        const slot = slots.get(partitionKey(topicId, partition));
        if (!slot || slot.members.size >= membersEach || kept >= partitionsEach) continue;
        give(slot, memberId);
        kept += 1;
      }
    }
  }
}

function least<T>(candidates: readonly T[], size: (candidate: T) => number): T | undefined {
  let best: T | undefined;
  for (const candidate of candidates) if (best === undefined || size(candidate) < size(best)) best = candidate;
  return best;
}

function targets(members: readonly ShareSubscriber[], slots: ReadonlyMap<string, Slot>): Map<string, Target> {
  const rows = new Map<string, Map<string, number[]>>(members.map(({ memberId }) => [memberId, new Map()]));
  for (const { topicId, partition, members: readers } of slots.values()) {
    for (const memberId of readers) {
      const topics = rows.get(memberId);
      const numbers = topics?.get(topicId);
      if (numbers) numbers.push(partition);
      else topics?.set(topicId, [partition]);
    }
  }
  return new Map(
    [...rows].map(([memberId, topics]) => [
      memberId,
      targetOf([...topics].map(([topicId, partitions]) => ({ topicId, partitions }))),
    ]),
  );
}
