/**
 * The state of one group member: what it is in the group, and what the coordinator's answers make of it.
 *
 *   unjoined → joining (JoinGroup sent) → syncing (SyncGroup sent) → stable; a failure leads back to unjoined
 *
 * Guarantees: heartbeats run in `syncing` and `stable`; nothing but the poll loop ever joins, everything else only asks
 * for it (`rejoinNeeded`); an answer for a generation that is over changes nothing. Errors that polling again cannot
 * cure are kept in `failure` for `poll` to throw.
 */
import {
  ErrorCode,
  errorName,
  Heartbeat as HeartbeatApi,
  LeaveGroup,
  type RequestInput,
} from '@kafka-template/protocol';
import { brokerError, type KafkaError } from '../../errors.js';
import type { ConsumerContext } from '../consumer-context.js';
import { commitFailedError, groupInUseError, notAMemberError, rebalanceInProgressError } from './commit-errors.js';
import { type CommitIdentity, type Generation, NO_GENERATION, NO_MEMBER } from './generation.js';
import type { GroupChannel } from './group-channel.js';
import type { GroupMember } from './group-protocol.js';
import { Heartbeat } from './heartbeat.js';

/** Where a member stands. */
export type MemberState = 'unjoined' | 'joining' | 'syncing' | 'stable';

/** First version of LeaveGroup that names members instead of one member id. */
const LEAVE_GROUP_MEMBERS_VERSION = 3;
/** First version of Heartbeat that knows static members. */
const HEARTBEAT_STATIC_VERSION = 3;

/** One consumer's membership in its group. */
export class Membership implements GroupMember {
  state: MemberState = 'unjoined';
  generation: Generation = NO_GENERATION;
  /** Whether the poll loop has to join (again), and why, for the coordinator's log. */
  rejoinNeeded = true;
  rejoinReason = '';
  /** An error that stays until the consumer is closed. */
  failure: KafkaError | null = null;
  readonly heartbeat: Heartbeat;

  constructor(
    private readonly context: ConsumerContext,
    private readonly channel: GroupChannel,
  ) {
    this.heartbeat = new Heartbeat(context.io.clock, context.options, {
      beat: () => this.beat(),
      onSessionExpired: () => this.onSessionExpired(),
      onPollExpired: () => this.onPollExpired(),
    });
  }

  /** The instance id of a static member. */
  get groupInstanceId(): string | null {
    return this.context.options.groupInstanceId ?? null;
  }

  /** Whether this consumer is a member as far as it knows: its partitions are its own. */
  get isMember(): boolean {
    return this.generation.generationId !== -1 && this.generation.memberId !== '';
  }

  /** Whether JoinGroup or SyncGroup is on its way. */
  get isJoining(): boolean {
    return this.state === 'joining' || this.state === 'syncing';
  }

  /** Asks the poll loop to join (again). */
  requestRejoin(reason: string): void {
    if (!this.rejoinNeeded)
      this.context.options.logger.info(`Group ${this.channel.groupId} has to be joined again: ${reason}.`);
    this.rejoinNeeded = true;
    this.rejoinReason = reason;
    this.context.signal.raise();
  }

  /** JoinGroup goes out. */
  beginJoin(): void {
    this.state = 'joining';
    this.heartbeat.stop();
  }

  /** The coordinator wants the join repeated with this member id (KIP-394). */
  takeMemberId(memberId: string): void {
    this.generation = { ...NO_GENERATION, memberId };
    this.state = 'unjoined';
  }

  /** JoinGroup was answered: a new generation, whose assignment is still to come. */
  joined(generation: Generation): void {
    this.generation = generation;
    this.state = 'syncing';
    this.heartbeat.start();
  }

  /** SyncGroup was answered: the assignment is there. */
  synced(): void {
    this.state = 'stable';
    this.rejoinNeeded = false;
    this.rejoinReason = '';
  }

  /** The round came to nothing; what is left of the generation stays. */
  joinFailed(): void {
    if (this.state !== 'unjoined') this.heartbeat.stop();
    this.state = 'unjoined';
  }

  /** The round is left before its end: until the coordinator is told, this is what it was before, and commits as that. */
  joinAbandoned(): void {
    this.state = this.isMember ? 'stable' : 'unjoined';
  }

  /** The membership is over. Partitions still held are lost, not revoked. */
  resetGeneration(reason: string, keepMemberId: boolean): void {
    this.heartbeat.stop();
    this.state = 'unjoined';
    this.generation = keepMemberId ? { ...NO_GENERATION, memberId: this.generation.memberId } : NO_GENERATION;
    this.requestRejoin(reason);
  }

  /** Forgets the membership: ended from this side, to be begun anew with the next `poll` that subscribes. */
  private endGeneration(reason: string): void {
    this.heartbeat.stop();
    this.state = 'unjoined';
    this.generation = NO_GENERATION;
    this.rejoinNeeded = true;
    this.rejoinReason = reason;
    this.context.signal.raise();
  }

  /**
   * Who commits now.
   *
   * @throws KafkaError COMMIT_FAILED when this consumer should be a member and is not; REBALANCE_IN_PROGRESS (retriable)
   *   while it joins
   */
  commitIdentity(): CommitIdentity {
    if (!this.context.subscriptions.groupManaged) return NO_MEMBER;
    if (this.failure !== null) throw this.failure;
    if (this.state === 'stable') return this.identity();
    if (this.isJoining) throw rebalanceInProgressError();
    throw notAMemberError();
  }

  /** This member, as requests name it. */
  identity(): CommitIdentity {
    const { generationId, memberId } = this.generation;
    return { generationId, memberId, groupInstanceId: this.groupInstanceId };
  }

