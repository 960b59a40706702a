/**
 * A member of a group of the consumer protocol (KIP-848): its epoch, its heartbeats, and the assignment it is given.
 *
 *   out → joining (epoch 0) → in (epoch from the coordinator), and back out when it leaves or is fenced
 *
 * Guarantees: one heartbeat at a time, on a timer, at the interval the coordinator names; only the poll loop joins; an
 * answer for a membership that is over changes nothing; what an answer assigns is only noted here, the poll loop puts it
 * in force (reconciliation.ts). Errors that polling again cannot cure are kept in `failure` for `poll` to throw.
 */
import {
  ConsumerGroupHeartbeat,
  type ConsumerGroupHeartbeatResponse,
  ErrorCode,
  errorName,
} from '@kafka-template/protocol';
import { asKafkaError, brokerError, ClientErrorCode, KafkaError } from '../../../errors.js';
import { type ConsumerContext, retryPauseMs } from '../../consumer-context.js';
import { commitFailedError, groupInUseError, notAMemberError } from '../commit-errors.js';
import { type CommitIdentity, NO_MEMBER } from '../generation.js';
import type { GroupChannel } from '../group-channel.js';
import type { GroupMember } from '../group-protocol.js';
import { Heartbeat } from '../heartbeat.js';
import { HeartbeatBody, type TopicIdPartitions } from './member-heartbeat.js';

/** Epochs by which a member says what it wants. */
const JOIN_EPOCH = 0;
const LEAVE_EPOCH = -1;
const LEAVE_STATIC_EPOCH = -2;
/** Until the coordinator names its own. */
const HEARTBEAT_INTERVAL_MS = 5_000;
const MEMBER_ID_BYTES = 16;

/** Refusals that pass by themselves, beside those of the coordinator's whereabouts. */
const PASSING: ReadonlySet<number> = new Set([
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.NOT_COORDINATOR,
  ErrorCode.REQUEST_TIMED_OUT,
]);

/** One consumer's membership. */
export class ConsumerMember implements GroupMember {
  readonly heartbeat: Heartbeat;
  /** Requests of this protocol are answered at once. */
  readonly isJoining = false;
  readonly memberId: string;
  /** The last assignment that came; null before the first of a membership. */
  target: TopicIdPartitions | null = null;
  /** What is in force, as the coordinator is told it. */
  owned: TopicIdPartitions = [];
  /** An error that stays until the consumer is closed. */
  failure: KafkaError | null = null;
  /** Goes up with each membership. */
  incarnation = 0;
  private state: 'out' | 'joining' | 'in' = 'out';
  private epoch = JOIN_EPOCH;
  private failures = 0;
  private readonly body: HeartbeatBody;
  private readonly limits: { heartbeatIntervalMs: number; sessionTimeoutMs: number; maxPollIntervalMs: number };

  constructor(
    private readonly context: ConsumerContext,
    private readonly channel: GroupChannel,
  ) {
    const { sessionTimeoutMs, maxPollIntervalMs } = context.options;
    this.limits = { heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS, sessionTimeoutMs, maxPollIntervalMs };
    this.memberId = newMemberId(() => context.io.random.next());
    this.body = new HeartbeatBody(context.options, context.subscriptions);
    this.heartbeat = new Heartbeat(context.io.clock, this.limits, {
      beat: () => this.beat(),
      onSessionExpired: () => this.channel.forgetCoordinator(),
      onPollExpired: () => this.onPollExpired(),
    });
  }

  /** Whether this consumer is a member as far as it knows: its partitions are its own. */
  get isMember(): boolean {
    return this.state === 'in';
  }

  /** Whether it is a member or about to be one. */
  get isWanted(): boolean {
    return this.state !== 'out';
  }

  /** Joins: the first heartbeat goes out now. */
  join(): void {
    this.state = 'joining';
    this.epoch = JOIN_EPOCH;
    this.incarnation += 1;
    this.target = null;
    this.owned = [];
    this.body.forget();
    this.heartbeat.start();
    this.beatNow();
  }

