/**
 * What a consumer wants (topics, a pattern, or chosen partitions) and what it has (partitions and their positions).
 *
 * Guarantees: one way of choosing at a time; a partition that stays or comes back in the next assignment keeps being
 * paused. Leaves out everything that happens between wanting and having (group/), and all requests.
 */
import { ClientErrorCode, KafkaError } from '../errors.js';
import { PartitionState } from './partition-state.js';
import type { RebalanceListener } from './rebalance-listener.js';
import { partitionKey, type TopicPartition } from './topic-partition.js';

/** How the partitions are chosen. */
export type SubscriptionMode = 'none' | 'topics' | 'pattern' | 'assigned';

/** Subscription and assignment of one consumer. */
export class Subscriptions {
  mode: SubscriptionMode = 'none';
  listener: RebalanceListener = {};
  /** Raised whenever the topics subscribed to change. */
  version = 0;
  private wantedTopics: ReadonlySet<string> = new Set();
  private wantedPattern: RegExp | null = null;
  private assigned = new Map<string, PartitionState>();
  /** Partitions that were paused when an assignment ended, for the next one. */
  private pausedBefore: ReadonlySet<string> = new Set();

  /** The topics subscribed to: named, or matching the pattern as of the last metadata. */
  get topics(): ReadonlySet<string> {
    return this.wantedTopics;
  }

  /** The pattern subscribed to. */
  get pattern(): RegExp | null {
    return this.wantedPattern;
  }

  /** Whether the partitions come from a group. */
  get groupManaged(): boolean {
    return this.mode === 'topics' || this.mode === 'pattern';
  }

  /** The assigned partitions. */
  get partitions(): ReadonlyMap<string, PartitionState> {
    return this.assigned;
  }

  /** Subscribes to topics by name. */
  subscribeTopics(topics: readonly string[], listener: RebalanceListener): void {
    this.change('topics');
    this.wantedPattern = null;
    this.listener = listener;
    this.setTopics(topics);
  }

  /** Subscribes to all topics that match; which these are comes by {@link setMatchingTopics}. */
  subscribePattern(pattern: RegExp, listener: RebalanceListener): void {
    this.change('pattern');
    this.wantedPattern = pattern;
    this.listener = listener;
  }

  /** The topics that match the pattern now. Whether they are others than before. */
  setMatchingTopics(topics: readonly string[]): boolean {
    const before = this.version;
    if (this.mode === 'pattern') this.setTopics(topics);
    return this.version !== before;
  }

  /** Chooses partitions. Those that were assigned already keep their position. */
  assign(partitions: readonly TopicPartition[]): void {
    this.change('assigned');
    this.replaceAssignment(partitions);
  }

  /** The group gave these partitions. Those that are new begin without a position, the others go on where they are. */
  assignFromGroup(partitions: readonly TopicPartition[]): void {
    this.replaceAssignment(partitions);
    this.pausedBefore = new Set();
  }

  /** Gives up these partitions, remembering which were paused. */
  release(states: readonly PartitionState[]): void {
    this.pausedBefore = new Set(states.filter((state) => state.paused).map((state) => state.key));
    const gone = new Set(states);
    this.assigned = new Map([...this.assigned].filter(([, state]) => !gone.has(state)));
  }

  /** Back to the beginning: nothing wanted, nothing assigned, nothing remembered. */
  clear(): void {
    this.mode = 'none';
    this.listener = {};
    this.wantedPattern = null;
    this.setTopics([]);
    this.assigned = new Map();
    this.pausedBefore = new Set();
  }

  /** A partition's state, or undefined when it is not assigned. */
  find(topicPartition: TopicPartition): PartitionState | undefined {
    return this.assigned.get(partitionKey(topicPartition));
  }

  /**
   * A partition's state.
   *
   * @throws KafkaError INVALID_ARGUMENT when it is not assigned
   */
  get(topicPartition: TopicPartition): PartitionState {
    const state = this.find(topicPartition);
    if (state !== undefined) return state;
    throw new KafkaError(
      ClientErrorCode.INVALID_ARGUMENT,
      `Partition ${partitionKey(topicPartition)} is not assigned to this consumer. ` +
        'Name a partition of assignment(), or wait until poll() has brought it.',
    );
  }

  private replaceAssignment(partitions: readonly TopicPartition[]): void {
    const next = new Map<string, PartitionState>();
    for (const topicPartition of partitions) {
      const key = partitionKey(topicPartition);
      const state = this.assigned.get(key) ?? new PartitionState(topicPartition);
      if (this.pausedBefore.has(key)) state.paused = true;
      next.set(key, state);
    }
    this.assigned = next;
  }

  private setTopics(topics: readonly string[]): void {
    const next = new Set(topics);
    if (next.size === this.wantedTopics.size && topics.every((topic) => this.wantedTopics.has(topic))) return;
    this.wantedTopics = next;
    this.version++;
  }

  private change(mode: Exclude<SubscriptionMode, 'none'>): void {
    if (this.mode === 'none' || this.mode === mode) {
      this.mode = mode;
      return;
    }
    throw new KafkaError(
      ClientErrorCode.INVALID_ARGUMENT,
      'Subscription to topics, to a pattern, and assign() exclude each other. Call unsubscribe() before changing the way.',
    );
  }
}
