/**
 * The steps of a rebalance, driven by the poll loop.
 *
 *   idle → preparing (give up partitions: listener, last commit) → prepared → joining → joined → completing (listener) → idle
 *
 * Guarantees: a step begins only inside `poll`. Eager: all partitions are given up before JoinGroup is sent, in this
 * order: no more fetching or handing out, `onPartitionsRevoked` awaited, commit with the old generation, then the join.
 * Cooperative (KIP-429): they are kept and read while the join is under way; only those the new assignment lacks are
 * given up, in the same order, and then the group is joined again. Partitions of a membership that is over are lost:
 * nothing is committed. What a step throws is thrown by `poll`; the rebalance goes on with the next one.
 */
import { decodeAssignment } from '@kafka-template/protocol';
import { asKafkaError, ClientErrorCode, type KafkaError } from '../../errors.js';
import { isCooperative } from '../assignors/assignors.js';
import { type ConsumerContext, retryPauseMs } from '../consumer-context.js';
import type { PartitionState } from '../partition-state.js';
import { comparePartitions, partitionKey, type TopicPartition } from '../topic-partition.js';
import type { Generation } from './generation.js';
import type { GroupDriver } from './group-protocol.js';
import { type GroupJoiner, isImmediateRetry, type JoinResult } from './join.js';
import type { Membership } from './membership.js';
import { callListener, type RebalanceHooks, releasePartitions } from './release.js';
import type { TopicWatch } from './topic-watch.js';

type Phase = 'idle' | 'prepared' | 'joined';

/** Failures to join in a row after which the log says so, and again after as many more. */
const FAILURES_BETWEEN_WARNINGS = 5;

/** Takes a member through its rebalances. */
export class Rebalance implements GroupDriver {
  private phase: Phase = 'idle';
  /** The step under way. */
  private task: Promise<void> | null = null;
  /** What the last step threw, for the next `poll`. */
  private error: KafkaError | null = null;
  private result: JoinResult | null = null;
  private failures = 0;
  private retryAtMs = 0;
  private joinedVersion = -1;
  private isJoining = false;
  /** Raised to make the outcome of a step void. */
  private round = 0;
  private readonly isCooperative: boolean;

  constructor(
    private readonly context: ConsumerContext,
    private readonly membership: Membership,
    private readonly joiner: GroupJoiner,
    private readonly topics: TopicWatch,
    private readonly hooks: RebalanceHooks,
  ) {
    this.isCooperative = isCooperative(context.options.partitionAssignmentStrategy);
  }

  /** Monotonic time at which the next step may be taken; Infinity when something else decides that. */
  get nextStepMs(): number {
    return this.task === null && this.phase === 'prepared' ? this.retryAtMs : Infinity;
  }

  /**
   * Takes the next step if there is one. Whether the partitions may be read: when the member is in the group and its
   * assignment in force, and under the cooperative protocol also while it joins again.
   *
   * @throws KafkaError what the last step came to
   */
  advance(): boolean {
    if (this.error !== null) {
      const { error } = this;
      this.error = null;
      throw error;
    }
    if (this.task !== null) return this.readsOn;
    if (this.membership.failure !== null) throw this.membership.failure;
    if (this.phase === 'idle') {
      this.noticeChanges();
      if (!this.membership.rejoinNeeded) return true;
      if (!this.topics.ready) return false;
      this.begin(() => this.prepare());
    } else if (this.phase === 'joined') {
      this.begin(() => this.complete());
    } else if (this.hasLost) {
      // The membership ended between two attempts to join: what was kept is not this member's any more.
      this.begin(() => this.prepare());
    } else if (this.context.io.clock.monotonic() >= this.retryAtMs) {
      this.begin(() => this.join());
    }
    return this.readsOn;
  }

  /** Whether this member still has partitions of a membership that is over. */
  private get hasLost(): boolean {
    return !this.membership.isMember && this.context.subscriptions.partitions.size > 0;
  }

  /** Whether what is kept through a rebalance may be read now; not while a listener is told of a change. */
  private get readsOn(): boolean {
    return this.isCooperative && this.phase === 'prepared' && this.membership.isMember;
  }

  /** Gives up all partitions for good (unsubscribe, close): the same as before a rejoin. Rejects with the listener's error. */
  async giveUp(): Promise<void> {
    this.round++;
    // A join that is under way is abandoned; a listener that is running is waited for.
    if (this.isJoining) {
      this.joiner.abandon();
      this.membership.joinAbandoned();
    } else if (this.task !== null) {
      await this.task;
    }
    this.isJoining = false;
    this.task = null;
    this.phase = 'idle';
    this.result = null;
    this.error = null;
    this.failures = 0;
    this.retryAtMs = 0;
    try {
      await this.release([...this.context.subscriptions.partitions.values()]);
    } finally {
      this.topics.forgetGroup();
    }
  }

