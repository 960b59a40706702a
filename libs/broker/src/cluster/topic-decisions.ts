/**
 * What becomes of requests to create, grow and delete topics: pure functions of image, configs and request.
 *
 * Guarantees Kafka's checks, in Kafka's order, with Kafka's codes and sentences; nothing is changed here.
 * Leaves out storing and opening what was decided: see controller.ts.
 */
import { ErrorCode } from '@kafka-template/protocol';
import { randomUuid, type Random } from '../io/random.js';
import { METADATA_TOPIC } from '../log/file-names.js';
import { assignReplicas } from './assignment.js';
import type { BrokerConfig, ConfigEntries } from './broker-config.js';
import { newPartition } from './elections.js';
import { INTERNAL_TOPICS, type ClusterImage, type PartitionImage, type TopicImage } from './image.js';
import { checkTopicConfigs, effectiveTopicConfig } from './topic-config.js';
import { checkTopicName, collisionKey } from './topic-name.js';
import type { ConfigValue, CreatePartitions, CreateTopic, Outcome, ReplicaAssignment } from './topic-request.js';

/** Most partitions one request may create for a topic. Source: Kafka, `ReplicationControlManager`. */
export const PARTITIONS_PER_REQUEST_MAX = 10_000;

/** What decisions are made from. */
export interface DecisionContext {
  readonly image: ClusterImage;
  readonly config: BrokerConfig;
  readonly random: Random;
}

/** A refusal, or the topic as it shall be. */
export type TopicDecision = { readonly refused: Outcome } | { readonly refused: null; readonly topic: TopicImage };

type Replicas =
  { readonly refused: Outcome } | { readonly refused: null; readonly replicas: readonly (readonly number[])[] };

/** A refusal with Kafka's code and sentence. */
export function refusal(errorCode: number, errorMessage: string | null): { readonly refused: Outcome } {
  return { refused: { errorCode, errorMessage } };
}

function checkName(name: string, image: ClusterImage): { readonly refused: Outcome } | null {
  if (name === METADATA_TOPIC) {
    return refusal(ErrorCode.INVALID_REQUEST, `Creation of internal topic ${METADATA_TOPIC} is prohibited.`);
  }
  const complaint = checkTopicName(name);
  if (complaint !== null) return refusal(ErrorCode.INVALID_TOPIC_EXCEPTION, complaint);
  if (image.topic(name)) return refusal(ErrorCode.TOPIC_ALREADY_EXISTS, `Topic '${name}' already exists.`);
  if (!/[._]/.test(name)) return null;
  const key = collisionKey(name);
  for (const topic of image.topics()) {
    if (collisionKey(topic.name) !== key) continue;
    const sentence = `Topic '${name}' collides with existing topic: ${topic.name}`;
    return refusal(ErrorCode.INVALID_TOPIC_EXCEPTION, sentence);
  }
  return null;
}

/** The entries as a record, or the sentence about the first that has no value. */
export function ownConfigs(configs: readonly ConfigValue[]): ConfigEntries | string {
  const entries: Record<string, string> = {};
  for (const { name, value } of configs) {
    if (value === null) return `Null value not supported for topic configs: ${name}`;
    entries[name] = value;
  }
  return entries;
}

function checkReplicas(replicas: readonly number[], expected: number | null, image: ClusterImage): string | null {
  if (replicas.length === 0) return 'The manual partition assignment includes an empty replica list.';
  const seen = new Set<number>();
  for (const id of [...replicas].sort((left, right) => left - right)) {
    if (!image.broker(id))
      return `The manual partition assignment includes broker ${id}, but no such broker is registered.`;
    if (seen.has(id)) return `The manual partition assignment includes the broker ${id} more than once.`;
    seen.add(id);
  }
  if (expected === null || replicas.length === expected) return null;
  return (
    `The manual partition assignment includes a partition with ${replicas.length} replica(s), but this is not ` +
    `consistent with previous partitions, which have ${expected} replica(s).`
  );
}

