/**
 * A broker without a network for the coordinator's specs: controller, partitions and groups on a disk in memory, with a
 * clock that stands still.
 */
import {
  encodeAssignment,
  encodeSubscription,
  ErrorCode,
  type ConsumerGroupHeartbeat,
  type Heartbeat,
  type JoinGroup,
  type LeaveGroup,
  type OffsetCommit,
  type OffsetFetch,
  type RequestOf,
  type ResponseInput,
  type SyncGroup,
} from '@kafka-template/protocol';
import { BrokerConfig } from '../cluster/broker-config.js';
import { Controller } from '../cluster/controller.js';
import { EmbeddedStore } from '../cluster/embedded-store.js';
import type { TopicChange } from '../cluster/topic-request.js';
import { silentLogger } from '../io/logger.js';
import { MemoryDisk } from '../io/memory-disk.js';
import { seededRandom } from '../io/random.js';
import { Partitions } from '../replication/partitions.js';
import { FakeClock } from '../testing/fake-clock.js';
import { GroupCoordinator, OFFSETS_TOPIC, type GroupRequestContext } from './group-coordinator.js';
import { SharePartitions } from './share/partition/share-partitions.js';
import { SHARE_STATE_TOPIC, ShareStateCoordinator } from './share/state/share-state-coordinator.js';

const DIR = '/data';

/** How a test looks at one answer: there or not yet. */
export interface Pending<T> {
  answer: T | null;
}

/** See the file comment. */
export class GroupWorld {
  readonly clock = new FakeClock();
  readonly disk = new MemoryDisk(() => this.clock.now());
  controller!: Controller;
  partitions!: Partitions;
  groups!: GroupCoordinator;
  shareStates!: ShareStateCoordinator;
  shares!: SharePartitions;
  private store!: EmbeddedStore;

  private constructor(private readonly config: Readonly<Record<string, string>>) {}

  /** Starts with four partitions of offsets unless told otherwise. Topic `t` has three partitions. */
  static async start(config: Readonly<Record<string, string>> = {}): Promise<GroupWorld> {
    const world = new GroupWorld({ 'offsets.topic.num.partitions': '4', ...config });
    await world.disk.mkdir(DIR);
    await world.open();
    await world.controller.createTopic({ name: 't', numPartitions: 3, replicationFactor: 1, configs: [] });
    expect((await world.groups.findCoordinator('g')).errorCode).toBe(ErrorCode.NONE);
    return world;
  }

  /** Stops in order and starts again from what is on the disk. */
  async restart(): Promise<void> {
    await this.stop();
    await this.open();
  }

  async stop(): Promise<void> {
    this.groups.close();
    this.shares.close();
    this.shareStates.close();
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
    const { clusterId } = this.controller.image;
    // Housekeeping would make weeks on the clock last for minutes.
    const rarely = 1e9;
    const intervals = {
      retentionCheckIntervalMs: rarely,
      flushOffsetCheckpointIntervalMs: rarely,
      highWatermarkCheckpointIntervalMs: rarely,
    };
    this.partitions = await Partitions.open({ dataDir: DIR, disk, clock, logger, brokerId: 0, clusterId, intervals });
    const { controller, partitions } = this;
    const shareStates = new ShareStateCoordinator({ controller, partitions, clock, logger });
    const shares = new SharePartitions({ states: shareStates, controller, clock, logger });
    Object.assign(this, { shareStates, shares });
    const services = { controller, partitions, clock, logger, random, shareStates, shares };
    this.groups = new GroupCoordinator({ brokerId: 0, ...services });
    for (const topic of this.controller.image.topics()) await this.onTopic({ type: 'created', topic });
  }

  private async onTopic({ type, topic }: TopicChange): Promise<void> {
    for (const { partition, leaderEpoch } of topic.partitions) {
      if (type === 'deleted') await this.partitions.delete(topic.name, partition);
      else (await this.partitions.create(topic.name, partition, topic.id, topic.config)).becomeLeader(leaderEpoch);
      if (topic.name === OFFSETS_TOPIC && type !== 'deleted') await this.groups.load(partition);
      if (topic.name === SHARE_STATE_TOPIC && type !== 'deleted') await this.shareStates.load(partition);
    }
    if (type === 'deleted') this.groups.forgetTopic(topic.name);
  }

  /** Waits for an answer that needs the log. */
  async settled<T>(answer: Promise<T>): Promise<T> {
    await this.clock.settle();
    return answer;
  }

  /** All bytes of the offsets topic, partition by partition. */
  async stored(): Promise<Buffer[]> {
    const reads: Buffer[] = [];
    for (const { partition } of this.controller.image.topic(OFFSETS_TOPIC)?.partitions ?? []) {
      const log = this.partitions.get(OFFSETS_TOPIC, partition);
      if (!log) continue;
      const request = { fetchOffset: log.logStartOffset, maxBytes: 1e9, minOneBatch: true, readCommitted: false };
      reads.push(Buffer.concat((await log.read(request)).records));
    }
    return reads;
  }

  /** Everything anybody could see of the groups, for comparisons. */
  view(...groupIds: string[]): unknown {
    const described = this.groups.describe({ groups: groupIds, includeAuthorizedOperations: false }, at(5));
    const offsets = groupIds.map((groupId) => this.fetch(groupId));
    const consumers = this.groups.describeConsumerGroups({ groupIds, includeAuthorizedOperations: false });
    return { described, consumers, offsets, listed: this.groups.list({ statesFilter: [], typesFilter: [] }) };
  }

