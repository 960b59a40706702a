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
  /** The topic. */
  readonly topic: string;
  /** Its number, from 0. */
  readonly partition: number;
}

/** An offset to commit: that of the next record to read, so the last one finished plus 1. */
export interface OffsetCommit extends TopicPartition {
  /** Of the next record to read. */
  readonly offset: number;
  /** Epoch of the leader that wrote the last record that was read, if known. */
  readonly leaderEpoch?: number;
  /** Free text stored beside the offset. */
  readonly metadata?: string;
}

/** A committed offset as the broker knows it; `offset` is undefined or null when the group has none there. */
export interface CommittedOffset extends TopicPartition {
  /** Of the next record to read. */
  readonly offset?: number | null;
  /** Free text stored beside it. */
  readonly metadata?: string | null;
}

/** A header to send. */
export interface RecordHeader {
  /** Its name. */
  readonly key: string;
  /** Text is sent as UTF-8; null: no value. */
  readonly value: Buffer | string | null;
}

/** A header received. */
export interface ReceivedHeader {
  /** Its name. */
  readonly key: string;
  /** Its bytes; null: none. */
  readonly value: Buffer | null;
}

/** A record to send, already serialised. */
export interface DriverProducerRecord {
  /** Where it goes. */
  readonly topic: string;
  /** Absent or null: the partitioner chooses. */
  readonly partition?: number | null;
  /** Epoch milliseconds; absent: now. */
  readonly timestamp?: number;
  /** Absent or null: no key. */
  readonly key?: Buffer | string | null;
  /** Absent or null: a tombstone. */
  readonly value?: Buffer | string | null;
  /** In this order. */
  readonly headers?: readonly RecordHeader[];
}

/** What the broker answered to one record. `offset` is -1 with `acks` 0. */
export interface RecordMetadata extends TopicPartition {
  /** Its place in the partition. */
  readonly offset: number;
  /** Epoch milliseconds; -1 when the broker did not say. */
  readonly timestamp: number;
  /** Bytes; -1 without a key. */
  readonly serializedKeySize: number;
  /** Bytes; -1 for a tombstone. */
  readonly serializedValueSize: number;
}

/** A record as it comes from the broker. Key, value and headers may be read lazily. */
export interface DriverRecord extends TopicPartition {
  /** Its place in the partition. */
  readonly offset: number;
  /** Epoch milliseconds. */
  readonly timestamp: number;
  /** CreateTime, LogAppendTime or NoTimestampType, or their numbers 0, 1 and -1. */
  readonly timestampType: string | number;
  /** Epoch of the leader that wrote it, if known. */
  readonly leaderEpoch?: number | null;
  /** Null: no key. */
  readonly key: Buffer | null;
  /** Null: a tombstone. */
  readonly value: Buffer | null;
  /** In the order they were sent, if the driver can. */
  readonly headers: readonly ReceivedHeader[];
}

/** What one poll returned, by partition, in offset order inside each. */
export interface DriverRecords {
  /** Of all partitions together. */
  readonly count: number;
  /** Those that have records here. */
  partitions(): readonly TopicPartition[];
  /** Those of one partition, in offset order; empty for others. */
  records(partition: TopicPartition): readonly DriverRecord[];
}

/** Called inside `poll`, and awaited by it, when partitions come and go. */
export interface RebalanceListener {
  /** The partitions come to this member. */
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
  /** The group. */
  readonly groupId: string;
  /** -1 while the consumer is no member. */
  readonly generationId: number;
  /** Empty while the consumer is no member. */
  readonly memberId: string;
  /** Name of a static member; null for others. */
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
  /** The partitions of a topic, as far as they are known; waits up to `maxBlockMs`. */
  partitionsFor(topic: string): Promise<readonly PartitionInfo[]>;
}

/** Reads records, alone or as a member of a group. */
export interface DriverConsumer {
  /** Joins the group, which shares out the partitions of the topics, with the next poll. Replaces an earlier subscription. */
  subscribe(topics: string | readonly string[] | RegExp, listener?: RebalanceListener): void;
  /** Reads these partitions, without sharing them out. */
  assign(partitions: readonly TopicPartition[]): void;
  /** The partitions it has now. */
  assignment(): readonly TopicPartition[];
  /** Waits up to `timeoutMs` for records. Rejects with code WAKEUP when woken. */
  poll(timeoutMs: number): Promise<DriverRecords>;
  /** The next poll begins at this offset. */
  seek(partition: TopicPartition, offset: number): void;
  /** The next poll begins at the first record there is; without a list, in all partitions. */
  seekToBeginning(partitions?: readonly TopicPartition[]): void;
  /** The next poll begins after the last record there is; without a list, in all partitions. */
  seekToEnd(partitions?: readonly TopicPartition[]): void;
  /** Offset of the next record that will be polled; looked up when it is not known. */
  position(partition: TopicPartition): Promise<number>;
  /** What the group has committed for these partitions. */
  committed(partitions: readonly TopicPartition[]): Promise<readonly CommittedOffset[]>;
  /** Commits and waits for the answer; without a list, the positions. */
  commitSync(offsets?: readonly OffsetCommit[]): Promise<void>;
  /** Commits without waiting; the callback hears the answer, in the order of the commits. */
  commitAsync(
    offsets: readonly OffsetCommit[],
    callback: (error: Error | null, offsets: readonly OffsetCommit[]) => void,
  ): void;
  /** Polls return nothing of these partitions. */
  pause(partitions: readonly TopicPartition[]): void;
  /** Ends a pause. */
  resume(partitions: readonly TopicPartition[]): void;
  /** Offset of the first record there is. */
  beginningOffsets(partitions: readonly TopicPartition[]): Promise<readonly OffsetCommit[]>;
  /** Offset that the next record will get. */
  endOffsets(partitions: readonly TopicPartition[]): Promise<readonly OffsetCommit[]>;
  /** Per partition the first offset at or after `timestamp`; null when there is none. */
  offsetsForTimes(
    queries: readonly (TopicPartition & { readonly timestamp: number })[],
  ): Promise<readonly (TopicPartition & { readonly offset: number | null })[]>;
  /** The partitions of a topic. */
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
  /** Letters, digits, `.`, `_` and `-`, 249 at most. */
  readonly name: string;
  /** Absent: the broker's default. */
  readonly partitions?: number;
  /** Absent: the broker's default. */
  readonly replicas?: number;
  /** Kafka's names and values: `{ 'retention.ms': '60000' }`. */
  readonly configs?: Readonly<Record<string, string>>;
}

/** A topic that exists. */
export interface TopicDescription {
  /** The topic. */
  readonly name: string;
  /** How many. */
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
  /** What a group has committed, all topics; empty for an unknown group. */
  listConsumerGroupOffsets(groupId: string): Promise<readonly OffsetCommit[]>;
  /** Disconnects, within `timeoutMs`. */
  close(timeoutMs?: number): Promise<void>;
}

/** A Kafka client behind this port. */
export interface Driver {
  /** As it appears in messages: `native`, `kafkajs`. */
  readonly name: string;
  /** What it can do beyond the port. */
  readonly capabilities: DriverCapabilities;
  /** Each of the three throws at once, with code CONFIG, when an option is wrong. */
  createProducer(options: ProducerProperties): DriverProducer;
  /** A consumer that has not subscribed yet. */
  createConsumer(options: ConsumerProperties): DriverConsumer;
  /** A client for topics and offsets. */
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
