/**
 * Where replicas are: leaders, moves between brokers, folders on disks.
 *
 * Guarantees one outcome per partition, in the order asked for, where partitions are named.
 */
import {
  AlterPartitionReassignments,
  AlterReplicaLogDirs,
  DescribeLogDirs,
  ElectLeaders,
  ErrorCode,
  ListPartitionReassignments,
} from '@kafka-template/protocol';
import { groupByTopic, partitionKey, type TopicPartition } from '../consumer/topic-partition.js';
import { brokerError, type KafkaError } from '../errors.js';
import type { AdminCallOptions, AdminContext, ItemOutcome } from './admin-context.js';
import { adminRequest, brokerTimeoutMs, check, errorOf, everyBroker } from './admin-request.js';
import type { PartitionOutcome } from './offset-admin.js';

/** A new place for a partition's replicas. */
export interface Reassignment extends TopicPartition {
  /** Broker ids, the preferred leader first; null cancels a move that is under way. */
  readonly replicas: readonly number[] | null;
}

/** A move that is under way. */
export interface OngoingReassignment extends TopicPartition {
  readonly replicas: readonly number[];
  readonly addingReplicas: readonly number[];
  readonly removingReplicas: readonly number[];
}

/** A replica in a folder. */
export interface LogDirReplica extends TopicPartition {
  readonly sizeBytes: number;
  /** Records it is behind. */
  readonly offsetLag: number;
  /** A copy that will replace the present one. */
  readonly isFuture: boolean;
}

/** A folder of a broker. */
export interface LogDirDescription extends ItemOutcome {
  readonly brokerId: number;
  readonly path: string;
  /** Null before Kafka 3.3. */
  readonly totalBytes: number | null;
  readonly usableBytes: number | null;
  readonly replicas: readonly LogDirReplica[];
}

/** A replica to be moved to another folder of its broker. */
export interface ReplicaLogDir extends TopicPartition {
  readonly brokerId: number;
  /** The folder, as in the broker's `log.dirs`. */
  readonly path: string;
}

/** What became of it. */
export interface ReplicaLogDirOutcome extends PartitionOutcome {
  readonly brokerId: number;
}

/** The replicas of a cluster. */
export class ReplicaAdmin {
  constructor(private readonly context: AdminContext) {}

  /**
   * Makes the preferred replica (default), or any that is left (`unclean`: records may be lost), the leader.
   * ELECTION_NOT_NEEDED is the outcome where it leads already.
   *
   * @param partitions null for all; then the outcomes are those of the partitions the controller answers for
   */
  electLeaders(
    partitions: readonly TopicPartition[] | null,
    options: AdminCallOptions & { readonly type?: 'preferred' | 'unclean' } = {},
  ): Promise<PartitionOutcome[]> {
    const what = 'Electing leaders';
    const isUnclean = options.type === 'unclean';
    const timeoutMs = brokerTimeoutMs(this.context, options);
    const topicPartitions =
      partitions && byTopic(partitions).map(([topic, numbers]) => ({ topic, partitions: numbers }));
    return adminRequest(this.context, {
      what,
      target: 'controller',
      api: ElectLeaders,
      options,
      minVersion: isUnclean ? 1 : 0,
      body: (version) => ({ topicPartitions, timeoutMs, ...(version >= 1 ? { electionType: isUnclean ? 1 : 0 } : {}) }),
      read: ({ errorCode, replicaElectionResults }) => {
        check(errorCode, what);
        const answers = replicaElectionResults.flatMap(({ topic, partitionResult }) =>
          partitionResult.map((each) => ({ topic, partition: each.partitionId, ...each })),
        );
        return outcomesOf(partitions ?? answers, answers, what);
      },
    });
  }

  /** Begins to move replicas; `listPartitionReassignments` tells what is still under way. */
  alterPartitionReassignments(
    moves: readonly Reassignment[],
    options: AdminCallOptions = {},
  ): Promise<PartitionOutcome[]> {
    const what = 'Moving replicas';
    return adminRequest(this.context, {
      what,
      target: 'controller',
      api: AlterPartitionReassignments,
      options,
      body: {
        timeoutMs: brokerTimeoutMs(this.context, options),
        topics: [...groupByTopic(moves)].map(([name, entries]) => ({
          name,
          partitions: entries.map(({ partition, replicas }) => ({ partitionIndex: partition, replicas })),
        })),
      },
      read: ({ errorCode, errorMessage, responses }) => {
        check(errorCode, what, errorMessage);
        const answers = responses.flatMap(({ name, partitions }) =>
          partitions.map((each) => ({ topic: name, partition: each.partitionIndex, ...each })),
        );
        return outcomesOf(moves, answers, what);
      },
    });
  }