  /** There is something to tell the coordinator: the subscription, or what is in force. */
  beatNow(): void {
    this.heartbeat.beatBy(this.context.io.clock.monotonic());
  }

  identity(): CommitIdentity {
    const { groupInstanceId = null } = this.context.options;
    if (!this.isMember) return { ...NO_MEMBER, groupInstanceId };
    const { epoch: generationId, memberId, incarnation } = this;
    return { generationId, memberId, groupInstanceId, incarnation };
  }

  commitIdentity(): CommitIdentity {
    if (!this.context.subscriptions.groupManaged) return NO_MEMBER;
    if (this.failure !== null) throw this.failure;
    if (!this.isMember) throw notAMemberError();
    return this.identity();
  }

  /** The epoch may have gone up since; the partitions are the same as long as the membership is. */
  renewed(sender: CommitIdentity): CommitIdentity {
    return this.isMember && sender.incarnation === this.incarnation ? this.identity() : sender;
  }

  commitError(errorCode: number, sender: CommitIdentity): KafkaError {
    const isCurrent = this.isMember && sender.incarnation === this.incarnation;
    switch (errorCode) {
      case ErrorCode.STALE_MEMBER_EPOCH:
        if (sender.incarnation === undefined) return groupInUseError(this.channel.groupId);
        if (!isCurrent) return commitFailedError();
        this.beatNow();
        return staleEpochError();
      case ErrorCode.UNKNOWN_MEMBER_ID:
      case ErrorCode.FENCED_MEMBER_EPOCH:
      case ErrorCode.ILLEGAL_GENERATION:
        if (sender.incarnation === undefined) return groupInUseError(this.channel.groupId);
        // The next heartbeat is told the same, and ends the membership.
        if (isCurrent) this.beatNow();
        return commitFailedError();
      default:
        this.channel.noticeCode(errorCode);
        return brokerError(errorCode, `Committing offsets of group ${this.channel.groupId}`);
    }
  }

  /** A static member is meant to come back, and leaves for a while only. */
  async leave(reason: string): Promise<void> {
    const { groupId } = this.channel;
    const { groupInstanceId = null, logger } = this.context.options;
    const wasWanted = this.isWanted;
    this.end();
    if (!wasWanted || this.failure !== null) return;
    const memberEpoch = groupInstanceId === null ? LEAVE_EPOCH : LEAVE_STATIC_EPOCH;
    logger.debug(`Leaving group ${groupId}: ${reason}.`);
    try {
      const body = { groupId, memberId: this.memberId, memberEpoch, instanceId: groupInstanceId };
      await this.channel.request(ConsumerGroupHeartbeat, body);
    } catch (error) {
      logger.warn(
        `Group ${groupId} was not told that member ${this.memberId} has left; it notices after the session timeout.`,
        { error },
      );
    }
  }

  /** The membership is over; partitions still held are lost unless they were given up before. */
  private end(): void {
    this.heartbeat.stop();
    this.state = 'out';
    this.target = null;
    this.context.signal.raise();
  }

  private async beat(): Promise<boolean> {
    const { incarnation } = this;
    const { groupId } = this.channel;
    const { groupInstanceId = null } = this.context.options;
    const sender = { groupId, memberId: this.memberId, memberEpoch: this.epoch, groupInstanceId, owned: this.owned };
    let told = (): void => undefined;
    this.context.counters.heartbeats += 1;
    try {
      const response = await this.channel.request(ConsumerGroupHeartbeat, (version) => {
        const made = this.body.make(sender, version);
        told = made.told;
        return made.body;
      });
      if (incarnation !== this.incarnation || !this.isWanted) return true;
      if (response.errorCode !== ErrorCode.NONE) return this.onRefusal(response.errorCode, response.errorMessage);
      told();
      this.onAnswer(response);
      return true;
    } catch (thrown) {
      const error = asKafkaError(thrown, ClientErrorCode.PROTOCOL, `A heartbeat to group ${groupId} failed`);
      if (incarnation === this.incarnation && this.isWanted) this.onFailure(error);
      return false;
    }
  }

