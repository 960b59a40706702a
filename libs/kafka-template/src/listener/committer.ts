/**
 * Sends commits in the style of the listener, and remembers what is not confirmed yet.
 *
 * Guarantees that commits reach the broker in the order they were made, that the callback hears of each exactly once, and
 * that `commitFinally` leaves nothing on its way. Which offsets are right to commit is not decided here.
 */
import { callGuarded } from '../io/call-guarded.js';
import { CommitStyle } from '../commit/ack-mode.js';
import type { Offsets } from '../commit/commit-strategy.js';
import { type DriverConsumer, type OffsetCommit, type TopicPartition, partitionName } from '../drivers/driver.js';
import { asError, errorCodeOf } from '../errors.js';
import type { ContainerEventBody } from '../events/container-event.js';
import type { Clock, Timer } from '../io/clock.js';
import type { Log } from '../io/log.js';
import type { CommitFailureLog } from './commit-failure-log.js';
import type { CommitCallback } from './container-settings.js';

/** After these the partitions belong to someone else: the offsets are of no use to anybody. */
const LOST_CODES: ReadonlySet<string> = new Set([
  'COMMIT_FAILED',
  'UNKNOWN_MEMBER_ID',
  'ILLEGAL_GENERATION',
  'FENCED_INSTANCE_ID',
  'STALE_MEMBER_EPOCH',
  'FENCED_MEMBER_EPOCH',
]);

/** Whether a commit failed because the group has gone on without this member. */
export function isMembershipLost(error: unknown): boolean {
  return LOST_CODES.has(errorCodeOf(error) ?? '');
}

/** How and with whose help commits are sent. */
export interface CommitterParts {
  readonly consumer: DriverConsumer;
  readonly style: CommitStyle;
  /** How often a retriable failure of a synchronous commit is tried again. */
  readonly retries: number;
  /** How long a final commit waits for asynchronous ones. */
  readonly settleTimeoutMs: number;
  readonly callback: CommitCallback | undefined;
  /** Text beside offsets that have none. */
  readonly metadata?: ((offset: OffsetCommit) => string | undefined) | undefined;
  readonly publish: (event: ContainerEventBody) => void;
  readonly failures: CommitFailureLog;
  readonly clock: Clock;
  readonly log: Log;
}

/** Somebody waits for the answer to a commit; `timer` runs once the wait is limited. */
interface Wait {
  readonly giveUp: () => void;
  timer: Timer | undefined;
}

/** Commits offsets. */
export class Committer {
  readonly #parts: CommitterParts;
  /** By partition, what was to be committed and is not known to have been. */
  readonly #unconfirmed = new Map<string, OffsetCommit>();
  #onTheirWay = 0;
  #whenSettled: (() => void) | undefined;
  #tail: Promise<void> = Promise.resolve();
  #hasLeftovers = false;
  #isAbandoned = false;
  /** Those who wait for the answer to a synchronous commit. */
  readonly #waits = new Set<Wait>();
  #graceMs: number | undefined;

  constructor(parts: CommitterParts) {
    this.#parts = parts;
  }

