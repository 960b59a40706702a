/**
 * One topic as the producer sees it: its partitions' queues, and the records that wait for its metadata.
 *
 * Guarantees that queues outlive a change of the metadata: partitions may be added, never taken away, and a topic that
 * disappears keeps what waits until it comes back or the time is over.
 */
import type { Random } from '../io/random.js';
import type { TopicInfo } from '../metadata/topic-info.js';
import { Fifo } from './fifo.js';
import type { Generation } from './generation.js';
import { StickyChoice } from './partitioner.js';
import { PartitionQueue } from './partition-queue.js';
import type { Identity } from './identity.js';
import type { Delivery, ProducerRecord } from './producer-record.js';

/** A record that cannot be put into a batch yet. */
export interface Waiter {
  readonly topic: TopicQueues;
  /** A copy: the one that was appended may have changed since. */
  readonly record: ProducerRecord;
  readonly callback: Delivery | null;
  readonly timestamp: number;
  readonly generation: Generation;
  /** Monotonic time after which it has failed. */
  readonly deadlineMs: number;
  /** Most bytes the record takes. */
  readonly bytes: number;
}

/** A topic in use. */
export class TopicQueues {
  /** By partition number. */
  readonly partitions: PartitionQueue[] = [];
  /** For records without a key. */
  readonly sticky: StickyChoice;
  /** Records that wait for the topic, or for the partition they name, to appear. */
  waiting = new Fifo<Waiter>();
  /** Whether the last metadata had the topic. */
  isKnown = false;
  /** Monotonic time of the last new batch or waiter. */
  lastUsedMs: number;
  private info: TopicInfo | undefined = undefined;

  constructor(
    readonly name: string,
    nowMs: number,
    random: Random,
    batchSize: number,
    private readonly identity: Identity | null,
  ) {
    this.lastUsedMs = nowMs;
    this.sticky = new StickyChoice(random, batchSize);
  }

  /** Whether nothing waits anywhere in the topic. */
  get isIdle(): boolean {
    return this.waiting.length === 0 && this.partitions.every((queue) => queue.isIdle);
  }

  /** Whether a record has to wait for metadata: the topic is unknown, or the partition it names is. */
  mustWait(partition: number | null | undefined): boolean {
    if (!this.isKnown) return true;
    return partition !== null && partition !== undefined && partition >= this.partitions.length;
  }

  /** Takes over what the metadata says now. Returns whether anything changed. */
  update(info: TopicInfo | undefined): boolean {
    if (info === this.info) return false;
    this.info = info;
    this.isKnown = info !== undefined && info.partitions.length > 0;
    for (const partition of info?.partitions ?? []) {
      this.partitions[partition.partition] ??= new PartitionQueue(this.name, partition.partition, this.identity);
    }
    for (const queue of this.partitions) queue.leader = info?.partitions[queue.partition]?.leader ?? -1;
    return true;
  }
}
