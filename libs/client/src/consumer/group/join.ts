/**
 * One attempt to join a group: JoinGroup, the sharing out when this member leads, SyncGroup.
 *
 * Guarantees: the two steps follow each other without waiting for `poll`; the leader shares out for the subscriptions of
 * *all* members; an attempt that fails leaves the membership in a state from which the next one can begin, as Java does
 * it (which errors keep the generation, which the member id). Leaves out when to try again (rebalance.ts).
 */
import {
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  ErrorCode,
  JoinGroup,
  type JoinGroupResponse,
  type RequestInput,
  SyncGroup,
} from '@kafka-template/protocol';
import { brokerError, KafkaError } from '../../errors.js';
import { ASSIGNORS } from '../assignors/assignors.js';
import { compareStrings, type GroupMember, type LastAssignment } from '../assignors/assignor.js';
import type { ConsumerContext } from '../consumer-context.js';
import type { AssignmentStrategy } from '../consumer-options.js';
import { groupByTopic, type TopicPartition } from '../topic-partition.js';
import type { Generation } from './generation.js';
import type { GroupChannel } from './group-channel.js';
import type { Membership } from './membership.js';
import type { TopicWatch } from './topic-watch.js';

/** What a successful attempt brings. */
export interface JoinResult {
  readonly generation: Generation;
  /** The assignment as the leader encoded it. */
  readonly assignment: Buffer;
}

const PROTOCOL_TYPE = 'consumer';
/** First versions that know static members. */
const JOIN_GROUP_STATIC_VERSION = 5;
const SYNC_GROUP_STATIC_VERSION = 3;
/** How much longer than the coordinator's own limit a join may take to be answered. As in Java. */
const JOIN_GRACE_MS = 5_000;
/** The coordinator refuses longer reasons. */
const REASON_LENGTH_MAX = 255;

type ResponseMember = JoinGroupResponse['members'][number];

/** Joins a group, one attempt per call of {@link join}. */
export class GroupJoiner {
  /** Number of the latest attempt; an older one has no say any more. */
  private attempt = 0;
  private last: LastAssignment = { generationId: -1, partitions: [] };

  constructor(
    private readonly context: ConsumerContext,
    private readonly channel: GroupChannel,
    private readonly membership: Membership,
    private readonly topics: TopicWatch,
  ) {}

  /** @throws KafkaError with the coordinator's error; {@link isImmediateRetry} tells which of them lead to the next attempt at once */
  async join(): Promise<JoinResult> {
    const attempt = ++this.attempt;
    this.membership.beginJoin();
    try {
      const response = await this.sendJoin();
      this.checkState(attempt, 'joining');
      const generation = this.acceptJoin(response);
      const assignments = await this.shareOut(response, generation);
      this.checkState(attempt, 'syncing');
      const assignment = await this.sync(attempt, generation, assignments);
      this.membership.synced();
      return { generation, assignment };
    } catch (error) {
      if (attempt === this.attempt) this.membership.joinFailed();
      throw error;
    }
  }

  /** Takes note of the assignment that is in force now: some strategies tell the next leader of it. */
  remember(last: LastAssignment): void {
    this.last = last;
  }

  /** Makes the attempt under way void: whatever is still answered changes nothing. */
  abandon(): void {
    this.attempt++;
  }

  private get timeoutMs(): number {
    const { requestTimeoutMs, maxPollIntervalMs } = this.context.options;
    return Math.max(requestTimeoutMs, maxPollIntervalMs + JOIN_GRACE_MS);
  }

  private sendJoin(): Promise<JoinGroupResponse> {
    const { options } = this.context;
    const { memberId } = this.membership.generation;
    const { groupInstanceId, rejoinReason } = this.membership;
    const body: RequestInput<typeof JoinGroup> = {
      groupId: this.channel.groupId,
      sessionTimeoutMs: options.sessionTimeoutMs,
      rebalanceTimeoutMs: options.maxPollIntervalMs,
      memberId,
      groupInstanceId,
      protocolType: PROTOCOL_TYPE,
      protocols: options.partitionAssignmentStrategy.map((name) => ({ name, metadata: this.subscriptionBytes(name) })),
      reason: rejoinReason.slice(0, REASON_LENGTH_MAX),
    };
    const minVersion = groupInstanceId === null ? 0 : JOIN_GROUP_STATIC_VERSION;
    return this.channel.request(JoinGroup, body, { timeoutMs: this.timeoutMs, minVersion });
  }

  private subscriptionBytes(strategy: AssignmentStrategy): Buffer {
    const { subscriptions } = this.context;
    const owned = groupByTopic([...subscriptions.partitions.values()].map((state) => state.topicPartition));
    return encodeSubscription({
      topics: [...subscriptions.topics].sort(compareStrings),
      userData: ASSIGNORS[strategy].userData(this.last),
      ownedPartitions: [...owned].map(([topic, entries]) => ({
        topic,
        partitions: entries.map((entry) => entry.partition),
      })),
      generationId: this.membership.generation.generationId,
      rackId: null,
    });
  }

  private acceptJoin(response: JoinGroupResponse): Generation {
    const { errorCode, generationId, memberId, protocolName } = response;
    if (errorCode !== ErrorCode.NONE) throw this.joinError(response);
    const isOffered = this.context.options.partitionAssignmentStrategy.some((name) => name === protocolName);
    if (!isOffered || (response.protocolType !== null && response.protocolType !== PROTOCOL_TYPE)) {
      throw brokerError(
        ErrorCode.INCONSISTENT_GROUP_PROTOCOL,
        `Joining group ${this.channel.groupId}`,
        `the group uses "${response.protocolType ?? PROTOCOL_TYPE}" with the strategy "${protocolName ?? ''}", ` +
          'which this consumer does not offer.',
      );
    }
    const generation = { generationId, memberId, protocol: protocolName };
    this.membership.joined(generation);
    return generation;
  }

