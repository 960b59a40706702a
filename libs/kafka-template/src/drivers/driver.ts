/**
 * The port to a Kafka client: what the template, the containers and the admin part need, and nothing more.
 *
 * Poll-based and small, in Kafka's own words. A driver is an adapter: `drivers/native` puts `@kafka-template/client`
 * behind it, specs use `testing/driver-fake.ts`. Nothing outside `drivers/` knows which client is behind it; what a
 * driver cannot do it says in `capabilities`, and a container that needs it refuses to start.
 */
import type { DriverCapabilities } from './driver-capabilities.js';
import type { AdminProperties, ConsumerProperties, ProducerProperties } from './driver-options.js';

/** One partition of one topic. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** An offset to commit: that of the next record to read, so the last one finished plus 1. */
export interface OffsetCommit extends TopicPartition {
  readonly offset: number;
  readonly leaderEpoch?: number;
  /** Free text stored beside the offset. */
  readonly metadata?: string;
}

/** A committed offset as the broker knows it; `offset` is undefined or null when the group has none there. */
export interface CommittedOffset extends TopicPartition {
  readonly offset?: number | null;
  readonly metadata?: string | null;
}

/** A header to send. */
export interface RecordHeader {
  readonly key: string;
  readonly value: Buffer | string | null;
}

/** A header received. */
export interface ReceivedHeader {
  readonly key: string;
  readonly value: Buffer | null;
}

/** A record to send, already serialised. */
export interface DriverProducerRecord {
  readonly topic: string;
  /** Absent or null: the partitioner chooses. */
  readonly partition?: number | null;
  /** Epoch milliseconds; absent: now. */
  readonly timestamp?: number;
  readonly key?: Buffer | string | null;
  readonly value?: Buffer | string | null;
  readonly headers?: readonly RecordHeader[];
}

/** What the broker answered to one record. `offset` is -1 with `acks` 0. */
export interface RecordMetadata extends TopicPartition {
  readonly offset: number;
  /** Epoch milliseconds; -1 when the broker did not say. */
  readonly timestamp: number;
  readonly serializedKeySize: number;
  readonly serializedValueSize: number;
}

/** A record as it comes from the broker. Key, value and headers may be read lazily. */
export interface DriverRecord extends TopicPartition {
  readonly offset: number;
  /** Epoch milliseconds. */
  readonly timestamp: number;
  /** CreateTime, LogAppendTime or NoTimestampType, or their numbers 0, 1 and -1. */
  readonly timestampType: string | number;
  readonly leaderEpoch?: number | null;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly ReceivedHeader[];
}

/** What one poll returned, by partition, in offset order inside each. */
export interface DriverRecords {
  readonly count: number;
  partitions(): readonly TopicPartition[];
  records(partition: TopicPartition): readonly DriverRecord[];
}

/** Called inside `poll`, and awaited by it, when partitions come and go. */
export interface RebalanceListener {
  onPartitionsAssigned?(partitions: readonly TopicPartition[]): void | Promise<void>;
  /** The partitions still belong to this member: a commit made here counts. */
  onPartitionsRevoked?(partitions: readonly TopicPartition[]): void | Promise<void>;
  /** The partitions already belong to someone else: nothing can be committed any more. */
  onPartitionsLost?(partitions: readonly TopicPartition[]): void | Promise<void>;
}

/** An error as drivers raise it. */
export interface DriverError extends Error {
  /** Kafka's error name, or the client's own code: CONFIG, TIMEOUT, NETWORK, CLOSED, WAKEUP ... */
  readonly code: string;
  /** The same call may succeed later. */
  readonly retriable: boolean;
  /** The client object is of no further use. */
  readonly fatal: boolean;
}

/** One partition as metadata describes it. */
export interface PartitionInfo extends TopicPartition {
  /** Broker id; -1 or null when there is no leader. */
  readonly leader?: number | null;
}

/** Outcome of one record: exactly one of the two is not null. */
export type SendCallback = (error: Error | null, metadata: RecordMetadata | null) => void;

/** A member of a group, as transactions name it: by this the broker finds out members that have lost their partitions. */
export interface ConsumerGroupMetadata {
  readonly groupId: string;
  /** -1 while the consumer is no member. */
  readonly generationId: number;
  /** Empty while the consumer is no member. */
  readonly memberId: string;
  readonly groupInstanceId: string | null;
}

/** What a producer with a `transactionalId` can do besides, with drivers that have the capability `transactions`. */
export interface DriverTransactions {
  /** Once, before the first transaction: finishes what an earlier producer with the same id left open, and fences it off. */
  initTransactions(): Promise<void>;
  /** What is appended from now on belongs to the transaction. Throws when one is open, or when the producer was fenced off. */
  beginTransaction(): void;
  /** Commits offsets of a group with the transaction. Rejects when the member has lost its partitions. */
  sendOffsetsToTransaction(offsets: readonly OffsetCommit[], group: ConsumerGroupMetadata): Promise<void>;
  /** Rejects with `abortable: true` when it has to be aborted; whether another error means a commit is not known. */
  commitTransaction(): Promise<void>;
  /** Nothing of the transaction becomes visible. */
  abortTransaction(): Promise<void>;
}

