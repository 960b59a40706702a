/**
 * Names and contents of the nodes in the coordination store: those of Kafka's ZooKeeper era.
 *
 * Guarantees: ZooKeeper's shell shows what Kafka's users expect (versions: broker 5, topic 3, partition state 1,
 * controller 2, config 1); what was encoded here decodes to the same; damaged contents throw an error naming the node.
 * Source: Kafka 3.9 `ZkData`.
 */
import type { ConfigEntries } from './broker-config.js';
import type { BrokerInfo, PartitionImage } from './image.js';

/** The id of the cluster, made by its first broker. */
export const CLUSTER_ID = '/cluster/id';
/** Parent of the live brokers, ephemeral nodes named by broker id. */
export const BROKER_IDS = '/brokers/ids';
/** Parent of the topics. */
export const TOPICS = '/brokers/topics';
/** Ephemeral: the broker that decides. */
export const CONTROLLER = '/controller';
/** How many controllers there have been; its version fences the writes of the ones before. */
export const CONTROLLER_EPOCH = '/controller_epoch';
/** Parent of the topics whose deletion has begun. */
export const DELETE_TOPICS = '/admin/delete_topics';
/** The last block of producer ids that a broker took. */
export const PRODUCER_ID_BLOCK = '/latest_producer_id_block';

/** Persistent nodes that every broker makes sure of, parents first. */
export const PERSISTENT_PATHS: readonly string[] = [
  '/cluster',
  '/brokers',
  BROKER_IDS,
  TOPICS,
  '/config',
  '/config/topics',
  '/config/brokers',
  '/config/groups',
  '/config/changes',
  '/admin',
  DELETE_TOPICS,
  PRODUCER_ID_BLOCK,
];

/** Whose configs: the name below it is a topic, a broker id or `<default>`, a group. */
export type ConfigKind = 'topics' | 'brokers' | 'groups';

/** The name under which configs of all brokers are kept. */
export const DEFAULT_ENTITY = '<default>';

/** Registration of a live broker. */
export const brokerPath = (id: number): string => `${BROKER_IDS}/${id}`;
/** Id and replicas of a topic. */
export const topicPath = (topic: string): string => `${TOPICS}/${topic}`;
/** Parent of a topic's partitions. */
export const partitionsPath = (topic: string): string => `${TOPICS}/${topic}/partitions`;
/** Parent of a partition's state. */
export const partitionPath = (topic: string, partition: number): string => `${partitionsPath(topic)}/${partition}`;
/** Leader, epochs and in-sync replicas of a partition. */
export const statePath = (topic: string, partition: number): string => `${partitionPath(topic, partition)}/state`;
/** Own configs of a topic, a broker or a group. */
export const configPath = (kind: ConfigKind, name: string): string => `/config/${kind}/${name}`;
/** Mark of a topic whose deletion has begun. */
export const deletePath = (topic: string): string => `${DELETE_TOPICS}/${topic}`;

