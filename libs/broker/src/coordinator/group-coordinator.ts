/**
 * Consumer groups of this broker: joins, syncs, heartbeats, leaves, committed offsets, administration.
 *
 * Guarantees: an answer that depends on stored state is given only after the log accepted it; requests for a group whose
 * partition of `__consumer_offsets` is not here or not yet loaded are refused with Kafka's codes, never half served.
 * Leaves out authorisation and the translation between topic ids and names: the api layer does both.
 */
import {
  ErrorCode,
  errorMessage,
  javaStringHash,
  type ConsumerGroupDescribe,
  type ConsumerGroupHeartbeat,
  type DeleteGroups,
  type DescribeGroups,
  type Heartbeat,
  type JoinGroup,
  type LeaveGroup,
  type ListGroups,
  type OffsetCommit,
  type OffsetDelete,
  type OffsetFetch,
  type RequestOf,
  type ResponseInput,
  type SyncGroup,
  type TxnOffsetCommit,
} from '@kafka-template/protocol';
import type { BrokerConfig, ConfigEntries } from '../cluster/broker-config.js';
import type { ClusterImage } from '../cluster/image.js';
import type { Clock } from '../io/clock.js';
import type { Logger } from '../io/logger.js';
import type { Random } from '../io/random.js';
import type { Partition, Verification } from '../replication/partition.js';
import { ConsumerGroupRequests } from './consumer-group-requests.js';
import { listConsumerGroup } from './consumer-group/description.js';
import { consumerGroupRules, groupSettings, type GroupSettings } from './group-settings.js';
import { decideHeartbeat } from './group/decide.js';
import {
  describeGroup,
  listGroup,
  passesFilters,
  undescribed,
  unknownGroup,
  type ListedGroup,
} from './group/description.js';
import { refreshSession } from './group/group.js';
import { joinFailure, leaveAnswer, syncFailure, type GroupReply, type JoinAnswer } from './group/replies.js';
import { newMemberId } from './member-id.js';
import { OffsetRequests } from './offset-requests.js';
import { ShareGroupRequests } from './share-group-requests.js';
import { listShareGroup } from './share/group/description.js';
import { shareGroupRules } from './share/partition/share-group-configs.js';
import type { SharePartitions } from './share/partition/share-partitions.js';
import type { ShareStates } from './share/state/share-state-coordinator.js';
import { Alarm, Alarms } from './runtime/alarms.js';
import { GroupShard, type Located } from './runtime/shard.js';

/** Name of the topic that holds groups and offsets. */
export const OFFSETS_TOPIC = '__consumer_offsets';

/** Who asks. `clientHost` in Kafka's form, '/127.0.0.1'; a null client id is ''. */
export interface GroupRequestContext {
  readonly apiVersion: number;
  readonly clientId: string;
  readonly clientHost: string;
}

/** Receives the answer exactly once, perhaps before the call returns. */
export type Done<A> = (response: ResponseInput<A>) => void;

/**
 * The seam between the api layer and the groups. Requests are the decoded messages, answers are what the encoder takes.
 * In OffsetCommit and OffsetFetch the topic's `name` must be filled in; a `topicId` beside it is copied into the answer.
 */
