/**
 * An immutable picture of the cluster, and how a Metadata response changes it.
 *
 * Guarantees that the leader epoch of a partition never goes backwards: an answer from a broker that is behind does not
 * replace what a newer one said (KIP-320), unless the topic was deleted and made again (another topic id).
 */
import { ErrorCode, type MetadataResponse } from '@kafka-template/protocol';
import { type KafkaError, brokerError } from '../errors.js';
import type { BrokerInfo, PartitionInfo, TopicInfo } from './topic-info.js';

/** The cluster as last heard of. */
export interface ClusterView {
  /** Null before the first answer. */
  readonly clusterId: string | null;
  /** Broker id, -1 when unknown. With KRaft any broker, which forwards. */
  readonly controllerId: number;
  readonly brokers: ReadonlyMap<number, BrokerInfo>;
  readonly topics: ReadonlyMap<string, TopicInfo>;
  /** Topics that were asked for and cannot be used, with the reason. */
  readonly errors: ReadonlyMap<string, KafkaError>;
}

/** Before the first answer. */
export const EMPTY_VIEW: ClusterView = {
  clusterId: null,
  controllerId: -1,
  brokers: new Map(),
  topics: new Map(),
  errors: new Map(),
};

type ResponseTopic = MetadataResponse['topics'][number];
type ResponsePartition = ResponseTopic['partitions'][number];

/**
 * The picture after a response.
 *
 * @param keep names that were not asked for and stay as they are
 */
export function applyMetadata(view: ClusterView, response: MetadataResponse, keep: Iterable<string>): ClusterView {
  const topics = new Map<string, TopicInfo>();
  const errors = new Map<string, KafkaError>();
  for (const name of keep) {
    const known = view.topics.get(name);
    if (known !== undefined) topics.set(name, known);
  }
  for (const topic of response.topics) {
    if (topic.name === null) continue;
    if (topic.errorCode === ErrorCode.NONE) topics.set(topic.name, mergeTopic(view.topics.get(topic.name), topic));
    else errors.set(topic.name, brokerError(topic.errorCode, `Asking for the metadata of topic ${topic.name}`));
  }
  const brokers = new Map(
    response.brokers.map(({ nodeId, host, port, rack }) => [nodeId, { id: nodeId, host, port, rack }]),
  );
  return { clusterId: response.clusterId, controllerId: response.controllerId, brokers, topics, errors };
}

/** The picture with a newer leader of one partition, as a Produce or Fetch response told (KIP-951). Older news change nothing. */
export function applyLeader(
  view: ClusterView,
  topic: string,
  partition: number,
  news: { readonly leader: number; readonly leaderEpoch: number },
): ClusterView {
  const known = view.topics.get(topic);
  const current = known?.partitions[partition];
  if (known === undefined || current === undefined || news.leaderEpoch <= current.leaderEpoch) return view;
  const partitions = known.partitions.map((each) => (each === current ? { ...each, ...news } : each));
  return { ...view, topics: new Map(view.topics).set(topic, { ...known, partitions }) };
}

function mergeTopic(known: TopicInfo | undefined, topic: ResponseTopic): TopicInfo {
  const name = topic.name ?? '';
  const isSame = known !== undefined && known.topicId === topic.topicId;
  const partitions: PartitionInfo[] = [];
  for (const partition of [...topic.partitions].sort((left, right) => left.partitionIndex - right.partitionIndex)) {
    const previous = isSame ? known.partitions[partition.partitionIndex] : undefined;
    const isOlder =
      previous !== undefined && partition.leaderEpoch !== -1 && partition.leaderEpoch < previous.leaderEpoch;
    partitions.push(isOlder ? previous : toPartition(name, partition));
  }
  return { name, topicId: topic.topicId, isInternal: topic.isInternal, partitions };
}

function toPartition(topic: string, partition: ResponsePartition): PartitionInfo {
  return {
    topic,
    partition: partition.partitionIndex,
    // With an error the leader that comes along may be gone already.
    leader: partition.errorCode === ErrorCode.LEADER_NOT_AVAILABLE ? -1 : partition.leaderId,
    leaderEpoch: partition.leaderEpoch,
    replicas: partition.replicaNodes,
    inSyncReplicas: partition.isrNodes,
    offlineReplicas: partition.offlineReplicas,
  };
}
