/**
 * From kafkajs' push to the port's poll: takes what kafkajs fetches, holds it until polled, and holds kafkajs back.
 *
 * At most `maxPollRecords` records wait, plus what one fetch brings and what paused partitions hold. While kafkajs waits for
 * room its heartbeats are sent from here, as it would send none. Nothing in here may throw: kafkajs takes a TypeError for the
 * end of the consumer and anything else for a reason to start it again.
 */
import type { Clock } from '../../io/clock.js';
import type { DriverRecord, TopicPartition } from '../driver.js';
import { partitionName } from '../driver.js';
import { KafkaJsPartition } from './kafkajs.partition.js';
import { KafkaJsRecord, KafkaJsRecords } from './kafkajs.record.js';
import type { Signal } from './kafkajs.signal.js';
import type { KafkaJsBatchPayload, KafkaJsConsumerClient } from './kafkajs.types.js';

/** What a feed needs. */
export interface FeedParts {
  readonly client: KafkaJsConsumerClient;
  readonly signal: Signal;
  readonly clock: Clock;
  readonly maxPollRecords: number;
  readonly heartbeatIntervalMs: number;
  /** False when heartbeats would hide that nobody polls. */
  readonly isPolled: () => boolean;
}

/** The assigned partitions and their records. */
export class Feed {
  readonly #parts: FeedParts;
  #partitions = new Map<string, KafkaJsPartition>();
  /** Paused when they were given up: paused again should they come back with the next assignment. */
  #pausedBefore = new Set<string>();
  #isStopped = false;

  constructor(parts: FeedParts) {
    this.#parts = parts;
  }

  /** The partitions assigned now. */
  list(): KafkaJsPartition[] {
    return [...this.#partitions.values()];
  }

  /** A partition that is assigned now. */
  find(partition: TopicPartition): KafkaJsPartition | undefined {
    return this.#partitions.get(partitionName(partition));
  }

  /** The group gave these partitions; they have no position yet. */
  assign(partitions: readonly TopicPartition[]): void {
    this.#partitions = new Map(partitions.map((each) => [partitionName(each), new KafkaJsPartition(each)]));
    for (const name of this.#pausedBefore) {
      const partition = this.#partitions.get(name);
      if (partition !== undefined) partition.isPaused = true;
    }
    this.#pausedBefore = new Set();
  }

  /** Gives all partitions up, and their records with them. */
  clear(): void {
    const paused = this.list().filter(({ isPaused }) => isPaused);
    for (const partition of paused) this.tell((client) => client.resume(topicPartitions(partition)));
    this.#pausedBefore = new Set(paused.map(partitionName));
    this.#partitions = new Map();
    this.#parts.signal.raise();
  }

  /** Lets kafkajs go, and takes nothing any more. */
  stop(): void {
    this.#isStopped = true;
    this.#parts.signal.raise();
  }

  /** After an assignment: makes kafkajs fetch from here, and only what is not paused. */
  begin(): void {
    for (const partition of this.list()) {
      if (partition.isPaused || partition.next === undefined) this.#hold(partition);
      if (partition.next !== undefined) this.#seekClient(partition, partition.next);
    }
  }

  /** Goes to an offset. */
  seek(partition: KafkaJsPartition, offset: number): void {
    const isNew = partition.next === undefined;
    if (partition.seek(offset)) this.#seekClient(partition, offset);
    if (isNew && !partition.isPaused) this.tell((client) => client.resume(topicPartitions(partition)));
    this.#parts.signal.raise();
  }

  /** Stops or goes on returning and fetching the records of a partition. */
  setPaused(partition: KafkaJsPartition, isPaused: boolean): void {
    partition.isPaused = isPaused;
    if (isPaused) this.#hold(partition);
    else this.tell((client) => client.resume(topicPartitions(partition)));
    this.#parts.signal.raise();
  }

  /** Up to `maxPollRecords` records. The partition that came first comes last the next time. */
  take(): KafkaJsRecords {
    const taken = new Map<string, DriverRecord[]>();
    let room = this.#parts.maxPollRecords;
    for (const [name, partition] of [...this.#partitions]) {
      partition.compact();
      if (room === 0 || partition.isPaused || partition.waiting === 0) continue;
      const records = partition.take(room);
      room -= records.length;
      taken.set(name, records);
      this.#partitions.delete(name);
      this.#partitions.set(name, partition);
    }
    if (taken.size > 0) this.#parts.signal.raise();
    return new KafkaJsRecords(taken);
  }

  /** kafkajs' `eachBatch`: resolves when there is room for the next fetch. Rejects with what a heartbeat rejects with. */
  async onBatch({ batch, resolveOffset, heartbeat, isStale, isRunning }: KafkaJsBatchPayload): Promise<void> {
    const partition = this.find(batch);
    if (partition?.next === undefined || this.#isStopped || isStale()) return;
    if (Number(batch.fetchedOffset) !== partition.next) {
      // From before a seek or a rebalance.
      this.#seekClient(partition, partition.next);
      return;
    }
    const last = batch.lastOffset();
    partition.add(
      batch.messages.map((message) => new KafkaJsRecord(batch, message)),
      Number(last) + 1,
    );
    resolveOffset(last);
    const { signal, clock, heartbeatIntervalMs, maxPollRecords, isPolled } = this.#parts;
    signal.raise();
    let heartbeatMs = clock.now() + heartbeatIntervalMs;
    while (isRunning() && !this.#isStopped && this.#waiting() >= maxPollRecords) {
      await signal.wait(heartbeatMs - clock.now());
      if (clock.now() < heartbeatMs) continue;
      heartbeatMs = clock.now() + heartbeatIntervalMs;
      if (isPolled()) await heartbeat();
    }
  }

  /** kafkajs went over records that it does not hand out: control records, aborted ones. */
  onSkipped(batch: TopicPartition & { readonly lastOffset: string }): void {
    const partition = this.find(batch);
    const next = Number(batch.lastOffset) + 1;
    if (partition?.next !== undefined && next > partition.next) partition.add([], next);
  }

  /** Tells kafkajs something that it refuses while it is not running; it then begins with what is known here. */
  tell(work: (client: KafkaJsConsumerClient) => void): void {
    try {
      work(this.#parts.client);
    } catch {
      // Not running.
    }
  }

  #hold(partition: KafkaJsPartition): void {
    this.tell((client) => client.pause(topicPartitions(partition)));
  }

  #seekClient({ topic, partition }: TopicPartition, offset: number): void {
    this.tell((client) => client.seek({ topic, partition, offset: String(offset) }));
  }

  #waiting(): number {
    let count = 0;
    for (const partition of this.#partitions.values()) if (!partition.isPaused) count += partition.waiting;
    return count;
  }
}

function topicPartitions({ topic, partition }: TopicPartition): { topic: string; partitions: number[] }[] {
  return [{ topic, partitions: [partition] }];
}
