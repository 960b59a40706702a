/**
 * Transactions of this broker: who owns a transactional id, what belongs to its transaction, how it ends.
 *
 * Guarantees: an answer that depends on stored state is given only after the log has it; requests for an id whose
 * partition of `__transaction_state` is not here or not yet loaded are refused with Kafka's codes, never half served; a
 * transaction that was decided is carried out, whatever happens in between.
 * Leaves out authorisation, the forms of the messages and the codes of their older versions: the api layer has them.
 */
import {
  ErrorCode,
  errorMessage,
  javaStringHash,
  type ListTransactions,
  type RequestOf,
  type ResponseInput,
} from '@kafka-template/protocol';
import type { BrokerConfig } from '../../cluster/broker-config.js';
import type { ClusterImage } from '../../cluster/image.js';
import type { Clock } from '../../io/clock.js';
import type { Logger } from '../../io/logger.js';
import type { Partition } from '../../replication/partition.js';
import { Alarm, Alarms } from '../runtime/alarms.js';
import type { AddCommand } from './add.js';
import type { TransactionReply } from './decision.js';
import {
  describeTransaction,
  filterOf,
  listTransaction,
  undescribedTransaction,
  unknownStates,
  type DescribedTransaction,
  type ListedTransaction,
} from './description.js';
import type { EndCommand } from './end.js';
import type { InitCommand } from './init.js';
import { MarkerRound } from './marker-sender.js';
import type { MarkerWriter } from './marker-writer.js';
import { partitionSet } from './partition-set.js';
import type { EnterRequest, RemoteBrokers } from './remote-brokers.js';
import { NONE_YET, TRANSACTIONS_V2 } from './transaction.js';
import { transactionSettings, type TransactionSettings } from './transaction-settings.js';
import { TransactionShard, type TransactionWaiter } from './transaction-shard.js';

/** Name of the topic that holds the transactional ids. */
export const TRANSACTIONS_TOPIC = '__transaction_state';

/** Receives the answer exactly once, perhaps before the call returns. Codes are those of the newest versions. */
export type ReplyDone = (reply: TransactionReply) => void;

/** InitProducerId of a transactional id. */
export type InitRequest = Omit<InitCommand, 'type' | 'freshProducerId'>;
/** AddPartitionsToTxn. */
export type AddRequest = Omit<AddCommand, 'type'> & { readonly id: string };
/** EndTxn. */
export type EndRequest = Omit<EndCommand, 'type' | 'freshProducerId'> & { readonly id: string };

/** The seam between the api layer and the transactions. */
export interface Transactions {
  init(request: InitRequest, done: ReplyDone): void;
  add(request: AddRequest, done: ReplyDone): void;
  end(request: EndRequest, done: ReplyDone): void;
  /** Adds a partition, or asks whether it was added: TRANSACTION_ABORTABLE when not. `done` gets the code. */
  enter(request: EnterRequest, done: (errorCode: number) => void): void;
  /** `transaction.partition.verification.enable`: whether partitions ask at all. */
  readonly verifies: boolean;
  describe(ids: readonly string[]): DescribedTransaction[];
  list(request: RequestOf<typeof ListTransactions>): ResponseInput<typeof ListTransactions>;
  /** The partition of `__transaction_state` that holds the id: a stable function of id and partition count. */
  coordinatorPartition(id: string): number;
  /** FindCoordinator: creates the internal topic when it is missing, and waits until this is known. Node -1 on errors. */
  findCoordinator(id: string): Promise<{ errorCode: number; errorMessage: string | null; nodeId: number }>;
  /** This broker leads partition `partition` of `__transaction_state` now: read it, then serve its ids. */
  load(partition: number): Promise<void>;
  /** This broker no longer leads it: waiting requests get NOT_COORDINATOR. */
  unload(partition: number): void;
  /** A topic is gone; the end of its own topic is the end of all transactions. */
  forgetTopic(topic: string): void;
  /** Answers everything that waits with COORDINATOR_NOT_AVAILABLE and stops all timers. */
  close(): void;
}

/** What the coordinator asks of the cluster. */
export interface TransactionCluster {
  readonly image: ClusterImage;
  readonly config: BrokerConfig;
  /** Creates a topic; resolves when its partitions are open and `load` was called for those led by this broker. */
  autoCreate(name: string): Promise<{ readonly errorCode: number; readonly errorMessage: string | null }>;
  /** A producer id never given out before. */
  allocateProducerId(): Promise<number>;
}

/** What the coordinator needs. */
export interface TransactionCoordinatorOptions {
  readonly brokerId: number;
  readonly controller: TransactionCluster;
  /** The partitions on this broker. */
  readonly partitions: { get(topic: string, partition: number): Partition | undefined };
  readonly markers: MarkerWriter;
  /** The other brokers of the cluster. Absent: their partitions and coordinators are not reached. */
  readonly remote?: RemoteBrokers;
  readonly clock: Clock;
  readonly logger: Logger;
}

