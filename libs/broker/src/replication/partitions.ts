/**
 * All partition replicas of this broker: opened at start, created and deleted with their topics, closed in order.
 */
import type { Clock } from '../io/clock.js';
import type { Disk } from '../io/disk.js';
import type { Logger } from '../io/logger.js';
import type { TopicConfig } from '../log/log-config.js';
import type { Partition } from './partition.js';
import { Waits } from './waits.js';

/** What `Partitions.open` needs. */
export interface PartitionsOptions {
  /** Directory of the logs; null keeps everything in memory. */
  readonly dataDir: string | null;
  /** Default: the real disk, or a new disk in memory when `dataDir` is null. */
  readonly disk?: Disk;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly brokerId: number;
  readonly clusterId: string;
}

/** See the file comment. */
export class Partitions {
  /** Where fetches wait; partitions of this broker wake it. */
  readonly waits: Waits;

  private constructor(options: PartitionsOptions) {
    this.waits = new Waits(options.clock);
  }

  /** Locks the data directory, recovers what is in it and opens every partition found. */
  static open(options: PartitionsOptions): Promise<Partitions> {
    return Promise.resolve(new Partitions(options));
  }

  get(topic: string, partition: number): Partition | undefined {
    throw new Error(`not yet: ${topic} ${partition}`);
  }

  /** Creates a partition, or returns the one that exists with the same topic id; its configuration is set either way. */
  create(topic: string, partition: number, topicId: string, config: TopicConfig): Promise<Partition> {
    throw new Error(`not yet: ${topic} ${partition} ${topicId} ${config.segmentBytes}`);
  }

  /** Deletes a partition with its data; a missing one is fine. */
  delete(topic: string, partition: number): Promise<void> {
    throw new Error(`not yet: ${topic} ${partition}`);
  }

  /** New configuration for all partitions of a topic on this broker. */
  updateConfig(topic: string, config: TopicConfig): void {
    throw new Error(`not yet: ${topic} ${config.segmentBytes}`);
  }

  all(): Iterable<Partition> {
    return [];
  }

  /** Writes, flushes and checkpoints everything and leaves the mark of a clean stop. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}