function encode(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** Contents of a node that could not be understood. */
export class ZnodeError extends Error {
  override readonly name = 'ZnodeError';
  readonly code = 'ZNODE_DAMAGED';

  constructor(path: string, reason: string) {
    super(`The node ${path} cannot be read: ${reason}. Was it written by hand? Correct or delete it.`);
  }
}

function decode<T extends object>(path: string, data: Buffer, check: (value: T) => boolean): T {
  let value: unknown;
  try {
    value = JSON.parse(data.toString('utf8'));
  } catch (error) {
    throw new ZnodeError(path, error instanceof Error ? error.message : String(error));
  }
  if (typeof value === 'object' && value !== null && check(value as T)) return value as T;
  throw new ZnodeError(path, 'something is missing in its JSON');
}

/** `/cluster/id`. */
export function encodeClusterId(id: string): Buffer {
  return encode({ version: '1', id });
}

/** Reads `/cluster/id`. */
export function decodeClusterId(data: Buffer): string {
  return decode<{ id: string }>(CLUSTER_ID, data, (value) => typeof value.id === 'string').id;
}

/** `/brokers/ids/N`. `timestampMs` is when the broker registered. */
export function encodeBroker(broker: Omit<BrokerInfo, 'epoch'>, timestampMs: number): Buffer {
  const { host, port, rack } = broker;
  return encode({
    features: {},
    listener_security_protocol_map: { PLAINTEXT: 'PLAINTEXT' },
    endpoints: [`PLAINTEXT://${host}:${port}`],
    jmx_port: -1,
    port,
    host,
    version: 5,
    timestamp: String(timestampMs),
    ...(rack === null ? {} : { rack }),
  });
}

/** Reads `/brokers/ids/N`; `epoch` is the zxid of its creation. */
export function decodeBroker(id: number, data: Buffer, epoch: number): BrokerInfo {
  type Json = { host: string; port: number; rack?: string };
  const good = (value: Json): boolean => typeof value.host === 'string' && typeof value.port === 'number';
  const { host, port, rack } = decode<Json>(brokerPath(id), data, good);
  return { id, host, port, rack: rack ?? null, epoch };
}

/** `/brokers/topics/T`: id and replicas. */
export function encodeTopic(id: string, replicas: readonly (readonly number[])[]): Buffer {
  const partitions = Object.fromEntries(replicas.map((brokers, partition) => [String(partition), brokers]));
  return encode({ removing_replicas: {}, partitions, topic_id: id, adding_replicas: {}, version: 3 });
}

/** Reads `/brokers/topics/T`; `replicas[p]` are the brokers of partition p. */
export function decodeTopic(topic: string, data: Buffer): { id: string; replicas: number[][] } {
  type Json = { topic_id: string; partitions: Record<string, number[]> };
  const good = (value: Json): boolean => typeof value.topic_id === 'string' && typeof value.partitions === 'object';
  const json = decode<Json>(topicPath(topic), data, good);
  const replicas = Object.keys(json.partitions).map((_, partition) => json.partitions[String(partition)] ?? []);
  return { id: json.topic_id, replicas };
}

/** `/brokers/topics/T/partitions/P/state`. */
export function encodePartitionState(state: Omit<PartitionImage, 'replicas'>, controllerEpoch: number): Buffer {
  const { leader, leaderEpoch, isr } = state;
  return encode({ controller_epoch: controllerEpoch, leader, version: 1, leader_epoch: leaderEpoch, isr });
}

/** Reads the state of a partition. */
export function decodePartitionState(
  path: string,
  data: Buffer,
): { readonly leader: number; readonly leaderEpoch: number; readonly isr: readonly number[] } {
  type Json = { leader: number; leader_epoch: number; isr: number[] };
  const good = (value: Json): boolean => typeof value.leader === 'number' && Array.isArray(value.isr);
  const { leader, leader_epoch: leaderEpoch, isr } = decode<Json>(path, data, good);
  return { leader, leaderEpoch, isr };
}

/** `/controller`. */
export function encodeController(brokerId: number, timestampMs: number): Buffer {
  return encode({ version: 2, brokerid: brokerId, timestamp: String(timestampMs), kraftControllerEpoch: -1 });
}

/** Reads `/controller`: the id of the controller. */
export function decodeController(data: Buffer): number {
  return decode<{ brokerid: number }>(CONTROLLER, data, (value) => typeof value.brokerid === 'number').brokerid;
}

/** `/controller_epoch`: a number as text. */
export function decodeControllerEpoch(data: Buffer): number {
  const epoch = Number(data.toString('utf8'));
  if (!Number.isSafeInteger(epoch)) throw new ZnodeError(CONTROLLER_EPOCH, 'it is no number');
  return epoch;
}

/** `/config/KIND/NAME`. */
export function encodeConfig(config: ConfigEntries): Buffer {
  return encode({ version: 1, config });
}

/** Reads `/config/KIND/NAME`. */
export function decodeConfig(path: string, data: Buffer): ConfigEntries {
  const good = (value: { config: object }): boolean => typeof value.config === 'object' && value.config !== null;
  return decode<{ config: Record<string, string> }>(path, data, good).config;
}

/** A range of producer ids, ends included. */
export interface ProducerIdBlock {
  readonly broker: number;
  readonly first: number;
  readonly last: number;
}

/** `/latest_producer_id_block`. */
export function encodeProducerIdBlock({ broker, first, last }: ProducerIdBlock): Buffer {
  return encode({ version: 1, broker, block_start: String(first), block_end: String(last) });
}

/** The node starts empty: then no block was given out yet, and this is null. */
export function decodeProducerIdBlock(data: Buffer): ProducerIdBlock | null {
  if (data.length === 0) return null;
  type Json = { broker: number; block_start: string; block_end: string };
  const good = (value: Json): boolean => Number.isSafeInteger(Number(value.block_end));
  const json = decode<Json>(PRODUCER_ID_BLOCK, data, good);
  return { broker: json.broker, first: Number(json.block_start), last: Number(json.block_end) };
}
