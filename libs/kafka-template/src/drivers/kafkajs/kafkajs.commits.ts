/**
 * The commits of a consumer: one after the other, so that none overtakes a later one, and when the automatic ones are due.
 */
import type { Clock } from '../../io/clock.js';
import type { Log } from '../../io/log.js';
import type { ConsumerProperties } from '../driver-options.js';
import type { OffsetCommit } from '../driver.js';
import { KafkaJsError, driverErrorOf } from './kafkajs.error.js';
import type { Membership } from './kafkajs.membership.js';

/** Hears of an asynchronous commit. */
export type CommitCallback = (error: Error | null, offsets: readonly OffsetCommit[]) => void;

/** What commits need. */
export interface KafkaJsCommitsParts {
  readonly membership: Membership;
  readonly options: ConsumerProperties;
  readonly clock: Clock;
  readonly log: Log;
  /** A callback threw. */
  readonly onCallbackError: (error: KafkaJsError) => void;
}

/** Sends commits in order. */
export class KafkaJsCommits {
  readonly #parts: KafkaJsCommitsParts;
  #tail: Promise<void> = Promise.resolve();
  #dueMs: number;

  constructor(parts: KafkaJsCommitsParts) {
    this.#parts = parts;
    this.#dueMs = parts.clock.now();
  }

  /** Whether the client commits by itself. */
  get isAutomatic(): boolean {
    return this.#parts.options.enableAutoCommit ?? true;
  }

  /** Whether an automatic commit is due; asked, it counts as made. */
  isDue(): boolean {
    const { clock, options } = this.#parts;
    if (!this.isAutomatic || clock.now() < this.#dueMs) return false;
    this.#dueMs = clock.now() + (options.autoCommitIntervalMs ?? 5000);
    return true;
  }

  /** Commits after all commits before have been answered. */
  commit(offsets: readonly OffsetCommit[]): Promise<void> {
    const done = this.#tail.then(() => this.#parts.membership.commit(offsets));
    this.#tail = done.catch(() => undefined);
    return done;
  }

  /** Resolves when all commits made so far have been answered. */
  settled(): Promise<void> {
    return this.#tail;
  }

  /** Tells the outcome of a commit to the callback, or a failure to the log. */
  report(commit: Promise<void>, offsets: readonly OffsetCommit[], callback: CommitCallback | undefined): void {
    const tell = (error: KafkaJsError | null): void => {
      if (callback !== undefined) callback(error, offsets);
      else if (error !== null) this.#parts.log.warn(`An asynchronous commit failed: ${error.message}`);
    };
    commit
      .then(
        () => tell(null),
        (error: unknown) => tell(driverErrorOf(error, 'committing offsets')),
      )
      .catch((thrown: unknown) => {
        const error = new KafkaJsError('LISTENER_FAILED', 'A commit callback threw.', { cause: thrown });
        this.#parts.onCallbackError(error);
      });
  }
}
