/**
 * A commit rule as data: after how many records, after how much time, when nothing comes, and whether the listener has to say so.
 *
 * The seven ack modes are points of this space; here any point can be named. What cannot be (a commit per record of a
 * batch listener) is refused when the application starts. Whatever the policy, what was earned is committed when
 * partitions are revoked and when the container stops.
 */
import type { CommitStrategy, Offsets, RecordRef } from './commit-strategy.js';
import type { CommitStrategyFactory } from './create-strategy.js';
import { QueuedStrategy } from './queued-strategy.js';

/** The whichever-comes-first limits of a policy; at least one of the two. */
export type CommitLimits =
  { readonly records: number; readonly ms?: number } | { readonly records?: number; readonly ms: number };

/** When offsets are committed: `{ every: { records: 500, ms: 1000 }, onIdle: true }`. */
export interface CommitPolicy {
  /**
   * `record`: at once; `poll`: after the records of a poll; or when that many records wait, or when more than `ms`
   * milliseconds have passed since the last commit, whichever comes first. Default `poll`, and with `onIdle` alone: never else.
   */
  readonly every?: 'record' | 'poll' | CommitLimits;
  /** Also when a poll finds nothing more. Default false. */
  readonly onIdle?: boolean;
  /** Only what the listener has acknowledged counts. Default false: what it has finished. */
  readonly manual?: boolean;
}

/** Everything wrong with a policy; `label` is the option it was given in. */
export function checkCommitPolicy(label: string, policy: CommitPolicy, batch: boolean): string[] {
  if (typeof policy !== 'object' || policy === null) {
    return [`${label} must be an object such as { every: { records: 500, ms: 1000 }, onIdle: true }`];
  }
  const problems: string[] = [];
  for (const name of Object.keys(policy)) {
    if (!['every', 'onIdle', 'manual'].includes(name)) {
      problems.push(`${label}.${name} is not an option: the options are every, onIdle, manual`);
    }
  }
  const { every } = policy;
  if (every === 'record' && batch && policy.manual !== true) {
    problems.push(`${label}.every 'record' makes no sense for a batch listener: use 'poll'`);
  }
  if (every === undefined || every === 'record' || every === 'poll') return problems;
  if (typeof every !== 'object' || every === null) {
    return [...problems, `${label}.every must be 'record', 'poll', or { records, ms }`];
  }
  const { records, ms } = every;
  if (records === undefined && ms === undefined) problems.push(`${label}.every needs records, ms, or both`);
  if (records !== undefined && !(Number.isInteger(records) && records >= 1)) {
    problems.push(`${label}.every.records must be a whole number from 1`);
  }
  if (ms !== undefined && !(typeof ms === 'number' && ms >= 0)) {
    problems.push(`${label}.every.ms must be a number from 0`);
  }
  return problems;
}

/** The factory for a policy. */
export function policyFactory(policy: CommitPolicy): CommitStrategyFactory {
  return (startedAt): CommitStrategy => new PolicyStrategy(policy, startedAt);
}

/** Commits as a policy says. */
export class PolicyStrategy extends QueuedStrategy {
  override readonly manual: boolean;
  readonly #records: number;
  readonly #ms: number;
  readonly #isAfterPoll: boolean;
  readonly #isOnIdle: boolean;
  #lastCommitAt: number;

  /** `startedAt` is the time the container starts, in epoch milliseconds. */
  constructor({ every, onIdle = false, manual = false }: CommitPolicy, startedAt: number) {
    super();
    this.manual = manual;
    const limits: Partial<CommitLimits> = typeof every === 'object' ? every : {};
    this.#records = every === 'record' ? 1 : (limits.records ?? Number.POSITIVE_INFINITY);
    this.#ms = limits.ms ?? Number.POSITIVE_INFINITY;
    this.#isAfterPoll = every === 'poll' || (every === undefined && !onIdle);
    this.#isOnIdle = onIdle;
    this.#lastCommitAt = startedAt;
  }

  override onProcessed(record: RecordRef, now: number): Offsets | undefined {
    return this.manual ? undefined : super.onProcessed(record, now);
  }

  override onBatchProcessed(records: readonly RecordRef[], now: number): Offsets | undefined {
    return this.manual ? undefined : super.onBatchProcessed(records, now);
  }

  override onAcknowledged(record: RecordRef, now: number): Offsets | undefined {
    return this.manual ? super.onProcessed(record, now) : undefined;
  }

  override onPollDone(count: number, now: number): Offsets | undefined {
    if (this.#isAfterPoll || (this.#isOnIdle && count === 0)) return this.handOut(now);
    return super.onPollDone(count, now);
  }

  protected override isDue(now: number): boolean {
    if (this.pending.isEmpty) return false;
    return this.count >= this.#records || now - this.#lastCommitAt > this.#ms;
  }

  protected override handOut(now: number): Offsets | undefined {
    this.#lastCommitAt = now;
    return super.handOut(now);
  }
}
