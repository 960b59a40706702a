/**
 * Takes acknowledgements from listeners to the commit strategy, and commits what that allows.
 *
 * An acknowledgement for a partition that has been revoked since is void: the record comes again, to the new owner. One that
 * comes after the listener has returned wakes the loop, so that it is committed now and not after the poll.
 */
import type { AcknowledgmentTarget, CommitAnswer } from '../commit/acknowledgment.js';
import type { Offsets, RecordRef } from '../commit/commit-strategy.js';
import { type OffsetCommit, partitionName, recordName } from '../drivers/driver.js';
import { isMembershipLost } from './committer.js';
import type { ContainerRuntime } from './container-runtime.js';
import { isFatal } from './fatal-errors.js';

const NOTED: PromiseLike<void> = Promise.resolve();

/** Receives the acknowledgements of one container. */
export class AckReceiver implements AcknowledgmentTarget {
  readonly #runtime: ContainerRuntime;
  /** Commits made by the call in hand; the dispatcher waits for them. */
  #commits: Promise<void>[] = [];
  #isCallInHand = false;

  constructor(runtime: ContainerRuntime) {
    this.#runtime = runtime;
  }

  /** A listener is about to be called. */
  begin(): void {
    this.#isCallInHand = true;
  }

  /**
   * The listener has returned. Returns the wait for the commits it has made, if it has; that rejects when one shows that the
   * partitions are lost.
   */
  end(): Promise<void> | undefined {
    this.#isCallInHand = false;
    if (this.#commits.length === 0) return undefined;
    const commits = this.#commits;
    this.#commits = [];
    return settled(commits);
  }

  acknowledged(records: readonly RecordRef[]): PromiseLike<void> {
    const [only] = records;
    if (only !== undefined && records.length === 1) return this.#acknowledgedOne(only);
    const offsets: OffsetCommit[] = [];
    // Out of order each record counts for itself; else the last of a partition stands for all.
    for (const record of this.#runtime.parts.window === undefined ? lastOfEach(records) : records) {
      if (!this.#isCurrent(record)) continue;
      offsets.push(...(this.#runtime.earn(record) ?? []));
    }
    return offsets.length > 0 ? this.#commit(offsets) : this.#noted();
  }

  #acknowledgedOne(record: RecordRef): PromiseLike<void> {
    const offsets = this.#isCurrent(record) ? this.#runtime.earn(record) : undefined;
    return offsets === undefined ? this.#noted() : this.#commit(offsets);
  }

  #noted(): PromiseLike<void> {
    if (!this.#isCallInHand) this.#runtime.parts.wake();
    return NOTED;
  }

  commitSync(chosen: readonly OffsetCommit[] | undefined): Promise<void> {
    const offsets = this.#choose(chosen);
    return offsets.length === 0 ? Promise.resolve() : this.#follow(this.#runtime.parts.committer.commitNow(offsets));
  }

  commitAsync(chosen: readonly OffsetCommit[] | undefined, callback: CommitAnswer | undefined): void {
    const offsets = this.#choose(chosen);
    if (offsets.length > 0) this.#runtime.parts.committer.commitLater(offsets, callback);
    else callback?.(null, offsets);
  }

  /** What is to be committed: everything earned, or the chosen offsets of partitions that are here, as far as they lead on. */
  #choose(chosen: readonly OffsetCommit[] | undefined): Offsets {
    const { strategy, clock, assignment, log, containerId } = this.#runtime.parts;
    if (chosen === undefined) return strategy.onFlush?.(clock.now()) ?? [];
    const here = chosen.filter((offset) => assignment.owns(offset));
    if (here.length < chosen.length)
      log.warn(`${containerId}: offsets of partitions that are not assigned here were not committed`);
    return strategy.onChosen?.(here) ?? here;
  }

  #commit(offsets: Offsets): Promise<void> {
    return this.#follow(this.#runtime.parts.committer.commit(offsets));
  }

  #follow(commit: Promise<void>): Promise<void> {
    // Whoever awaits it hears of a failure; whoever does not must not bring the process down.
    commit.catch((error: unknown) => {
      this.#runtime.parts.committer.logFailure(
        'the commit of an acknowledgement failed; the next one covers it',
        error,
      );
    });
    if (this.#isCallInHand) this.#commits.push(commit);
    return commit;
  }

  #isCurrent(record: RecordRef): boolean {
    if (this.#runtime.parts.assignment.epochOf(record) === record.epoch) return true;
    const { containerId, log } = this.#runtime.parts;
    log.warn(`${containerId}: ${recordName(record)} was acknowledged after its partition had been revoked`);
    return false;
  }
}

async function settled(commits: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(commits)) {
    if (outcome.status === 'rejected' && (isMembershipLost(outcome.reason) || isFatal(outcome.reason))) {
      throw outcome.reason;
    }
  }
}

/** The last record of each partition: acknowledging it covers the others. */
export function lastOfEach(records: readonly RecordRef[]): Iterable<RecordRef> {
  if (records.length === 1) return records;
  const last = new Map<string, RecordRef>();
  for (const record of records) last.set(partitionName(record), record);
  return last.values();
}
