/**
 * A broker without a network for the specs of transactions: controller, partitions, groups, transactions and the gate, on
 * a disk in memory, with a clock that stands still. Topic `t` has three partitions.
 */
import { ErrorCode } from '@kafka-template/protocol';
import { TransactionGate } from '../../api/transaction-gate.js';
import { BrokerConfig } from '../../cluster/broker-config.js';
import { Controller } from '../../cluster/controller.js';
import { EmbeddedStore } from '../../cluster/embedded-store.js';
import type { TopicChange } from '../../cluster/topic-request.js';
import { silentLogger } from '../../io/logger.js';
import { MemoryDisk } from '../../io/memory-disk.js';
import { seededRandom } from '../../io/random.js';
import type { AppendOutcome, Partition } from '../../replication/partition.js';
import { Partitions } from '../../replication/partitions.js';
import { FakeClock } from '../../testing/fake-clock.js';
import { testBatch } from '../../testing/log-world.js';
import { GroupCoordinator, OFFSETS_TOPIC } from '../group-coordinator.js';
import type { TransactionReply } from './decision.js';
import { MarkerWriter } from './marker-writer.js';
import { partitionSet } from './partition-set.js';
import { SharePartitions } from '../share/partition/share-partitions.js';
import { ShareStateCoordinator } from '../share/state/share-state-coordinator.js';
import { TransactionCoordinator, TRANSACTIONS_TOPIC } from './transaction-coordinator.js';

const DIR = '/data';
/** Partitions of topic `t`. */
export const PARTITIONS = 3;
/** Timeout of all transactions, in milliseconds. */
export const TIMEOUT_MS = 60_000;

/** Who produces in transactions. */
export interface Owner {
  readonly id: string;
  readonly producerId: number;
  readonly producerEpoch: number;
}

/** A writer of markers that a test can hold back. */
class HeldMarkers extends MarkerWriter {
  /** Markers that wait, or null when nothing is held back. */
  held: (() => void)[] | null = null;
  /** What the next markers are answered instead of being written. */
  readonly failures: number[] = [];

  override write(...parameters: Parameters<MarkerWriter['write']>): void {
    const failure = this.failures.shift();
    if (failure !== undefined) return parameters[3](failure);
    if (this.held === null) super.write(...parameters);
    else this.held.push(() => super.write(...parameters));
  }
}

/** See the file comment. */
export class TransactionWorld {
  readonly clock = new FakeClock();
  disk = new MemoryDisk(() => this.clock.now());
  controller!: Controller;
  partitions!: Partitions;
  groups!: GroupCoordinator;
  transactions!: TransactionCoordinator;
  gate!: TransactionGate;
  markers!: HeldMarkers;
  private store!: EmbeddedStore;

  private constructor(private readonly config: Readonly<Record<string, string>>) {}

  static async start(config: Readonly<Record<string, string>> = {}): Promise<TransactionWorld> {
    const few = { 'offsets.topic.num.partitions': '2', 'transaction.state.log.num.partitions': '2' };
    const world = new TransactionWorld({ ...few, ...config });
    await world.disk.mkdir(DIR);
    await world.open();
    await world.controller.createTopic({ name: 't', numPartitions: PARTITIONS, replicationFactor: 1, configs: [] });
    expect((await world.groups.findCoordinator('g')).errorCode).toBe(ErrorCode.NONE);
    expect((await world.transactions.findCoordinator('x')).errorCode).toBe(ErrorCode.NONE);
    return world;
  }

  /** Stops in order and starts again from what is on the disk. */
  async restart(): Promise<void> {
    await this.stop();
    await this.open();
  }

  /** Starts again from what a killed process left on the disk, at this very moment. */
  async crash(): Promise<void> {
    const left = this.disk.afterCrash('kill');
    this.transactions.close();
    this.groups.close();
    this.partitions.waits.close();
    await this.clock.settle();
    this.disk = left;
    await this.open();
    await this.clock.settle();
  }

  async stop(): Promise<void> {
    this.transactions.close();
    this.groups.close();
    await this.clock.settle();
    await this.partitions.close();
    await this.controller.close();
    await this.store.close();
  }