/** Sends records in the background. */
export interface DriverProducer extends Partial<DriverTransactions> {
  /** Queues a record. Never throws for a broker-side reason; the callback is called exactly once. */
  append(record: DriverProducerRecord, callback: SendCallback): void;
  /**
   * The same with a promise, by drivers that can take a record back: when the signal is aborted while the record waits, it is
   * not sent and the promise rejects with code ABORTED; what is on its way already is not touched. Absent: the driver cannot.
   */
  send?(record: DriverProducerRecord, options: { readonly signal: AbortSignal }): Promise<RecordMetadata>;
  /** Resolves when everything appended before has been answered and its callbacks have run. */
  flush(): Promise<void>;
  /** Flushes for up to `timeoutMs`, fails what is left, and disconnects. */
  close(timeoutMs?: number): Promise<void>;
  partitionsFor(topic: string): Promise<readonly PartitionInfo[]>;
}

/** Reads records, alone or as a member of a group. */
export interface DriverConsumer {
  subscribe(topics: string | readonly string[] | RegExp, listener?: RebalanceListener): void;
  assign(partitions: readonly TopicPartition[]): void;
  assignment(): readonly TopicPartition[];
  /** Waits up to `timeoutMs` for records. Rejects with code WAKEUP when woken. */
  poll(timeoutMs: number): Promise<DriverRecords>;
  seek(partition: TopicPartition, offset: number): void;
  seekToBeginning(partitions?: readonly TopicPartition[]): void;
  seekToEnd(partitions?: readonly TopicPartition[]): void;
  position(partition: TopicPartition): Promise<number>;
  committed(partitions: readonly TopicPartition[]): Promise<readonly CommittedOffset[]>;
  commitSync(offsets?: readonly OffsetCommit[]): Promise<void>;
  commitAsync(
    offsets: readonly OffsetCommit[],
    callback: (error: Error | null, offsets: readonly OffsetCommit[]) => void,
  ): void;
  pause(partitions: readonly TopicPartition[]): void;
  resume(partitions: readonly TopicPartition[]): void;
  beginningOffsets(partitions: readonly TopicPartition[]): Promise<readonly OffsetCommit[]>;
  endOffsets(partitions: readonly TopicPartition[]): Promise<readonly OffsetCommit[]>;
  /** Per partition the first offset at or after `timestamp`; null when there is none. */
  offsetsForTimes(
    queries: readonly (TopicPartition & { readonly timestamp: number })[],
  ): Promise<readonly (TopicPartition & { readonly offset: number | null })[]>;
  partitionsFor(topic: string): Promise<readonly PartitionInfo[]>;
  /** Who this is in its group, for transactions. Absent: the driver has none. */
  groupMetadata?(): ConsumerGroupMetadata;
  /** Makes a poll that is waiting, or else the next one, reject with code WAKEUP. */
  wakeup(): void;
  /** Leaves the group and disconnects, within `timeoutMs`. */
  close(timeoutMs?: number): Promise<void>;
}

/** A topic to create. */
export interface DriverNewTopic {
  readonly name: string;
  /** Absent: the broker's default. */
  readonly partitions?: number;
  /** Absent: the broker's default. */
  readonly replicas?: number;
  readonly configs?: Readonly<Record<string, string>>;
}

/** A topic that exists. */
export interface TopicDescription {
  readonly name: string;
  readonly partitions: number;
}

/** Manages topics and reads what groups have committed. */
export interface DriverAdmin {
  /** Names of all topics. */
  listTopics(): Promise<readonly string[]>;
  /** Those of the named topics that exist. */
  describeTopics(names: readonly string[]): Promise<readonly TopicDescription[]>;
  /** Rejects with code TOPIC_ALREADY_EXISTS when someone was faster. */
  createTopic(topic: DriverNewTopic): Promise<void>;
  /** Grows a topic to `count` partitions. */
  createPartitions(topic: string, count: number): Promise<void>;
  listConsumerGroupOffsets(groupId: string): Promise<readonly OffsetCommit[]>;
  close(timeoutMs?: number): Promise<void>;
}

/** A Kafka client behind this port. */
export interface Driver {
  /** As it appears in messages: `native`, `kafkajs`. */
  readonly name: string;
  readonly capabilities: DriverCapabilities;
  /** Each of the three throws at once, with code CONFIG, when an option is wrong. */
  createProducer(options: ProducerProperties): DriverProducer;
  createConsumer(options: ConsumerProperties): DriverConsumer;
  createAdmin(options: AdminProperties): DriverAdmin;
}

/** `orders-3`: a partition as it is written in messages and used as a key. */
export function partitionName(partition: TopicPartition): string {
  return `${partition.topic}-${partition.partition}`;
}

/** `orders-3@17`: a record as it is written in messages. */
export function recordName(record: TopicPartition & { readonly offset: number }): string {
  return `${record.topic}-${record.partition}@${record.offset}`;
}
