/**
 * The partitions with batches that wait to be sent, in the order in which they take turns.
 *
 * Guarantees what a Set does: each is in it once, the newest last, and it may change while it is walked through. It is a
 * list that links the queues themselves, which live long: a Set leaves a dead table behind every few changes, each points
 * to the next, and once one of them is old all that they ever held lives until the next full garbage collection.
 */
import type { PartitionQueue } from './partition-queue.js';

/** The list. */
export class ActivePartitions {
  private first: PartitionQueue | null = null;
  private last: PartitionQueue | null = null;

  /** Whether nothing waits anywhere. */
  get isEmpty(): boolean {
    return this.first === null;
  }

  /** Adds a partition at the end, unless it is in the list. */
  add(queue: PartitionQueue): void {
    if (queue.isActive) return;
    queue.isActive = true;
    queue.previousActive = this.last;
    if (this.last === null) this.first = queue;
    else this.last.nextActive = queue;
    this.last = queue;
  }

  /** Takes a partition out, if it is in the list. */
  delete(queue: PartitionQueue): void {
    if (!queue.isActive) return;
    const { previousActive, nextActive } = queue;
    if (previousActive === null) this.first = nextActive;
    else previousActive.nextActive = nextActive;
    if (nextActive === null) this.last = previousActive;
    else nextActive.previousActive = previousActive;
    queue.isActive = false;
    queue.previousActive = null;
    queue.nextActive = null;
  }

  /** Takes all out. */
  clear(): void {
    for (let queue = this.first; queue !== null; queue = this.first) this.delete(queue);
  }

  /** In order. The partition that was given last may be taken out, and others added, while walking. */
  *[Symbol.iterator](): Generator<PartitionQueue, void> {
    let queue = this.first;
    while (queue !== null) {
      const next: PartitionQueue | null = queue.nextActive;
      yield queue;
      queue = queue.isActive ? queue.nextActive : next;
    }
  }
}