type Located =
  | { readonly shard: TransactionShard; readonly errorCode: typeof ErrorCode.NONE }
  | { readonly shard: null; readonly errorCode: number };

/** See the file comment. */
export class TransactionCoordinator implements Transactions {
  private readonly shards = new Map<number, TransactionShard>();
  private readonly alarms: Alarms;
  private readonly timeoutAlarm = new Alarm(() => this.abortOverdue());
  private readonly expirationAlarm = new Alarm(() => this.forgetExpired());
  private readonly settings: () => TransactionSettings;
  private closed = false;

  constructor(private readonly options: TransactionCoordinatorOptions) {
    this.alarms = new Alarms(options.clock);
    this.settings = settingsOf(options.controller);
    this.arm(this.timeoutAlarm, this.settings().timeoutCheckIntervalMs);
    this.arm(this.expirationAlarm, this.settings().expirationCheckIntervalMs);
  }

  get verifies(): boolean {
    return this.settings().verifies;
  }

  init(request: InitRequest, done: ReplyDone): void {
    const attempt = (freshProducerId: number | null): void =>
      this.run(
        request.id,
        { ...request, type: 'init', freshProducerId },
        waiterOf(done, () => this.allocate(attempt, done)),
      );
    attempt(null);
  }

  add({ id, ...request }: AddRequest, done: ReplyDone): void {
    this.run(id, { ...request, type: 'add' }, waiterOf(done));
  }

  end({ id, ...request }: EndRequest, done: ReplyDone): void {
    const attempt = (freshProducerId: number | null): void =>
      this.run(
        id,
        { ...request, type: 'end', freshProducerId },
        waiterOf(done, () => this.allocate(attempt, done)),
      );
    attempt(null);
  }

