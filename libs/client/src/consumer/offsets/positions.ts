/**
 * Finds the positions of partitions that have none: the committed offset, or an end of the log by `autoOffsetReset`.
 *
 * Guarantees: the committed offsets of all partitions are asked for together; a reset changes the position in memory and
 * nothing else, above all it commits nothing; an answer that arrives after a `seek` is dropped. With `none` the missing
 * offsets are an error for `poll` that names the partitions.
 */
import { ClientErrorCode, KafkaError } from '../../errors.js';
import { type ConsumerContext, retryPauseMs } from '../consumer-context.js';
import type { PartitionState, ResetTarget } from '../partition-state.js';
import { partitionKey, partitionNames } from '../topic-partition.js';
import type { CommittedOffset, CommittedOffsets } from './committed-offsets.js';
import { type OffsetLookup, type OffsetOutcome, OffsetSpec } from './list-offsets.js';

const TIMESTAMP: Readonly<Record<ResetTarget, number>> = {
  earliest: OffsetSpec.EARLIEST,
  latest: OffsetSpec.LATEST,
};

/** A partition at the moment a look-up was sent. */
interface Lookup {
  readonly state: PartitionState;
  readonly version: number;
}

/** Looks for positions, in the background of the poll loop. */
export class Positions {
  private error: KafkaError | null = null;
  private earliestRetryMs = Infinity;

  constructor(
    private readonly context: ConsumerContext,
    /** Null without a group. */
    private readonly committed: CommittedOffsets | null,
    private readonly lookup: OffsetLookup,
    /** Told when positions have been found that come from a commit. */
    private readonly onCommittedFound: () => void,
  ) {}

  /** Monotonic time at which a failed look-up may be tried again; Infinity when none waits. */
  get nextMs(): number {
    return this.earliestRetryMs;
  }

  /**
   * Starts the look-ups that are needed and can be made now.
   *
   * @throws KafkaError what an earlier one came to: NO_OFFSET_FOR_PARTITION, or an error that will not pass
   */
  update(nowMs: number): void {
    if (this.error !== null) {
      const { error } = this;
      this.error = null;
      throw error;
    }
    const initial: Lookup[] = [];
    const resets: Lookup[] = [];
    const lost: PartitionState[] = [];
    this.earliestRetryMs = Infinity;
    for (const state of this.context.subscriptions.partitions.values()) {
      if (state.hasPosition || state.lookingUp || state.revoking) continue;
      if (!state.mayTry(nowMs)) {
        this.earliestRetryMs = Math.min(this.earliestRetryMs, state.retryAtMs);
        continue;
      }
      if (state.needsSeek) {
        lost.push(state);
        continue;
      }
      state.lookingUp = true;
      (state.resetTarget === null ? initial : resets).push({ state, version: state.version });
    }
    if (initial.length > 0) void this.initialise(initial);
    if (resets.length > 0) this.reset(resets);
    if (lost.length === 0) return;
    this.resetByPolicy(lost, 'The topic was deleted and created again, so that there is no offset');
    this.context.signal.raise();
  }

  /** No position from a commit, or one that does not exist: by the policy, or the error `none` asks for. */
  resetByPolicy(states: readonly PartitionState[], reason: string): void {
    const policy = this.context.options.autoOffsetReset;
    if (policy !== 'none') {
      for (const state of states) state.requestReset(policy);
      return;
    }
    const pauseUntilMs = this.context.io.clock.monotonic() + retryPauseMs(this.context, 1);
    for (const state of states) state.failed(pauseUntilMs);
    this.error = new KafkaError(
      ClientErrorCode.NO_OFFSET_FOR_PARTITION,
      `${reason} for ${partitionNames(states.map((state) => state.topicPartition))}, and autoOffsetReset is "none". ` +
        'seek() to where reading shall begin, or set autoOffsetReset to "earliest" or "latest".',
    );
  }

  private async initialise(lookups: readonly Lookup[]): Promise<void> {
    try {
      const offsets =
        (await this.committed?.fetch(
          lookups.map(({ state }) => state.topicPartition),
          this.context.options.defaultApiTimeoutMs,
        )) ?? [];
      this.applyCommitted(lookups, offsets);
    } catch (error) {
      this.onFailure(lookups, error as KafkaError);
    }
    this.context.signal.raise();
  }

  private applyCommitted(lookups: readonly Lookup[], offsets: readonly CommittedOffset[]): void {
    const byKey = new Map(offsets.map((each) => [partitionKey(each), each]));
    const missing: PartitionState[] = [];
    for (const { state } of this.current(lookups)) {
      const found = byKey.get(state.key);
      state.lookingUp = false;
      if (found?.offset == null) {
        missing.push(state);
        continue;
      }
      state.seek(found.offset, found.leaderEpoch);
      state.committedOffset = found.offset;
    }
    if (missing.length > 0) this.resetByPolicy(missing, 'There is no committed offset');
    this.onCommittedFound();
  }

  private reset(lookups: readonly Lookup[]): void {
    const byKey = new Map(lookups.map((each) => [each.state.key, each]));
    const queries = lookups.map(({ state }) => ({
      ...state.topicPartition,
      timestamp: TIMESTAMP[state.resetTarget as ResetTarget],
    }));
    for (const [leader, group] of this.lookup.byLeader(queries)) {
      if (leader === -1) {
        this.awaitLeaders(group.map((query) => byKey.get(partitionKey(query)) as Lookup));
        continue;
      }
      void this.lookup.ask(leader, group).then((outcomes) => {
        for (const outcome of outcomes) this.applyReset(byKey.get(partitionKey(outcome.query)) as Lookup, outcome);
        this.context.signal.raise();
      });
    }
  }

  /**
   * Without metadata of a topic the next answer is all there is to wait for; the cache asks for it, and says when it is
   * there. With metadata there is no leader (or no such partition), and looking again only makes sense later.
   */
  private awaitLeaders(lookups: readonly Lookup[]): void {
    const { cluster, io } = this.context;
    for (const { state } of lookups) {
      state.lookingUp = false;
      if (cluster.metadata.topic(state.topicPartition.topic) === undefined) continue;
      state.failed(io.clock.monotonic() + retryPauseMs(this.context, state.failures + 1));
      this.earliestRetryMs = Math.min(this.earliestRetryMs, state.retryAtMs);
    }
  }

  private applyReset(lookup: Lookup, { found, error }: OffsetOutcome): void {
    if (this.current([lookup]).length === 0) return;
    const { state } = lookup;
    if (found === null) {
      this.onFailure([lookup], error as KafkaError);
      return;
    }
    this.context.options.logger.info(`Resetting the position of ${state.key} to offset ${found.offset}.`);
    state.seek(found.offset, found.leaderEpoch);
  }

  private onFailure(lookups: readonly Lookup[], error: KafkaError): void {
    const nowMs = this.context.io.clock.monotonic();
    const current = this.current(lookups);
    if (current.length === 0) return;
    for (const { state } of current) {
      state.lookingUp = false;
      state.failed(nowMs + retryPauseMs(this.context, state.failures + 1));
    }
    if (!error.retriable) this.error = error;
    else this.context.options.logger.debug('Looking up a position failed; trying again.', { error });
  }

  /** Those whose partition is still assigned and still where it was when the look-up was sent. */
  private current(lookups: readonly Lookup[]): Lookup[] {
    const { partitions } = this.context.subscriptions;
    return lookups.filter(({ state, version }) => state.version === version && partitions.get(state.key) === state);
  }
}
