/**
 * The automatic commit of a consumer.
 *
 * Guarantees: it commits positions, which are behind the records that an *earlier* `poll` has returned: those of the
 * last one are committed by the next call at the earliest, so that a crash repeats records and never leaves any out.
 * Only positions that have moved since the last commit are sent. Leaves out when the partitions are given up; the owner
 * then calls {@link commitNow}.
 */
import { asKafkaError, ClientErrorCode } from '../../errors.js';
import { type ConsumerContext, retryPauseMs } from '../consumer-context.js';
import type { Commits, OffsetCommit } from './commits.js';

/** Commits regularly from the poll loop. */
export class AutoCommit {
  private dueMs: number;
  private underWay = false;

  constructor(
    private readonly context: ConsumerContext,
    private readonly commits: Commits,
  ) {
    this.dueMs = this.afterInterval();
  }

  /** Monotonic time of the next commit, for the poll loop to wake up by; Infinity when there is none. */
  get nextMs(): number {
    return this.enabled && !this.underWay ? this.dueMs : Infinity;
  }

  /** New partitions: the interval begins anew. */
  restart(): void {
    this.dueMs = this.afterInterval();
  }

  /** Commits in the background when it is time. */
  commitIfDue(nowMs: number): void {
    if (!this.enabled || this.underWay || nowMs < this.dueMs) return;
    this.commitInBackground();
  }

  /** Commits in the background whether it is time or not: the partitions are about to change by `assign`. */
  commitInBackground(): void {
    this.dueMs = this.afterInterval();
    const offsets = this.enabled ? positionsToCommit(this.context, { onlyMoved: true }) : [];
    if (offsets.length === 0) return;
    this.underWay = true;
    this.commits.commitAsync(offsets, (error) => {
      this.underWay = false;
      if (error === null) return;
      if (error.retriable) this.dueMs = this.context.io.clock.monotonic() + retryPauseMs(this.context, 1);
      else this.context.options.logger.warn('The automatic commit failed.', { error });
    });
  }

  /** Commits and waits: the partitions are about to be given up. Never rejects; a failure is logged. */
  async commitNow(timeoutMs: number): Promise<void> {
    const offsets = this.enabled ? positionsToCommit(this.context, { onlyMoved: true }) : [];
    try {
      // With nothing to commit this waits for the commits before it.
      await this.commits.commitSync(offsets, timeoutMs);
    } catch (thrown) {
      const error = asKafkaError(thrown, ClientErrorCode.COMMIT_FAILED, 'Committing failed');
      this.context.options.logger.warn(
        'The automatic commit before giving up partitions failed; their next owner reads some records again.',
        { error },
      );
    }
  }

  private get enabled(): boolean {
    return this.context.options.enableAutoCommit;
  }

  private afterInterval(): number {
    return this.context.io.clock.monotonic() + this.context.options.autoCommitIntervalMs;
  }
}

/**
 * The positions of all assigned partitions as offsets to commit.
 *
 * @param options `onlyMoved` leaves out those that equal the last committed offset
 */
export function positionsToCommit(
  context: Pick<ConsumerContext, 'subscriptions'>,
  options: { readonly onlyMoved: boolean },
): OffsetCommit[] {
  const offsets: OffsetCommit[] = [];
  for (const state of context.subscriptions.partitions.values()) {
    if (!state.hasPosition || (options.onlyMoved && state.position === state.committedOffset)) continue;
    offsets.push({ ...state.topicPartition, offset: state.position, leaderEpoch: state.positionEpoch });
  }
  return offsets;
}
