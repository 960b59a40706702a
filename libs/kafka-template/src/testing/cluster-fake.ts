/**
 * What all clients of a driver fake see: logs of partitions and committed offsets, in memory.
 */
import {
  type DriverError,
  type DriverProducerRecord,
  type DriverRecord,
  type OffsetCommit,
  type TopicPartition,
  partitionName,
} from '../drivers/driver.js';

/** An error as drivers raise it. */
export function driverError(code: string, options: { retriable?: boolean; fatal?: boolean } = {}): DriverError {
  const { retriable = false, fatal = false } = options;
  return Object.assign(new Error(`scripted ${code}`), { code, retriable, fatal });
}

/** What all clients of one {@link DriverFake} see. */
export class ClusterFake {
  /** Records by partition, `orders-0`. */
  readonly partitions = new Map<string, DriverRecord[]>();
  /** Number of partitions by topic. */
  readonly topics = new Map<string, number>();
  /** Committed offsets by group. */
  readonly committed = new Map<string, Map<string, OffsetCommit>>();
  readonly #watchers = new Set<() => void>();

  /** Creates a topic, or grows it. */
  createTopic(name: string, partitions = 1): void {
    this.topics.set(name, partitions);
    for (let partition = 0; partition < partitions; partition++) this.log({ topic: name, partition });
  }

  /** The records of a partition. */
  log(partition: TopicPartition): DriverRecord[] {
    const name = partitionName(partition);
    let log = this.partitions.get(name);
    if (log === undefined) {
      log = [];
      this.partitions.set(name, log);
      this.topics.set(partition.topic, Math.max(this.topics.get(partition.topic) ?? 0, partition.partition + 1));
    }
    return log;
  }

  /** Appends a record and wakes consumers that wait. Returns its offset. */
  append(record: DriverProducerRecord, timestamp = 0): number {
    const partition = { topic: record.topic, partition: record.partition ?? 0 };
    const log = this.log(partition);
    log.push({
      ...partition,
      offset: log.length,
      timestamp: record.timestamp ?? timestamp,
      timestampType: 'CreateTime',
      key: bytes(record.key),
      value: bytes(record.value),
      headers: (record.headers ?? []).map(({ key, value }) => ({ key, value: bytes(value) })),
    });
    for (const watcher of this.#watchers) watcher();
    return log.length - 1;
  }

  /** Calls back after each append. Returns the way to end it. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Offsets of a group, by partition name. */
  offsetsOf(groupId: string): Map<string, OffsetCommit> {
    let offsets = this.committed.get(groupId);
    if (offsets === undefined) this.committed.set(groupId, (offsets = new Map<string, OffsetCommit>()));
    return offsets;
  }
}

/** The partitions of a topic. */
export function partitionsOf(cluster: ClusterFake, topic: string): TopicPartition[] {
  return Array.from({ length: cluster.topics.get(topic) ?? 0 }, (_, partition) => ({ topic, partition }));
}

function bytes(data: Buffer | string | null | undefined): Buffer | null {
  return typeof data === 'string' ? Buffer.from(data) : (data ?? null);
}
