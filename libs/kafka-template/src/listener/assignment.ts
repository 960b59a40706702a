/**
 * The partitions a container has now, each with a number that tells one assignment of it from the next.
 *
 * Filled by the rebalance callbacks; at most one entry per partition of the subscribed topics.
 */
import { type TopicPartition, partitionName } from '../drivers/driver.js';

interface Owned {
  readonly partition: TopicPartition;
  readonly epoch: number;
}

/** Who owns what, as of the last rebalance. */
export class Assignment {
  readonly #owned = new Map<string, Owned>();
  #epoch = 0;
  #changes = 0;
  #isKnown = false;
  /** The partition asked about last: records come in runs of one. Void after any change. */
  #last: Owned | undefined;

  /** The partitions come to this consumer. One that was there already keeps its number. */
  add(partitions: readonly TopicPartition[]): void {
    this.#epoch++;
    this.#changed();
    for (const { topic, partition } of partitions) {
      const name = partitionName({ topic, partition });
      if (!this.#owned.has(name)) this.#owned.set(name, { partition: { topic, partition }, epoch: this.#epoch });
    }
  }

  /** The partitions go. */
  remove(partitions: readonly TopicPartition[]): void {
    this.#changed();
    for (const partition of partitions) this.#owned.delete(partitionName(partition));
  }

  /** The partitions stay, but what was delivered from them so far counts no longer: each gets another number. */
  renew(partitions: readonly TopicPartition[]): void {
    const owned = partitions.filter((partition) => this.owns(partition));
    this.remove(owned);
    this.add(owned);
  }

  /** Grows with every change: as long as it is the same, so are all numbers. */
  get changes(): number {
    return this.#changes;
  }

  /** Number of the present assignment of a partition; undefined when it is not here. */
  epochOf(partition: TopicPartition): number | undefined {
    const last = this.#last;
    if (
      last !== undefined &&
      last.partition.partition === partition.partition &&
      last.partition.topic === partition.topic
    )
      return last.epoch;
    this.#last = this.#owned.get(partitionName(partition));
    return this.#last?.epoch;
  }

  /** Whether the partition is here. */
  owns(partition: TopicPartition): boolean {
    return this.#owned.has(partitionName(partition));
  }

  /** All partitions that are here. */
  list(): TopicPartition[] {
    return [...this.#owned.values()].map((owned) => owned.partition);
  }

  /** The positions of what was added are known, too. */
  settle(): void {
    this.#isKnown = true;
  }

  /** Whether there has been an assignment, be it an empty one, with its positions. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  #changed(): void {
    this.#changes++;
    this.#last = undefined;
  }
}