  /** The moves that are under way: of these partitions, or all. */
  listPartitionReassignments(
    partitions: readonly TopicPartition[] | null = null,
    options: AdminCallOptions = {},
  ): Promise<OngoingReassignment[]> {
    const what = 'Listing moves of replicas';
    return adminRequest(this.context, {
      what,
      target: 'controller',
      api: ListPartitionReassignments,
      options,
      body: {
        timeoutMs: brokerTimeoutMs(this.context, options),
        topics: partitions && byTopic(partitions).map(([name, partitionIndexes]) => ({ name, partitionIndexes })),
      },
      read: ({ errorCode, errorMessage, topics }) => {
        check(errorCode, what, errorMessage);
        return topics.flatMap(({ name: topic, partitions: found }) =>
          found.map(({ partitionIndex: partition, ...each }) => ({ topic, partition, ...each })),
        );
      },
    });
  }

  /** The folders of these brokers (default: of all), and the replicas in them. */
  async describeLogDirs(
    brokerIds: readonly number[] | null = null,
    options: AdminCallOptions = {},
  ): Promise<LogDirDescription[]> {
    const what = 'Describing log dirs';
    const ask = (target: number): Promise<LogDirDescription[]> =>
      adminRequest(this.context, {
        what,
        target,
        api: DescribeLogDirs,
        options,
        body: { topics: null },
        read: (response) => {
          check(response.errorCode, what);
          return response.results.map(({ errorCode, logDir, topics, totalBytes, usableBytes }) => ({
            brokerId: target,
            path: logDir,
            totalBytes: totalBytes < 0 ? null : totalBytes,
            usableBytes: usableBytes < 0 ? null : usableBytes,
            replicas: topics.flatMap(({ name, partitions }) =>
              partitions.map(({ partitionIndex, partitionSize, offsetLag, isFutureKey }) => ({
                topic: name,
                partition: partitionIndex,
                sizeBytes: partitionSize,
                offsetLag,
                isFuture: isFutureKey,
              })),
            ),
            error: errorOf(errorCode, `${what}: ${logDir} of broker ${target}`),
          }));
        },
      });
    const found = await everyBroker(this.context, what, options, (id) =>
      brokerIds === null || brokerIds.includes(id) ? ask(id) : Promise.resolve([]),
    );
    const missing = brokerIds?.find((id) => !found.has(id));
    if (missing !== undefined) throw brokerError(ErrorCode.BROKER_NOT_AVAILABLE, `${what} of broker ${missing}`);
    return [...found.values()].flat();
  }

  /** Begins to move replicas to other folders of their brokers. */
  async alterReplicaLogDirs(
    replicas: readonly ReplicaLogDir[],
    options: AdminCallOptions = {},
  ): Promise<ReplicaLogDirOutcome[]> {
    const what = 'Moving replicas to other folders';
    const brokerIds = [...new Set(replicas.map(({ brokerId }) => brokerId))];
    const errors = new Map<string, KafkaError | null>();
    const ask = async (target: number): Promise<void> => {
      const own = replicas.filter(({ brokerId }) => brokerId === target);
      const dirs = [...new Set(own.map(({ path }) => path))].map((path) => ({
        path,
        topics: byTopic(own.filter((each) => each.path === path)).map(([name, partitions]) => ({ name, partitions })),
      }));
      const answers = await adminRequest(this.context, {
        what,
        target,
        api: AlterReplicaLogDirs,
        options,
        body: { dirs },
        read: ({ results }) =>
          results.flatMap(({ topicName: topic, partitions }) =>
            partitions.map((each) => ({ topic, partition: each.partitionIndex, errorMessage: null, ...each })),
          ),
      });
      for (const each of outcomesOf(own, answers, what)) errors.set(`${target} ${partitionKey(each)}`, each.error);
    };
    await everyBroker(this.context, what, options, (id) => (brokerIds.includes(id) ? ask(id) : Promise.resolve()));
    return replicas.map(({ topic, partition, brokerId }) => {
      const error = errors.get(`${brokerId} ${partitionKey({ topic, partition })}`);
      return {
        topic,
        partition,
        brokerId,
        error: error === undefined ? errorOf(ErrorCode.BROKER_NOT_AVAILABLE, what) : error,
      };
    });
  }
}

function byTopic(partitions: readonly TopicPartition[]): [string, number[]][] {
  return [...groupByTopic(partitions)].map(([topic, entries]) => [topic, entries.map(({ partition }) => partition)]);
}

function outcomesOf(
  items: readonly TopicPartition[],
  answers: readonly (TopicPartition & { readonly errorCode: number; readonly errorMessage: string | null })[],
  what: string,
): PartitionOutcome[] {
  const found = new Map(answers.map((each) => [partitionKey(each), each]));
  return items.map(({ topic, partition }) => {
    const answer = found.get(partitionKey({ topic, partition }));
    const { errorCode = ErrorCode.UNKNOWN_SERVER_ERROR, errorMessage = null } = answer ?? {};
    return {
      topic,
      partition,
      error: errorOf(errorCode, `${what}: ${partitionKey({ topic, partition })}`, errorMessage),
    };
  });
}
