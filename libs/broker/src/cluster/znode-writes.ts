/**
 * Changes of topics as operations on the coordination store.
 *
 * Guarantees: a topic exists once its own node does, partitions without a state are new; a deletion that was begun is
 * marked first, so that the next controller can finish it. Parents come before children, deletions the other way round.
 */
import type { ConfigEntries } from './broker-config.js';
import type { PartitionImage, TopicImage } from './image.js';
import type { CoordinationSession, NodeMode, StoreOperation } from './store.js';
import {
  configPath,
  deletePath,
  encodeConfig,
  encodePartitionState,
  encodeTopic,
  partitionPath,
  partitionsPath,
  statePath,
  topicPath,
} from './znodes.js';

const NOTHING = Buffer.alloc(0);

function create(path: string, data: Buffer, mode: NodeMode = 'persistent'): StoreOperation {
  return { type: 'create', path, data, mode };
}

function remove(path: string): StoreOperation {
  return { type: 'delete', path, version: -1 };
}

function replicasOf(topic: TopicImage): (readonly number[])[] {
  return topic.partitions.map((partition) => partition.replicas);
}

/** Nodes of partitions that have none yet. */
export function createPartitionNodes(
  topic: TopicImage,
  partitions: readonly PartitionImage[],
  controllerEpoch: number,
): StoreOperation[] {
  return partitions.flatMap((partition) => [
    create(partitionPath(topic.name, partition.partition), NOTHING),
    create(statePath(topic.name, partition.partition), encodePartitionState(partition, controllerEpoch)),
  ]);
}

/** Everything a new topic needs. */
export function createTopicNodes(topic: TopicImage, controllerEpoch: number): StoreOperation[] {
  return [
    create(configPath('topics', topic.name), encodeConfig(topic.overrides)),
    create(topicPath(topic.name), encodeTopic(topic.id, replicasOf(topic))),
    create(partitionsPath(topic.name), NOTHING),
    ...createPartitionNodes(topic, topic.partitions, controllerEpoch),
  ];
}

/** A topic that has more partitions than before. */
export function growTopicNodes(
  topic: TopicImage,
  firstNewPartition: number,
  controllerEpoch: number,
): StoreOperation[] {
  const added = topic.partitions.slice(firstNewPartition);
  return [
    { type: 'set', path: topicPath(topic.name), data: encodeTopic(topic.id, replicasOf(topic)), version: -1 },
    ...createPartitionNodes(topic, added, controllerEpoch),
  ];
}

/** A new state of a partition; fails when somebody else changed it since. `partitionEpoch` is the one before. */
export function setPartitionState(topic: string, partition: PartitionImage, controllerEpoch: number): StoreOperation {
  const path = statePath(topic, partition.partition);
  return {
    type: 'set',
    path,
    data: encodePartitionState(partition, controllerEpoch),
    version: partition.partitionEpoch,
  };
}

/** The mark that a deletion has begun. */
export function markDeletion(topic: string): StoreOperation {
  return create(deletePath(topic), NOTHING);
}

/** Removes whatever there is of a topic, its mark last. Reads, but changes nothing. */
export async function deleteTopicNodes(session: CoordinationSession, topic: string): Promise<StoreOperation[]> {
  const exists = async (path: string): Promise<boolean> => (await session.exists(path)) !== null;
  const parent = await exists(partitionsPath(topic));
  const partitions = parent ? (await session.children(partitionsPath(topic))).map(Number) : [];
  const states = await Promise.all(partitions.map((partition) => exists(statePath(topic, partition))));
  const single = [partitionsPath(topic), topicPath(topic), configPath('topics', topic), deletePath(topic)];
  const present = await Promise.all(single.map(exists));
  return [
    ...partitions.filter((_, index) => states[index]).map((partition) => remove(statePath(topic, partition))),
    ...partitions.map((partition) => remove(partitionPath(topic, partition))),
    ...single.filter((_, index) => present[index]).map(remove),
  ];
}

/** Own configs of something that may have none yet. */
export function putConfig(path: string, entries: ConfigEntries, exists: boolean): StoreOperation {
  const data = encodeConfig(entries);
  return exists ? { type: 'set', path, data, version: -1 } : create(path, data);
}
