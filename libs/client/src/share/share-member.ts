/**
 * A member of a share group (KIP-932): its epoch, its heartbeats, and the partitions it is given.
 *
 * Guarantees: one heartbeat at a time, on a timer, at the interval the coordinator names; a member that is fenced joins again
 * by itself; errors that polling again cannot cure are kept in `failure` for `poll` to throw.
 */
import { ErrorCode, errorName, ShareGroupHeartbeat, type ShareGroupHeartbeatResponse } from '@kafka-template/protocol';
import { GroupChannel } from '../consumer/group/group-channel.js';
import { Heartbeat } from '../consumer/group/heartbeat.js';
import { asKafkaError, brokerError, ClientErrorCode, KafkaError } from '../errors.js';
import { backoffMs } from '../network/backoff.js';
import type { ShareContext } from './share-context.js';

const JOIN_EPOCH = 0;
const LEAVE_EPOCH = -1;
/** Until the coordinator names its own. */
const HEARTBEAT_INTERVAL_MS = 5000;
/** Without an answer for so long the coordinator is looked up again; the broker decides when a member is dead. */
const SESSION_TIMEOUT_MS = 45_000;
const MEMBER_ID_BYTES = 16;

/** Refusals that pass by themselves. */
const PASSING: ReadonlySet<number> = new Set([
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.NOT_COORDINATOR,
  ErrorCode.REQUEST_TIMED_OUT,
]);

/** Partitions of a topic. */
export interface AssignedTopic {
  readonly topicId: string;
  readonly partitions: readonly number[];
}

/** See the file comment. */
export class ShareMember {
  readonly memberId: string;
  readonly heartbeat: Heartbeat;
  /** What it may fetch. */
  assigned: readonly AssignedTopic[] = [];
  failure: KafkaError | null = null;
  private topics: readonly string[] = [];
  /** The subscription was told since it changed, in this membership. */
  private told = false;
  private wanted = false;
  private epoch = JOIN_EPOCH;
  private failures = 0;
  private readonly channel: GroupChannel;
  private readonly limits = {
    heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    maxPollIntervalMs: 0,
  };

  constructor(private readonly context: ShareContext) {
    const { options, cluster, io } = context;
    this.channel = new GroupChannel({ cluster }, options.groupId);
    this.limits.maxPollIntervalMs = options.maxPollIntervalMs;
    this.memberId = newMemberId(() => io.random.next());
    this.heartbeat = new Heartbeat(io.clock, this.limits, {
      beat: () => this.beat(),
      onSessionExpired: () => this.channel.forgetCoordinator(),
      onPollExpired: () => this.onPollExpired(),
    });
  }

  /** Other topics; joins if it is not in yet. */
  subscribe(topics: readonly string[]): void {
    this.topics = topics;
    this.told = false;
    if (this.wanted) this.heartbeat.beatBy(this.context.io.clock.monotonic());
  }

  /** Joins unless it is in, or about to be. */
  enter(): void {
    if (this.wanted || this.topics.length === 0 || this.failure !== null) return;
    this.wanted = true;
    this.rejoin();
    this.heartbeat.start();
    this.heartbeat.beatBy(this.context.io.clock.monotonic());
  }

  /** Leaves; resolves when the coordinator knows, or could not be told. Never rejects. */
  async leave(): Promise<void> {
    const wasIn = this.wanted && this.epoch > 0;
    this.stop();
    if (!wasIn) return;
    const { groupId } = this.channel;
    try {
      const { memberId } = this;
      await this.channel.request(ShareGroupHeartbeat, { groupId, memberId, memberEpoch: LEAVE_EPOCH });
    } catch (error) {
      this.context.options.logger.warn(
        `Share group ${groupId} was not told that member ${this.memberId} has left; it notices after the session timeout.`,
        { error },
      );
    }
  }

  private stop(): void {
    this.wanted = false;
    this.assigned = [];
    this.heartbeat.stop();
    this.context.signal.raise();
  }

  private rejoin(): void {
    this.epoch = JOIN_EPOCH;
    this.told = false;
    this.assigned = [];
  }

