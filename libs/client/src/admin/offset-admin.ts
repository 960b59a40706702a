/**
 * Offsets: what groups have committed, where logs begin and end, and deleting records up to an offset.
 *
 * Guarantees one outcome per partition, in the order asked for. Offsets of a group can be changed only while it has no
 * members: the coordinator refuses it otherwise, and so would a member's next commit undo it.
 */
import {
  DeleteRecords,
  ErrorCode,
  isMetadataError,
  OffsetCommit as OffsetCommitApi,
  OffsetDelete,
} from '@kafka-template/protocol';
import type { IsolationLevel } from '../consumer/consumer-options.js';
import { GroupChannel } from '../consumer/group/group-channel.js';
import { type CommittedOffset, CommittedOffsets } from '../consumer/offsets/committed-offsets.js';
import type { OffsetCommit } from '../consumer/offsets/commits.js';
import { OffsetLookup, type OffsetQuery } from '../consumer/offsets/list-offsets.js';
import { groupByTopic, partitionKey, type TopicPartition } from '../consumer/topic-partition.js';
import { brokerError, type KafkaError } from '../errors.js';
import {
  type AdminCallOptions,
  type AdminContext,
  callTimeoutMs,
  type ItemOutcome,
  retriedItems,
} from './admin-context.js';

/** What became of a partition. */
export interface PartitionOutcome extends TopicPartition, ItemOutcome {}

/** An offset that was looked up; -1 with an error, or when there is no record at or after the time. */
export interface ListedOffset extends PartitionOutcome {
  readonly offset: number;
  readonly timestamp: number;
  readonly leaderEpoch: number;
}

/** Records to delete: those before an offset. */
export interface RecordsToDelete extends TopicPartition {
  /** The first offset to keep; -1 deletes everything up to the high watermark. */
  readonly beforeOffset: number;
}

/** What became of records to delete. */
export interface DeletedRecords extends PartitionOutcome {
  /** The first offset there is now; -1 with an error. */
  readonly lowWatermark: number;
}

const OFFSET_COMMIT_NAMES_VERSION = 9;

/** Offsets of groups and logs. */
export class OffsetAdmin {
  constructor(private readonly context: AdminContext) {}

  /**
   * What a group has committed: for the given partitions (offset null where there is nothing), or everything.
   *
   * @throws KafkaError when the group cannot be read
   */
  listConsumerGroupOffsets(
    groupId: string,
    options: AdminCallOptions & { readonly partitions?: readonly TopicPartition[] } = {},
  ): Promise<CommittedOffset[]> {
    const committed = new CommittedOffsets(this.context, new GroupChannel(this.context, groupId));
    const timeoutMs = callTimeoutMs(this.context, options);
    return options.partitions === undefined
      ? committed.fetchAll(timeoutMs)
      : committed.fetch(options.partitions, timeoutMs);
  }

  /** Sets the offsets of a group that has no members. UNKNOWN_MEMBER_ID is the outcome while it has some. */
  alterConsumerGroupOffsets(
    groupId: string,
    offsets: readonly OffsetCommit[],
    options: AdminCallOptions = {},
  ): Promise<PartitionOutcome[]> {
    const what = `Setting offsets of group ${groupId}`;
    return this.atCoordinator(what, groupId, offsets, options, async (channel, items, timeoutMs) => {
      const topics = [...groupByTopic(items)].map(([name, entries]) => ({
        name,
        partitions: entries.map(({ partition, offset, leaderEpoch, metadata }) => ({
          partitionIndex: partition,
          committedOffset: offset,
          committedLeaderEpoch: leaderEpoch ?? -1,
          committedMetadata: metadata ?? '',
        })),
      }));
      const bounds = { timeoutMs, maxVersion: OFFSET_COMMIT_NAMES_VERSION };
      const response = await channel.request(OffsetCommitApi, { groupId, topics }, bounds);
      return codesByPartition(response.topics);
    });
  }