  enter(request: EnterRequest, done: (errorCode: number) => void): void {
    const { id, producerId, producerEpoch, topic, partition, adds } = request;
    const nodeId = this.leaderOf(id);
    const { remote, brokerId } = this.options;
    // Who asks is a partition, not a client that could look for another coordinator: there is none at all.
    if (nodeId === -1) return done(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    if (remote !== undefined && nodeId >= 0 && nodeId !== brokerId) return remote.enter(nodeId, request, done);
    if (adds) {
      const partitions = partitionSet([{ topic, partitions: [partition] }]);
      const command = { id, producerId, producerEpoch, partitions, clientVersion: TRANSACTIONS_V2 };
      return this.add(command, ({ errorCode }) => done(errorCode));
    }
    const { shard, errorCode } = this.locate(id);
    if (!shard) return done(errorCode);
    shard.verify(id, { producerId, producerEpoch }, { topic, partition }, done);
  }

  describe(ids: readonly string[]): DescribedTransaction[] {
    return ids.map((id) => {
      if (id === '' && !this.closed) return undescribedTransaction(id, ErrorCode.INVALID_REQUEST);
      const { shard, errorCode } = this.locate(id);
      if (!shard) return undescribedTransaction(id, errorCode);
      const transaction = shard.get(id);
      return transaction
        ? describeTransaction(transaction)
        : undescribedTransaction(id, ErrorCode.TRANSACTIONAL_ID_NOT_FOUND);
    });
  }

  list(request: RequestOf<typeof ListTransactions>): ResponseInput<typeof ListTransactions> {
    const empty = { unknownStateFilters: [], transactionStates: [] };
    if (this.closed) return { errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE, ...empty };
    const wanted = filterOf(request, this.options.clock.now());
    if (wanted === null) return { errorCode: ErrorCode.INVALID_REGULAR_EXPRESSION, ...empty };
    const transactionStates: ListedTransaction[] = [];
    for (const shard of this.shards.values()) {
      if (shard.status === 'loading') return { errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, ...empty };
      for (const transaction of shard.all())
        if (wanted(transaction)) transactionStates.push(listTransaction(transaction));
    }
    const unknownStateFilters = unknownStates(request.stateFilters);
    return { errorCode: ErrorCode.NONE, unknownStateFilters, transactionStates };
  }

  coordinatorPartition(id: string): number {
    const topic = this.options.controller.image.topic(TRANSACTIONS_TOPIC);
    const count = topic?.partitions.length ?? this.settings().topicPartitions;
    const hash = javaStringHash(id);
    // Java's absolute value, with the one number that has none taken for 0.
    return hash === -(2 ** 31) ? 0 : Math.abs(hash) % count;
  }

  async findCoordinator(id: string): Promise<{ errorCode: number; errorMessage: string | null; nodeId: number }> {
    const { controller } = this.options;
    if (this.closed) return notAvailable(null);
    if (!controller.image.topic(TRANSACTIONS_TOPIC)) {
      const created = await controller.autoCreate(TRANSACTIONS_TOPIC);
      if (created.errorCode !== ErrorCode.NONE) return notAvailable(created.errorMessage);
    }
    const nodeId = this.leaderOf(id);
    if (nodeId === -1 || !controller.image.broker(nodeId)) return notAvailable(null);
    return { errorCode: ErrorCode.NONE, errorMessage: null, nodeId };
  }

  async load(partition: number): Promise<void> {
    const { brokerId, clock, logger, partitions, markers, remote, controller } = this.options;
    const opened = partitions.get(TRANSACTIONS_TOPIC, partition);
    const present = this.shards.get(partition);
    // Leadership is announced for the whole topic: what is led as before goes on as before.
    if (this.closed || !opened || present?.serves(opened)) return;
    present?.close();
    const { alarms, settings } = this;
    const sender = { brokerId, image: () => controller.image, writer: markers, remote, alarms, clock, logger };
    const shard = new TransactionShard({
      partition: opened,
      clock,
      logger,
      alarms,
      settings,
      markers: (marker, done) => new MarkerRound(sender, marker, done),
    });
    this.shards.set(partition, shard);
    await shard.load();
  }

  unload(partition: number): void {
    this.shards.get(partition)?.close();
    this.shards.delete(partition);
  }

  forgetTopic(topic: string): void {
    if (topic === TRANSACTIONS_TOPIC) for (const partition of [...this.shards.keys()]) this.unload(partition);
  }

  close(): void {
    this.closed = true;
    this.alarms.close();
    for (const shard of this.shards.values()) shard.shutdown();
    this.shards.clear();
  }

  /** The broker that coordinates an id, or -1. */
  private leaderOf(id: string): number {
    const topic = this.options.controller.image.topic(TRANSACTIONS_TOPIC);
    return topic?.partitions[this.coordinatorPartition(id)]?.leader ?? -1;
  }

  private run(id: string, command: Parameters<TransactionShard['run']>[1], waiter: TransactionWaiter): void {
    if (id === '' && !this.closed) return waiter.fail(ErrorCode.INVALID_REQUEST);
    const { shard, errorCode } = this.locate(id);
    if (shard) shard.run(id, command, waiter);
    else waiter.fail(errorCode);
  }

  /** Tries again with a producer id that nobody has used. */
  private allocate(attempt: (freshProducerId: number) => void, done: ReplyDone): void {
    this.options.controller.allocateProducerId().then(attempt, (error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      this.options.logger.warn('No producer id could be had for a transactional id', { reason });
      done(failure(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS));
    });
  }

  /** The shard of an id. Codes: 15 the broker stops, 14 not loaded, 16 not here. */
  private locate(id: string): Located {
    if (this.closed) return { shard: null, errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE };
    const shard = this.shards.get(this.coordinatorPartition(id));
    if (!shard || shard.status === 'closed') return { shard: null, errorCode: ErrorCode.NOT_COORDINATOR };
    if (shard.status === 'loading') return { shard: null, errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS };
    return { shard, errorCode: ErrorCode.NONE };
  }

  private arm(alarm: Alarm, delayMs: number): void {
    this.alarms.set(alarm, this.options.clock.monotonic() + delayMs);
  }

  private abortOverdue(): void {
    for (const shard of this.shards.values()) if (shard.status === 'active') shard.abortOverdue();
    this.arm(this.timeoutAlarm, this.settings().timeoutCheckIntervalMs);
  }

  private forgetExpired(): void {
    for (const shard of this.shards.values()) if (shard.status === 'active') shard.forgetExpired();
    this.arm(this.expirationAlarm, this.settings().expirationCheckIntervalMs);
  }
}

function failure(errorCode: number): TransactionReply {
  return { errorCode, producerId: NONE_YET, producerEpoch: NONE_YET };
}

function waiterOf(done: ReplyDone, needsProducerId?: () => void): TransactionWaiter {
  const waiter = { reply: done, fail: (errorCode: number) => done(failure(errorCode)) };
  return needsProducerId === undefined ? waiter : { ...waiter, needsProducerId };
}

/** The settings, read again only when the configuration is another one. */
function settingsOf(cluster: TransactionCluster): () => TransactionSettings {
  let config = cluster.config;
  let settings = transactionSettings(config);
  return () => {
    if (config !== cluster.config) {
      config = cluster.config;
      settings = transactionSettings(config);
    }
    return settings;
  };
}

function notAvailable(reason: string | null): { errorCode: number; errorMessage: string | null; nodeId: number } {
  const errorCode = ErrorCode.COORDINATOR_NOT_AVAILABLE;
  return { errorCode, errorMessage: reason ?? errorMessage(errorCode), nodeId: -1 };
}