  /** A commit of this generation is never sent under another one. */
  renewed(sender: CommitIdentity): CommitIdentity {
    return sender;
  }

  /** What an error code of OffsetCommit means for the commit, and for the membership. */
  commitError(errorCode: number, sender: CommitIdentity): KafkaError {
    const unchanged = this.isCurrent(sender);
    switch (errorCode) {
      case ErrorCode.REBALANCE_IN_PROGRESS:
        this.requestRejoin('a commit found the group rebalancing');
        return rebalanceInProgressError();
      case ErrorCode.UNKNOWN_MEMBER_ID:
      case ErrorCode.ILLEGAL_GENERATION:
        if (sender.generationId === NO_MEMBER.generationId) return groupInUseError(this.channel.groupId);
        if (!unchanged && this.state === 'joining') return rebalanceInProgressError();
        if (unchanged) this.lose(errorCode, 'a commit');
        return commitFailedError();
      case ErrorCode.FENCED_INSTANCE_ID:
        if (unchanged) return this.lose(errorCode, 'a commit');
        // A heartbeat may have been told first.
        if (this.failure !== null) return this.failure;
        return this.state === 'joining' ? rebalanceInProgressError() : commitFailedError();
      default:
        this.channel.noticeCode(errorCode);
        return brokerError(errorCode, `Committing offsets of group ${this.channel.groupId}`);
    }
  }

  /** An answer says that this generation is over. Returns the error; FENCED_INSTANCE_ID is also kept for `poll`. */
  lose(errorCode: number, where: string): KafkaError {
    const error = brokerError(errorCode, `Taking part in group ${this.channel.groupId}`);
    if (errorCode === ErrorCode.FENCED_INSTANCE_ID) this.failure = error;
    // With a wrong generation the member itself may still be known, and keeps its id.
    const keepMemberId = errorCode === ErrorCode.ILLEGAL_GENERATION;
    this.resetGeneration(`${where} was answered with ${errorName(errorCode)}`, keepMemberId);
    return error;
  }

  /** Whether a request's sender is what this member is now. */
  isCurrent(sender: { readonly generationId: number; readonly memberId: string }): boolean {
    const { generationId, memberId } = this.generation;
    return sender.generationId === generationId && sender.memberId === memberId;
  }

  /**
   * Ends the membership from this side. The coordinator is told, so that the others need not wait for the session to
   * expire; unless the member is static, which is meant to come back. Never rejects.
   */
  async leave(reason: string): Promise<void> {
    const { memberId } = this.generation;
    this.endGeneration(reason);
    if (memberId === '' || this.groupInstanceId !== null) return;
    const body = (version: number): RequestInput<typeof LeaveGroup> =>
      version < LEAVE_GROUP_MEMBERS_VERSION
        ? { groupId: this.channel.groupId, memberId }
        : { groupId: this.channel.groupId, members: [{ memberId, reason }] };
    try {
      await this.channel.request(LeaveGroup, body);
    } catch (error) {
      this.context.options.logger.warn(
        `Group ${this.channel.groupId} was not told that member ${memberId} has left; it notices after the session timeout.`,
        { error },
      );
    }
  }

  private async beat(): Promise<boolean> {
    const { generationId, memberId } = this.generation;
    const { groupId } = this.channel;
    const { groupInstanceId } = this;
    this.context.counters.heartbeats += 1;
    try {
      const response = await this.channel.request(
        HeartbeatApi,
        { groupId, generationId, memberId, groupInstanceId },
        { minVersion: groupInstanceId === null ? 0 : HEARTBEAT_STATIC_VERSION },
      );
      return this.onHeartbeat(response.errorCode, { generationId, memberId });
    } catch (error) {
      this.context.options.logger.debug(`A heartbeat to group ${groupId} failed.`, { error });
      return false;
    }
  }

  /** Whether the coordinator counts this member as alive. */
  private onHeartbeat(errorCode: number, sender: { generationId: number; memberId: string }): boolean {
    switch (errorCode) {
      case ErrorCode.NONE:
        return true;
      case ErrorCode.REBALANCE_IN_PROGRESS:
        if (this.state === 'stable' && !this.rejoinNeeded) this.requestRejoin('the group is rebalancing');
        return true;
      case ErrorCode.UNKNOWN_MEMBER_ID:
      case ErrorCode.ILLEGAL_GENERATION:
      case ErrorCode.FENCED_INSTANCE_ID:
        if (this.isCurrent(sender)) this.lose(errorCode, 'a heartbeat');
        return false;
      default:
        return this.onHeartbeatFailure(errorCode);
    }
  }

  private onHeartbeatFailure(errorCode: number): boolean {
    this.channel.noticeCode(errorCode);
    const error = brokerError(errorCode, `A heartbeat to group ${this.channel.groupId}`);
    if (!error.retriable) {
      this.failure = error;
      this.context.signal.raise();
    }
    return false;
  }

  private onSessionExpired(): void {
    const { options } = this.context;
    options.logger.warn(
      `The coordinator of group ${this.channel.groupId} has taken no heartbeat for ${options.sessionTimeoutMs} ms; ` +
        'looking for it again.',
    );
    this.channel.forgetCoordinator();
  }

  private onPollExpired(): void {
    const { options } = this.context;
    options.logger.warn(
      'consumer poll timeout has expired. This means the time between subsequent calls to poll() was longer than the ' +
        `configured maxPollIntervalMs (${options.maxPollIntervalMs} ms), which typically implies that the poll loop is ` +
        'spending too much time processing messages. You can address this either by increasing maxPollIntervalMs or by ' +
        'reducing the maximum size of batches returned in poll() with maxPollRecords.',
    );
    void this.leave('consumer poll timeout has expired');
  }
}
