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
