/**
 * Transactions and producers, as somebody sees them who has to find out what blocks a partition, and to end it.
 *
 * Guarantees one outcome per item; coordinators and leaders are found, and found again when they have moved.
 */
import {
  DescribeProducers,
  DescribeTransactions,
  ErrorCode,
  InitProducerId,
  isMetadataError,
  ListTransactions,
  WriteTxnMarkers,
} from '@kafka-template/protocol';
import { type TopicPartition, partitionKey } from '../consumer/topic-partition.js';
import { brokerError, type KafkaError } from '../errors.js';
import { type AdminCallOptions, type AdminContext, callTimeoutMs, type ItemOutcome, retried } from './admin-context.js';
import { adminRequest, atCoordinator, check, errorOf, everyBroker, outcomes } from './admin-request.js';

/** A transaction in a list. */
export interface TransactionListing {
  readonly transactionalId: string;
  readonly producerId: number;
  /** `Ongoing`, `Empty`, `CompleteCommit` … */
  readonly state: string;
}

/** Which transactions to list. */
export interface ListTransactionsOptions extends AdminCallOptions {
  readonly states?: readonly string[];
  readonly producerIds?: readonly number[];
  /** Only those that have been open for longer (Kafka 3.8 and later). */
  readonly durationMs?: number;
}

/** A transaction. */
export interface TransactionDescription extends ItemOutcome {
  readonly transactionalId: string;
  readonly state: string;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly timeoutMs: number;
  /** Milliseconds since the epoch; null while none is open. */
  readonly startTimeMs: number | null;
  readonly partitions: readonly TopicPartition[];
}

/** A producer that has written to a partition. */
export interface ActiveProducer {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly lastSequence: number;
  readonly lastTimestamp: number;
  readonly coordinatorEpoch: number;
  /** Null while it has no transaction open there. */
  readonly currentTransactionStartOffset: number | null;
}

/** The producers of a partition. */
export interface PartitionProducers extends TopicPartition, ItemOutcome {
  readonly producers: readonly ActiveProducer[];
}

/** A transaction to abort in one partition, as {@link TransactionAdmin.describeProducers} shows it. */
export interface AbortTransaction extends TopicPartition {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly coordinatorEpoch: number;
}

/** What became of the producers with a transactional id. */
export interface FencedProducer extends ItemOutcome {
  readonly transactionalId: string;
  /** -1 with an error. */
  readonly producerId: number;
  readonly producerEpoch: number;
}

/** The transactions of a cluster. */
export class TransactionAdmin {
  constructor(private readonly context: AdminContext) {}

  /** The transactions of all coordinators, sorted by id. */
  async listTransactions(options: ListTransactionsOptions = {}): Promise<TransactionListing[]> {
    const what = 'Listing transactions';
    const { states = [], producerIds = [], durationMs } = options;
    const lists = await everyBroker(this.context, what, options, (target) =>
      adminRequest(this.context, {
        what,
        target,
        api: ListTransactions,
        options,
        minVersion: durationMs === undefined ? 0 : 1,
        body: {
          stateFilters: states,
          producerIdFilters: producerIds,
          ...(durationMs === undefined ? {} : { durationFilter: durationMs }),
        },
        read: ({ errorCode, transactionStates }) => {
          check(errorCode, what);
          return transactionStates.map(({ transactionState: state, ...each }) => ({ ...each, state }));
        },
      }),
    );
    return [...lists.values()].flat().sort((one, other) => (one.transactionalId < other.transactionalId ? -1 : 1));
  }

  /** Transactions by id. TRANSACTIONAL_ID_NOT_FOUND is an outcome. */
  describeTransactions(ids: readonly string[], options: AdminCallOptions = {}): Promise<TransactionDescription[]> {
    const none = { state: '', producerId: -1, producerEpoch: -1, timeoutMs: -1, startTimeMs: null, partitions: [] };
    return outcomes<string, TransactionDescription>(
      ids,
      (transactionalId) => {
        const what = `Describing transaction ${transactionalId}`;
        return atCoordinator(
          this.context,
          { type: 'transaction', key: transactionalId },
          {
            what,
            api: DescribeTransactions,
            options,
            body: { transactionalIds: [transactionalId] },
            read: ({ transactionStates }) => {
              const found = transactionStates[0];
              if (found === undefined)
                throw brokerError(ErrorCode.UNKNOWN_SERVER_ERROR, what, 'the answer leaves it out.');
              check(found.errorCode, what);
              return {
                transactionalId,
                state: found.transactionState,
                producerId: found.producerId,
                producerEpoch: found.producerEpoch,
                timeoutMs: found.transactionTimeoutMs,
                startTimeMs: found.transactionStartTimeMs < 0 ? null : found.transactionStartTimeMs,
                partitions: found.topics.flatMap(({ topic, partitions }) =>
                  partitions.map((partition) => ({ topic, partition })),
                ),
                error: null,
              };
            },
          },
        );
      },
      (transactionalId, error) => ({ transactionalId, ...none, error }),
    );
  }