export interface Groups {
  join(request: RequestOf<typeof JoinGroup>, context: GroupRequestContext, done: Done<typeof JoinGroup>): void;
  sync(request: RequestOf<typeof SyncGroup>, context: GroupRequestContext, done: Done<typeof SyncGroup>): void;
  heartbeat(request: RequestOf<typeof Heartbeat>, context: GroupRequestContext, done: Done<typeof Heartbeat>): void;
  leave(request: RequestOf<typeof LeaveGroup>, context: GroupRequestContext, done: Done<typeof LeaveGroup>): void;
  commitOffsets(
    request: RequestOf<typeof OffsetCommit>,
    context: GroupRequestContext,
    done: Done<typeof OffsetCommit>,
  ): void;
  /**
   * Offsets of a transaction: stored at once, visible when `endTransaction` says that it was committed. `verification` is
   * what the group's partition gave out for the batch, see `Partition.beginVerification`.
   */
  commitTransactionalOffsets(
    request: RequestOf<typeof TxnOffsetCommit>,
    context: GroupRequestContext,
    done: Done<typeof TxnOffsetCommit>,
    verification?: Verification | null,
  ): void;
  /** The marker that ends a producer's transaction is in partition `partition` of `__consumer_offsets` now. */
  endTransaction(partition: number, producerId: number, committed: boolean): void;
  /** False when the configuration leaves the new protocol out. */
  readonly servesConsumerGroups: boolean;
  /** ConsumerGroupHeartbeat of the new protocol (KIP-848). */
  consumerHeartbeat(
    request: RequestOf<typeof ConsumerGroupHeartbeat>,
    context: GroupRequestContext,
    done: Done<typeof ConsumerGroupHeartbeat>,
  ): void;
  describeConsumerGroups(request: RequestOf<typeof ConsumerGroupDescribe>): ResponseInput<typeof ConsumerGroupDescribe>;
  /** Share groups (KIP-932). */
  readonly shareGroups: ShareGroupRequests;
  /** From memory, all versions: `groups` of version 8 on, or `groupId` and `topics` of the versions before. */
  fetchOffsets(request: RequestOf<typeof OffsetFetch>, context: GroupRequestContext): ResponseInput<typeof OffsetFetch>;
  describe(
    request: RequestOf<typeof DescribeGroups>,
    context: GroupRequestContext,
  ): ResponseInput<typeof DescribeGroups>;
  list(request: RequestOf<typeof ListGroups>): ResponseInput<typeof ListGroups>;
  deleteGroups(request: RequestOf<typeof DeleteGroups>): Promise<ResponseInput<typeof DeleteGroups>>;
  deleteOffsets(request: RequestOf<typeof OffsetDelete>): Promise<ResponseInput<typeof OffsetDelete>>;
  /** The partition of `__consumer_offsets` that holds the group: a stable function of id and partition count. */
  coordinatorPartition(groupId: string): number;
  /** FindCoordinator: creates the internal topic when it is missing, and waits until this is known. Node -1 on errors. */
  findCoordinator(groupId: string): Promise<{ errorCode: number; errorMessage: string | null; nodeId: number }>;
  /** This broker leads partition `partition` of `__consumer_offsets` now: read it, then serve its groups. */
  load(partition: number): Promise<void>;
  /** This broker no longer leads it: waiting requests get NOT_COORDINATOR. */
  unload(partition: number): void;
  /** Drops the offsets that groups committed for a topic that is gone; its own topic's end is the end of all groups. */
  forgetTopic(topic: string): void;
  /** Answers everything that waits with COORDINATOR_NOT_AVAILABLE and stops all timers. */
  close(): void;
}

/** What the coordinator asks of the cluster. */
export interface GroupCluster {
  readonly image: ClusterImage;
  readonly config: BrokerConfig;
  /** What is set for this group alone (resource type GROUP), by Kafka's names. */
  groupConfig(groupId: string): ConfigEntries;
  /** Creates a topic; resolves when its partitions are open and `load` was called for those led by this broker. */
  autoCreate(name: string): Promise<{ readonly errorCode: number; readonly errorMessage: string | null }>;
}

/** What the coordinator needs. */
export interface GroupCoordinatorOptions {
  readonly brokerId: number;
  readonly controller: GroupCluster;
  /** The partitions on this broker. */
  readonly partitions: { get(topic: string, partition: number): Partition | undefined };
  /** Where share groups keep what they have done, and their partitions that are at work. */
  readonly shareStates: ShareStates;
  readonly shares: SharePartitions;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Random;
}

/** See the file comment. */
export class GroupCoordinator implements Groups {
  readonly shareGroups: ShareGroupRequests;
  private readonly shards = new Map<number, GroupShard>();
  private readonly alarms: Alarms;
  private readonly cleanUpAlarm = new Alarm(() => this.cleanUp());
  private readonly offsets: OffsetRequests;
  private readonly consumers: ConsumerGroupRequests;
  private readonly settings: () => GroupSettings;
  private tokens = 0;
  private closed = false;

  constructor(private readonly options: GroupCoordinatorOptions) {
    this.alarms = new Alarms(options.clock);
    this.settings = settingsOf(options.controller);
    this.offsets = new OffsetRequests({
      image: () => options.controller.image,
      settings: this.settings,
      clock: options.clock,
      locate: (groupId) => this.locate(groupId),
      removeShareState: (group) => this.shareGroups.removeAll(group),
    });
    this.consumers = new ConsumerGroupRequests({
      settings: this.settings,
      random: options.random,
      locate: (groupId) => this.locate(groupId),
    });
    this.shareGroups = new ShareGroupRequests({
      locate: (groupId) => this.locate(groupId),
      image: () => options.controller.image,
      states: options.shareStates,
      shares: options.shares,
      partitions: options.partitions,
    });
    this.armCleanUp();
  }

