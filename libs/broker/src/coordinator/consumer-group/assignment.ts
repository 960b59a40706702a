/**
 * Sets of partitions by topic id, in the two forms that groups of the new protocol store: what a member shall have, and
 * what it has, with the epoch in which it got each partition.
 *
 * Guarantees: values never change; equal contents compare equal whatever the order they were put together in.
 */

/** Topic id to partitions in ascending order. Topics without partitions are left out. */
export type Target = ReadonlyMap<string, readonly number[]>;

/** Topic id to partition to the member epoch in which it was given (KIP-1251). Topics without partitions are left out. */
export type Owned = ReadonlyMap<string, ReadonlyMap<number, number>>;

/** One topic of an assignment in a message. */
export interface TopicPartitions {
  readonly topicId: string;
  readonly partitions: number[];
}

/** Nothing at all. */
export const NO_TARGET: Target = new Map();
/** Nothing at all. */
export const NO_OWNED: Owned = new Map();

/** One partition as a key of maps. */
export function partitionKey(topicId: string, partition: number): string {
  return `${topicId}/${partition}`;
}

/** A target from rows of a message. */
export function targetOf(
  rows: readonly { readonly topicId: string; readonly partitions: readonly number[] }[],
): Target {
  const target = new Map<string, readonly number[]>();
  for (const { topicId, partitions } of rows) if (partitions.length > 0) target.set(topicId, ascending(partitions));
  return target;
}

/** A target as rows of a message, topics in the order of their ids. */
export function targetRows(target: Target): TopicPartitions[] {
  return [...target]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([topicId, partitions]) => ({ topicId, partitions: [...partitions] }));
}

/** What somebody owns as rows of a message, topics in the order of their ids. */
export function ownedRows(owned: Owned): TopicPartitions[] {
  return targetRows(partitionsOf(owned));
}

/** What somebody owns, without the epochs. */
export function partitionsOf(owned: Owned): Target {
  return new Map([...owned].map(([topicId, epochs]) => [topicId, ascending([...epochs.keys()])]));
}

/** Both together; `second` wins where they overlap. */
export function unionOf(first: Owned, second: Owned): Owned {
  const union = new Map(first);
  for (const [topicId, epochs] of second) union.set(topicId, new Map([...(first.get(topicId) ?? []), ...epochs]));
  return union;
}

/** True when both name the same partitions. */
export function sameTarget(left: Target, right: Target): boolean {
  if (left.size !== right.size) return false;
  for (const [topicId, partitions] of left) {
    const other = right.get(topicId);
    if (other?.length !== partitions.length || partitions.some((partition, at) => other[at] !== partition))
      return false;
  }
  return true;
}

/** True when both name the same partitions, given in the same epochs. */
export function sameOwned(left: Owned, right: Owned): boolean {
  if (left.size !== right.size) return false;
  for (const [topicId, epochs] of left) {
    const other = right.get(topicId);
    if (other?.size !== epochs.size) return false;
    for (const [partition, epoch] of epochs) if (other.get(partition) !== epoch) return false;
  }
  return true;
}

function ascending(partitions: readonly number[]): number[] {
  return [...partitions].sort((left, right) => left - right);
}
