/**
 * Sends commits of a group, in the order in which they were asked for.
 *
 * Guarantees: one request at a time, which carries all commits waiting from the same generation (a later offset of a
 * partition replaces an earlier one); callbacks are called in order, and a synchronous commit ends after every earlier
 * asynchronous one. A commit keeps the generation in which it was asked for: one from an old generation is refused by
 * the coordinator (COMMIT_FAILED), never sent again under a new one, and nothing here ever joins a group.
 * Asynchronous commits are not retried, as in Java: a later one makes up for it; synchronous ones are, until their time
 * is over. Bound: PENDING_COMMITS_MAX.
 */
import { ErrorCode, OffsetCommit as OffsetCommitApi, type RequestInput } from '@kafka-template/protocol';
import { asKafkaError, ClientErrorCode, KafkaError, timeoutError } from '../../errors.js';
import { delay } from '../../io/clock.js';
import { type ConsumerContext, retryPauseMs } from '../consumer-context.js';
import { type CommitIdentity, NO_MEMBER } from '../group/generation.js';
import { rebalanceInProgressError } from '../group/commit-errors.js';
import type { GroupChannel } from '../group/group-channel.js';
import type { Membership } from '../group/membership.js';
import { groupByTopic, partitionKey, type TopicPartition } from '../topic-partition.js';

/** An offset to commit. */
export interface OffsetCommit extends TopicPartition {
  /** The next offset to read: one past the last record that is done. */
  readonly offset: number;
  /** Epoch of the leader that appended the record before it. Default unknown. */
  readonly leaderEpoch?: number;
  /** Any text to keep with it, up to 4096 bytes by default. Default empty. */
  readonly metadata?: string;
}

/** Told the outcome of an asynchronous commit: null, or the error. Called in the order of the commits. */
export type CommitCallback = (error: KafkaError | null, offsets: readonly OffsetCommit[]) => void;

/** Commits that may wait. More means that the coordinator does not answer and nobody looks at the callbacks. */
const PENDING_COMMITS_MAX = 10_000;
/**
 * How long a topic that the coordinator does not know may still be one that it does not know yet. Java asks again until
 * `defaultApiTimeoutMs`; a deleted topic would then hold up the commits of all others for a minute.
 */
const UNKNOWN_TOPIC_MS = 5_000;
/** Last version with topic names; later ones take ids only. */
const OFFSET_COMMIT_NAMES_VERSION = 9;
/** First version that knows static members. */
const OFFSET_COMMIT_STATIC_VERSION = 7;

interface PendingCommit {
  readonly offsets: readonly OffsetCommit[];
  /** Who asked, or why it cannot be sent; a refusal waits for its turn too. */
  readonly sender: CommitIdentity | KafkaError;
  /** Until when it is tried again; null for an asynchronous commit, which is not. */
  readonly deadlineMs: number | null;
  /** Since when the coordinator does not know one of its topics; null when it was not refused for that. */
  unknownTopicSinceMs: number | null;
  settle(error: KafkaError | null): void;
}

/** The commits of one consumer. */
export class Commits {
  private queue: PendingCommit[] = [];
  private sending = false;

  constructor(
    private readonly context: ConsumerContext,
    private readonly channel: GroupChannel,
    private readonly membership: Membership,
  ) {}

