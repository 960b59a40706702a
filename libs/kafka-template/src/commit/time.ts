/**
 * TIME: what has queued up is committed when more than `ackTimeMs` have passed since the last commit.
 *
 * Asked after every record and after every poll, empty ones too; an idle consumer is therefore late by up to one poll.
 * The first interval counts from the start of the container.
 */
import type { Offsets } from './commit-strategy.js';
import { QueuedStrategy } from './queued-strategy.js';

/** Commits at intervals. */
export class TimeStrategy extends QueuedStrategy {
  readonly #ackTimeMs: number;
  #lastCommitAt: number;

  /** `startedAt` is the time the container starts, in epoch milliseconds. */
  constructor(ackTimeMs: number, startedAt: number) {
    super();
    this.#ackTimeMs = ackTimeMs;
    this.#lastCommitAt = startedAt;
  }

  protected override isDue(now: number): boolean {
    return now - this.#lastCommitAt > this.#ackTimeMs && !this.pending.isEmpty;
  }

  protected override handOut(now: number): Offsets | undefined {
    this.#lastCommitAt = now;
    return super.handOut(now);
  }
}
