/**
 * The `range` strategy: for every topic, consecutive partitions to each member, the first members getting one more
 * when it does not come out even. Topics with the same subscribers and partition counts are co-partitioned: partition
 * n of all of them goes to the same member. Java's default.
 * Leaves out Java's preference for replicas in the member's own rack (KIP-881).
 */
import { type Assignor, compareMembers, emptyAssignment, type GroupMember } from './assignor.js';

/** The `range` strategy (Java: RangeAssignor). */
export const rangeAssignor: Assignor = {
  name: 'range',
  isCooperative: false,
  userData: () => null,
  assign(members, partitionCounts) {
    const assignment = emptyAssignment(members);
    for (const [topic, subscribers] of subscribersByTopic(members)) {
      const partitionCount = partitionCounts.get(topic);
      if (partitionCount === undefined) continue;
      const share = Math.floor(partitionCount / subscribers.length);
      const membersWithOneMore = partitionCount % subscribers.length;
      let partition = 0;
      subscribers.forEach((member, index) => {
        const end = partition + share + (index < membersWithOneMore ? 1 : 0);
        for (; partition < end; partition++) assignment.get(member.memberId)?.push({ topic, partition });
      });
    }
    return assignment;
  },
};

/** The subscribers of each topic, in Java's order of members. */
function subscribersByTopic(members: readonly GroupMember[]): Map<string, GroupMember[]> {
  const byTopic = new Map<string, GroupMember[]>();
  for (const member of [...members].sort(compareMembers)) {
    for (const topic of new Set(member.topics)) {
      const subscribers = byTopic.get(topic);
      if (subscribers === undefined) byTopic.set(topic, [member]);
      else subscribers.push(member);
    }
  }
  return byTopic;
}
