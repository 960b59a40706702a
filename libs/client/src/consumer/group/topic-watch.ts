/**
 * Keeps the metadata cache and the topics of a consumer in step, and notices what makes a group assign anew.
 *
 * Guarantees: every topic in use is tracked, no other; a pattern is evaluated after each answer, against topics that are
 * not internal; the leader of a group asks for a new round when the number of partitions of *any* topic of the group
 * changes, also of those it does not subscribe to itself (a leader that looks only at its own leaves others unread).
 */
import type { KafkaError } from '../../errors.js';
import type { ConsumerContext } from '../consumer-context.js';

/** The topics of one consumer and of the group it leads. */
export class TopicWatch {
  private tracked: ReadonlySet<string> = new Set();
  /** Number of partitions by topic at the last assignment this consumer made as leader; null when it does not lead. */
  private groupSnapshot: Map<string, number> | null = null;
  /** The pattern that was last matched against an answer of the cluster. */
  private matchedPattern: RegExp | null = null;
  /** Why a topic in use can never be read (not authorised, an impossible name); null when there is no such. */
  failure: KafkaError | null = null;

  constructor(private readonly context: ConsumerContext) {}

  /**
   * Whether the topics subscribed to are known: for a pattern only after an answer. To join before that would mean to
   * join without topics, and again a moment later.
   */
  get ready(): boolean {
    return this.context.subscriptions.pattern === this.matchedPattern;
  }

  /** After an answer of the cluster, or a failure to get one. */
  onMetadata(): void {
    if (this.context.cluster.metadata.error === null) this.matchedPattern = this.context.subscriptions.pattern;
    this.update();
  }

  /** After a change of the subscription or the assignment. */
  update(): void {
    const { cluster, subscriptions } = this.context;
    const { pattern } = subscriptions;
    if (pattern === null) this.matchedPattern = null;
    cluster.metadata.trackAll(pattern !== null);
    if (pattern !== null) {
      const matching = [...cluster.metadata.topics.values()].filter(
        (topic) => !topic.isInternal && matches(pattern, topic.name),
      );
      subscriptions.setMatchingTopics(matching.map((topic) => topic.name));
    }
    this.track();
    this.failure = this.findFailure();
  }

  /**
   * The number of partitions of every topic of the group, for the leader to share out; from now on watched.
   * A topic that does not exist has no entry, and is noticed when it appears.
   */
  async snapshotGroup(topics: ReadonlySet<string>): Promise<ReadonlyMap<string, number>> {
    this.groupSnapshot = new Map([...topics].map((topic) => [topic, 0]));
    this.track();
    const { metadata } = this.context.cluster;
    if ([...topics].some((topic) => metadata.topic(topic) === undefined)) await metadata.refresh(topics);
    for (const topic of topics) this.groupSnapshot.set(topic, this.partitionCount(topic));
    return new Map([...this.groupSnapshot].filter(([, count]) => count > 0));
  }

  /** This consumer does not lead (any more). */
  forgetGroup(): void {
    this.groupSnapshot = null;
    this.track();
  }

  /** The first topic of the group whose number of partitions is not what was shared out, as a reason; or null. */
  groupChange(): string | null {
    if (this.groupSnapshot === null) return null;
    for (const [topic, count] of this.groupSnapshot) {
      const now = this.partitionCount(topic);
      if (now !== count) return `topic ${topic} has ${now} partitions, ${count} were shared out`;
    }
    return null;
  }

  private findFailure(): KafkaError | null {
    for (const topic of this.tracked) {
      const error = this.context.cluster.metadata.topicError(topic);
      if (error !== undefined && !error.retriable) return error;
    }
    return null;
  }

  private partitionCount(topic: string): number {
    return this.context.cluster.metadata.topic(topic)?.partitions.length ?? 0;
  }

  private track(): void {
    const { cluster, subscriptions } = this.context;
    const wanted = new Set([...subscriptions.topics, ...(this.groupSnapshot?.keys() ?? [])]);
    for (const { topicPartition } of subscriptions.partitions.values()) wanted.add(topicPartition.topic);
    const dropped = [...this.tracked].filter((topic) => !wanted.has(topic));
    this.tracked = wanted;
    if (dropped.length > 0) cluster.metadata.untrack(dropped);
    cluster.metadata.track(wanted);
  }
}

/** Whether a name matches; a pattern with the flags `g` or `y` would otherwise remember where it stood. */
function matches(pattern: RegExp, name: string): boolean {
  pattern.lastIndex = 0;
  return pattern.test(name);
}
