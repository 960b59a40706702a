/**
 * The cluster as one broker sees it at one moment: brokers, topics, partitions, effective topic configs.
 *
 * Guarantees: an image never changes; every change makes a new one that shares what stayed the same, so a request that
 * took an image once sees one consistent cluster until its end.
 * Leaves out who decides changes (controller.ts) and where they are kept (store.ts).
 */
import type { TopicConfig } from '../log/log-config.js';

/** A live broker. `epoch` is the zxid of its registration: a later registration of the same id has a higher one. */
export interface BrokerInfo {
  readonly id: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
  readonly epoch: number;
}

/** One partition. `leader` is -1 when no in-sync replica is alive. `partitionEpoch` is the version of its state node. */
export interface PartitionImage {
  readonly partition: number;
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
}

/** One topic. `partitions[p].partition === p`. `overrides` are the topic's own configs, `config` everything in effect. */
export interface TopicImage {
  readonly name: string;
  /** Kafka's 22 character base64url form of a version 4 uuid. */
  readonly id: string;
  readonly internal: boolean;
  readonly partitions: readonly PartitionImage[];
  readonly config: TopicConfig;
  readonly overrides: Readonly<Record<string, string>>;
}

/** The whole cluster at one moment. */
export interface ClusterImage {
  readonly clusterId: string;
  /** The broker that decides, or -1 while there is none. It is always one of `brokers` or -1. */
  readonly controllerId: number;
  /** Live brokers in the order of their ids. */
  readonly brokers: readonly BrokerInfo[];
  readonly topicCount: number;
  broker(id: number): BrokerInfo | undefined;
  topic(name: string): TopicImage | undefined;
  topicById(id: string): TopicImage | undefined;
  /** In the order of their names, as Kafka lists them. */
  topics(): Iterable<TopicImage>;
}

/** Topics that clients may read but only the broker itself may write. Source: Kafka, `Topic.INTERNAL_TOPICS`. */
export const INTERNAL_TOPICS: readonly string[] = ['__consumer_offsets', '__transaction_state', '__share_group_state'];

interface Parts {
  readonly clusterId: string;
  readonly controllerId: number;
  readonly brokers: readonly BrokerInfo[];
  readonly byName: ReadonlyMap<string, TopicImage>;
  readonly byId: ReadonlyMap<string, TopicImage>;
}

/** The image as the controller builds it: each `with...` gives the next image and leaves this one as it is. */
export class ClusterSnapshot implements ClusterImage {
  private sorted: readonly TopicImage[] | null = null;

  private constructor(private readonly parts: Parts) {}

  /** A cluster without brokers and topics. */
  static empty(clusterId: string): ClusterSnapshot {
    return new ClusterSnapshot({ clusterId, controllerId: -1, brokers: [], byName: new Map(), byId: new Map() });
  }

  get clusterId(): string {
    return this.parts.clusterId;
  }

  get controllerId(): number {
    return this.parts.controllerId;
  }

  get brokers(): readonly BrokerInfo[] {
    return this.parts.brokers;
  }

  get topicCount(): number {
    return this.parts.byName.size;
  }

  broker(id: number): BrokerInfo | undefined {
    return this.parts.brokers.find((broker) => broker.id === id);
  }

  topic(name: string): TopicImage | undefined {
    return this.parts.byName.get(name);
  }

  topicById(id: string): TopicImage | undefined {
    return this.parts.byId.get(id);
  }

  topics(): Iterable<TopicImage> {
    this.sorted ??= [...this.parts.byName.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
    return this.sorted;
  }

  /** Other live brokers and another controller; -1 unless the controller is among them. */
  withBrokers(brokers: readonly BrokerInfo[], controllerId: number): ClusterSnapshot {
    const ordered = [...brokers].sort((left, right) => left.id - right.id);
    const known = ordered.some((broker) => broker.id === controllerId);
    return new ClusterSnapshot({ ...this.parts, brokers: ordered, controllerId: known ? controllerId : -1 });
  }

  /** Exactly these topics. */
  withOnly(topics: readonly TopicImage[]): ClusterSnapshot {
    return new ClusterSnapshot({ ...this.parts, byName: new Map(), byId: new Map() }).withTopics(topics);
  }

  /** Topics added or replaced by name. */
  withTopics(topics: readonly TopicImage[]): ClusterSnapshot {
    if (topics.length === 0) return this;
    const byName = new Map(this.parts.byName);
    const byId = new Map(this.parts.byId);
    for (const topic of topics) {
      const before = byName.get(topic.name);
      if (before) byId.delete(before.id);
      byName.set(topic.name, topic);
      byId.set(topic.id, topic);
    }
    return new ClusterSnapshot({ ...this.parts, byName, byId });
  }

  /** Without a topic. */
  withoutTopic(name: string): ClusterSnapshot {
    const topic = this.parts.byName.get(name);
    if (!topic) return this;
    const byName = new Map(this.parts.byName);
    const byId = new Map(this.parts.byId);
    byName.delete(name);
    byId.delete(topic.id);
    return new ClusterSnapshot({ ...this.parts, byName, byId });
  }
}