function manualReplicas(
  request: CreateTopic,
  assignments: readonly ReplicaAssignment[],
  image: ClusterImage,
): Replicas {
  if (request.replicationFactor !== -1) {
    const sentence = 'A manual partition assignment was specified, but replication factor was not set to -1.';
    return refusal(ErrorCode.INVALID_REQUEST, sentence);
  }
  if (request.numPartitions !== -1) {
    const sentence = 'A manual partition assignment was specified, but numPartitions was not set to -1.';
    return refusal(ErrorCode.INVALID_REQUEST, sentence);
  }
  const byPartition = new Map<number, readonly number[]>();
  let expected: number | null = null;
  for (const { partitionIndex, brokerIds } of assignments) {
    const complaint = byPartition.has(partitionIndex)
      ? `Found multiple manual partition assignments for partition ${partitionIndex}`
      : checkReplicas(brokerIds, expected, image);
    if (complaint !== null) return refusal(ErrorCode.INVALID_REPLICA_ASSIGNMENT, complaint);
    expected = brokerIds.length;
    byPartition.set(partitionIndex, brokerIds);
  }
  const replicas: (readonly number[])[] = [];
  for (let partition = 0; partition < byPartition.size; partition += 1) {
    const assigned = byPartition.get(partition);
    if (!assigned) {
      const sentence = 'partitions should be a consecutive 0-based integer sequence';
      return refusal(ErrorCode.INVALID_REPLICA_ASSIGNMENT, sentence);
    }
    replicas.push(assigned);
  }
  return { refused: null, replicas };
}

function chosenReplicas(
  wanted: { readonly count: number; readonly first: number; readonly factor: number },
  { image, random }: DecisionContext,
): Replicas {
  const { brokers } = image;
  if (wanted.factor > brokers.length) {
    const sentence =
      `Unable to replicate the partition ${wanted.factor} time(s): The target replication factor of ${wanted.factor} ` +
      `cannot be reached because only ${brokers.length} broker(s) are registered or some brokers have all their log ` +
      'directories cordoned.';
    return refusal(ErrorCode.INVALID_REPLICATION_FACTOR, sentence);
  }
  // One broker leaves nothing to chance; several start anywhere, so that small topics do not all begin at the first.
  const anywhere = (): number => (brokers.length > 1 ? random.below(brokers.length) : 0);
  const replicas = assignReplicas(brokers, {
    partitions: wanted.count,
    replicationFactor: wanted.factor,
    firstPartition: wanted.first,
    start: anywhere(),
    shift: anywhere(),
  });
  return { refused: null, replicas };
}

function automaticReplicas(request: CreateTopic, context: DecisionContext): Replicas {
  const { numPartitions, replicationFactor } = request;
  if (replicationFactor < -1 || replicationFactor === 0) {
    const sentence = 'Replication factor must be larger than 0, or -1 to use the default value.';
    return refusal(ErrorCode.INVALID_REPLICATION_FACTOR, sentence);
  }
  if (numPartitions < -1 || numPartitions === 0) {
    const sentence = 'Number of partitions was set to an invalid non-positive value.';
    return refusal(ErrorCode.INVALID_PARTITIONS, sentence);
  }
  const count = numPartitions === -1 ? context.config.number('num.partitions') : numPartitions;
  const factor = replicationFactor === -1 ? context.config.number('default.replication.factor') : replicationFactor;
  if (count > PARTITIONS_PER_REQUEST_MAX) {
    return refusal(ErrorCode.POLICY_VIOLATION, 'Excessively large number of partitions per request.');
  }
  return chosenReplicas({ count, first: 0, factor }, context);
}

/** The new topic with its id, replicas and first leaders, or why there can be none. */
export function decideCreateTopic(request: CreateTopic, context: DecisionContext): TopicDecision {
  const { image, config } = context;
  const badName = checkName(request.name, image);
  if (badName) return badName;
  const overrides = ownConfigs(request.configs);
  if (typeof overrides === 'string') return refusal(ErrorCode.INVALID_CONFIG, overrides);
  const complaint = checkTopicConfigs(overrides, config);
  if (complaint !== null) return refusal(ErrorCode.INVALID_CONFIG, complaint);
  const assignments = request.assignments ?? [];
  const placed =
    assignments.length > 0 ? manualReplicas(request, assignments, image) : automaticReplicas(request, context);
  if (placed.refused) return placed;
  const topic: TopicImage = {
    name: request.name,
    id: randomUuid(context.random),
    internal: INTERNAL_TOPICS.includes(request.name),
    partitions: placed.replicas.map((replicas, partition) => newPartition(partition, replicas, image)),
    config: effectiveTopicConfig(overrides, config),
    overrides,
  };
  return { refused: null, topic };
}

