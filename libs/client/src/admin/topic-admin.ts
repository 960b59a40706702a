/**
 * Creates, deletes, grows and describes topics.
 *
 * Guarantees one outcome per topic, in the order asked for; the controller is found again when it has moved. Looking at
 * a topic never creates it.
 */
import {
  CreatePartitions,
  CreateTopics,
  DeleteTopics,
  DescribeCluster,
  ErrorCode,
  Metadata,
  type MetadataResponse,
  ZERO_UUID,
} from '@kafka-template/protocol';
import { brokerError, type KafkaError } from '../errors.js';
import type { BrokerInfo, PartitionInfo } from '../metadata/topic-info.js';
import {
  type AdminCallOptions,
  type AdminContext,
  callTimeoutMs,
  type ItemOutcome,
  retried,
  retriedItems,
} from './admin-context.js';

/** A topic to create. */
export interface NewTopic {
  readonly name: string;
  /** Default: the broker's `num.partitions`. */
  readonly numPartitions?: number;
  /** Default: the broker's `default.replication.factor`. */
  readonly replicationFactor?: number;
  /** The broker ids of each partition's replicas, the leader first; instead of the two numbers. */
  readonly replicaAssignments?: readonly (readonly number[])[];
  /** Kafka's own names: `retention.ms`, `cleanup.policy` … */
  readonly configs?: Readonly<Record<string, string | null>>;
}

/** What became of a topic. */
export interface TopicOutcome extends ItemOutcome {
  readonly name: string;
}

/** What became of a topic to create. */
export interface CreateTopicOutcome extends TopicOutcome {
  /** All zero with an error, or before Kafka 2.8. */
  readonly topicId: string;
  /** -1 with an error, or before Kafka 2.4. */
  readonly numPartitions: number;
  /** -1 with an error, or before Kafka 2.4. */
  readonly replicationFactor: number;
}

/** More partitions for a topic. */
export interface NewPartitions {
  readonly topic: string;
  /** How many the topic is to have then, not how many more. */
  readonly totalCount: number;
  /** The broker ids of the replicas of each new partition. Default: the controller chooses. */
  readonly assignments?: readonly (readonly number[])[];
}

/** Options of calls that change topics. */
export interface TopicChangeOptions extends AdminCallOptions {
  /** Only say whether it would be possible. Default false. */
  readonly validateOnly?: boolean;
}

/** A topic in a list. */
export interface TopicListing {
  readonly name: string;
  readonly topicId: string;
  readonly isInternal: boolean;
}

/** A topic with its partitions; no partitions when there is an error. */
export interface TopicDescription extends TopicListing, ItemOutcome {
  readonly partitions: readonly PartitionInfo[];
}

/** The cluster. */
export interface ClusterDescription {
  readonly clusterId: string | null;
  /** Broker id, -1 when unknown. */
  readonly controllerId: number;
  readonly brokers: readonly BrokerInfo[];
}

type ResponseTopic = MetadataResponse['topics'][number];

/** First version of CreateTopics in which -1 is the broker's default. */
const CREATE_TOPICS_DEFAULTS_VERSION = 4;
/** First version of DeleteTopics that takes names and ids. */
const DELETE_TOPICS_STATES_VERSION = 6;
/** First version of Metadata that can be told not to create topics. */
const METADATA_NO_CREATION_VERSION = 4;

/** The topics of a cluster. */
export class TopicAdmin {
  constructor(private readonly context: AdminContext) {}

