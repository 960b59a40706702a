/**
 * Requests about share groups (KIP-932): heartbeats, descriptions, and administration of where they stand.
 *
 * Guarantees: no member gets a partition before the state of the group in it is stored; where a group stands is moved or
 * forgotten only while it has no members. Codes and texts are Kafka's.
 */
import {
  ErrorCode,
  errorMessage,
  ZERO_UUID,
  type AlterShareGroupOffsets,
  type DeleteShareGroupOffsets,
  type DescribeShareGroupOffsets,
  type RequestOf,
  type ResponseInput,
  type ShareGroupDescribe,
  type ShareGroupHeartbeatRequest,
} from '@kafka-template/protocol';
import type { ClusterImage, TopicImage } from '../cluster/image.js';
import type { Partition } from '../replication/partition.js';
import { Refusal } from './consumer-group/replies.js';
import { clientCode, type GroupShard, type Located } from './runtime/shard.js';
import {
  checkShareHeartbeat,
  decideForgotten,
  decideInitialized,
  decideShareHeartbeat,
  shareHeartbeatFailure,
  type ShareGroupDecision,
  type ShareHeartbeatAnswer,
} from './share/group/decide.js';
import { describeShareGroup, undescribedShareGroup, type DescribedShareGroup } from './share/group/description.js';
import { newShareGroup, type ShareGroup, type ShareTopics } from './share/group/share-group.js';
import type { SharePartitions } from './share/partition/share-partitions.js';
import type { ShareKey, ShareState } from './share/state/share-state.js';
import type { ShareStates } from './share/state/share-state-coordinator.js';

/** What this part needs. */
export interface ShareGroupRequestsOptions {
  readonly locate: (groupId: string) => Located;
  readonly image: () => ClusterImage;
  readonly states: ShareStates;
  readonly shares: SharePartitions;
  readonly partitions: { get(topic: string, partition: number): Partition | undefined };
}

/** Who sent a heartbeat. */
export interface ShareHeartbeatSender {
  readonly clientId: string;
  readonly clientHost: string;
}

type OffsetsRequest = RequestOf<typeof DescribeShareGroupOffsets>['groups'][number];
type OffsetsAnswer = ResponseInput<typeof DescribeShareGroupOffsets>['groups'][number];
type OffsetsPartition = OffsetsAnswer['topics'][number]['partitions'][number];
type AlterAnswer = ResponseInput<typeof AlterShareGroupOffsets>;
type AlterRow = AlterAnswer['responses'][number]['partitions'][number];
type DeleteAnswer = ResponseInput<typeof DeleteShareGroupOffsets>;

/** See the file comment. */
export class ShareGroupRequests {
  constructor(private readonly options: ShareGroupRequestsOptions) {}

  /** ShareGroupHeartbeat. */
  async heartbeat(request: ShareGroupHeartbeatRequest, sender: ShareHeartbeatSender): Promise<ShareHeartbeatAnswer> {
    try {
      checkShareHeartbeat(request);
      const { groupId } = request;
      const { shard, errorCode } = this.options.locate(groupId);
      if (!shard) return shareHeartbeatFailure(errorCode);
      const command = { request, ...sender };
      const beat = (): ShareGroupDecision<ShareHeartbeatAnswer> =>
        decideShareHeartbeat(groupFor(shard, request), command, shard.shares.world(groupId));
      const answer = await follow(shard, beat());
      if (typeof answer === 'number') return shareHeartbeatFailure(clientCode(answer));
      if (answer.errorCode !== ErrorCode.NONE || request.memberEpoch < 0) return answer;
      // State of new partitions is made now, so that the member need not wait for its next heartbeat.
      if (!(await this.initialize(shard, groupId))) return answer;
      const second = await follow(shard, beat());
      if (typeof second === 'number' || second.errorCode !== ErrorCode.NONE) return answer;
      return { ...second, assignment: second.assignment ?? answer.assignment ?? null };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return shareHeartbeatFailure(error.errorCode, error.message);
    }
  }