  private onAnswer({ memberEpoch, heartbeatIntervalMs, assignment }: ConsumerGroupHeartbeatResponse): void {
    this.failures = 0;
    this.state = 'in';
    this.epoch = memberEpoch;
    if (heartbeatIntervalMs > 0 && heartbeatIntervalMs !== this.limits.heartbeatIntervalMs) {
      this.limits.heartbeatIntervalMs = heartbeatIntervalMs;
      this.heartbeat.beatBy(this.context.io.clock.monotonic() + heartbeatIntervalMs);
    }
    if (assignment !== null) this.target = assignment.topicPartitions;
    this.context.signal.raise();
  }

  private onRefusal(errorCode: number, errorMessage: string | null): boolean {
    const { groupId } = this.channel;
    if (errorCode === ErrorCode.UNKNOWN_MEMBER_ID || errorCode === ErrorCode.FENCED_MEMBER_EPOCH) {
      this.context.options.logger.info(
        `Group ${groupId} has to be joined again: a heartbeat was answered with ${errorName(errorCode)}.`,
      );
      this.end();
      return false;
    }
    this.channel.noticeCode(errorCode);
    const error =
      errorCode === ErrorCode.UNSUPPORTED_VERSION
        ? notServedError(groupId, brokerError(errorCode, 'ConsumerGroupHeartbeat', errorMessage))
        : brokerError(errorCode, `Taking part in group ${groupId}`, errorMessage);
    if (PASSING.has(errorCode) || error.retriable) this.tryAgain();
    else this.fail(error);
    return false;
  }

  private onFailure(error: KafkaError): void {
    this.context.options.logger.debug(`A heartbeat to group ${this.channel.groupId} failed.`, { error });
    if (error.code === ClientErrorCode.UNSUPPORTED_VERSION) this.fail(notServedError(this.channel.groupId, error));
    else if (error.retriable) this.tryAgain();
    else this.fail(error);
  }

  /** Soon, with everything: nobody knows what of the last heartbeat has arrived. */
  private tryAgain(): void {
    this.failures += 1;
    this.body.forget();
    this.heartbeat.beatBy(this.context.io.clock.monotonic() + retryPauseMs(this.context, this.failures));
  }

  private fail(error: KafkaError): void {
    this.failure = error;
    this.end();
  }

  private onPollExpired(): void {
    const { options } = this.context;
    options.logger.warn(
      'consumer poll timeout has expired. This means the time between subsequent calls to poll() was longer than the ' +
        `configured maxPollIntervalMs (${options.maxPollIntervalMs} ms). The member leaves its group and joins again with ` +
        'the next poll(). Increase maxPollIntervalMs, or return fewer records from poll() with maxPollRecords.',
    );
    void this.leave('consumer poll timeout has expired');
  }
}

function staleEpochError(): KafkaError {
  const { message } = brokerError(ErrorCode.STALE_MEMBER_EPOCH, 'Offset commit');
  return new KafkaError('STALE_MEMBER_EPOCH', message, { retriable: true });
}

function notServedError(groupId: string, cause: KafkaError): KafkaError {
  return new KafkaError(
    ClientErrorCode.UNSUPPORTED_VERSION,
    `The broker does not serve the consumer protocol (KIP-848), which "groupProtocol" "consumer" needs for group ${groupId}: ` +
      `${cause.message} Set "groupProtocol" to "classic", or use Kafka 4.0 or later.`,
    { cause },
  );
}

/** A uuid in Kafka's 22 characters; not beginning with a dash, which command lines take for an option. */
function newMemberId(next: () => number): string {
  const bytes = Buffer.alloc(MEMBER_ID_BYTES);
  for (let index = 0; index < MEMBER_ID_BYTES; index++) bytes[index] = Math.floor(next() * 256);
  // Version 4, variant 1.
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const text = bytes.toString('base64url');
  return text.startsWith('-') ? `A${text.slice(1)}` : text;
}