  private joinError({ errorCode, memberId }: JoinGroupResponse): KafkaError {
    const error = brokerError(errorCode, `Joining group ${this.channel.groupId}`);
    this.channel.noticeCode(errorCode);
    if (errorCode === ErrorCode.MEMBER_ID_REQUIRED) this.membership.takeMemberId(memberId);
    else if (errorCode === ErrorCode.UNKNOWN_MEMBER_ID || errorCode === ErrorCode.FENCED_INSTANCE_ID) {
      return this.membership.lose(errorCode, 'JoinGroup');
    }
    return error;
  }

  /** The assignments to send with SyncGroup: everybody's when this member leads, otherwise none. */
  private async shareOut(
    response: JoinGroupResponse,
    generation: Generation,
  ): Promise<{ memberId: string; assignment: Buffer }[]> {
    if (response.leader !== response.memberId) {
      this.topics.forgetGroup();
      return [];
    }
    const members = response.members.map(toGroupMember);
    const partitionCounts = await this.topics.snapshotGroup(new Set(members.flatMap((member) => member.topics)));
    // A static leader that came back gets its old assignment from the coordinator (KIP-814).
    if (response.skipAssignment) return [];
    const assignor = ASSIGNORS[generation.protocol as keyof typeof ASSIGNORS];
    const assignment = assignor.assign(members, partitionCounts);
    // A cooperative strategy withholds what has to change hands first.
    if (!assignor.isCooperative) this.warnOfUnassigned(partitionCounts, assignment);
    return [...assignment].map(([memberId, partitions]) => ({ memberId, assignment: assignmentBytes(partitions) }));
  }

  private warnOfUnassigned(
    partitionCounts: ReadonlyMap<string, number>,
    assignment: ReadonlyMap<string, readonly TopicPartition[]>,
  ): void {
    const assigned = new Set([...assignment.values()].flatMap((list) => list.map((each) => each.topic)));
    const missing = [...partitionCounts.keys()].filter((topic) => !assigned.has(topic));
    if (missing.length === 0) return;
    this.context.options.logger.warn(
      `Topics without a reader in group ${this.channel.groupId}: ${missing.join(', ')}.`,
    );
  }

  private async sync(
    attempt: number,
    generation: Generation,
    assignments: { memberId: string; assignment: Buffer }[],
  ): Promise<Buffer> {
    const { groupInstanceId } = this.membership;
    const response = await this.channel.request(
      SyncGroup,
      {
        groupId: this.channel.groupId,
        generationId: generation.generationId,
        memberId: generation.memberId,
        groupInstanceId,
        protocolType: PROTOCOL_TYPE,
        protocolName: generation.protocol,
        assignments,
      },
      { timeoutMs: this.timeoutMs, minVersion: groupInstanceId === null ? 0 : SYNC_GROUP_STATIC_VERSION },
    );
    this.checkState(attempt, 'syncing');
    const { errorCode } = response;
    if (errorCode === ErrorCode.NONE) return response.assignment;
    this.channel.noticeCode(errorCode);
    const isLost =
      errorCode === ErrorCode.UNKNOWN_MEMBER_ID ||
      errorCode === ErrorCode.ILLEGAL_GENERATION ||
      errorCode === ErrorCode.FENCED_INSTANCE_ID;
    if (isLost && this.membership.isCurrent(generation)) throw this.membership.lose(errorCode, 'SyncGroup');
    throw brokerError(errorCode, `Joining group ${this.channel.groupId}`);
  }

  /** The membership may have been ended (close, a heartbeat) while a request was under way: then the answer is void. */
  private checkState(attempt: number, expected: 'joining' | 'syncing'): void {
    if (attempt === this.attempt && this.membership.state === expected) return;
    throw brokerError(
      ErrorCode.UNKNOWN_MEMBER_ID,
      `Joining group ${this.channel.groupId}`,
      'the membership ended before the join was complete.',
    );
  }
}

/** Errors after which the next attempt follows at once: the state has been put right, or the others have begun a new round. */
const IMMEDIATE_RETRY_CODES: ReadonlySet<string> = new Set([
  'UNKNOWN_MEMBER_ID',
  'ILLEGAL_GENERATION',
  'REBALANCE_IN_PROGRESS',
  'MEMBER_ID_REQUIRED',
]);

/** Whether an error of {@link GroupJoiner.join} calls for the next attempt without a pause. */
export function isImmediateRetry(error: KafkaError): boolean {
  return IMMEDIATE_RETRY_CODES.has(error.code);
}

function toGroupMember({ memberId, groupInstanceId, metadata }: ResponseMember): GroupMember {
  const { topics, ownedPartitions, generationId, userData } = decodeSubscription(metadata);
  const owned = ownedPartitions.flatMap(({ topic, partitions }) =>
    partitions.map((partition) => ({ topic, partition })),
  );
  return { memberId, groupInstanceId, topics, ownedPartitions: owned, generationId, userData };
}

function assignmentBytes(partitions: readonly TopicPartition[]): Buffer {
  return encodeAssignment({
    assignedPartitions: [...groupByTopic(partitions)].map(([topic, entries]) => ({
      topic,
      partitions: entries.map((entry) => entry.partition),
    })),
    userData: null,
  });
}
