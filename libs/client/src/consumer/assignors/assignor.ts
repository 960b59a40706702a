/**
 * What the leader of a group does with the subscriptions of all members, whatever the strategy.
 *
 * Guarantees that every strategy sees the members in Java's order, so that mixed groups of Java and Node members get
 * the same assignment whoever leads. Leaves out how subscriptions and assignments travel (group/membership.ts).
 */
import type { TopicPartition } from '../topic-partition.js';

/** A member of the group, as the leader sees it. */
export interface GroupMember {
  readonly memberId: string;
  /** Set for static members (KIP-345). */
  readonly groupInstanceId: string | null;
  /** The topics this member subscribes to; members of one group may differ. */
  readonly topics: readonly string[];
  /** What it states to own still (KIP-429): nothing under the eager protocol. */
  readonly ownedPartitions: readonly TopicPartition[];
  /** In which generation that was (KIP-792), -1 when it does not say. */
  readonly generationId: number;
  /** Bytes of the strategy's own, made by {@link Assignor.userData}. */
  readonly userData: Buffer | null;
}

/** The assignment a member has taken over last. */
export interface LastAssignment {
  /** The generation it is from, -1 before the first. */
  readonly generationId: number;
  readonly partitions: readonly TopicPartition[];
}

/** A strategy for sharing out partitions. */
export interface Assignor {
  /** Name in `partitionAssignmentStrategy` and on the wire. */
  readonly name: string;
  /**
   * Whether members may keep what they own while they join (KIP-429): then a partition that has to change hands is in
   * nobody's share until its owner has given it up.
   */
  readonly isCooperative: boolean;
  /** What a member tells the leader beside its topics. */
  userData(last: LastAssignment): Buffer | null;
  /**
   * Shares out all partitions of all subscribed topics.
   *
   * @param members all members, in any order
   * @param partitionCounts number of partitions by topic; a topic without an entry does not exist (yet) and is left out
   * @returns the partitions of every member, by member id; a member that gets none has an empty list
   */
  assign(members: readonly GroupMember[], partitionCounts: ReadonlyMap<string, number>): Map<string, TopicPartition[]>;
}

/** Java's order of members: static ones first, by instance id, then the dynamic ones by member id. */
export function compareMembers(one: GroupMember, other: GroupMember): number {
  if (one.groupInstanceId !== null && other.groupInstanceId !== null) {
    return compareStrings(one.groupInstanceId, other.groupInstanceId);
  }
  if (one.groupInstanceId !== null) return -1;
  if (other.groupInstanceId !== null) return 1;
  return compareStrings(one.memberId, other.memberId);
}

/** Java's `String.compareTo`: by UTF-16 units, as `<` does in JavaScript. */
export function compareStrings(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** An assignment in which every member has nothing yet. */
export function emptyAssignment(members: readonly GroupMember[]): Map<string, TopicPartition[]> {
  return new Map(members.map((member) => [member.memberId, []]));
}