  private begin(step: () => Promise<void>): void {
    const { round } = this;
    this.task = step()
      .catch((error: unknown) => {
        if (round === this.round)
          this.error = asKafkaError(error, ClientErrorCode.INVALID_ARGUMENT, 'A rebalance failed');
      })
      .finally(() => {
        if (round === this.round) this.task = null;
        this.context.signal.raise();
      });
  }

  /** What makes a member join again of itself. */
  private noticeChanges(): void {
    if (this.membership.rejoinNeeded) return;
    if (this.context.subscriptions.version !== this.joinedVersion) {
      this.membership.requestRejoin('the subscription has changed');
      return;
    }
    const change = this.topics.groupChange();
    if (change !== null) this.membership.requestRejoin(change);
  }

  private async prepare(): Promise<void> {
    const { subscriptions } = this.context;
    const states = [...subscriptions.partitions.values()];
    const keeps = this.isCooperative && this.membership.isMember;
    this.phase = 'idle';
    try {
      await this.release(
        keeps ? states.filter(({ topicPartition }) => !subscriptions.topics.has(topicPartition.topic)) : states,
      );
    } finally {
      this.phase = 'prepared';
    }
  }

  /** Gives up partitions: listener, commit. With none it is the commit alone. Rejects with the listener's error, at the end. */
  private release(states: readonly PartitionState[]): Promise<void> {
    return releasePartitions(this.context, this.hooks, states, !this.membership.isMember);
  }

  private async join(): Promise<void> {
    const { round } = this;
    this.isJoining = true;
    this.joinedVersion = this.context.subscriptions.version;
    try {
      const result = await this.joiner.join();
      if (round !== this.round) return;
      this.result = result;
      this.failures = 0;
      this.phase = 'joined';
    } catch (thrown) {
      if (round !== this.round) return;
      const error = asKafkaError(thrown, ClientErrorCode.PROTOCOL, 'Joining the group failed');
      if (isImmediateRetry(error)) return;
      this.failures++;
      this.retryAtMs = this.context.io.clock.monotonic() + retryPauseMs(this.context, this.failures);
      if (!error.retriable) throw error;
      this.reportFailure(error);
    } finally {
      if (round === this.round) this.isJoining = false;
    }
  }

  /** A failure or two belong to a coordinator that moves; a group that cannot be joined for long must not go unseen. */
  private reportFailure(error: KafkaError): void {
    const { logger } = this.context.options;
    const isLasting = this.failures % FAILURES_BETWEEN_WARNINGS === 0;
    if (!isLasting) logger.debug('Joining the group failed; trying again.', { error });
    else logger.warn(`Joining the group has failed ${this.failures} times in a row; trying again.`, { error });
  }

  private async complete(): Promise<void> {
    const { subscriptions } = this.context;
    const { result } = this;
    this.result = null;
    this.phase = 'idle';
    // A heartbeat may have ended the membership since the answer came: then the assignment is void.
    if (result === null || !this.membership.isCurrent(result.generation) || this.membership.state !== 'stable') {
      this.membership.requestRejoin('the generation ended before its assignment was taken over');
      return;
    }
    const partitions = decodeAssignment(result.assignment)
      .assignedPartitions.flatMap(({ topic, partitions: numbers }) =>
        numbers.map((partition) => ({ topic, partition })),
      )
      .sort(comparePartitions);
    if (!partitions.every(({ topic }) => subscriptions.topics.has(topic))) {
      this.membership.requestRejoin('the assignment has topics that are not subscribed to any more');
      return;
    }
    await this.takeOver(partitions, result.generation);
  }

  /** Puts an assignment in force: first what it lacks is given up, then what is new is told. */
  private async takeOver(partitions: readonly TopicPartition[], generation: Generation): Promise<void> {
    const { subscriptions } = this.context;
    const keys = new Set(partitions.map(partitionKey));
    const added = partitions.filter((each) => subscriptions.find(each) === undefined);
    const revoked = [...subscriptions.partitions.values()].filter((state) => !keys.has(state.key));
    const errors: unknown[] = [];
    if (revoked.length > 0) {
      // The leader has withheld them from their new owners until the next round.
      this.membership.requestRejoin('partitions were given up, for the others to take');
      await this.release(revoked).catch((error: unknown) => errors.push(error));
    }
    // Unless the membership has ended meanwhile; then what is left is lost with the next step.
    if (this.membership.isCurrent(generation)) {
      subscriptions.assignFromGroup(partitions);
      this.joiner.remember({ generationId: generation.generationId, partitions });
      this.hooks.onAssigned();
      await callListener(subscriptions.listener, 'onPartitionsAssigned', added).catch((error: unknown) =>
        errors.push(error),
      );
    }
    if (errors.length > 0) throw errors[0];
  }
}
