/**
 * Reads the whole cluster out of the coordination store: what a broker knows when it starts or takes over as controller.
 *
 * Guarantees: topics whose creation or deletion was cut short are told apart from whole ones; nothing is written.
 */
import type { BrokerConfig, ConfigEntries } from './broker-config.js';
import { INTERNAL_TOPICS, type BrokerInfo, type PartitionImage, type TopicImage } from './image.js';
import { isStoreError, type CoordinationSession, type Watch } from './store.js';
import { effectiveTopicConfig } from './topic-config.js';
import {
  BROKER_IDS,
  brokerPath,
  configPath,
  CONTROLLER,
  decodeBroker,
  decodeConfig,
  decodeController,
  decodePartitionState,
  decodeTopic,
  DEFAULT_ENTITY,
  DELETE_TOPICS,
  statePath,
  topicPath,
  TOPICS,
  type ConfigKind,
} from './znodes.js';

/** A topic as stored. `stateZxids[p]` is when the state of partition p was written, -1 when it never was. */
export interface LoadedTopic {
  readonly topic: TopicImage;
  readonly stateZxids: readonly number[];
}

/** Configs that were changed at run time. */
export interface LoadedConfigs {
  readonly forAllBrokers: ConfigEntries;
  readonly forThisBroker: ConfigEntries;
  readonly groups: ReadonlyMap<string, ConfigEntries>;
}

/** Null instead of NO_NODE. */
async function orNull<T>(read: Promise<T>): Promise<T | null> {
  try {
    return await read;
  } catch (error) {
    if (isStoreError(error, 'NO_NODE')) return null;
    throw error;
  }
}

/** The live brokers. The watch is told when one comes or goes. */
export async function loadBrokers(session: CoordinationSession, watch?: Watch): Promise<BrokerInfo[]> {
  const ids = (await session.children(BROKER_IDS, watch)).map(Number);
  const nodes = await Promise.all(ids.map((id) => orNull(session.get(brokerPath(id)))));
  // A broker that went in between is missing here, and the watch has told or will tell of it.
  return nodes.flatMap((node, index) => (node ? [decodeBroker(ids[index] ?? -1, node.data, node.stat.czxid)] : []));
}

/** The controller's id, or -1. The watch is told when it changes. */
export async function loadControllerId(session: CoordinationSession, watch?: Watch): Promise<number> {
  if ((await session.exists(CONTROLLER, watch)) === null) return -1;
  const node = await orNull(session.get(CONTROLLER));
  return node ? decodeController(node.data) : -1;
}

async function loadConfig(
  session: CoordinationSession,
  kind: ConfigKind,
  entity: { readonly name: string; readonly watch?: Watch | undefined },
): Promise<ConfigEntries> {
  const path = configPath(kind, entity.name);
  const node = await orNull(session.get(path, entity.watch));
  return node ? decodeConfig(path, node.data) : {};
}

/** What was changed at run time for brokers and groups. */
export async function loadConfigs(session: CoordinationSession, brokerId: number): Promise<LoadedConfigs> {
  const groupNames = await session.children('/config/groups');
  const groups = await Promise.all(groupNames.map((name) => loadConfig(session, 'groups', { name })));
  return {
    forAllBrokers: await loadConfig(session, 'brokers', { name: DEFAULT_ENTITY }),
    forThisBroker: await loadConfig(session, 'brokers', { name: String(brokerId) }),
    groups: new Map(groupNames.map((name, index) => [name, groups[index] ?? {}])),
  };
}

interface LoadedPartition {
  readonly partition: PartitionImage;
  readonly zxid: number;
}

async function loadPartition(
  session: CoordinationSession,
  topic: string,
  place: { readonly partition: number; readonly replicas: readonly number[] },
  watch: Watch | undefined,
): Promise<LoadedPartition> {
  const { partition, replicas } = place;
  const path = statePath(topic, partition);
  const node = await orNull(session.get(path, watch));
  if (!node) {
    const fresh = { partition, replicas, isr: replicas, leader: -1, leaderEpoch: -1, partitionEpoch: 0 };
    return { partition: fresh, zxid: -1 };
  }
  const state = decodePartitionState(path, node.data);
  return { partition: { partition, replicas, partitionEpoch: node.stat.version, ...state }, zxid: node.stat.mzxid };
}

async function loadTopic(
  session: CoordinationSession,
  name: string,
  config: BrokerConfig,
  watch: Watch | undefined,
): Promise<LoadedTopic | null> {
  const node = await orNull(session.get(topicPath(name), watch));
  if (!node) return null;
  const { id, replicas } = decodeTopic(name, node.data);
  const overrides = await loadConfig(session, 'topics', { name, watch });
  const places = replicas.map((brokers, partition) => ({ partition, replicas: brokers }));
  const loaded = await Promise.all(places.map((place) => loadPartition(session, name, place, watch)));
  return {
    topic: {
      name,
      id,
      internal: INTERNAL_TOPICS.includes(name),
      partitions: loaded.map(({ partition }) => partition),
      config: effectiveTopicConfig(overrides, config),
      overrides,
    },
    stateZxids: loaded.map(({ zxid }) => zxid),
  };
}

/** All topics, those in deletion included. The watch is told when anything about topics changes. */
export async function loadTopics(
  session: CoordinationSession,
  config: BrokerConfig,
  watch?: Watch,
): Promise<LoadedTopic[]> {
  const names = await session.children(TOPICS, watch);
  const topics: LoadedTopic[] = [];
  // One topic after the other: a store over the network should not get a hundred thousand reads at once.
  for (const name of names) {
    const topic = await loadTopic(session, name, config, watch);
    if (topic) topics.push(topic);
  }
  return topics;
}

/** Topics whose deletion was begun and not finished. */
export function loadDeletions(session: CoordinationSession): Promise<string[]> {
  return session.children(DELETE_TOPICS);
}