  private async open(): Promise<void> {
    const { clock, disk } = this;
    const logger = silentLogger;
    const random = seededRandom(11);
    this.store = await EmbeddedStore.open({ disk, dataDir: DIR, logger });
    this.controller = await Controller.open({
      store: this.store,
      broker: { id: 0, host: 'localhost', port: 9092, rack: null },
      config: BrokerConfig.of(this.config),
      clock,
      logger,
      random,
      hooks: { onTopic: (change) => this.onTopic(change) },
    });
    const { controller } = this;
    const { clusterId } = controller.image;
    // Housekeeping would make weeks on the clock last for minutes.
    const rarely = 1e9;
    const intervals = {
      retentionCheckIntervalMs: rarely,
      flushOffsetCheckpointIntervalMs: rarely,
      highWatermarkCheckpointIntervalMs: rarely,
    };
    this.partitions = await Partitions.open({ dataDir: DIR, disk, clock, logger, brokerId: 0, clusterId, intervals });
    const { partitions } = this;
    const shareStates = new ShareStateCoordinator({ controller, partitions, clock, logger });
    const shares = new SharePartitions({ states: shareStates, controller, clock, logger });
    const services = { controller, partitions, clock, logger, random, shareStates, shares };
    this.groups = new GroupCoordinator({ brokerId: 0, ...services });
    this.markers = new HeldMarkers({ brokerId: 0, image: () => controller.image, partitions, groups: this.groups });
    const { markers } = this;
    this.transactions = new TransactionCoordinator({ brokerId: 0, controller, partitions, markers, clock, logger });
    this.gate = new TransactionGate(this.transactions);
    const topics = [...controller.image.topics()];
    for (const topic of topics) await this.openPartitions({ type: 'created', topic });
    for (const topic of topics) await this.load({ type: 'created', topic });
  }

  private async onTopic(change: TopicChange): Promise<void> {
    await this.openPartitions(change);
    await this.load(change);
  }

  private async openPartitions({ type, topic }: TopicChange): Promise<void> {
    for (const { partition, leaderEpoch } of topic.partitions) {
      if (type === 'deleted') await this.partitions.delete(topic.name, partition);
      else (await this.partitions.create(topic.name, partition, topic.id, topic.config)).becomeLeader(leaderEpoch);
    }
  }

  private async load({ type, topic }: TopicChange): Promise<void> {
    if (type === 'deleted') return this.transactions.forgetTopic(topic.name);
    for (const { partition } of topic.partitions) {
      if (topic.name === OFFSETS_TOPIC) await this.groups.load(partition);
      if (topic.name === TRANSACTIONS_TOPIC) await this.transactions.load(partition);
    }
  }

  /** Holds markers back until `letMarkersGo`. */
  holdMarkers(): void {
    this.markers.held ??= [];
  }

  async letMarkersGo(): Promise<void> {
    const held = this.markers.held ?? [];
    this.markers.held = null;
    for (const write of held) write();
    await this.clock.settle();
  }

  /** State of an id as DescribeTransactions shows it, or the error code. */
  stateOf(id: string): string | number {
    const [row] = this.transactions.describe([id]);
    return row?.errorCode === ErrorCode.NONE ? row.transactionState : (row?.errorCode ?? -1);
  }

  partition(index: number, topic = 't'): Partition {
    const partition = this.partitions.get(topic, index);
    if (!partition) throw new Error(`${topic}-${index} is not there.`);
    return partition;
  }

  /** Takes an id over, coming again as long as it is told to. */
  async init(id: string): Promise<Owner> {
    for (;;) {
      const reply = await this.settled<TransactionReply>((done) =>
        this.transactions.init({ id, timeoutMs: TIMEOUT_MS, expected: null }, done),
      );
      if (reply.errorCode === ErrorCode.NONE) return { id, ...ownerOf(reply) };
      if (reply.errorCode !== ErrorCode.CONCURRENT_TRANSACTIONS) throw new Error(`Code ${reply.errorCode}`);
    }
  }

