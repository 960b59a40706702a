/**
 * Requests about groups of the new protocol (KIP-848): heartbeats, descriptions, and members taken out by tools.
 *
 * Guarantees: a group without members changes its protocol with the first member of the other one, in one batch with
 * it, and keeps its offsets; a group with members does not.
 */
import {
  ErrorCode,
  errorMessage,
  type ConsumerGroupDescribe,
  type ConsumerGroupHeartbeat,
  type RequestOf,
  type ResponseInput,
} from '@kafka-template/protocol';
import type { Random } from '../io/random.js';
import { newConsumerGroup, type ConsumerGroup } from './consumer-group/consumer-group.js';
import { decideRemovals, decideRequest, groupTombstones } from './consumer-group/decide.js';
import {
  describeConsumerGroup,
  undescribedConsumerGroup,
  type DescribedConsumerGroup,
} from './consumer-group/description.js';
import type { HeartbeatCommand } from './consumer-group/heartbeat.js';
import { heartbeatFailure, Refusal, type HeartbeatAnswer } from './consumer-group/replies.js';
import { checkRequest } from './consumer-group/request.js';
import type { GroupSettings } from './group-settings.js';
import type { MemberIdentity } from './group/checks.js';
import { clientCode, type GroupShard, type Located } from './runtime/shard.js';

/** What this part needs of the coordinator. */
export interface ConsumerGroupRequestsOptions {
  readonly settings: () => GroupSettings;
  readonly random: Random;
  readonly locate: (groupId: string) => Located;
}

/** Who sent a heartbeat. */
export interface HeartbeatSender {
  readonly apiVersion: number;
  readonly clientId: string;
  readonly clientHost: string;
}

/** See the file comment. */
export class ConsumerGroupRequests {
  constructor(private readonly options: ConsumerGroupRequestsOptions) {}

  /** ConsumerGroupHeartbeat. */
  heartbeat(
    request: RequestOf<typeof ConsumerGroupHeartbeat>,
    sender: HeartbeatSender,
    done: (answer: HeartbeatAnswer) => void,
  ): void {
    const settings = this.options.settings();
    if (!settings.servesConsumerGroups) return done(heartbeatFailure(ErrorCode.UNSUPPORTED_VERSION));
    try {
      checkRequest(request, sender.apiVersion, settings.consumer);
      const { shard, errorCode } = this.options.locate(request.groupId);
      if (!shard) return done(heartbeatFailure(errorCode));
      this.run(shard, request, sender, done);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      done(heartbeatFailure(error.errorCode, error.message));
    }
  }

  private run(
    shard: GroupShard,
    request: RequestOf<typeof ConsumerGroupHeartbeat>,
    { clientId, clientHost }: HeartbeatSender,
    done: (answer: HeartbeatAnswer) => void,
  ): void {
    const { groupId } = request;
    const present = shard.consumers.get(groupId);
    const classic = shard.group(groupId);
    if (shard.shares.has(groupId)) {
      throw new Refusal(ErrorCode.GROUP_ID_NOT_FOUND, `Group ${groupId} is not a consumer group.`);
    }
    const memberId = request.memberId === '' ? newUuid(this.options.random) : request.memberId;
    const command: HeartbeatCommand = { request, memberId, clientId, clientHost, isNewGroup: !present };
    const group = present ?? newGroupFor(request.memberEpoch, groupId, classic);
    const decision = decideRequest(group, command, shard.consumers.world(groupId));
    shard.consumers.follow(
      decision,
      { answer: done, failed: (errorCode) => done(heartbeatFailure(clientCode(errorCode))) },
      {
        before: classic ? [{ type: 'groupMetadata', groupId, value: null }] : [],
        applied: () => shard.drop(groupId),
      },
    );
  }

  /** ConsumerGroupDescribe. */
  describe(request: RequestOf<typeof ConsumerGroupDescribe>): ResponseInput<typeof ConsumerGroupDescribe> {
    return { groups: request.groupIds.map((groupId) => this.describeOne(groupId)) };
  }

  private describeOne(groupId: string): DescribedConsumerGroup {
    if (!this.options.settings().servesConsumerGroups) {
      return undescribedConsumerGroup(groupId, ErrorCode.UNSUPPORTED_VERSION, null);
    }
    if (groupId === '') return undescribedConsumerGroup(groupId, ErrorCode.INVALID_GROUP_ID, null);
    const { shard, errorCode } = this.options.locate(groupId);
    if (!shard) return undescribedConsumerGroup(groupId, errorCode, errorMessage(errorCode));
    const group = shard.consumers.get(groupId);
    if (group) return describeConsumerGroup(group, shard.consumers.world(group.id));
    const isOther = shard.group(groupId) !== undefined || shard.shares.has(groupId);
    const text = isOther ? `Group ${groupId} is not a consumer group.` : `Group ${groupId} not found.`;
    return undescribedConsumerGroup(groupId, ErrorCode.GROUP_ID_NOT_FOUND, text);
  }

  /** LeaveGroup: a code for each member, or one for all. */
  remove(
    shard: GroupShard,
    group: ConsumerGroup,
    members: readonly MemberIdentity[],
    done: { answer(codes: number[]): void; failed(errorCode: number): void },
  ): void {
    const decision = decideRemovals(group, members, shard.consumers.world(group.id));
    const failed = (errorCode: number): void => done.failed(clientCode(errorCode));
    shard.consumers.follow(decision, { answer: (codes) => done.answer(codes), failed });
  }

  /** A classic member comes: NONE when the group is not, or no longer, one of the new protocol. */
  makeWayForClassic(shard: GroupShard, groupId: string, memberId: string): number {
    if (shard.shares.has(groupId)) return ErrorCode.INCONSISTENT_GROUP_PROTOCOL;
    const group = shard.consumers.get(groupId);
    if (!group) return ErrorCode.NONE;
    if (group.members.size > 0) return ErrorCode.INCONSISTENT_GROUP_PROTOCOL;
    if (memberId !== '') return ErrorCode.UNKNOWN_MEMBER_ID;
    let refused: number = ErrorCode.NONE;
    const failed = (errorCode: number): void => {
      refused = clientCode(errorCode);
    };
    shard.writeTombstones(groupId, groupTombstones(groupId), false, { stored: () => undefined, failed });
    return shard.consumers.has(groupId) && refused === ErrorCode.NONE ? ErrorCode.NOT_COORDINATOR : refused;
  }
}

/** A group for the first member. Throws a {@link Refusal} when there cannot be one. */
function newGroupFor(memberEpoch: number, groupId: string, classic: ReturnType<GroupShard['group']>): ConsumerGroup {
  const isEmpty = classic?.state === 'Empty' && classic.members.size === 0;
  if (memberEpoch === 0 && (!classic || isEmpty)) return newConsumerGroup(groupId);
  const missing = memberEpoch > 0 ? `Consumer group ${groupId} not found.` : `Group ${groupId} not found.`;
  const text = classic ? `Group ${groupId} is not a consumer group.` : missing;
  throw new Refusal(ErrorCode.GROUP_ID_NOT_FOUND, text);
}

/** Kafka's form of ids that the coordinator makes up for members. */
function newUuid(random: Random): string {
  const bytes = random.bytes(16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('base64url');
}