  /** The producers with state in these partitions. */
  describeProducers(
    partitions: readonly TopicPartition[],
    options: AdminCallOptions = {},
  ): Promise<PartitionProducers[]> {
    return outcomes<TopicPartition, PartitionProducers>(
      partitions,
      (item) => {
        const what = `Describing producers of ${partitionKey(item)}`;
        return this.atLeader(what, item, options, (target, timeoutMs) =>
          adminRequest(this.context, {
            what,
            target,
            api: DescribeProducers,
            options: { timeoutMs },
            body: { topics: [{ name: item.topic, partitionIndexes: [item.partition] }] },
            read: ({ topics }) => {
              const found = topics[0]?.partitions[0];
              check(found?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR, what, found?.errorMessage);
              const producers = (found?.activeProducers ?? []).map(({ currentTxnStartOffset, ...each }) => ({
                ...each,
                currentTransactionStartOffset: currentTxnStartOffset < 0 ? null : currentTxnStartOffset,
              }));
              return { topic: item.topic, partition: item.partition, producers, error: null };
            },
          }),
        );
      },
      ({ topic, partition }, error) => ({ topic, partition, producers: [], error }),
    );
  }

  /**
   * Ends a transaction in one partition by an abort marker: for one whose coordinator has forgotten it, and which blocks
   * readers of committed records. Look at `describeProducers` and `describeTransactions` first: a transaction that is
   * still known is better ended by {@link fenceProducers}.
   *
   * @throws KafkaError
   */
  abortTransaction(transaction: AbortTransaction, options: AdminCallOptions = {}): Promise<void> {
    const { topic, partition, producerId, producerEpoch, coordinatorEpoch } = transaction;
    const what = `Aborting a transaction in ${partitionKey({ topic, partition })}`;
    const topics = [{ name: topic, partitionIndexes: [partition] }];
    return this.atLeader(what, transaction, options, (target, timeoutMs) =>
      adminRequest(this.context, {
        what,
        target,
        api: WriteTxnMarkers,
        options: { timeoutMs },
        body: { markers: [{ producerId, producerEpoch, transactionResult: false, topics, coordinatorEpoch }] },
        read: ({ markers }) =>
          check(markers[0]?.topics[0]?.partitions[0]?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR, what),
      }),
    );
  }

  /** Fences off every producer with these transactional ids, and aborts what they have open. */
  fenceProducers(ids: readonly string[], options: AdminCallOptions = {}): Promise<FencedProducer[]> {
    return outcomes<string, FencedProducer>(
      ids,
      (transactionalId) => {
        const what = `Fencing producers of ${transactionalId}`;
        return atCoordinator(
          this.context,
          { type: 'transaction', key: transactionalId },
          {
            what,
            api: InitProducerId,
            options,
            body: { transactionalId, transactionTimeoutMs: this.context.options.requestTimeoutMs },
            read: ({ errorCode, producerId, producerEpoch }) => {
              check(errorCode, what);
              return { transactionalId, producerId, producerEpoch, error: null };
            },
          },
        );
      },
      (transactionalId, error) => ({ transactionalId, producerId: -1, producerEpoch: -1, error }),
    );
  }

  /** Asks the leader of a partition, and the next one when it has moved. */
  private atLeader<Result>(
    what: string,
    { topic, partition }: TopicPartition,
    options: AdminCallOptions,
    ask: (leader: number, timeoutMs: number) => Promise<Result>,
  ): Promise<Result> {
    const { metadata } = this.context.cluster;
    return retried(this.context, what, callTimeoutMs(this.context, options), async (leftMs) => {
      await metadata.refresh([topic]);
      const leader = metadata.partition(topic, partition)?.leader;
      if (leader === undefined) throw errorOf(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, what) as KafkaError;
      try {
        if (leader === -1) throw brokerError(ErrorCode.LEADER_NOT_AVAILABLE, what);
        return await ask(leader, leftMs);
      } catch (error) {
        const { code } = error as KafkaError;
        if (code !== 'UNKNOWN_TOPIC_OR_PARTITION' && isMetadataError(ErrorCode[code as keyof typeof ErrorCode] ?? 0))
          throw brokerError(ErrorCode.BROKER_NOT_AVAILABLE, what, (error as KafkaError).message);
        throw error;
      }
    });
  }
}