  add(owner: Owner, partition: number): Promise<TransactionReply> {
    const partitions = partitionSet([{ topic: 't', partitions: [partition] }]);
    return this.settled((done) => this.transactions.add({ ...owner, partitions, clientVersion: 0 }, done));
  }

  addOffsets(owner: Owner, groupId: string): Promise<TransactionReply> {
    const index = this.groups.coordinatorPartition(groupId);
    const partitions = partitionSet([{ topic: OFFSETS_TOPIC, partitions: [index] }]);
    return this.settled((done) => this.transactions.add({ ...owner, partitions, clientVersion: 0 }, done));
  }

  end(owner: Owner, committed: boolean, clientVersion: 0 | 2): Promise<TransactionReply> {
    return this.settled((done) => this.transactions.end({ ...owner, committed, clientVersion }, done));
  }

  /** Sends one batch of a transaction through the gate; does not wait. */
  send(
    owner: Owner,
    batch: { partition: number; baseSequence: number; value: string; adds?: boolean },
    done: (outcome: Pick<AppendOutcome, 'errorCode' | 'baseOffset'>) => void,
  ): void {
    const { id, producerId, producerEpoch } = owner;
    const { baseSequence, value, adds = false } = batch;
    const partition = this.partition(batch.partition);
    const timestamp = this.clock.now();
    const records = testBatch({
      records: [{ value, timestamp }],
      producerId,
      producerEpoch,
      baseSequence,
      transactional: true,
    });
    const facts = { partition, transactionalId: id, producerId, producerEpoch, baseSequence, adds };
    this.gate.pass(facts, (errorCode, verification) => {
      if (errorCode !== ErrorCode.NONE) return done({ errorCode, baseOffset: -1 });
      const options = { origin: 'client', acks: -1, timeoutMs: 1000, transactionalId: id, verification } as const;
      partition.append(records, options, done);
    });
  }

  /** Commits an offset of `t-0` for a group as part of a transaction; does not wait. */
  commitOffset(owner: Owner, groupId: string, offset: number, adds: boolean, done: (errorCode: number) => void): void {
    const { id: transactionalId, producerId, producerEpoch } = owner;
    const partition = this.partition(this.groups.coordinatorPartition(groupId), OFFSETS_TOPIC);
    const committed = { partitionIndex: 0, committedOffset: offset, committedLeaderEpoch: -1, committedMetadata: null };
    const request = {
      transactionalId,
      groupId,
      producerId,
      producerEpoch,
      generationId: -1,
      memberId: '',
      groupInstanceId: null,
      topics: [{ name: 't', partitions: [committed] }],
    };
    const batch = { partition, transactionalId, producerId, producerEpoch, baseSequence: -1, adds };
    this.gate.pass(batch, (errorCode, verification) => {
      if (errorCode !== ErrorCode.NONE) return done(errorCode);
      const context = { apiVersion: 5, clientId: 'c', clientHost: '/127.0.0.1' };
      this.groups.commitTransactionalOffsets(
        request,
        context,
        ({ topics }) => done(topics[0]?.partitions[0]?.errorCode ?? -1),
        verification,
      );
    });
  }

  /** The committed offset of `t-0` of a group, or -1. */
  committedOffset(groupId: string, requireStable = false): { offset: number; errorCode: number } {
    const topics = [{ name: 't', topicId: '', partitionIndexes: [0] }];
    const groups = [{ groupId, memberId: null, memberEpoch: -1, topics }];
    const context = { apiVersion: 8, clientId: 'c', clientHost: '/127.0.0.1' };
    const found = this.groups.fetchOffsets({ groupId: '', topics: null, groups, requireStable }, context);
    const row = found.groups?.[0]?.topics[0]?.partitions[0];
    return { offset: row?.committedOffset ?? -1, errorCode: row?.errorCode ?? -1 };
  }

  /** Runs a request and lets everything that follows from it happen. */
  async settled<T>(start: (done: (answer: T) => void) => void): Promise<T> {
    const answer = new Promise<T>((resolve) => start(resolve));
    await this.clock.settle();
    return answer;
  }
}

function ownerOf({ producerId, producerEpoch }: TransactionReply) {
  return { producerId, producerEpoch };
}
