/**
 * Who owned what before a round, as far as the members' own words can be believed.
 *
 * Guarantees Java's rules: of two members that claim a partition the one of the higher generation is right (the other
 * has missed rounds); of the same generation neither is, and the partition is `disputed`: nobody keeps it. Claims to
 * partitions that do not exist (any more), or to topics the member does not subscribe to (any more), are left out of
 * what it may keep, but the partition still has an owner who has to give it up.
 */
import { partitionKey, type TopicPartition } from '../topic-partition.js';
import type { GroupMember } from './assignor.js';

/** What one member says it owned. */
export interface Claim {
  readonly memberId: string;
  readonly topics: readonly string[];
  readonly partitions: readonly TopicPartition[];
  /** The generation in which it owned them, -1 when it does not say. */
  readonly generationId: number;
}

/** The state before a round. */
export interface PreviousOwnership {
  /** By member id, what it owned and may keep. Every member has an entry. */
  readonly kept: ReadonlyMap<string, readonly TopicPartition[]>;
  /** By partition key, the member that has it, whether it may keep it or not. */
  readonly ownerOf: ReadonlyMap<string, string>;
  /** Keys of the partitions that two members of one generation claim. */
  readonly disputed: ReadonlySet<string>;
}

/** A member's words under the cooperative protocol or, by user data, under the eager one. */
export function claimOf(
  { memberId, topics }: GroupMember,
  partitions: readonly TopicPartition[],
  generationId: number,
): Claim {
  return { memberId, topics, partitions, generationId };
}

/** Settles the claims of all members. */
export function previousOwnership(
  claims: readonly Claim[],
  partitionCounts: ReadonlyMap<string, number>,
): PreviousOwnership {
  const best = new Map<string, { claim: Claim; partition: TopicPartition }>();
  const disputed = new Set<string>();
  for (const claim of claims) {
    for (const partition of claim.partitions) {
      const key = partitionKey(partition);
      const rival = best.get(key);
      if (rival?.claim === claim) continue;
      if (rival !== undefined && rival.claim.generationId > claim.generationId) continue;
      if (rival?.claim.generationId === claim.generationId) disputed.add(key);
      else disputed.delete(key);
      best.set(key, { claim, partition });
    }
  }
  const kept = new Map<string, TopicPartition[]>(claims.map(({ memberId }) => [memberId, []]));
  const subscribed = new Map(claims.map(({ memberId, topics }) => [memberId, new Set(topics)]));
  const ownerOf = new Map<string, string>();
  for (const [key, { claim, partition }] of best) {
    if (disputed.has(key)) continue;
    const { memberId } = claim;
    ownerOf.set(key, memberId);
    const exists = partition.partition >= 0 && partition.partition < (partitionCounts.get(partition.topic) ?? 0);
    if (exists && subscribed.get(memberId)?.has(partition.topic) === true) kept.get(memberId)?.push(partition);
  }
  return { kept, ownerOf, disputed };
}