  /** Commits in the steady state. Resolves at once in the asynchronous styles. Rejects when a synchronous commit fails. */
  async commit(offsets: Offsets): Promise<void> {
    if (this.#parts.style === CommitStyle.SYNC) return this.commitNow(offsets);
    this.commitLater(offsets);
  }

  /** Commits whatever the style, and waits for the answer. Rejects when it is a refusal. */
  async commitNow(offsets: Offsets): Promise<void> {
    this.#remember(offsets);
    return this.#inOrder(() => this.#commitSync());
  }

  /** Commits whatever the style, without waiting; `callback` hears the answer besides the listener's. */
  commitLater(offsets: Offsets, callback?: CommitCallback): void {
    this.#commitAsync(this.#remember(offsets), callback);
  }

  /** The last commit before partitions go or the consumer closes: waits for everything. Failures are only logged. */
  async commitFinally(offsets: Offsets | undefined): Promise<void> {
    if (this.#parts.style === CommitStyle.ASYNC) {
      if (offsets !== undefined) this.commitLater(offsets);
      await this.#settled();
      return;
    }
    if (offsets !== undefined) this.#remember(offsets);
    await this.#settled();
    // What is left over is sent with the rest.
    this.#hasLeftovers = false;
    try {
      await this.#inOrder(() => this.#commitSync());
    } catch (error) {
      this.#parts.log.error('The last commit failed: some records will be delivered again', error);
    }
    if (!this.#hasLeftovers) return;
    this.#parts.log.warn('The group refused the last commit during a rebalance: some records may be delivered again');
  }

  /** After a poll: sends again what a rebalance kept from being committed for partitions that are still ours. */
  async commitLeftovers(): Promise<void> {
    if (!this.#hasLeftovers) return;
    this.#hasLeftovers = false;
    if (this.#unconfirmed.size === 0) return;
    if (this.#parts.style === CommitStyle.SYNC) await this.#inOrder(() => this.#commitSync());
    else this.#commitAsync([...this.#unconfirmed.values()]);
  }

  /**
   * The partitions are gone. What could not be committed for them is never sent later, when it would move the position of
   * their new owner back.
   */
  forget(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#unconfirmed.delete(partitionName(partition));
  }

  /** A commit failed that somebody waited for. Said once per cause. */
  logFailure(what: string, error: unknown): void {
    this.#parts.failures.failed(what, error);
  }

  /** No commit follows. */
  end(): void {
    this.#parts.failures.end();
  }

  /**
   * The container stops: from now on nobody waits longer than this for the answer to a commit. When one wait has been
   * in vain the broker is away, and no further commit is tried.
   */
  limitWaits(graceMs: number): void {
    this.#graceMs = graceMs;
    for (const wait of this.#waits) this.#limit(wait);
  }

  /** One synchronous commit after the other: a retry never overtakes a later offset. */
  #inOrder(work: () => Promise<void>): Promise<void> {
    if (this.#isAbandoned) return Promise.resolve();
    const done = this.#tail.then(work);
    this.#tail = done.catch(() => undefined);
    return new Promise((resolve, reject) => {
      const wait: Wait = { giveUp: resolve, timer: undefined };
      this.#waits.add(wait);
      if (this.#graceMs !== undefined) this.#limit(wait);
      const end = (): void => {
        wait.timer?.cancel();
        this.#waits.delete(wait);
      };
      done.then(
        () => {
          end();
          resolve();
        },
        (error: unknown) => {
          end();
          reject(asError(error));
        },
      );
    });
  }

  #limit(wait: Wait): void {
    wait.timer ??= this.#parts.clock.setTimer(this.#graceMs ?? 0, () => {
      if (!this.#isAbandoned) {
        this.#parts.log.warn(
          'The broker has not answered the last commit in time: some records may be delivered again',
        );
      }
      this.#isAbandoned = true;
      this.#waits.delete(wait);
      wait.giveUp();
    });
  }

  async #commitSync(): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      // Looked up for every attempt: partitions may have been lost since the last one.
      const offsets = [...this.#unconfirmed.values()];
      if (offsets.length === 0) return;
      try {
        await this.#parts.consumer.commitSync(offsets);
        this.#succeeded(offsets);
        return;
      } catch (error) {
        if (errorCodeOf(error) === 'REBALANCE_IN_PROGRESS') {
          this.#hasLeftovers = true;
          return;
        }
        if (errorCodeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') {
          this.#dropped(asError(error), offsets);
          return;
        }
        // A wake-up is meant for the poll; it may reach a commit that comes right after it.
        const isRetriable = (error as { retriable?: unknown }).retriable === true || errorCodeOf(error) === 'WAKEUP';
        if (isRetriable && attempt < this.#parts.retries) continue;
        this.#failed(asError(error), offsets);
        throw error;
      }
    }
  }

  #commitAsync(offsets: Offsets, callback?: CommitCallback): void {
    this.#onTheirWay++;
    this.#parts.consumer.commitAsync(offsets, (error) => {
      callGuarded(
        () => callback?.(error, offsets),
        (thrown) => this.#parts.log.error('The callback of a commit failed', thrown),
      );
      if (error === null) this.#succeeded(offsets);
      else if (errorCodeOf(error) === 'REBALANCE_IN_PROGRESS') this.#hasLeftovers = true;
      else {
        this.#parts.failures.failed('an asynchronous commit failed; the next one covers it', error);
        this.#failed(error, offsets);
      }
      this.#onTheirWay--;
      if (this.#onTheirWay === 0) this.#whenSettled?.();
    });
  }

  #succeeded(offsets: Offsets): void {
    for (const offset of offsets) {
      const name = partitionName(offset);
      // A later offset may be on its way already; that one is still to be confirmed.
      if ((this.#unconfirmed.get(name)?.offset ?? -1) <= offset.offset) this.#unconfirmed.delete(name);
    }
    this.#parts.failures.succeeded();
    this.#parts.publish({ type: 'committed', offsets });
    this.#tellCallback(null, offsets);
  }

  #failed(error: Error, offsets: Offsets): void {
    if (isMembershipLost(error)) this.forget(offsets);
    this.#parts.publish({ type: 'commit-failed', offsets, error });
    this.#tellCallback(error, offsets);
  }

  /** A topic is gone. Its offsets must not keep those of other topics from being committed with the next commit. */
  #dropped(error: Error, offsets: Offsets): void {
    this.#parts.log.error('A commit was refused for a topic that does not exist any more', error);
    this.forget(offsets);
    this.#failed(error, offsets);
  }

  #tellCallback(error: Error | null, offsets: Offsets): void {
    callGuarded(
      () => this.#parts.callback?.(error, offsets),
      (thrown) => this.#parts.log.error('The commitCallback failed', thrown),
    );
  }

  /** Notes what is to be committed, and returns it as it is sent. */
  #remember(offsets: Offsets): Offsets {
    const sent = this.#parts.metadata === undefined ? offsets : offsets.map((offset) => this.#withMetadata(offset));
    for (const offset of sent) this.#unconfirmed.set(partitionName(offset), offset);
    return sent;
  }

  #withMetadata(offset: OffsetCommit): OffsetCommit {
    if (offset.metadata !== undefined) return offset;
    try {
      const metadata = this.#parts.metadata?.(offset);
      return metadata === undefined ? offset : { ...offset, metadata };
    } catch (error) {
      this.#parts.log.error('commitMetadata failed; the offset is committed without', error);
      return offset;
    }
  }

  async #settled(): Promise<void> {
    if (this.#onTheirWay === 0 || this.#isAbandoned) return;
    await new Promise<void>((resolve) => {
      const timer = this.#parts.clock.setTimer(this.#parts.settleTimeoutMs, resolve);
      this.#whenSettled = () => {
        timer.cancel();
        resolve();
      };
    });
    this.#whenSettled = undefined;
  }
}
