/**
 * Sets of partitions, as a transaction keeps them: topic to partition numbers.
 *
 * Guarantees: a set never changes; adding makes a new one that shares the topics that stayed the same.
 */

/** Topic to partitions. No topic is there with an empty set. */
export type PartitionSet = ReadonlyMap<string, ReadonlySet<number>>;

/** One topic of a {@link PartitionSet} as messages and records have it. */
export interface TopicPartitions {
  readonly topic: string;
  readonly partitions: readonly number[];
}

/** The set without anything in it. */
export const NO_PARTITIONS: PartitionSet = new Map();

/** A set from rows; a topic may have several rows. */
export function partitionSet(rows: Iterable<TopicPartitions>): PartitionSet {
  const set = new Map<string, Set<number>>();
  for (const { topic, partitions } of rows) {
    if (partitions.length === 0) continue;
    const known = set.get(topic);
    if (known === undefined) set.set(topic, new Set(partitions));
    else for (const partition of partitions) known.add(partition);
  }
  return set;
}

/** The set as rows: topics as they were added, partitions in ascending order. */
export function rowsOf(set: PartitionSet): { topic: string; partitions: number[] }[] {
  return [...set].map(([topic, partitions]) => ({ topic, partitions: [...partitions].sort((a, b) => a - b) }));
}

/** True when `set` has all of `others`. */
export function includesAll(set: PartitionSet, others: PartitionSet): boolean {
  for (const [topic, partitions] of others) {
    const known = set.get(topic);
    if (known === undefined) return false;
    for (const partition of partitions) if (!known.has(partition)) return false;
  }
  return true;
}

/** Both sets together. */
export function union(set: PartitionSet, others: PartitionSet): PartitionSet {
  const all = new Map(set);
  for (const [topic, partitions] of others) {
    const known = all.get(topic);
    all.set(topic, known === undefined ? partitions : new Set([...known, ...partitions]));
  }
  return all;
}
