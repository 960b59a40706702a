/**
 * The `roundrobin` strategy: all partitions of all topics, sorted, are dealt out one by one to the members in turn,
 * passing over members that do not subscribe to the topic at hand. With equal subscriptions no member has more than one
 * partition more than any other.
 */
import { type Assignor, compareMembers, compareStrings, emptyAssignment, type GroupMember } from './assignor.js';

/** The `roundrobin` strategy (Java: RoundRobinAssignor). */
export const roundRobinAssignor: Assignor = {
  name: 'roundrobin',
  isCooperative: false,
  userData: () => null,
  assign(members, partitionCounts) {
    const assignment = emptyAssignment(members);
    const sorted = [...members].sort(compareMembers);
    const subscriptions = sorted.map((member) => new Set(member.topics));
    const topics = [...new Set(sorted.flatMap((member) => member.topics))].sort(compareStrings);
    let turn = 0;
    for (const topic of topics) {
      const partitionCount = partitionCounts.get(topic) ?? 0;
      for (let partition = 0; partition < partitionCount; partition++) {
        // Ends, because every topic in the list has at least one subscriber.
        while (!subscriptions[turn]?.has(topic)) turn = (turn + 1) % sorted.length;
        assignment.get((sorted[turn] as GroupMember).memberId)?.push({ topic, partition });
        turn = (turn + 1) % sorted.length;
      }
    }
    return assignment;
  },
};