  /** ShareGroupDescribe. */
  describe(request: RequestOf<typeof ShareGroupDescribe>): ResponseInput<typeof ShareGroupDescribe> {
    return { groups: request.groupIds.map((groupId) => this.describeOne(groupId)) };
  }

  private describeOne(groupId: string): DescribedShareGroup {
    if (groupId === '') return undescribedShareGroup(groupId, ErrorCode.INVALID_GROUP_ID, null);
    const { shard, errorCode } = this.options.locate(groupId);
    if (!shard) return undescribedShareGroup(groupId, errorCode, errorMessage(errorCode));
    const group = shard.shares.get(groupId);
    if (group) return describeShareGroup(group, this.options.image());
    const isOther = shard.group(groupId) !== undefined || shard.consumers.has(groupId);
    const text = isOther ? `Group ${groupId} is not a share group.` : `Group ${groupId} not found.`;
    return undescribedShareGroup(groupId, ErrorCode.GROUP_ID_NOT_FOUND, text);
  }

  /** DescribeShareGroupOffsets of one group. */
  describeOffsets({ groupId, topics }: OffsetsRequest): OffsetsAnswer {
    const { shard, errorCode } = this.options.locate(groupId);
    if (!shard) return { groupId, topics: [], errorCode, errorMessage: errorMessage(errorCode) };
    const image = this.options.image();
    const known = [...(shard.shares.get(groupId)?.initialized ?? [])].map(([, { name, partitions }]) => ({
      topicName: name,
      partitions: [...partitions],
    }));
    const answered = (topics ?? known).map(({ topicName, partitions }) => {
      const topic = image.topic(topicName);
      const rows = partitions.map((partition) => this.offsetRow(groupId, topic, partition));
      return { topicName, topicId: topic?.id ?? ZERO_UUID, partitions: rows };
    });
    return { groupId, topics: answered, errorCode: ErrorCode.NONE, errorMessage: null };
  }

  private offsetRow(groupId: string, topic: TopicImage | undefined, partitionIndex: number): OffsetsPartition {
    const none = { partitionIndex, startOffset: -1, leaderEpoch: 0, lag: -1, errorCode: ErrorCode.NONE };
    if (!topic?.partitions[partitionIndex]) return none;
    const { errorCode, state } = this.options.states.read({ groupId, topicId: topic.id, partition: partitionIndex });
    if (errorCode === ErrorCode.NOT_COORDINATOR && !this.options.image().topic('__share_group_state')) return none;
    if (errorCode !== ErrorCode.NONE) return { ...none, errorCode, errorMessage: errorMessage(errorCode) };
    if (!state || state.startOffset === -1) return none;
    const lag = this.lag(topic.name, partitionIndex, state);
    return { ...none, startOffset: state.startOffset, leaderEpoch: state.leaderEpoch, lag };
  }

  private lag(topic: string, index: number, { startOffset, deliveryCompleteCount }: ShareState): number {
    const partition = this.options.partitions.get(topic, index);
    if (!partition || deliveryCompleteCount === -1) return -1;
    return Math.max(0, partition.highWatermark - startOffset - deliveryCompleteCount);
  }

