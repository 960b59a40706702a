/**
 * Which partitions are paused and why: by request, the whole container or single ones; until a time; while they are full.
 *
 * Reasons are kept apart from what the consumer has been told; `apply` makes the two agree, before each poll and after
 * each assignment. Requests survive rebalances; the other reasons go with their partition. A consumer may or may not keep the
 * pause of a partition that goes and comes back: it is told again.
 */
import { type DriverConsumer, type TopicPartition, partitionName } from '../drivers/driver.js';
import type { Assignment } from './assignment.js';

/** How long to poll in which situation, in milliseconds. */
export interface PollTimeouts {
  readonly pollTimeoutMs: number;
  readonly pollTimeoutWhilePausedMs: number;
}

/** Pauses and resumes partitions for good reasons. */
export class Pauses {
  readonly #consumer: DriverConsumer;
  readonly #assignment: Assignment;
  readonly #until = new Map<string, number>();
  readonly #applied = new Set<string>();
  /** Partitions that went while they were paused: what the consumer will know of it when they come back is not known here. */
  readonly #unsure = new Set<string>();
  readonly #full = new Set<string>();
  #requested: ReadonlySet<string> = new Set();
  #isContainerPaused = false;
  #holds = 0;

  constructor(consumer: DriverConsumer, assignment: Assignment) {
    this.#consumer = consumer;
    this.#assignment = assignment;
  }

  /** Whether the whole container has been asked to pause. */
  get isContainerPaused(): boolean {
    return this.#isContainerPaused;
  }

  /** Asks for, or ends, a pause of the whole container. */
  setContainerPaused(isPaused: boolean): void {
    this.#isContainerPaused = isPaused;
  }

  /** Partitions that are paused by request, by name. The container keeps the set; it outlives this consumer. */
  setRequested(names: ReadonlySet<string>): void {
    this.#requested = names;
  }

  /** Holds everything while the container polls only to stay a member. As many calls of `release` let go. */
  hold(): void {
    this.#holds++;
  }

  /** Ends one `hold`. */
  release(): void {
    this.#holds--;
  }

  /** The partition may, or may not, deliver more before some of its records are finished. */
  setFull(partition: TopicPartition, isFull: boolean): void {
    if (isFull) this.#full.add(partitionName(partition));
    else this.#full.delete(partitionName(partition));
  }

  /** Whether the partition waits for its records to be finished. */
  isFull(partition: TopicPartition): boolean {
    return this.#full.has(partitionName(partition));
  }

  /** Whether the consumer has been told to pause the partition. */
  isApplied(partition: TopicPartition): boolean {
    return this.#applied.has(partitionName(partition));
  }

  /** Pauses partitions until a time in epoch milliseconds; the later of two times counts. */
  pauseUntil(partitions: readonly TopicPartition[], until: number): void {
    for (const partition of partitions) {
      const name = partitionName(partition);
      this.#until.set(name, Math.max(until, this.#until.get(name) ?? 0));
    }
  }

  /** The partitions are gone, and with them the reasons that were theirs. */
  forget(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) {
      const name = partitionName(partition);
      this.#until.delete(name);
      if (this.#applied.delete(name)) this.#unsure.add(name);
      this.#full.delete(name);
    }
  }

  /** Tells the consumer what has changed. */
  apply(now: number): void {
    const isAllPaused = this.#isContainerPaused || this.#holds > 0;
    const isAnyPaused = this.#until.size > 0 || this.#full.size > 0 || this.#requested.size > 0;
    const isAnyApplied = this.#applied.size > 0 || this.#unsure.size > 0;
    if (!isAllPaused && !isAnyPaused && !isAnyApplied) return;
    const toPause: TopicPartition[] = [];
    const toResume: TopicPartition[] = [];
    for (const partition of this.#assignment.list()) {
      const name = partitionName(partition);
      const until = this.#until.get(name);
      if (until !== undefined && until <= now) this.#until.delete(name);
      const isWaiting = until !== undefined && until > now;
      const isWanted = isAllPaused || isWaiting || this.#full.has(name) || this.#requested.has(name);
      const isUnsure = this.#unsure.delete(name);
      if (isWanted === this.#applied.has(name) && !isUnsure) continue;
      if (isWanted) {
        this.#applied.add(name);
        toPause.push(partition);
      } else {
        this.#applied.delete(name);
        toResume.push(partition);
      }
    }
    if (toPause.length > 0) this.#consumer.pause(toPause);
    if (toResume.length > 0) this.#consumer.resume(toResume);
  }

  /** How long the next poll may wait: not past the end of a pause. */
  pollTimeout(now: number, timeouts: PollTimeouts): number {
    let timeout = this.#isContainerPaused ? timeouts.pollTimeoutWhilePausedMs : timeouts.pollTimeoutMs;
    for (const until of this.#until.values()) timeout = Math.min(timeout, Math.max(0, until - now));
    return timeout;
  }
}
