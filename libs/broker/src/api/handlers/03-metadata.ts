/**
 * Metadata: v0–v13.
 *
 * The brokers, and topics with their partitions and leaders. Topics that do not exist are created when both the client
 * and `auto.create.topics.enable` allow it, and the answer waits for that: the client can produce at once. A partition
 * without a leader always carries LEADER_NOT_AVAILABLE. Lookup by topic id works from v12 on, as in Kafka.
 */
import { ErrorCode, Metadata, ZERO_UUID, type MetadataRequest, type ResponseInput } from '@kafka-template/protocol';
import type { BrokerInfo, ClusterImage, PartitionImage, TopicImage } from '../../cluster/image.js';
import { ALL_CLUSTER_OPERATIONS, ALL_TOPIC_OPERATIONS, OPERATIONS_NOT_REQUESTED } from '../authorized-operations.js';
import type { BrokerServices, RequestContext } from '../context.js';
import { handler } from '../handler.js';
import { checkTopicName } from '../../cluster/topic-name.js';

type Response = ResponseInput<typeof Metadata>;
type TopicRow = Response['topics'][number];
type NamedTopic = NonNullable<MetadataRequest['topics']>[number];

const NULL_MEANS_ALL_SINCE_VERSION = 1;
const BY_ID_SINCE_VERSION = 12;

/** See the head of this file. */
export const metadata = handler(Metadata, { versions: [0, 13] }, (request, context) => {
  const { broker, apiVersion } = context;
  const { image } = broker.controller;
  const asked = request.topics;
  if (asked === null || (apiVersion < NULL_MEANS_ALL_SINCE_VERSION && asked.length === 0)) {
    return response(
      request,
      image,
      [...image.topics()].map((topic) => topicRow(image, topic, request)),
    );
  }
  const topics = distinct(asked);
  if (topics.some(({ topicId }) => topicId !== ZERO_UUID) && apiVersion < BY_ID_SINCE_VERSION) {
    return { brokers: [], topics: topics.map(({ topicId }) => errorRow('', topicId, ErrorCode.INVALID_REQUEST)) };
  }
  const missing = topics.filter((topic) => mayCreate(topic, request, broker));
  if (missing.length === 0) return describe(topics, request, context);
  return Promise.all(missing.map(({ name }) => broker.controller.autoCreate(name!))).then((outcomes) => {
    const refused = new Map(missing.map(({ name }, index) => [name, outcomes[index]!.errorCode]));
    return describe(topics, request, context, refused);
  });
});

function distinct(topics: readonly NamedTopic[]): NamedTopic[] {
  return [...new Map(topics.map((topic) => [`${topic.name} ${topic.topicId}`, topic])).values()];
}

function mayCreate(topic: NamedTopic, request: MetadataRequest, broker: BrokerServices): boolean {
  const { name, topicId } = topic;
  if (name === null || topicId !== ZERO_UUID || !request.allowAutoTopicCreation) return false;
  if (!broker.settings.autoCreateTopicsEnable || checkTopicName(name) !== null) return false;
  return broker.controller.image.topic(name) === undefined;
}

function describe(
  topics: readonly NamedTopic[],
  request: MetadataRequest,
  { broker }: RequestContext,
  refused?: ReadonlyMap<string | null, number>,
): Response {
  const { image } = broker.controller;
  const rows = topics.map(({ name, topicId }) => {
    if (topicId !== ZERO_UUID) {
      const topic = image.topicById(topicId);
      return topic === undefined
        ? errorRow(null, topicId, ErrorCode.UNKNOWN_TOPIC_ID)
        : topicRow(image, topic, request);
    }
    const topic = image.topic(name ?? '');
    if (topic !== undefined) return topicRow(image, topic, request);
    if (checkTopicName(name ?? '') !== null) return errorRow(name ?? '', ZERO_UUID, ErrorCode.INVALID_TOPIC_EXCEPTION);
    // Created a moment ago and not seen yet, or refused for a reason: the client asks again or reads the reason.
    const why = refused?.get(name) ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    return errorRow(name, ZERO_UUID, why === ErrorCode.NONE ? ErrorCode.LEADER_NOT_AVAILABLE : why);
  });
  return response(request, image, rows);
}

function response(request: MetadataRequest, image: ClusterImage, topics: readonly TopicRow[]): Response {
  return {
    brokers: image.brokers.map(brokerRow),
    clusterId: image.clusterId,
    controllerId: image.controllerId,
    topics,
    clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
      ? ALL_CLUSTER_OPERATIONS
      : OPERATIONS_NOT_REQUESTED,
  };
}

function brokerRow({ id, host, port, rack }: BrokerInfo): Response['brokers'][number] {
  return { nodeId: id, host, port, rack };
}

function topicRow(image: ClusterImage, topic: TopicImage, request: MetadataRequest): TopicRow {
  return {
    errorCode: ErrorCode.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: topic.internal,
    partitions: topic.partitions.map((partition) => partitionRow(image, partition)),
    topicAuthorizedOperations: request.includeTopicAuthorizedOperations
      ? ALL_TOPIC_OPERATIONS
      : OPERATIONS_NOT_REQUESTED,
  };
}

function partitionRow(image: ClusterImage, state: PartitionImage): TopicRow['partitions'][number] {
  const hasLeader = image.broker(state.leader) !== undefined;
  return {
    errorCode: hasLeader ? ErrorCode.NONE : ErrorCode.LEADER_NOT_AVAILABLE,
    partitionIndex: state.partition,
    leaderId: hasLeader ? state.leader : -1,
    leaderEpoch: state.leaderEpoch,
    replicaNodes: state.replicas,
    isrNodes: state.isr,
    offlineReplicas: state.replicas.filter((id) => image.broker(id) === undefined),
  };
}

function errorRow(name: string | null, topicId: string, errorCode: number): TopicRow {
  return { errorCode, name, topicId, partitions: [] };
}