  private async beat(): Promise<boolean> {
    const { groupId } = this.channel;
    const { memberId, epoch: memberEpoch, topics } = this;
    const isWhole = !this.told || memberEpoch === JOIN_EPOCH;
    const { clientRack: rackId = null } = this.context.options;
    const about = isWhole ? { rackId, subscribedTopicNames: [...topics] } : {};
    try {
      const response = await this.channel.request(ShareGroupHeartbeat, { groupId, memberId, memberEpoch, ...about });
      if (!this.wanted) return true;
      if (response.errorCode !== ErrorCode.NONE) return this.onRefusal(response.errorCode, response.errorMessage);
      if (isWhole && topics === this.topics) this.told = true;
      this.onAnswer(response);
      return true;
    } catch (thrown) {
      const error = asKafkaError(thrown, ClientErrorCode.PROTOCOL, `A heartbeat to share group ${groupId} failed`);
      if (this.wanted) this.onFailure(error);
      return false;
    }
  }

  private onAnswer({ memberEpoch, heartbeatIntervalMs, assignment }: ShareGroupHeartbeatResponse): void {
    this.failures = 0;
    this.epoch = memberEpoch;
    if (heartbeatIntervalMs > 0 && heartbeatIntervalMs !== this.limits.heartbeatIntervalMs) {
      this.limits.heartbeatIntervalMs = heartbeatIntervalMs;
      this.heartbeat.beatBy(this.context.io.clock.monotonic() + heartbeatIntervalMs);
    }
    if (assignment !== null) this.assigned = assignment.topicPartitions;
    this.context.signal.raise();
  }

  private onRefusal(errorCode: number, errorMessage: string | null): boolean {
    const { groupId } = this.channel;
    if (errorCode === ErrorCode.UNKNOWN_MEMBER_ID || errorCode === ErrorCode.FENCED_MEMBER_EPOCH) {
      const why = errorName(errorCode);
      this.context.options.logger.info(
        `Share group ${groupId} has to be joined again: a heartbeat was answered with ${why}.`,
      );
      this.rejoin();
      this.tryAgain();
      return false;
    }
    this.channel.noticeCode(errorCode);
    const error = brokerError(errorCode, `Taking part in share group ${groupId}`, errorMessage);
    if (PASSING.has(errorCode) || error.retriable) this.tryAgain();
    else this.fail(error);
    return false;
  }

  private onFailure(error: KafkaError): void {
    if (error.code === ClientErrorCode.UNSUPPORTED_VERSION) {
      const message = `The broker does not serve share groups (KIP-932), which Kafka 4.2 and later do: ${error.message}`;
      this.fail(new KafkaError(ClientErrorCode.UNSUPPORTED_VERSION, message, { cause: error }));
    } else if (error.retriable) this.tryAgain();
    else this.fail(error);
  }

  private tryAgain(): void {
    this.failures += 1;
    this.told = false;
    const { options, io } = this.context;
    const bounds = { initialMs: options.retryBackoffMs, maxMs: options.retryBackoffMaxMs };
    this.heartbeat.beatBy(io.clock.monotonic() + backoffMs(bounds, this.failures, io.random));
  }

  private fail(error: KafkaError): void {
    this.failure = error;
    this.stop();
  }

  private onPollExpired(): void {
    const { options } = this.context;
    options.logger.warn(
      `poll() was not called for more than maxPollIntervalMs (${options.maxPollIntervalMs} ms): the member leaves share ` +
        `group ${options.groupId} and joins again with the next poll().`,
    );
    void this.leave();
  }
}

/** A uuid in Kafka's 22 characters; not beginning with a dash, which command lines take for an option. */
function newMemberId(next: () => number): string {
  const bytes = Buffer.alloc(MEMBER_ID_BYTES);
  for (let index = 0; index < MEMBER_ID_BYTES; index++) bytes[index] = Math.floor(next() * 256);
  const text = bytes.toString('base64url');
  return text.startsWith('-') ? `A${text.slice(1)}` : text;
}
