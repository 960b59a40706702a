/**
 * The `uniform` assignor: every member gets as many partitions as the next one, and keeps what it had where that is
 * possible.
 *
 * Guarantees: every partition somebody reads is given out; no member has two more than another that could take one of
 * them; with equal subscriptions no partition moves that need not. Source: KIP-848, "Uniform Assignor".
 */
import type { Target } from './assignment.js';
import type { Subscriber } from './subscriber.js';

interface Place {
  readonly topicId: string;
  readonly partition: number;
}

interface Share {
  readonly reader: Subscriber;
  readonly places: Place[];
}

/** See the file comment. */
export function assignUniform(
  members: readonly Subscriber[],
  partitionCounts: ReadonlyMap<string, number>,
): ReadonlyMap<string, Target> {
  const shares = [...members]
    .sort((left, right) => (left.memberId < right.memberId ? -1 : 1))
    .map((reader): Share => ({ reader, places: [] }));
  const free = keepWhatStays(shares, partitionCounts);
  for (const place of free) lightest(shares, place.topicId)?.places.push(place);
  level(shares);
  return new Map(shares.map(({ reader, places }) => [reader.memberId, targetOfPlaces(places)]));
}

/** Leaves everybody what it had and still reads; returns the rest, topics with the fewest readers first. */
function keepWhatStays(shares: readonly Share[], partitionCounts: ReadonlyMap<string, number>): Place[] {
  const taken = new Set<string>();
  for (const { reader, places } of shares) {
    for (const [topicId, partitions] of reader.target) {
      if (!reader.topicIds.has(topicId)) continue;
      for (const partition of partitions) {
        const key = `${topicId}/${partition}`;
        if (partition >= (partitionCounts.get(topicId) ?? 0) || taken.has(key)) continue;
        taken.add(key);
        places.push({ topicId, partition });
      }
    }
  }
  const readers = new Map<string, number>();
  for (const { reader } of shares) for (const id of reader.topicIds) readers.set(id, (readers.get(id) ?? 0) + 1);
  const topics = [...partitionCounts].sort(([left], [right]) => {
    const difference = (readers.get(left) ?? 0) - (readers.get(right) ?? 0);
    return difference !== 0 ? difference : left < right ? -1 : 1;
  });
  const free: Place[] = [];
  for (const [topicId, count] of topics) {
    for (let partition = 0; partition < count; partition += 1) {
      if (!taken.has(`${topicId}/${partition}`)) free.push({ topicId, partition });
    }
  }
  return free;
}

/** The reader of a topic with the fewest partitions. */
function lightest(shares: readonly Share[], topicId: string): Share | undefined {
  let best: Share | undefined;
  for (const share of shares) {
    if (!share.reader.topicIds.has(topicId)) continue;
    if (!best || share.places.length < best.places.length) best = share;
  }
  return best;
}

/** Moves single partitions from who has more to who has at least two less, until nothing can be moved: each move levels. */
function level(shares: readonly Share[]): void {
  for (let moved = true; moved;) {
    moved = false;
    const heaviestFirst = [...shares].sort((left, right) => right.places.length - left.places.length);
    for (const giver of heaviestFirst) {
      while (moveOne(giver, shares)) moved = true;
    }
  }
}

function moveOne(giver: Share, shares: readonly Share[]): boolean {
  let from = -1;
  let to: Share | undefined;
  // From the end: what came last is given away first, so that old partitions stay.
  for (let at = giver.places.length - 1; at >= 0; at -= 1) {
    const place = giver.places[at];
    if (!place || (at < giver.places.length - 1 && giver.places[at + 1]?.topicId === place.topicId)) continue;
    const taker = lightest(shares, place.topicId);
    if (!taker || taker.places.length > giver.places.length - 2) continue;
    if (to && to.places.length <= taker.places.length) continue;
    from = at;
    to = taker;
  }
  if (!to) return false;
  to.places.push(...giver.places.splice(from, 1));
  return true;
}

function targetOfPlaces(places: readonly Place[]): Target {
  const target = new Map<string, number[]>();
  for (const { topicId, partition } of places) {
    const partitions = target.get(topicId);
    if (partitions) partitions.push(partition);
    else target.set(topicId, [partition]);
  }
  for (const partitions of target.values()) partitions.sort((left, right) => left - right);
  return target;
}