  join(request: RequestOf<typeof JoinGroup>, context: GroupRequestContext, done: Done<typeof JoinGroup>): void {
    const answer = (response: JoinAnswer): void => done(joinAnswerFor(context.apiVersion, response));
    const refuse = (errorCode: number): void => answer(joinFailure(errorCode, request.memberId));
    const { shard, errorCode } = this.locateMemberGroup(request.groupId);
    if (!shard) return refuse(errorCode);
    const { sessionTimeoutMinMs, sessionTimeoutMaxMs } = this.settings();
    if (request.sessionTimeoutMs < sessionTimeoutMinMs || request.sessionTimeoutMs > sessionTimeoutMaxMs) {
      return refuse(ErrorCode.INVALID_SESSION_TIMEOUT);
    }
    const inUse = this.consumers.makeWayForClassic(shard, request.groupId, request.memberId);
    if (inUse !== ErrorCode.NONE) return refuse(inUse);
    let group = shard.group(request.groupId);
    if (!group && request.memberId !== '') return refuse(ErrorCode.UNKNOWN_MEMBER_ID);
    group ??= shard.createGroup(request.groupId);
    const { apiVersion, clientId, clientHost } = context;
    const name = request.groupInstanceId ?? clientId;
    const command = {
      type: 'join',
      token: this.nextToken(),
      request,
      apiVersion,
      clientId,
      clientHost,
      newMemberId: newMemberId(name, this.options.random),
    } as const;
    shard.run(group, command, {
      reply: (reply) => {
        if (reply.type === 'join') answer(reply.answer);
      },
      fail: refuse,
    });
  }

