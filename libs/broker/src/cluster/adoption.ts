/**
 * Makes the state of a cluster for a data directory that Apache Kafka has written: what Kafka kept elsewhere (in ZooKeeper
 * or in its metadata log) is made again from the partitions that are there.
 * Guarantees: one entry of the journal, so that an interrupted adoption has not begun; topic ids, leader epochs and the
 * cluster's id are those of the directory; no record is deleted by age or compacted until somebody configures that, since
 * nobody knows how the topics were configured; producer ids go on far above those that Kafka has given.
 * Leaves out configs, ACLs, users and quotas, and partitions whose replicas are on other brokers.
 */
import type { Disk } from '../io/disk.js';
import { type Random, randomUuid } from '../io/random.js';
import { readLeaderEpochs, readPartitionMetadata } from '../log/checkpoint.js';
import {
  LEADER_EPOCH_CHECKPOINT,
  METADATA_TOPIC,
  PARTITION_METADATA,
  parsePartitionDirectoryName,
} from '../log/file-names.js';
import type { BrokerConfig, ConfigEntries } from './broker-config.js';
import { INTERNAL_TOPICS, type PartitionImage, type TopicImage } from './image.js';
import type { CoordinationStore, StoreOperation } from './store.js';
import { effectiveTopicConfig } from './topic-config.js';
import { autoCreateRequest, ownConfigs } from './topic-decisions.js';
import { createTopicNodes } from './znode-writes.js';
import {
  CLUSTER_ID,
  CONTROLLER_EPOCH,
  encodeClusterId,
  encodeProducerIdBlock,
  PERSISTENT_PATHS,
  PRODUCER_ID_BLOCK,
} from './znodes.js';

/** Kafka counts producer ids up from 0, a thousand at a time: no cluster has come near. */
export const PRODUCER_IDS_OF_KAFKA = 2 ** 40;

/** Keeps everything; `compact` could not be told from `delete` by looking at the files. */
const UNTOUCHED: ConfigEntries = { 'retention.ms': '-1', 'retention.bytes': '-1' };

/** What an adoption works with. */
export interface AdoptionOptions {
  /** Empty, and in the data directory. */
  readonly store: CoordinationStore;
  readonly disk: Disk;
  /** The data directory. */
  readonly directory: string;
  readonly clusterId: string;
  readonly brokerId: number;
  readonly config: BrokerConfig;
  readonly random: Random;
}

/** Writes the state. Resolves with the topics found, by name. Rejects with a `DiskError` or `StoreError`. */
export async function adoptDirectory(options: AdoptionOptions): Promise<string[]> {
  const topics = await findTopics(options);
  const block = { broker: options.brokerId, first: 0, last: PRODUCER_IDS_OF_KAFKA - 1 };
  const contents: readonly (readonly [path: string, data: Buffer])[] = [
    ...PERSISTENT_PATHS.map(
      (path) => [path, path === PRODUCER_ID_BLOCK ? encodeProducerIdBlock(block) : NOTHING] as const,
    ),
    [CONTROLLER_EPOCH, Buffer.from('0')],
    [CLUSTER_ID, encodeClusterId(options.clusterId)],
  ];
  const session = await options.store.openSession({ timeoutMs: 0 });
  await session.multi([
    ...contents.map(([path, data]): StoreOperation => ({ type: 'create', path, data, mode: 'persistent' })),
    ...topics.flatMap((topic) => createTopicNodes(topic, 0)),
  ]);
  await session.close();
  return topics.map(({ name }) => name);
}

const NOTHING = Buffer.alloc(0);

async function findTopics({ disk, directory, brokerId, config, random }: AdoptionOptions): Promise<TopicImage[]> {
  const found = new Map<string, { id: string | null; epochs: Map<number, number> }>();
  for (const name of (await disk.readdir(directory)).sort()) {
    const identity = parsePartitionDirectoryName(name);
    const path = `${directory}/${name}`;
    if (identity === null || identity.topic === METADATA_TOPIC) continue;
    if ((await disk.stat(path))?.isDirectory !== true) continue;
    const topic = found.get(identity.topic) ?? { id: null, epochs: new Map<number, number>() };
    topic.id ??= (await readPartitionMetadata(disk, `${path}/${PARTITION_METADATA}`))?.topicId ?? null;
    const epochs = await readLeaderEpochs(disk, `${path}/${LEADER_EPOCH_CHECKPOINT}`);
    topic.epochs.set(identity.partition, epochs?.at(-1)?.epoch ?? 0);
    found.set(identity.topic, topic);
  }
  return [...found].map(([name, { id, epochs }]) => {
    const isInternal = INTERNAL_TOPICS.includes(name);
    const overrides = isInternal ? internalConfigs(name, config) : UNTOUCHED;
    return {
      name,
      id: id ?? randomUuid(random),
      internal: isInternal,
      partitions: partitionsOf(epochs, brokerId),
      config: effectiveTopicConfig(overrides, config),
      overrides,
    };
  });
}

/** All up to the last: where one in between was on another broker only, an empty one is made. */
function partitionsOf(epochs: ReadonlyMap<number, number>, brokerId: number): PartitionImage[] {
  const count = Math.max(...epochs.keys()) + 1;
  const replicas = [brokerId];
  return Array.from({ length: count }, (_, partition) => {
    const leaderEpoch = epochs.get(partition) ?? 0;
    return { partition, leader: brokerId, leaderEpoch, partitionEpoch: 0, replicas, isr: replicas };
  });
}

function internalConfigs(name: string, config: BrokerConfig): ConfigEntries {
  const entries = ownConfigs(autoCreateRequest(name, config, 1).configs);
  return typeof entries === 'string' ? {} : entries;
}