  /** Deletes offsets of a group. GROUP_SUBSCRIBED_TO_TOPIC is the outcome while it reads the topic (Kafka 2.4 and later). */
  deleteConsumerGroupOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
    options: AdminCallOptions = {},
  ): Promise<PartitionOutcome[]> {
    const what = `Deleting offsets of group ${groupId}`;
    return this.atCoordinator(what, groupId, partitions, options, async (channel, items, timeoutMs) => {
      const topics = [...groupByTopic(items)].map(([name, entries]) => ({
        name,
        partitions: entries.map(({ partition }) => ({ partitionIndex: partition })),
      }));
      const response = await channel.request(OffsetDelete, { groupId, topics }, { timeoutMs });
      if (response.errorCode === ErrorCode.NONE) return codesByPartition(response.topics);
      return new Map(items.map((item) => [partitionKey(item), response.errorCode]));
    });
  }

  /** The ends of logs, or the first records at or after a time: `timestamp` in milliseconds or one of `OffsetSpec`. */
  async listOffsets(
    queries: readonly OffsetQuery[],
    options: AdminCallOptions & { readonly isolationLevel?: IsolationLevel } = {},
  ): Promise<ListedOffset[]> {
    const lookup = new OffsetLookup(this.context, options.isolationLevel ?? 'read_uncommitted');
    const outcomes = await lookup.outcomesOf(queries, callTimeoutMs(this.context, options));
    return outcomes.map(({ query: { topic, partition }, found, error }) => ({
      topic,
      partition,
      offset: found?.offset ?? -1,
      timestamp: found?.timestamp ?? -1,
      leaderEpoch: found?.leaderEpoch ?? -1,
      error,
    }));
  }

  /** Deletes the records before an offset; consumers begin behind them. */
  deleteRecords(records: readonly RecordsToDelete[], options: AdminCallOptions = {}): Promise<DeletedRecords[]> {
    return retriedItems(this.context, {
      what: 'Deleting records',
      timeoutMs: callTimeoutMs(this.context, options),
      items: records,
      ask: async (items, leftMs) => {
        const { metadata } = this.context.cluster;
        await metadata.refresh(items.map((item) => item.topic));
        const leaders = items.map((item) => metadata.partition(item.topic, item.partition)?.leader ?? -1);
        const outcomes = new Map<string, DeletedRecords>();
        await Promise.all(
          [...new Set(leaders)].map(async (leader) => {
            const group = items.filter((_, index) => leaders[index] === leader);
            for (const each of await this.deleteAt(leader, group, leftMs)) outcomes.set(partitionKey(each), each);
          }),
        );
        return items.map((item) => outcomes.get(partitionKey(item)) as DeletedRecords);
      },
    });
  }

  private async deleteAt(leader: number, items: readonly RecordsToDelete[], leftMs: number): Promise<DeletedRecords[]> {
    if (leader === -1) return items.map((item) => this.withoutLeader(item));
    const timeoutMs = Math.min(leftMs, this.context.options.requestTimeoutMs);
    const body = {
      topics: [...groupByTopic(items)].map(([name, entries]) => ({
        name,
        partitions: entries.map(({ partition, beforeOffset }) => ({ partitionIndex: partition, offset: beforeOffset })),
      })),
      timeoutMs: Math.max(1, Math.floor(timeoutMs * 0.9)),
    };
    const response = await this.context.cluster.request(leader, DeleteRecords, body, { timeoutMs });
    return items.map(({ topic, partition }) => {
      const answers = response.topics.find((each) => each.name === topic)?.partitions;
      const answer = answers?.find((each) => each.partitionIndex === partition);
      const errorCode = answer?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR;
      const error = errorCode === ErrorCode.NONE ? null : this.recordsError({ topic, partition }, errorCode);
      return { topic, partition, lowWatermark: answer?.lowWatermark ?? -1, error };
    });
  }

  /** A topic that is not there is an answer; a partition without a leader may have one soon. */
  private withoutLeader({ topic, partition }: TopicPartition): DeletedRecords {
    const { metadata } = this.context.cluster;
    const isKnown = metadata.partition(topic, partition) !== undefined;
    const errorCode = isKnown ? ErrorCode.LEADER_NOT_AVAILABLE : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    return { topic, partition, lowWatermark: -1, error: this.recordsError({ topic, partition }, errorCode) };
  }

  private recordsError(item: TopicPartition, errorCode: number): KafkaError {
    if (isMetadataError(errorCode)) this.context.cluster.metadata.requestUpdate();
    return brokerError(errorCode, `Deleting records of ${partitionKey(item)}`);
  }

  private atCoordinator<Item extends TopicPartition>(
    what: string,
    groupId: string,
    items: readonly Item[],
    options: AdminCallOptions,
    ask: (channel: GroupChannel, items: readonly Item[], timeoutMs: number) => Promise<ReadonlyMap<string, number>>,
  ): Promise<PartitionOutcome[]> {
    const channel = new GroupChannel(this.context, groupId);
    return retriedItems(this.context, {
      what,
      timeoutMs: callTimeoutMs(this.context, options),
      items,
      ask: async (open, leftMs) => {
        const codes = await ask(channel, open, Math.min(leftMs, this.context.options.requestTimeoutMs));
        return open.map(({ topic, partition }) => {
          const errorCode = codes.get(partitionKey({ topic, partition })) ?? ErrorCode.UNKNOWN_SERVER_ERROR;
          channel.noticeCode(errorCode);
          const error = errorCode === ErrorCode.NONE ? null : brokerError(errorCode, what);
          return { topic, partition, error };
        });
      },
    });
  }
}

function codesByPartition(
  topics: readonly { name: string; partitions: readonly { partitionIndex: number; errorCode: number }[] }[],
): Map<string, number> {
  return new Map(
    topics.flatMap(({ name, partitions }) =>
      partitions.map(
        (each) => [partitionKey({ topic: name, partition: each.partitionIndex }), each.errorCode] as const,
      ),
    ),
  );
}