  /** Creates topics. TOPIC_ALREADY_EXISTS, INVALID_REPLICATION_FACTOR and the like are outcomes. */
  createTopics(topics: readonly NewTopic[], options: TopicChangeOptions = {}): Promise<CreateTopicOutcome[]> {
    return retriedItems(this.context, {
      what: 'Creating topics',
      timeoutMs: callTimeoutMs(this.context, options),
      items: topics,
      ask: async (items, leftMs) => {
        const body = {
          topics: items.map((topic) => ({
            name: topic.name,
            numPartitions: topic.replicaAssignments === undefined ? (topic.numPartitions ?? -1) : -1,
            replicationFactor: topic.replicaAssignments === undefined ? (topic.replicationFactor ?? -1) : -1,
            assignments: (topic.replicaAssignments ?? []).map((brokerIds, partitionIndex) => ({
              partitionIndex,
              brokerIds,
            })),
            configs: Object.entries(topic.configs ?? {}).map(([name, value]) => ({ name, value })),
          })),
          timeoutMs: this.brokerTimeoutMs(leftMs),
          validateOnly: options.validateOnly ?? false,
        };
        const usesDefaults = body.topics.some((topic) => topic.assignments.length === 0 && isDefaulted(topic));
        const minVersion = usesDefaults ? CREATE_TOPICS_DEFAULTS_VERSION : 0;
        const bounds = { ...this.bounds(leftMs), minVersion };
        const response = await this.context.cluster.request('controller', CreateTopics, body, bounds);
        return items.map(({ name }) => {
          const answer = response.topics.find((each) => each.name === name);
          const error = itemError(answer, `Creating topic ${name}`);
          const { topicId = '', numPartitions = -1, replicationFactor = -1 } = answer ?? {};
          return { name, topicId, numPartitions, replicationFactor, error };
        });
      },
    });
  }

  /** Deletes topics. UNKNOWN_TOPIC_OR_PARTITION is an outcome. */
  deleteTopics(names: readonly string[], options: AdminCallOptions = {}): Promise<TopicOutcome[]> {
    return retriedItems(this.context, {
      what: 'Deleting topics',
      timeoutMs: callTimeoutMs(this.context, options),
      items: names,
      ask: async (items, leftMs) => {
        const timeoutMs = this.brokerTimeoutMs(leftMs);
        const response = await this.context.cluster.request(
          'controller',
          DeleteTopics,
          (version) =>
            version < DELETE_TOPICS_STATES_VERSION
              ? { topicNames: items, timeoutMs }
              : { topics: items.map((name) => ({ name, topicId: ZERO_UUID })), timeoutMs },
          this.bounds(leftMs),
        );
        return items.map((name) => {
          const answer = response.responses.find((each) => each.name === name);
          return { name, error: itemError(answer, `Deleting topic ${name}`) };
        });
      },
    });
  }

  /** Grows topics. INVALID_PARTITIONS is the outcome where the count is not above the present one. */
  createPartitions(topics: readonly NewPartitions[], options: TopicChangeOptions = {}): Promise<TopicOutcome[]> {
    return retriedItems(this.context, {
      what: 'Creating partitions',
      timeoutMs: callTimeoutMs(this.context, options),
      items: topics,
      ask: async (items, leftMs) => {
        const body = {
          topics: items.map(({ topic, totalCount, assignments }) => ({
            name: topic,
            count: totalCount,
            assignments: assignments?.map((brokerIds) => ({ brokerIds })) ?? null,
          })),
          timeoutMs: this.brokerTimeoutMs(leftMs),
          validateOnly: options.validateOnly ?? false,
        };
        const response = await this.context.cluster.request('controller', CreatePartitions, body, this.bounds(leftMs));
        return items.map(({ topic }) => {
          const answer = response.results.find((each) => each.name === topic);
          return { name: topic, error: itemError(answer, `Creating partitions of topic ${topic}`) };
        });
      },
    });
  }