  join(request: Partial<RequestOf<typeof JoinGroup>>, version = 9): Pending<ResponseInput<typeof JoinGroup>> {
    const metadata = encodeSubscription({ topics: ['t'], ownedPartitions: [] });
    return waits((done) =>
      this.groups.join(
        {
          groupId: 'g',
          sessionTimeoutMs: 10_000,
          rebalanceTimeoutMs: 60_000,
          memberId: '',
          groupInstanceId: null,
          protocolType: 'consumer',
          protocols: [{ name: 'range', metadata }],
          reason: null,
          ...request,
        },
        at(version),
        done,
      ),
    );
  }

  sync(request: Partial<RequestOf<typeof SyncGroup>>, version = 5): Pending<ResponseInput<typeof SyncGroup>> {
    const whole = {
      groupId: 'g',
      generationId: 1,
      memberId: '',
      groupInstanceId: null,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: [],
      ...request,
    };
    return waits((done) => this.groups.sync(whole, at(version), done));
  }

  heartbeat(request: Partial<RequestOf<typeof Heartbeat>>): Pending<ResponseInput<typeof Heartbeat>> {
    const whole = { groupId: 'g', generationId: 1, memberId: '', groupInstanceId: null, ...request };
    return waits((done) => this.groups.heartbeat(whole, at(4), done));
  }

  leave(request: Partial<RequestOf<typeof LeaveGroup>>, version = 5): Pending<ResponseInput<typeof LeaveGroup>> {
    const whole = { groupId: 'g', memberId: '', members: [], ...request };
    return waits((done) => this.groups.leave(whole, at(version), done));
  }

  commit(
    offsets: Readonly<Record<number, number>>,
    request: Partial<RequestOf<typeof OffsetCommit>> & { topic?: string; metadata?: string } = {},
    version = 9,
  ): Pending<ResponseInput<typeof OffsetCommit>> {
    const { topic = 't', metadata = '', ...rest } = request;
    const partitions = Object.entries(offsets).map(([partition, offset]) => ({
      partitionIndex: Number(partition),
      committedOffset: offset,
      committedLeaderEpoch: 3,
      committedMetadata: metadata,
    }));
    const whole = {
      groupId: 'g',
      generationIdOrMemberEpoch: -1,
      memberId: '',
      groupInstanceId: null,
      retentionTimeMs: -1,
      topics: [{ name: topic, topicId: 'some-id', partitions }],
      ...rest,
    };
    return waits((done) => this.groups.commitOffsets(whole, at(version), done));
  }

  /** A member of the new protocol; in its first request it subscribes to `t`. */
  beat(
    memberId: string,
    memberEpoch: number,
    request: Partial<RequestOf<typeof ConsumerGroupHeartbeat>> = {},
  ): Pending<ResponseInput<typeof ConsumerGroupHeartbeat>> {
    const joins = memberEpoch === 0;
    const whole = {
      groupId: 'g',
      memberId,
      memberEpoch,
      instanceId: null,
      rackId: null,
      rebalanceTimeoutMs: joins ? 60_000 : -1,
      subscribedTopicNames: joins ? ['t'] : null,
      subscribedTopicRegex: null,
      serverAssignor: null,
      topicPartitions: joins ? [] : null,
      ...request,
    };
    return waits((done) => this.groups.consumerHeartbeat(whole, at(1), done));
  }

  /** All offsets of a group. */
  fetch(groupId = 'g', requireStable = false): ResponseInput<typeof OffsetFetch> {
    const groups = [{ groupId, memberId: null, memberEpoch: -1, topics: null }];
    return this.groups.fetchOffsets({ groupId: '', topics: null, groups, requireStable }, at(8));
  }

  /** Offsets of a group as `topic-partition` to offset. */
  offsets(groupId = 'g'): Record<string, number> {
    const found = this.fetch(groupId).groups?.[0]?.topics ?? [];
    return Object.fromEntries(
      found.flatMap(({ name, partitions }) =>
        partitions.map((partition) => [`${name}-${partition.partitionIndex}`, partition.committedOffset]),
      ),
    );
  }

  /** A stable group of one member that owns all of `t`; returns the member's id. */
  async member(groupId = 'g', wish: Partial<RequestOf<typeof JoinGroup>> = {}): Promise<string> {
    const joined = this.join({ groupId, ...wish }, 3);
    const memberId = joined.answer?.memberId ?? '';
    const assignment = encodeAssignment({
      assignedPartitions: [{ topic: 't', partitions: [0, 1, 2] }],
      userData: null,
    });
    const synced = this.sync({ groupId, memberId, assignments: [{ memberId, assignment }] });
    await this.clock.settle();
    expect(synced.answer?.errorCode).toBe(ErrorCode.NONE);
    return memberId;
  }
}

/** The context of a request at a version. */
export function at(apiVersion: number): GroupRequestContext {
  return { apiVersion, clientId: 'client', clientHost: '/127.0.0.1' };
}

function waits<T>(start: (done: (answer: T) => void) => void): Pending<T> {
  const pending: Pending<T> = { answer: null };
  start((answer) => {
    if (pending.answer !== null) throw new Error('A request was answered twice.');
    pending.answer = answer;
  });
  return pending;
}
