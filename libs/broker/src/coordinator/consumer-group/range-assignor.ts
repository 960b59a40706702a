/**
 * The `range` assignor: every topic is cut into ranges, one per member, so that equal keys of different topics with as
 * many partitions come to the same member.
 *
 * Guarantees: static members come first, by instance id, so that a restart changes nothing; members that share their
 * subscription get the same range of every topic. Source: KIP-848, "Range Assignor".
 */
import type { Target } from './assignment.js';
import type { Subscriber } from './subscriber.js';

/** See the file comment. */
export function assignRange(
  members: readonly Subscriber[],
  partitionCounts: ReadonlyMap<string, number>,
): ReadonlyMap<string, Target> {
  const ordered = [...members].sort(byInstanceThenId);
  const targets = new Map(ordered.map(({ memberId }) => [memberId, new Map<string, number[]>()]));
  for (const [topicId, count] of partitionCounts) {
    const readers = ordered.filter(({ topicIds }) => topicIds.has(topicId));
    const share = Math.floor(count / readers.length);
    const withOneMore = count % readers.length;
    let start = 0;
    readers.forEach(({ memberId }, index) => {
      const size = share + (index < withOneMore ? 1 : 0);
      const range = Array.from({ length: size }, (_, offset) => start + offset);
      if (size > 0) targets.get(memberId)?.set(topicId, range);
      start += size;
    });
  }
  return targets;
}

function byInstanceThenId(left: Subscriber, right: Subscriber): number {
  if (left.instanceId !== null && right.instanceId !== null) return compare(left.instanceId, right.instanceId);
  if (left.instanceId !== null) return -1;
  if (right.instanceId !== null) return 1;
  return compare(left.memberId, right.memberId);
}

function compare(left: string, right: string): number {
  return left < right ? -1 : 1;
}
