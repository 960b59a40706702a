/**
 * A partition of a topic, and the key under which maps hold it.
 *
 * Guarantees that two partitions have the same key exactly when they are the same: the number after the last dash is
 * the partition, whatever dashes the topic's name has.
 */

/** One partition of one topic. */
export interface TopicPartition {
  readonly topic: string;
  /** Number of the partition, from 0. */
  readonly partition: number;
}

/** The key of a partition in maps and sets, and its name in messages: `orders-3`. */
export function partitionKey({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`;
}

/** Names of partitions for messages, in the order given: `orders-0, orders-1`. */
export function partitionNames(partitions: Iterable<TopicPartition>): string {
  return Array.from(partitions, partitionKey).join(', ');
}

/** Sorts by topic, then partition; the topics in the order Java compares strings (UTF-16 units), not by locale. */
export function comparePartitions(one: TopicPartition, other: TopicPartition): number {
  if (one.topic !== other.topic) return one.topic < other.topic ? -1 : 1;
  return one.partition - other.partition;
}

/** Partitions gathered under their topic, topics in the order of their first partition. */
export function groupByTopic<T extends TopicPartition>(partitions: Iterable<T>): Map<string, T[]> {
  const byTopic = new Map<string, T[]>();
  for (const entry of partitions) {
    const entries = byTopic.get(entry.topic);
    if (entries === undefined) byTopic.set(entry.topic, [entry]);
    else entries.push(entry);
  }
  return byTopic;
}
