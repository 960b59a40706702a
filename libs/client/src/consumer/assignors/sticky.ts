/**
 * The strategies `sticky` and `cooperative-sticky`: balanced, and otherwise everybody keeps what it had.
 *
 * Both share out alike. Under `sticky` members give everything up before they join (eager protocol) and remember by user
 * data what they had. Under `cooperative-sticky` they keep it and say so in the subscription (KIP-429): a partition that
 * is to change hands is withheld from its new owner, until a second round finds it given up.
 * Leaves out racks, as `range` does.
 */
import {
  decodeCooperativeStickyUserData,
  decodeStickyUserData,
  encodeCooperativeStickyUserData,
  encodeStickyUserData,
} from '@kafka-template/protocol';
import { groupByTopic, partitionKey, type TopicPartition } from '../topic-partition.js';
import { type Assignor, compareMembers, compareStrings, type GroupMember } from './assignor.js';
import { type Claim, claimOf, type PreviousOwnership, previousOwnership } from './sticky-claims.js';
import { shareOutEvenly } from './sticky-even.js';
import { shareOutUnevenly } from './sticky-uneven.js';

const NO_GENERATION_ID = -1;

/** The `sticky` strategy (Java: StickyAssignor). */
export const stickyAssignor: Assignor = {
  name: 'sticky',
  isCooperative: false,
  userData({ generationId, partitions }) {
    if (generationId === NO_GENERATION_ID) return null;
    const previousAssignment = [...groupByTopic(partitions)].map(([topic, entries]) => ({
      topic,
      partitions: entries.map((entry) => entry.partition),
    }));
    return encodeStickyUserData({ previousAssignment, generation: generationId });
  },
  assign(members, partitionCounts) {
    const sorted = [...members].sort(compareMembers);
    return shareOut(sorted, partitionCounts, previousOwnership(sorted.map(rememberedClaim), partitionCounts));
  },
};

/** The `cooperative-sticky` strategy (Java: CooperativeStickyAssignor). */
export const cooperativeStickyAssignor: Assignor = {
  name: 'cooperative-sticky',
  isCooperative: true,
  userData: ({ generationId }) => encodeCooperativeStickyUserData({ generation: generationId }),
  assign(members, partitionCounts) {
    const sorted = [...members].sort(compareMembers);
    const previous = previousOwnership(sorted.map(statedClaim), partitionCounts);
    const assignment = shareOut(sorted, partitionCounts, previous);
    for (const [memberId, partitions] of assignment) {
      assignment.set(
        memberId,
        partitions.filter((partition) => isFree(partition, memberId, previous)),
      );
    }
    return assignment;
  },
};

/** Whether nobody else has the partition still. */
function isFree(partition: TopicPartition, memberId: string, { ownerOf, disputed }: PreviousOwnership): boolean {
  const key = partitionKey(partition);
  return !disputed.has(key) && (ownerOf.get(key) ?? memberId) === memberId;
}

function shareOut(
  members: readonly GroupMember[],
  partitionCounts: ReadonlyMap<string, number>,
  { kept }: PreviousOwnership,
): Map<string, TopicPartition[]> {
  const topicsByMember = new Map(members.map(({ memberId, topics }) => [memberId, new Set(topics)]));
  const existing = [...new Set(members.flatMap(({ topics }) => topics))]
    .filter((topic) => partitionCounts.has(topic))
    .sort(compareStrings);
  const counts = new Map(existing.map((topic) => [topic, partitionCounts.get(topic) ?? 0]));
  const all = new Set(members.flatMap(({ topics }) => topics));
  const areEqual = [...topicsByMember.values()].every((topics) => topics.size === all.size);
  if (!areEqual) return shareOutUnevenly({ topicsByMember, kept, partitionCounts: counts });
  const partitions = [...counts].flatMap(([topic, count]) =>
    Array.from({ length: count }, (_, partition) => ({ topic, partition })),
  );
  return shareOutEvenly(kept, partitions);
}

/** What a member says under the eager protocol, where it owns nothing any more. */
function rememberedClaim(member: GroupMember): Claim {
  const { userData } = member;
  if (userData === null || userData.length === 0) return claimOf(member, [], NO_GENERATION_ID);
  try {
    const { previousAssignment, generation } = decodeStickyUserData(userData);
    const partitions = previousAssignment.flatMap(({ topic, partitions: numbers }) =>
      numbers.map((partition) => ({ topic, partition })),
    );
    return claimOf(member, partitions, generation);
  } catch {
    // Bytes of another client that mean something else: as if it were new.
    return claimOf(member, [], NO_GENERATION_ID);
  }
}

/** What a member says under the cooperative protocol; the generation is in the user data of older clients. */
function statedClaim(member: GroupMember): Claim {
  const { ownedPartitions, generationId, userData } = member;
  if (generationId >= 0 || userData === null) return claimOf(member, ownedPartitions, generationId);
  try {
    return claimOf(member, ownedPartitions, decodeCooperativeStickyUserData(userData).generation);
  } catch {
    return claimOf(member, ownedPartitions, NO_GENERATION_ID);
  }
}
