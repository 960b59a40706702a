/**
 * Makes what is on this broker match the cluster image: opens, grows, configures and deletes the partitions it holds,
 * and hands the partitions of the internal topics it leads to their coordinators.
 *
 * Guarantees: when a change is reported as done, this broker serves it. Leaves out deciding: that is the controller.
 */
import type { ControllerHooks } from './cluster/controller.js';
import { INTERNAL_TOPICS, type ClusterImage, type PartitionImage, type TopicImage } from './cluster/image.js';
import type { TopicChange } from './cluster/topic-request.js';
import type { Groups } from './coordinator/group-coordinator.js';
import { TRANSACTIONS_TOPIC, type Transactions } from './coordinator/transaction/transaction-coordinator.js';
import { SHARE_STATE_TOPIC, type ShareStates } from './coordinator/share/state/share-state-coordinator.js';
import type { Logger } from './io/logger.js';
import type { Partitions } from './replication/partitions.js';

const OFFSETS_TOPIC = INTERNAL_TOPICS[0]!;

/** What the local topics work with; the coordinator comes after the first partitions are open. */
export interface LocalTopicsOptions {
  readonly brokerId: number;
  readonly partitions: Partitions;
  readonly logger: Logger;
}

/** See the head of this file. */
export class LocalTopics implements ControllerHooks {
  private groups: Groups | null = null;
  private transactions: Transactions | null = null;
  private shareStates: ShareStates | null = null;

  constructor(private readonly options: LocalTopicsOptions) {}

  /** Opens everything the image places here. What the disk has beyond it is reported and left alone. */
  async openAll(image: ClusterImage): Promise<void> {
    for (const topic of image.topics()) await this.open(topic, topic.partitions);
    const strangers = [...this.options.partitions.all()].filter(({ topic }) => image.topic(topic) === undefined);
    if (strangers.length === 0) return;
    const names = strangers.map(({ topic, partition }) => `${topic}-${partition}`);
    this.options.logger.warn(
      'The data directory has partitions that no topic of the cluster owns. They are not served and not deleted.',
      { partitions: names },
    );
  }

  /** Gives the coordinator the partitions of `__consumer_offsets` that this broker leads; resolves when they are read. */
  async startGroups(groups: Groups, image: ClusterImage): Promise<void> {
    this.groups = groups;
    const topic = image.topic(OFFSETS_TOPIC);
    if (topic !== undefined) await this.lead(topic, topic.partitions);
  }

  /** The same for `__transaction_state`. The groups must have been started: markers end their transactions, too. */
  async startTransactions(transactions: Transactions, image: ClusterImage): Promise<void> {
    this.transactions = transactions;
    const topic = image.topic(TRANSACTIONS_TOPIC);
    if (topic !== undefined) await this.lead(topic, topic.partitions);
  }

  /** The same for `__share_group_state`. */
  async startShareStates(states: ShareStates, image: ClusterImage): Promise<void> {
    this.shareStates = states;
    const topic = image.topic(SHARE_STATE_TOPIC);
    if (topic !== undefined) await this.lead(topic, topic.partitions);
  }

  async onTopic(change: TopicChange): Promise<void> {
    const { topic } = change;
    switch (change.type) {
      case 'created':
        await this.open(topic, topic.partitions);
        return this.lead(topic, topic.partitions);
      case 'grown': {
        const added = topic.partitions.slice(change.firstNewPartition);
        await this.open(topic, added);
        return this.lead(topic, added);
      }
      case 'deleted':
        return this.delete(topic);
      case 'configured':
        this.options.partitions.updateConfig(topic.name, topic.config);
        return;
      case 'elected':
        await this.open(topic, topic.partitions);
        return this.lead(topic, topic.partitions);
    }
  }

  private async open(topic: TopicImage, states: readonly PartitionImage[]): Promise<void> {
    const { brokerId, partitions } = this.options;
    const own = states.filter(({ replicas }) => replicas.includes(brokerId));
    await Promise.all(
      own.map(async (state) => {
        const partition = await partitions.create(topic.name, state.partition, topic.id, topic.config);
        if (state.leader === brokerId) partition.becomeLeader(state.leaderEpoch);
      }),
    );
  }

  private async lead(topic: TopicImage, states: readonly PartitionImage[]): Promise<void> {
    const coordinator = this.coordinatorOf(topic.name);
    if (coordinator === null) return;
    const { brokerId } = this.options;
    for (const { partition, leader } of states) if (leader !== brokerId) coordinator.unload(partition);
    const own = states.filter(({ leader }) => leader === brokerId);
    await Promise.all(own.map(({ partition }) => coordinator.load(partition)));
  }

  private coordinatorOf(topic: string): Pick<Groups, 'load' | 'unload'> | null {
    if (topic === OFFSETS_TOPIC) return this.groups;
    if (topic === SHARE_STATE_TOPIC) return this.shareStates;
    return topic === TRANSACTIONS_TOPIC ? this.transactions : null;
  }

  private async delete(topic: TopicImage): Promise<void> {
    const { partitions } = this.options;
    await Promise.all(topic.partitions.map(({ partition }) => partitions.delete(topic.name, partition)));
    this.shareStates?.forgetTopic(topic.name);
    this.groups?.forgetTopic(topic.name);
    this.transactions?.forgetTopic(topic.name);
  }
}