  sync(request: RequestOf<typeof SyncGroup>, context: GroupRequestContext, done: Done<typeof SyncGroup>): void {
    const refuse = (errorCode: number): void => done(syncFailure(errorCode));
    // From version 5 on a member must say what it thinks the group does.
    const mute = request.protocolType === null || request.protocolName === null;
    if (context.apiVersion >= 5 && mute) return refuse(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
    const { shard, errorCode } = this.locateMemberGroup(request.groupId);
    // While loading nobody knows of a rebalance: joining again is what brings the member back in any case.
    if (errorCode === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS) return refuse(ErrorCode.REBALANCE_IN_PROGRESS);
    if (!shard) return refuse(errorCode);
    const group = shard.group(request.groupId);
    if (!group) return refuse(ErrorCode.UNKNOWN_MEMBER_ID);
    shard.run(
      group,
      { type: 'sync', token: this.nextToken(), request },
      {
        reply: (reply) => {
          if (reply.type === 'sync') done(reply.answer);
        },
        fail: refuse,
      },
    );
  }

  heartbeat(request: RequestOf<typeof Heartbeat>, _context: GroupRequestContext, done: Done<typeof Heartbeat>): void {
    const { shard, errorCode } = this.locateMemberGroup(request.groupId);
    // A member that only says it is alive need not do anything while its group is being loaded.
    if (errorCode === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS) return done({ errorCode: ErrorCode.NONE });
    if (!shard) return done({ errorCode });
    const group = shard.group(request.groupId);
    if (!group) return done({ errorCode: ErrorCode.UNKNOWN_MEMBER_ID });
    const decision = decideHeartbeat(group, request);
    if (decision.refresh) refreshSession(group, request.memberId, shard.now());
    shard.afterWrites({
      stored: () => done({ errorCode: decision.errorCode }),
      failed: () => done({ errorCode: ErrorCode.NOT_COORDINATOR }),
    });
  }

  leave(request: RequestOf<typeof LeaveGroup>, context: GroupRequestContext, done: Done<typeof LeaveGroup>): void {
    const single = context.apiVersion < 3;
    const members = single ? [{ memberId: request.memberId, groupInstanceId: null }] : request.members;
    const refuse = (errorCode: number): void => done({ errorCode, members: [] });
    const { shard, errorCode } = this.locateMemberGroup(request.groupId);
    if (!shard) return refuse(errorCode);
    const answer = (reply: GroupReply): void => {
      if (reply.type !== 'leave') return;
      if (single) return refuse(reply.members[0]?.errorCode ?? ErrorCode.NONE);
      done({ errorCode: ErrorCode.NONE, members: reply.members });
    };
    const consumers = shard.consumers.get(request.groupId);
    if (consumers) {
      const answered = (codes: number[]): void =>
        answer({ type: 'leave', token: 0, members: members.map((row, at) => leaveAnswer(row, codes[at])) });
      return this.consumers.remove(shard, consumers, members, { answer: answered, failed: refuse });
    }
    const group = shard.group(request.groupId);
    if (!group) {
      const unknown = members.map((row) => leaveAnswer(row, ErrorCode.UNKNOWN_MEMBER_ID));
      return answer({ type: 'leave', token: 0, members: unknown });
    }
    shard.run(group, { type: 'leave', token: this.nextToken(), members }, { reply: answer, fail: refuse });
  }

  get servesConsumerGroups(): boolean {
    return this.settings().servesConsumerGroups;
  }

  consumerHeartbeat(
    request: RequestOf<typeof ConsumerGroupHeartbeat>,
    context: GroupRequestContext,
    done: Done<typeof ConsumerGroupHeartbeat>,
  ): void {
    this.consumers.heartbeat(request, context, done);
  }

  describeConsumerGroups(
    request: RequestOf<typeof ConsumerGroupDescribe>,
  ): ResponseInput<typeof ConsumerGroupDescribe> {
    return this.consumers.describe(request);
  }

  commitOffsets(
    request: RequestOf<typeof OffsetCommit>,
    context: GroupRequestContext,
    done: Done<typeof OffsetCommit>,
  ): void {
    this.offsets.commit(request, context.apiVersion, done);
  }

  commitTransactionalOffsets(
    request: RequestOf<typeof TxnOffsetCommit>,
    _context: GroupRequestContext,
    done: Done<typeof TxnOffsetCommit>,
    verification?: Verification | null,
  ): void {
    this.offsets.commitTransactional(request, done, verification);
  }

  endTransaction(partition: number, producerId: number, committed: boolean): void {
    this.shards.get(partition)?.endTransaction(producerId, committed);
  }

  fetchOffsets(
    request: RequestOf<typeof OffsetFetch>,
    context: GroupRequestContext,
  ): ResponseInput<typeof OffsetFetch> {
    return this.offsets.fetch(request, context.apiVersion);
  }

  describe(
    request: RequestOf<typeof DescribeGroups>,
    context: GroupRequestContext,
  ): ResponseInput<typeof DescribeGroups> {
    const groups = request.groups.map((groupId) => {
      const { shard, errorCode } = this.locate(groupId);
      if (!shard) return undescribed(groupId, errorCode, context.apiVersion < 6 ? null : errorMessage(errorCode));
      const group = shard.group(groupId);
      if (group) return describeGroup(group);
      return unknownGroup(
        groupId,
        context.apiVersion,
        shard.consumers.has(groupId) || shard.shares.has(groupId) ? 'is not a classic group' : 'not found',
      );
    });
    return { groups };
  }

  list(request: RequestOf<typeof ListGroups>): ResponseInput<typeof ListGroups> {
    if (this.closed) return { errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE, groups: [] };
    const filters = { states: request.statesFilter, types: request.typesFilter };
    const groups: ListedGroup[] = [];
    for (const shard of this.shards.values()) {
      if (shard.status === 'loading') return { errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, groups: [] };
      for (const group of shard.groups()) groups.push(listGroup(group));
      for (const group of shard.consumers.all()) groups.push(listConsumerGroup(group));
      for (const group of shard.shares.all()) groups.push(listShareGroup(group));
    }
    return { errorCode: ErrorCode.NONE, groups: groups.filter((group) => passesFilters(group, filters)) };
  }

  async deleteGroups(request: RequestOf<typeof DeleteGroups>): Promise<ResponseInput<typeof DeleteGroups>> {
    const deletions = request.groupsNames.map(async (groupId) => ({
      groupId,
      errorCode: await this.offsets.deleteGroup(groupId),
    }));
    return { results: await Promise.all(deletions) };
  }

  deleteOffsets(request: RequestOf<typeof OffsetDelete>): Promise<ResponseInput<typeof OffsetDelete>> {
    return this.offsets.delete(request);
  }

  coordinatorPartition(groupId: string): number {
    const topic = this.options.controller.image.topic(OFFSETS_TOPIC);
    const count = topic?.partitions.length ?? this.settings().topicPartitions;
    const hash = javaStringHash(groupId);
    // Java's absolute value, with the one number that has none taken for 0.
    return hash === -(2 ** 31) ? 0 : Math.abs(hash) % count;
  }

  async findCoordinator(groupId: string): Promise<{ errorCode: number; errorMessage: string | null; nodeId: number }> {
    const { controller } = this.options;
    if (this.closed) return notAvailable(null);
    if (!controller.image.topic(OFFSETS_TOPIC)) {
      const created = await controller.autoCreate(OFFSETS_TOPIC);
      if (created.errorCode !== ErrorCode.NONE) return notAvailable(created.errorMessage);
    }
    const { image } = controller;
    const leader = image.topic(OFFSETS_TOPIC)?.partitions[this.coordinatorPartition(groupId)]?.leader ?? -1;
    if (leader === -1 || !image.broker(leader)) return notAvailable(null);
    return { errorCode: ErrorCode.NONE, errorMessage: null, nodeId: leader };
  }

  async load(partition: number): Promise<void> {
    const { clock, logger, partitions } = this.options;
    const opened = partitions.get(OFFSETS_TOPIC, partition);
    const present = this.shards.get(partition);
    // Leadership is announced for the whole topic: what is led as before goes on as before.
    if (this.closed || !opened || present?.serves(opened)) return;
    present?.close();
    const shard = new GroupShard({
      partition: opened,
      clock,
      logger,
      alarms: this.alarms,
      settings: this.settings,
      consumerRules: (groupId) =>
        consumerGroupRules(this.settings().consumer, this.options.controller.groupConfig(groupId)),
      shareRules: (groupId) =>
        shareGroupRules(this.options.controller.config, this.options.controller.groupConfig(groupId)),
      onShareMemberGone: (...gone) => this.shareGroups.memberGone(...gone),
      topics: () => this.options.controller.image,
    });
    this.shards.set(partition, shard);
    await shard.load();
  }

  unload(partition: number): void {
    this.shards.get(partition)?.close();
    this.shards.delete(partition);
  }

  forgetTopic(topic: string): void {
    if (topic === OFFSETS_TOPIC) for (const partition of [...this.shards.keys()]) this.unload(partition);
    for (const shard of this.shards.values()) {
      this.offsets.forgetTopic(shard, topic);
      this.shareGroups.forgetTopic(shard, topic);
    }
  }

  close(): void {
    this.closed = true;
    this.alarms.close();
    for (const shard of this.shards.values()) shard.shutdown();
    this.shards.clear();
  }

  private nextToken(): number {
    this.tokens += 1;
    return this.tokens;
  }

  /** The shard of a group. Codes: 15 the broker stops, 14 not loaded, 16 not here. */
  private locate(groupId: string): Located {
    if (this.closed) return { shard: null, errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE };
    const shard = this.shards.get(this.coordinatorPartition(groupId));
    if (!shard || shard.status === 'closed') return { shard: null, errorCode: ErrorCode.NOT_COORDINATOR };
    if (shard.status === 'loading') return { shard: null, errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS };
    return { shard, errorCode: ErrorCode.NONE };
  }

  /** {@link locate} for requests of members, whose group must have a name. */
  private locateMemberGroup(groupId: string): Located {
    if (groupId !== '' || this.closed) return this.locate(groupId);
    return { shard: null, errorCode: ErrorCode.INVALID_GROUP_ID };
  }

  private armCleanUp(): void {
    const intervalMs = this.settings().offsetsRetentionCheckIntervalMs;
    this.alarms.set(this.cleanUpAlarm, this.options.clock.monotonic() + intervalMs);
  }

  private cleanUp(): void {
    for (const shard of this.shards.values()) if (shard.status === 'active') shard.cleanUp();
    this.armCleanUp();
  }
}

/** The settings, read again only when the configuration is another one. */
function settingsOf(cluster: GroupCluster): () => GroupSettings {
  let config = cluster.config;
  let settings = groupSettings(config);
  return () => {
    if (config !== cluster.config) {
      config = cluster.config;
      settings = groupSettings(config);
    }
    return settings;
  };
}

function notAvailable(reason: string | null): { errorCode: number; errorMessage: string | null; nodeId: number } {
  const errorCode = ErrorCode.COORDINATOR_NOT_AVAILABLE;
  return { errorCode, errorMessage: reason ?? errorMessage(errorCode), nodeId: -1 };
}

/** Versions before 7 have no null for the protocol name. */
function joinAnswerFor(apiVersion: number, answer: JoinAnswer): JoinAnswer {
  return apiVersion >= 7 ? answer : { ...answer, protocolName: answer.protocolName ?? '' };
}