function addedReplicas(request: CreatePartitions, topic: TopicImage, context: DecisionContext): Replicas {
  const existing = topic.partitions.length;
  const count = request.count - existing;
  const factor = topic.partitions[0]?.replicas.length ?? 1;
  if (count > PARTITIONS_PER_REQUEST_MAX) {
    return refusal(ErrorCode.POLICY_VIOLATION, 'Excessively large number of partitions per request.');
  }
  const assignments = request.assignments ?? null;
  if (assignments === null) return chosenReplicas({ count, first: existing, factor }, context);
  if (assignments.length !== count) {
    const sentence = `Attempted to add ${count} additional partition(s), but only ${assignments.length} assignment(s) were specified.`;
    return refusal(ErrorCode.INVALID_REPLICA_ASSIGNMENT, sentence);
  }
  for (const { brokerIds } of assignments) {
    const complaint = checkReplicas(brokerIds, factor, context.image);
    if (complaint !== null) return refusal(ErrorCode.INVALID_REPLICA_ASSIGNMENT, complaint);
  }
  return { refused: null, replicas: assignments.map((assignment) => assignment.brokerIds) };
}

/** The topic with more partitions, or why it cannot have them. */
export function decideCreatePartitions(request: CreatePartitions, context: DecisionContext): TopicDecision {
  const topic = context.image.topic(request.name);
  if (!topic) return refusal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, null);
  const existing = topic.partitions.length;
  if (request.count === existing) {
    return refusal(ErrorCode.INVALID_PARTITIONS, `Topic already has ${existing} partition(s).`);
  }
  if (request.count < existing) {
    const sentence = `The topic ${request.name} currently has ${existing} partition(s); ${request.count} would not be an increase.`;
    return refusal(ErrorCode.INVALID_PARTITIONS, sentence);
  }
  const placed = addedReplicas(request, topic, context);
  if (placed.refused) return placed;
  const added: PartitionImage[] = placed.replicas.map((replicas, index) =>
    newPartition(existing + index, replicas, context.image),
  );
  return { refused: null, topic: { ...topic, partitions: [...topic.partitions, ...added] } };
}

/** How a topic that nobody created is created: the internal ones as their coordinators need them. */
export function autoCreateRequest(name: string, config: BrokerConfig, liveBrokers: number): CreateTopic {
  const capped = (factor: string): number => Math.max(1, Math.min(config.number(factor), liveBrokers));
  const text = (key: string): string => config.text(key) ?? '';
  if (name === '__consumer_offsets') {
    return {
      name,
      numPartitions: config.number('offsets.topic.num.partitions'),
      replicationFactor: capped('offsets.topic.replication.factor'),
      configs: [
        { name: 'cleanup.policy', value: 'compact' },
        { name: 'compression.type', value: 'producer' },
        {
          name: internalSegmentConfig(config.number('offsets.topic.segment.bytes')),
          value: text('offsets.topic.segment.bytes'),
        },
      ],
    };
  }
  if (name === '__transaction_state') {
    const replicationFactor = capped('transaction.state.log.replication.factor');
    const minInsync = Math.min(config.number('transaction.state.log.min.isr'), replicationFactor);
    const segmentBytes = config.number('transaction.state.log.segment.bytes');
    return {
      name,
      numPartitions: config.number('transaction.state.log.num.partitions'),
      replicationFactor,
      configs: [
        { name: 'cleanup.policy', value: 'compact' },
        { name: 'compression.type', value: 'uncompressed' },
        { name: 'unclean.leader.election.enable', value: 'false' },
        { name: 'min.insync.replicas', value: String(minInsync) },
        { name: internalSegmentConfig(segmentBytes), value: String(segmentBytes) },
      ],
    };
  }
  if (name === '__share_group_state') {
    const replicationFactor = capped('share.coordinator.state.topic.replication.factor');
    const minInsync = Math.min(config.number('share.coordinator.state.topic.min.isr'), replicationFactor);
    const segmentBytes = config.number('share.coordinator.state.topic.segment.bytes');
    return {
      name,
      numPartitions: config.number('share.coordinator.state.topic.num.partitions'),
      replicationFactor,
      configs: [
        // What is superseded is deleted from the front: compaction would keep only the last change.
        { name: 'cleanup.policy', value: 'delete' },
        { name: 'retention.ms', value: '-1' },
        { name: 'min.insync.replicas', value: String(minInsync) },
        { name: internalSegmentConfig(segmentBytes), value: String(segmentBytes) },
      ],
    };
  }
  return { name, numPartitions: -1, replicationFactor: -1, configs: [] };
}

/** Segments of internal topics may be smaller than `segment.bytes` allows. */
function internalSegmentConfig(segmentBytes: number): string {
  return segmentBytes < 1024 * 1024 ? 'internal.segment.bytes' : 'segment.bytes';
}
