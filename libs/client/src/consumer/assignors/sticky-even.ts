/**
 * Sticky sharing out when all members subscribe to the same topics.
 *
 * Guarantees that no member has more than one partition more than another, and that as many partitions as that allows
 * stay where they were: everybody keeps up to its quota, and only what is free is dealt out (Java: the constrained
 * builder of AbstractStickyAssignor). One pass, linear in members and partitions.
 */
import { partitionKey, type TopicPartition } from '../topic-partition.js';

/**
 * Shares out.
 *
 * @param kept what each member owned, all of it existing and claimed once, in the order in which members come first
 * @param partitions all partitions, in the order in which free ones are dealt out
 */
export function shareOutEvenly(
  kept: ReadonlyMap<string, readonly TopicPartition[]>,
  partitions: readonly TopicPartition[],
): Map<string, TopicPartition[]> {
  const quota = Math.floor(partitions.length / kept.size);
  /** How many members get one more than the quota. */
  let surplus = partitions.length % kept.size;
  const assignment = new Map<string, TopicPartition[]>();
  const taken = new Set<string>();
  for (const [memberId, owned] of kept) {
    // What has to go is spread over the topics: of each the highest numbers.
    const sorted = [...owned].sort(byNumber);
    const hasSurplus = surplus > 0 && sorted.length > quota;
    if (hasSurplus) surplus--;
    const stays = sorted.slice(0, quota + (hasSurplus ? 1 : 0));
    for (const each of stays) taken.add(partitionKey(each));
    assignment.set(memberId, stays);
  }
  const free = partitions.filter((each) => !taken.has(partitionKey(each)));
  deal(free, [...assignment.values()], quota);
  return assignment;
}

/** Deals out in turn: first to those below the quota, then one each to those that are at it. */
function deal(free: readonly TopicPartition[], shares: readonly TopicPartition[][], quota: number): void {
  let next = 0;
  let below = shares.filter((share) => share.length < quota);
  while (below.length > 0) {
    for (const share of below) {
      const partition = free[next++];
      if (partition !== undefined) share.push(partition);
    }
    below = below.filter((share) => share.length < quota);
  }
  for (const share of shares) {
    const partition = share.length === quota ? free[next] : undefined;
    if (partition === undefined) continue;
    share.push(partition);
    next++;
  }
}

function byNumber(one: TopicPartition, other: TopicPartition): number {
  if (one.partition !== other.partition) return one.partition - other.partition;
  return one.topic < other.topic ? -1 : one.topic > other.topic ? 1 : 0;
}
