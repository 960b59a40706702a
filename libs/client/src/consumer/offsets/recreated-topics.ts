/**
 * Notices by its id that a topic was deleted and created again: the same name then stands for other logs.
 *
 * Guarantees: a position in the old topic is neither read from nor committed once the metadata have told the new id; it
 * would leave out the first records of the new topic without a word. Whatever the new topic holds was written after the
 * old one had ended, so that it is read from the beginning, with `latest` too; with `none` the application has to `seek`.
 * An answer of a broker that is behind and still tells the old id changes nothing. Clusters without ids (before Kafka
 * 2.8) do not tell the topics apart; there nothing is noticed.
 */
import { ZERO_UUID } from '@kafka-template/protocol';
import type { ConsumerContext } from '../consumer-context.js';
import type { PartitionState } from '../partition-state.js';

/** Ids of deleted topics that are remembered; soon no broker tells them any more. */
const FORMER_IDS_MAX = 1_000;

/** Watches the ids of the topics assigned. */
export class RecreatedTopics {
  private readonly formerIds = new Set<string>();

  constructor(private readonly context: ConsumerContext) {}

  /** Remembers which topic each new partition belongs to. */
  update(): void {
    for (const state of this.context.subscriptions.partitions.values()) {
      if (state.topicId === null) state.topicId = this.idOf(state);
    }
  }

  /** After an answer of the cluster: partitions whose topic is another one now begin anew. */
  onMetadata(): void {
    this.update();
    const replaced = new Map<string, string>();
    for (const state of this.context.subscriptions.partitions.values()) {
      const topicId = this.idOf(state);
      if (topicId === null || state.topicId === null || topicId === state.topicId) continue;
      if (this.formerIds.has(topicId)) continue;
      replaced.set(state.topicPartition.topic, state.topicId);
      state.topicId = topicId;
      this.startOver(state);
    }
    for (const [topic, formerId] of replaced) this.note(topic, formerId);
  }

  /** What is not known yet, but looked for as committed, is not of the old topic. */
  private startOver(state: PartitionState): void {
    state.committedOffset = -1;
    state.endOffset = -1;
    state.preferredReplica = -1;
    if (state.hasPosition && this.context.options.autoOffsetReset === 'none') state.requireSeek();
    // The end of the old topic, if that was asked for, is the beginning of the new one.
    else if (state.position >= 0 || state.resetTarget !== null) state.requestReset('earliest');
  }

  private note(topic: string, formerId: string): void {
    this.formerIds.add(formerId);
    for (const oldest of this.formerIds) {
      if (this.formerIds.size <= FORMER_IDS_MAX) break;
      this.formerIds.delete(oldest);
    }
    const { autoOffsetReset, logger } = this.context.options;
    const where = autoOffsetReset === 'none' ? 'from where the application seeks to' : 'from the beginning';
    logger.warn(`Topic ${topic} was deleted and created again; its partitions are read ${where}.`);
  }

  private idOf({ topicPartition }: PartitionState): string | null {
    const topicId = this.context.cluster.metadata.topic(topicPartition.topic)?.topicId ?? ZERO_UUID;
    return topicId === ZERO_UUID ? null : topicId;
  }
}