  /** AlterShareGroupOffsets. A group that is not there is made. */
  async alterOffsets(request: RequestOf<typeof AlterShareGroupOffsets>): Promise<AlterAnswer> {
    const { groupId } = request;
    const found = this.emptyGroup(groupId);
    if ('errorCode' in found) return { ...found, responses: [] };
    const prepared = await this.options.states.prepare();
    if (prepared !== ErrorCode.NONE) {
      return { errorCode: prepared, errorMessage: errorMessage(prepared), responses: [] };
    }
    const { shard, group } = found;
    const made = new Map<string, { name: string; partitions: number[] }>();
    const image = this.options.image();
    const responses = await Promise.all(
      request.topics.map(async ({ topicName, partitions }) => {
        const topic = image.topic(topicName);
        const rows = partitions.map(async ({ partitionIndex, startOffset }): Promise<AlterRow> => {
          if (!topic?.partitions[partitionIndex]) return alterRow(partitionIndex, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
          const key = { groupId, topicId: topic.id, partition: partitionIndex };
          const errorCode = await this.make(key, group.epoch + 1, startOffset);
          if (errorCode !== ErrorCode.NONE) return alterRow(partitionIndex, errorCode);
          const row = made.get(topic.id) ?? { name: topic.name, partitions: [] };
          row.partitions.push(partitionIndex);
          made.set(topic.id, row);
          return alterRow(partitionIndex, errorCode);
        });
        return { topicName, topicId: topic?.id ?? ZERO_UUID, partitions: await Promise.all(rows) };
      }),
    );
    this.options.shares.forget(groupId);
    if (made.size > 0) {
      const present = shard.shares.get(groupId) ?? group;
      await follow(shard, decideInitialized(present, made, shard.shares.world(groupId)));
    }
    return { errorCode: ErrorCode.NONE, errorMessage: null, responses };
  }

  /** DeleteShareGroupOffsets. */
  async deleteOffsets(request: RequestOf<typeof DeleteShareGroupOffsets>): Promise<DeleteAnswer> {
    const { groupId } = request;
    const found = this.emptyGroup(groupId);
    if ('errorCode' in found) return { ...found, responses: [] };
    const image = this.options.image();
    const { shard, group } = found;
    const gone: string[] = [];
    const responses = await Promise.all(
      request.topics.map(async ({ topicName }) => {
        const topic = image.topic(topicName);
        const unknown = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
        if (!topic) {
          return { topicName, topicId: ZERO_UUID, errorCode: unknown, errorMessage: errorMessage(unknown) };
        }
        const errorCode = await this.removeState(groupId, topic.id, group.initialized);
        if (errorCode === ErrorCode.NONE) gone.push(topic.id);
        return { topicName, topicId: topic.id, errorCode, errorMessage: messageOf(errorCode) };
      }),
    );
    const present = shard.shares.get(groupId);
    if (present && gone.length > 0) {
      await follow(shard, decideForgotten(present, gone, shard.shares.world(groupId)));
    }
    return { errorCode: ErrorCode.NONE, errorMessage: null, responses };
  }

  /** Before a group is deleted: what was stored of its records. Resolves with a code. */
  async removeAll(group: ShareGroup): Promise<number> {
    const ids = new Set([...group.initialized.keys(), ...group.initializing.keys()]);
    for (const topicId of ids) {
      for (const topics of [group.initialized, group.initializing]) {
        const errorCode = await this.removeState(group.id, topicId, topics);
        if (errorCode !== ErrorCode.NONE) return errorCode;
      }
    }
    return ErrorCode.NONE;
  }

  /** A member is gone: what it has is free. What a group without members has in hand is not kept in memory. */
  memberGone(groupId: string, memberId: string, isLast: boolean): void {
    this.options.shares.release(groupId, memberId);
    if (isLast) this.options.shares.forget(groupId);
  }

  /** A topic is gone, and with it whatever groups have done in it. */
  forgetTopic(shard: GroupShard, topicName: string): void {
    if (shard.status !== 'active') return;
    for (const group of [...shard.shares.all()]) {
      const ids = [...group.initialized, ...group.initializing].flatMap(([id, { name }]) =>
        name === topicName && !this.options.image().topicById(id) ? [id] : [],
      );
      if (ids.length === 0) continue;
      for (const id of ids) {
        this.options.shares.forgetTopic(id);
        void this.removeState(group.id, id, group.initialized);
      }
      void follow(shard, decideForgotten(group, ids, shard.shares.world(group.id)));
    }
  }

  /** Makes the state that is announced; false when there is nothing to make, or it cannot be made now. */
  private async initialize(shard: GroupShard, groupId: string): Promise<boolean> {
    const announced = shard.shares.get(groupId)?.initializing;
    if (!announced || announced.size === 0) return false;
    if ((await this.options.states.prepare()) !== ErrorCode.NONE) return false;
    const epoch = shard.shares.get(groupId)?.epoch ?? 0;
    const codes = [...announced].flatMap(([topicId, { partitions }]) =>
      partitions.map((partition) => this.make({ groupId, topicId, partition }, epoch, -1, true)),
    );
    const made = (await Promise.all(codes)).every((errorCode) => errorCode === ErrorCode.NONE);
    const present = shard.shares.get(groupId);
    if (!made || !present) return false;
    // Somebody else's heartbeat may have been quicker.
    if (present.initializing !== announced) return true;
    const followed = await follow(shard, decideInitialized(present, announced, shard.shares.world(groupId)));
    return followed === null;
  }

  /** `keep`: what is there already stays as it is. */
  private make(key: ShareKey, stateEpoch: number, startOffset: number, keep = false): Promise<number> {
    const { states } = this.options;
    if (keep && states.read(key).state !== null) return Promise.resolve(ErrorCode.NONE);
    return new Promise((resolve) => {
      const stored = (): void => resolve(ErrorCode.NONE);
      states.initialize(key, { stateEpoch, startOffset }, { stored, refused: resolve, failed: resolve });
    });
  }

  private async removeState(groupId: string, topicId: string, topics: ShareTopics): Promise<number> {
    this.options.shares.forget(groupId, topicId);
    for (const partition of topics.get(topicId)?.partitions ?? []) {
      const errorCode = await new Promise<number>((resolve) => {
        const stored = (): void => resolve(ErrorCode.NONE);
        this.options.states.remove({ groupId, topicId, partition }, { stored, refused: resolve, failed: resolve });
      });
      if (errorCode !== ErrorCode.NONE) return errorCode;
    }
    return ErrorCode.NONE;
  }

  /** A group without members, perhaps one that is to be; or why there is none. */
  private emptyGroup(
    groupId: string,
  ): { shard: GroupShard; group: ShareGroup } | { errorCode: number; errorMessage: string } {
    const { shard, errorCode } = this.options.locate(groupId);
    if (!shard) return { errorCode, errorMessage: errorMessage(errorCode) };
    if (shard.group(groupId) !== undefined || shard.consumers.has(groupId)) {
      return { errorCode: ErrorCode.GROUP_ID_NOT_FOUND, errorMessage: `Group ${groupId} is not a share group.` };
    }
    const group = shard.shares.get(groupId) ?? newShareGroup(groupId);
    if (group.members.size === 0) return { shard, group };
    return { errorCode: ErrorCode.NON_EMPTY_GROUP, errorMessage: errorMessage(ErrorCode.NON_EMPTY_GROUP) };
  }
}

function follow<A>(shard: GroupShard, decision: ShareGroupDecision<A>): Promise<A | number> {
  return new Promise((resolve) => {
    shard.shares.follow(decision, { answer: resolve, failed: resolve });
  });
}

function messageOf(errorCode: number): string | null {
  return errorCode === ErrorCode.NONE ? null : errorMessage(errorCode);
}

function alterRow(partitionIndex: number, errorCode: number): AlterRow {
  return { partitionIndex, errorCode, errorMessage: messageOf(errorCode) };
}

/** The group of a request. Throws a {@link Refusal} when there is none and cannot be. */
function groupFor(shard: GroupShard, { groupId, memberEpoch }: ShareGroupHeartbeatRequest): ShareGroup {
  if (shard.shares.closing.has(groupId)) {
    throw new Refusal(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, `Group ${groupId} is being deleted.`);
  }
  const present = shard.shares.get(groupId);
  if (present) return present;
  const classic = shard.group(groupId);
  if (classic !== undefined || shard.consumers.has(groupId)) {
    throw new Refusal(ErrorCode.GROUP_ID_NOT_FOUND, `Group ${groupId} is not a share group.`);
  }
  if (memberEpoch === 0) return newShareGroup(groupId);
  const text = memberEpoch > 0 ? `Share group ${groupId} not found.` : `Group ${groupId} not found.`;
  throw new Refusal(ErrorCode.GROUP_ID_NOT_FOUND, text);
}