  /**
   * Commits and waits for the answer; with no offsets it only waits for the commits before it.
   *
   * @throws KafkaError COMMIT_FAILED when the membership is over; REBALANCE_IN_PROGRESS (retriable, after a `poll`);
   *   UNKNOWN_TOPIC_OR_PARTITION when a topic stays unknown, which keeps the other partitions from nothing; TIMEOUT
   */
  commitSync(offsets: readonly OffsetCommit[], timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const deadlineMs = this.context.io.clock.monotonic() + timeoutMs;
      this.enqueue(offsets, deadlineMs, (error) => (error === null ? resolve() : reject(error)));
    });
  }

  /** Commits in the background; all failures come by the callback, in a later turn of the event loop. */
  commitAsync(offsets: readonly OffsetCommit[], callback: (error: KafkaError | null) => void): void {
    this.enqueue(offsets, null, callback);
  }

  private enqueue(
    offsets: readonly OffsetCommit[],
    deadlineMs: number | null,
    settle: (error: KafkaError | null) => void,
  ): void {
    this.queue.push({ offsets, sender: this.sender(offsets), deadlineMs, unknownTopicSinceMs: null, settle });
    if (!this.sending) void this.run();
  }

  /** Who commits, or why it cannot be. */
  private sender(offsets: readonly OffsetCommit[]): CommitIdentity | KafkaError {
    if (offsets.length === 0) return NO_MEMBER;
    if (this.queue.length >= PENDING_COMMITS_MAX) {
      const message = `${PENDING_COMMITS_MAX} commits of group ${this.channel.groupId} already wait for an answer.`;
      return new KafkaError(ClientErrorCode.BUFFER_EXHAUSTED, message, { retriable: true });
    }
    const invalid = offsets.find(({ offset }) => !Number.isSafeInteger(offset) || offset < 0);
    if (invalid !== undefined) {
      const message = `The offset ${invalid.offset} of ${partitionKey(invalid)} cannot be committed; it must be 0 or more.`;
      return new KafkaError(ClientErrorCode.INVALID_ARGUMENT, message);
    }
    try {
      return this.membership.commitIdentity();
    } catch (error) {
      return asKafkaError(error, ClientErrorCode.COMMIT_FAILED, 'Committing failed');
    }
  }

  /** Sends until nothing waits. Never rejects. */
  private async run(): Promise<void> {
    this.sending = true;
    // Outcomes come in a later turn than the call, always.
    await Promise.resolve();
    for (let failures = 0; this.queue.length > 0;) {
      const batch = this.takeBatch();
      const errors = await this.send(batch);
      const again = this.settleBatch(batch, errors, failures + 1);
      this.queue.unshift(...again);
      failures = again.length > 0 ? failures + 1 : 0;
      if (failures > 0) await delay(this.context.io.clock, retryPauseMs(this.context, failures));
    }
    this.sending = false;
  }

  /** The commits at the head of the queue that have the same sender. */
  private takeBatch(): PendingCommit[] {
    const sender = this.queue[0]?.sender;
    const end = this.queue.findIndex((commit) => !isSameSender(commit.sender, sender));
    return this.queue.splice(0, end === -1 ? this.queue.length : end);
  }

  /** The error of every partition that was refused, by its key; or one error for all. */
  private async send(batch: readonly PendingCommit[]): Promise<Map<string, KafkaError> | KafkaError> {
    const { sender } = batch[0] as PendingCommit;
    if (sender instanceof KafkaError) return sender;
    const offsets = new Map<string, OffsetCommit>();
    for (const commit of batch) for (const each of commit.offsets) offsets.set(partitionKey(each), each);
    if (offsets.size === 0) return new Map();
    // Behind a JoinGroup it would wait for all other members, only to be refused then.
    if (sender !== NO_MEMBER && this.membership.isJoining) return rebalanceInProgressError();
    const minVersion = sender.groupInstanceId === null ? 0 : OFFSET_COMMIT_STATIC_VERSION;
    try {
      const response = await this.channel.request(OffsetCommitApi, this.body(sender, offsets.values()), {
        minVersion,
        maxVersion: OFFSET_COMMIT_NAMES_VERSION,
      });
      const errors = new Map<string, KafkaError>();
      const byCode = new Map<number, KafkaError>();
      for (const topic of response.topics) {
        for (const { partitionIndex, errorCode } of topic.partitions) {
          const key = partitionKey({ topic: topic.name, partition: partitionIndex });
          if (errorCode === ErrorCode.NONE) this.noteCommitted(offsets.get(key));
          else errors.set(key, this.errorOf(errorCode, sender, byCode));
        }
      }
      return errors;
    } catch (error) {
      return asKafkaError(
        error,
        ClientErrorCode.PROTOCOL,
        `Committing offsets of group ${this.channel.groupId} failed`,
      );
    }
  }

  /** One meaning per code and request: taking note of it may end the membership, after which it would mean another thing. */
  private errorOf(errorCode: number, sender: CommitIdentity, byCode: Map<number, KafkaError>): KafkaError {
    const error = byCode.get(errorCode) ?? this.membership.commitError(errorCode, sender);
    byCode.set(errorCode, error);
    return error;
  }

  private body(sender: CommitIdentity, offsets: Iterable<OffsetCommit>): RequestInput<typeof OffsetCommitApi> {
    return {
      groupId: this.channel.groupId,
      generationIdOrMemberEpoch: sender.generationId,
      memberId: sender.memberId,
      groupInstanceId: sender.groupInstanceId,
      topics: [...groupByTopic(offsets)].map(([name, entries]) => ({
        name,
        partitions: entries.map(({ partition, offset, leaderEpoch, metadata }) => ({
          partitionIndex: partition,
          committedOffset: offset,
          committedLeaderEpoch: leaderEpoch ?? -1,
          committedMetadata: metadata ?? '',
        })),
      })),
    };
  }

  private noteCommitted(commit: OffsetCommit | undefined): void {
    if (commit === undefined) return;
    const state = this.context.subscriptions.find(commit);
    if (state !== undefined) state.committedOffset = commit.offset;
  }

  /** Tells the outcomes, in order, and returns the commits to try again. */
  private settleBatch(
    batch: readonly PendingCommit[],
    errors: Map<string, KafkaError> | KafkaError,
    failures: number,
  ): PendingCommit[] {
    const now = this.context.io.clock.monotonic();
    const retryMs = now + retryPauseMs(this.context, failures);
    const again: PendingCommit[] = [];
    for (const commit of batch) {
      const error = errors instanceof KafkaError ? errors : firstError(commit, errors);
      if (error === null || commit.deadlineMs === null || !isRetried(error)) commit.settle(error);
      else if (isTopicGone(commit, error, now)) commit.settle(error);
      else if (retryMs < commit.deadlineMs) again.push(commit);
      else commit.settle(timeoutError(`Offsets could not be committed in time. Last reason: ${error.message}`, error));
    }
    return again;
  }
}

function isSameSender(one: PendingCommit['sender'], other: PendingCommit['sender'] | undefined): boolean {
  if (one instanceof KafkaError || other instanceof KafkaError) return one === other;
  return one.generationId === other?.generationId && one.memberId === other.memberId;
}

function firstError(commit: PendingCommit, errors: ReadonlyMap<string, KafkaError>): KafkaError | null {
  for (const each of commit.offsets) {
    const error = errors.get(partitionKey(each));
    if (error !== undefined) return error;
  }
  return null;
}

/** Whether a topic has been unknown for so long that it does not exist any more. */
function isTopicGone(commit: PendingCommit, error: KafkaError, now: number): boolean {
  if (error.code !== 'UNKNOWN_TOPIC_OR_PARTITION') return false;
  commit.unknownTopicSinceMs ??= now;
  return now - commit.unknownTopicSinceMs >= UNKNOWN_TOPIC_MS;
}

/** A rebalance ends only by `poll`, so that waiting here for its end would be waiting for ever. */
function isRetried(error: KafkaError): boolean {
  return error.retriable && error.code !== 'REBALANCE_IN_PROGRESS';
}
