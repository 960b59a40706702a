/**
 * Puts assignments of the consumer protocol (KIP-848) in force, driven by the poll loop.
 *
 * Guarantees: a step begins only inside `poll`. What the assignment lacks is given up first (no more handing out, listener
 * awaited, last commit), then what is new is told, and only then the coordinator hears of it: no other member gets a
 * partition before this one is done with it. Everything else is kept, and its position with it. Partitions of a membership
 * that is over are lost: nothing is committed. A topic whose id is not known yet is taken over when it is.
 */
import { asKafkaError, ClientErrorCode, type KafkaError } from '../../../errors.js';
import type { ConsumerContext } from '../../consumer-context.js';
import type { PartitionState } from '../../partition-state.js';
import { comparePartitions, partitionKey, type TopicPartition } from '../../topic-partition.js';
import type { GroupDriver } from '../group-protocol.js';
import { callListener, type RebalanceHooks, releasePartitions } from '../release.js';
import type { TopicWatch } from '../topic-watch.js';
import type { ConsumerMember } from './consumer-member.js';
import type { TopicIdPartitions } from './member-heartbeat.js';

/** An assignment by names: what is known of it, and whether that is all. */
interface Resolved {
  readonly partitions: readonly TopicPartition[];
  /** By partition key. */
  readonly topicIds: ReadonlyMap<string, string>;
  readonly owned: TopicIdPartitions;
  readonly isComplete: boolean;
}

/** Takes a member through its assignments. */
export class Reconciliation implements GroupDriver {
  /** Steps follow from answers and metadata, which raise the signal. */
  readonly nextStepMs = Infinity;
  /** The step under way. */
  private task: Promise<void> | null = null;
  /** What the last step threw, for the next `poll`. */
  private error: KafkaError | null = null;
  /** Raised to make the outcome of a step void. */
  private round = 0;
  private toldVersion = -1;
  /** The target that is in force; another object means another assignment. */
  private inForce: TopicIdPartitions | null = null;
  /** Whether any assignment of this membership was put in force, be it in part or empty. */
  private hasTakenOver = false;
  /** The topic ids of what is in force, by partition key: a topic that was created anew is another one. */
  private topicIds: ReadonlyMap<string, string> = new Map();

  constructor(
    private readonly context: ConsumerContext,
    private readonly member: ConsumerMember,
    private readonly topics: TopicWatch,
    private readonly hooks: RebalanceHooks,
  ) {}

  advance(): boolean {
    if (this.error !== null) {
      const { error } = this;
      this.error = null;
      throw error;
    }
    if (this.task !== null) return false;
    if (this.member.failure !== null) throw this.member.failure;
    if (this.hasLost) {
      this.begin(() => this.lose());
      return false;
    }
    if (!this.member.isWanted) return this.join();
    if (this.context.subscriptions.version !== this.toldVersion) {
      this.toldVersion = this.context.subscriptions.version;
      this.member.beatNow();
    }
    return this.reconcile();
  }

  async giveUp(): Promise<void> {
    this.round += 1;
    await this.task;
    this.task = null;
    this.error = null;
    const states = [...this.context.subscriptions.partitions.values()];
    await releasePartitions(this.context, this.hooks, states, !this.member.isMember);
  }

  /** Whether there are partitions of a membership that is over, also when the next one has begun. */
  private get hasLost(): boolean {
    return !this.member.isMember && this.context.subscriptions.partitions.size > 0;
  }

  private join(): boolean {
    if (!this.topics.ready) return false;
    this.inForce = null;
    this.hasTakenOver = false;
    this.topicIds = new Map();
    this.toldVersion = this.context.subscriptions.version;
    this.member.join();
    return false;
  }

  /** Begins to put the target in force if it is not; whether partitions may be read. */
  private reconcile(): boolean {
    const { target } = this.member;
    if (target === null || target === this.inForce) return this.member.isMember;
    const resolved = this.resolve(target);
    if (!resolved.isComplete) this.context.cluster.metadata.requestUpdate();
    const isFirst = !this.hasTakenOver;
    if (resolved.isComplete) this.inForce = target;
    if (!isFirst && this.isInForce(resolved)) {
      if (resolved.isComplete) this.acknowledge(resolved);
      return true;
    }
    // Of an assignment whose topics are all unknown there is nothing to put in force yet.
    if (isFirst && !resolved.isComplete && resolved.partitions.length === 0) return true;
    this.hasTakenOver = true;
    this.begin(() => this.takeOver(resolved));
    return false;
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

  private lose(): Promise<void> {
    const states = [...this.context.subscriptions.partitions.values()];
    return releasePartitions(this.context, this.hooks, states, true);
  }

  private async takeOver(resolved: Resolved): Promise<void> {
    const { subscriptions } = this.context;
    const { incarnation } = this.member;
    const states = [...subscriptions.partitions.values()];
    const revoked = states.filter((state) => !this.keeps(state, resolved));
    const errors: unknown[] = [];
    if (revoked.length > 0) {
      await releasePartitions(this.context, this.hooks, revoked, false).catch((error: unknown) => errors.push(error));
    }
    // Unless the membership has ended meanwhile; then what is left is lost with the next step.
    if (this.member.isMember && this.member.incarnation === incarnation) {
      const added = resolved.partitions.filter((each) => subscriptions.find(each) === undefined);
      subscriptions.assignFromGroup(resolved.partitions);
      this.topicIds = resolved.topicIds;
      this.topics.update();
      this.hooks.onAssigned();
      await callListener(subscriptions.listener, 'onPartitionsAssigned', added).catch((error: unknown) =>
        errors.push(error),
      );
      if (this.member.incarnation === incarnation) this.acknowledge(resolved);
    }
    if (errors.length > 0) throw errors[0];
  }

  /** Tells the coordinator what is in force now. */
  private acknowledge({ owned }: Resolved): void {
    this.member.owned = owned;
    this.member.beatNow();
  }

  private keeps({ key }: PartitionState, { topicIds }: Resolved): boolean {
    const topicId = topicIds.get(key);
    return topicId !== undefined && topicId === this.topicIds.get(key);
  }

  private isInForce(resolved: Resolved): boolean {
    const { partitions } = this.context.subscriptions;
    return (
      partitions.size === resolved.partitions.length &&
      [...partitions.values()].every((state) => this.keeps(state, resolved))
    );
  }

  private resolve(target: TopicIdPartitions): Resolved {
    const names = new Map<string, string>();
    for (const { topicId, name } of this.context.cluster.metadata.topics.values()) names.set(topicId, name);
    const topicIds = new Map<string, string>();
    const partitions: TopicPartition[] = [];
    const known = target.filter(({ topicId }) => names.has(topicId));
    for (const { topicId, partitions: numbers } of known) {
      const topic = names.get(topicId) as string;
      for (const partition of numbers) {
        partitions.push({ topic, partition });
        topicIds.set(partitionKey({ topic, partition }), topicId);
      }
    }
    const owned = known.filter(({ partitions: numbers }) => numbers.length > 0);
    return {
      partitions: partitions.sort(comparePartitions),
      topicIds,
      owned,
      isComplete: known.length === target.length,
    };
  }
}