  /** All topics, sorted by name; Kafka's own (`__consumer_offsets`) only when asked for. */
  async listTopics(options: AdminCallOptions & { readonly listInternal?: boolean } = {}): Promise<TopicListing[]> {
    const { topics } = await this.metadata(null, 'Listing topics', options);
    return topics
      .filter((topic) => topic.errorCode === ErrorCode.NONE && (options.listInternal === true || !topic.isInternal))
      .map(({ name, topicId, isInternal }) => ({ name: name ?? '', topicId, isInternal }))
      .sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** Topics with their partitions, leaders and replicas. UNKNOWN_TOPIC_OR_PARTITION is an outcome. */
  async describeTopics(names: readonly string[], options: AdminCallOptions = {}): Promise<TopicDescription[]> {
    if (names.length === 0) return [];
    const { topics } = await this.metadata(names, 'Describing topics', options);
    return names.map((name) => {
      const topic = topics.find((each) => each.name === name);
      const error = itemError(topic && { ...topic, errorMessage: null }, `Describing topic ${name}`);
      const partitions = error === null && topic !== undefined ? toPartitions(name, topic) : [];
      return { name, topicId: topic?.topicId ?? '', isInternal: topic?.isInternal ?? false, partitions, error };
    });
  }

  /** The brokers, the controller and the id of the cluster. */
  describeCluster(options: AdminCallOptions = {}): Promise<ClusterDescription> {
    return retried(this.context, 'Describing the cluster', callTimeoutMs(this.context, options), async (leftMs) => {
      try {
        const response = await this.context.cluster.request(
          'any',
          DescribeCluster,
          { includeClusterAuthorizedOperations: false },
          this.bounds(leftMs),
        );
        if (response.errorCode !== ErrorCode.NONE) {
          throw brokerError(response.errorCode, 'Describing the cluster', response.errorMessage);
        }
        const { clusterId, controllerId, brokers } = response;
        return { clusterId, controllerId, brokers: brokers.map(({ brokerId, ...each }) => toBroker(brokerId, each)) };
      } catch (error) {
        if ((error as KafkaError).code !== 'UNSUPPORTED_VERSION') throw error;
        // Before Kafka 2.8.
        const { clusterId, controllerId, brokers } = await this.metadata([], 'Describing the cluster', options);
        return { clusterId, controllerId, brokers: brokers.map(({ nodeId, ...each }) => toBroker(nodeId, each)) };
      }
    });
  }

  private metadata(
    names: readonly string[] | null,
    what: string,
    options: AdminCallOptions,
  ): Promise<MetadataResponse> {
    return retried(this.context, what, callTimeoutMs(this.context, options), async (leftMs) => {
      const topics = names && names.map((name) => ({ name }));
      const body = { topics, allowAutoTopicCreation: false };
      const bounds = { ...this.bounds(leftMs), minVersion: METADATA_NO_CREATION_VERSION };
      const response = await this.context.cluster.request('any', Metadata, body, bounds);
      if (response.errorCode !== ErrorCode.NONE) throw brokerError(response.errorCode, what);
      return response;
    });
  }

  private bounds(leftMs: number): { timeoutMs: number } {
    return { timeoutMs: Math.min(leftMs, this.context.options.requestTimeoutMs) };
  }

  /** How long the broker may take: less than the client waits, so that the answer still arrives. */
  private brokerTimeoutMs(leftMs: number): number {
    return Math.max(1, Math.floor(this.bounds(leftMs).timeoutMs * 0.9));
  }
}

/** The error of one item of a response; a missing item is UNKNOWN_SERVER_ERROR. */
export function itemError(
  answer: { readonly errorCode: number; readonly errorMessage: string | null } | undefined,
  what: string,
): KafkaError | null {
  if (answer === undefined) return brokerError(ErrorCode.UNKNOWN_SERVER_ERROR, what, 'the answer leaves it out.');
  return answer.errorCode === ErrorCode.NONE ? null : brokerError(answer.errorCode, what, answer.errorMessage);
}

function isDefaulted({
  numPartitions,
  replicationFactor,
}: {
  numPartitions: number;
  replicationFactor: number;
}): boolean {
  return numPartitions === -1 || replicationFactor === -1;
}

function toBroker(id: number, broker: { host: string; port: number; rack: string | null }): BrokerInfo {
  return { id, host: broker.host, port: broker.port, rack: broker.rack };
}

function toPartitions(topic: string, { partitions }: ResponseTopic): PartitionInfo[] {
  return partitions
    .map((each) => ({
      topic,
      partition: each.partitionIndex,
      leader: each.leaderId,
      leaderEpoch: each.leaderEpoch,
      replicas: each.replicaNodes,
      inSyncReplicas: each.isrNodes,
      offlineReplicas: each.offlineReplicas,
    }))
    .sort((one, other) => one.partition - other.partition);
}
