/**
 * Sends commits of a group, in the order in which they were asked for.
 *
 * Guarantees: one request at a time, which carries all commits waiting from the same generation (a later offset of a
 * partition replaces an earlier one); callbacks are called in order, and a synchronous commit ends after every earlier
 * asynchronous one. A commit keeps the generation in which it was asked for: one from an old generation is refused by
 * the coordinator (COMMIT_FAILED), never sent again under a new one, and nothing here ever joins a group.
 * Asynchronous commits are not retried, as in Java: a later one makes up for it; of synchronous ones what was refused is,
 * until their time is over, and holds up no other commit meanwhile. Bound: PENDING_COMMITS_MAX.
 */
import { ErrorCode, Metadata, OffsetCommit as OffsetCommitApi, type RequestInput } from '@kafka-template/protocol';
import { asKafkaError, ClientErrorCode, KafkaError, timeoutError } from '../../errors.js';
import { type ConsumerContext, retryPauseMs } from '../consumer-context.js';
import { type CommitIdentity, NO_MEMBER } from '../group/generation.js';
import { rebalanceInProgressError } from '../group/commit-errors.js';
import type { GroupChannel } from '../group/group-channel.js';
import type { GroupMember } from '../group/group-protocol.js';
import { Signal } from '../signal.js';
import { groupByTopic, partitionKey, partitionNames, type TopicPartition } from '../topic-partition.js';

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
 * How long a topic that the coordinator does not know, but another broker does, may still be one that it does not know
 * yet. Java asks again until `defaultApiTimeoutMs`.
 */
const UNKNOWN_TOPIC_MS = 5_000;
/** Last version with topic names; later ones take ids only. */
const OFFSET_COMMIT_NAMES_VERSION = 9;
/** First version of Metadata that can ask for a topic without creating it. */
const METADATA_WITHOUT_CREATION_VERSION = 4;
/** First version that knows static members. */
const OFFSET_COMMIT_STATIC_VERSION = 7;
/** First version that takes members of the consumer protocol (KIP-848). */
const OFFSET_COMMIT_EPOCH_VERSION = 9;

interface PendingCommit {
  /** What is not committed yet. */
  offsets: readonly OffsetCommit[];
  /** Who asked, or why it cannot be sent; a refusal waits for its turn too. */
  sender: CommitIdentity | KafkaError;
  /** Until when it is tried again; null for an asynchronous commit, which is not. */
  readonly deadlineMs: number | null;
  /** Since when the coordinator does not know one of its topics; null when it was not refused for that. */
  unknownTopicSinceMs: number | null;
  /** Times it was refused, and the monotonic time before which it is not sent again. */
  failures: number;
  retryAtMs: number;
  settle(error: KafkaError | null): void;
}

/** The commits of one consumer. */
export class Commits {
  private queue: PendingCommit[] = [];
  /** Refused, waiting to be sent again. */
  private again: PendingCommit[] = [];
  private sending = false;
  private readonly signal: Signal;
  /** Partitions that no broker asked knows. */
  private readonly gone = new Set<string>();

  constructor(
    private readonly context: ConsumerContext,
    private readonly channel: GroupChannel,
    private readonly membership: GroupMember,
  ) {
    this.signal = new Signal(context.io.clock);
  }

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
    const sender = this.sender(offsets);
    this.queue.push({ offsets, sender, deadlineMs, unknownTopicSinceMs: null, failures: 0, retryAtMs: 0, settle });
    this.signal.raise();
    if (!this.sending) void this.run();
  }

  /** Who commits, or why it cannot be. */
  private sender(offsets: readonly OffsetCommit[]): CommitIdentity | KafkaError {
    if (offsets.length === 0) return NO_MEMBER;
    if (this.queue.length + this.again.length >= PENDING_COMMITS_MAX) {
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
    while (this.queue.length + this.again.length > 0) {
      const batch = this.takeBatch(this.context.io.clock.monotonic());
      if (batch.length > 0) this.settleBatch(batch, await this.send(batch));
      else await this.signal.wait(Math.min(...this.again.map((commit) => commit.retryAtMs)));
    }
    this.sending = false;
  }

  /** What may be sent now and has the same sender: what is tried again first, so that later offsets replace its own. */
  private takeBatch(nowMs: number): PendingCommit[] {
    for (const commit of this.again) {
      if (!(commit.sender instanceof KafkaError)) commit.sender = this.membership.renewed(commit.sender);
    }
    const sender = (this.again.find((commit) => commit.retryAtMs <= nowMs) ?? this.queue[0])?.sender;
    const isDue = (commit: PendingCommit): boolean => commit.retryAtMs <= nowMs && isSameSender(commit.sender, sender);
    const due = this.again.filter(isDue);
    this.again = this.again.filter((commit) => !due.includes(commit));
    const end = this.queue.findIndex((commit) => !isSameSender(commit.sender, sender));
    return [...due, ...this.queue.splice(0, end === -1 ? this.queue.length : end)];
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
    const staticVersion = sender.groupInstanceId === null ? 0 : OFFSET_COMMIT_STATIC_VERSION;
    const minVersion = sender.incarnation === undefined ? staticVersion : OFFSET_COMMIT_EPOCH_VERSION;
    try {
      const response = await this.channel.request(OffsetCommitApi, this.body(sender, offsets.values()), {
        minVersion,
        maxVersion: OFFSET_COMMIT_NAMES_VERSION,
      });
      const errors = new Map<string, KafkaError>();
      const byCode = new Map<number, KafkaError>();
      const unknown: string[] = [];
      for (const topic of response.topics) {
        for (const { partitionIndex, errorCode } of topic.partitions) {
          const key = partitionKey({ topic: topic.name, partition: partitionIndex });
          if (errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) unknown.push(topic.name);
          if (errorCode === ErrorCode.NONE) this.noteCommitted(key, offsets.get(key));
          else errors.set(key, this.errorOf(errorCode, sender, byCode));
        }
      }
      if (unknown.length > 0 && batch.some(({ deadlineMs }) => deadlineMs !== null))
        this.lookFor([...new Set(unknown)], offsets.values());
      this.context.counters[errors.size === 0 ? 'commits' : 'commitsFailed'] += 1;
      return errors;
    } catch (error) {
      this.context.counters.commitsFailed += 1;
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

  /** An older commit of the partition that waits to be sent again has been made up for. */
  private noteCommitted(key: string, commit: OffsetCommit | undefined): void {
    if (commit === undefined) return;
    this.gone.delete(key);
    const state = this.context.subscriptions.find(commit);
    if (state !== undefined) state.committedOffset = commit.offset;
    for (const older of this.again) {
      older.offsets = older.offsets.filter((each) => partitionKey(each) !== key);
      if (older.offsets.length === 0) older.settle(null);
    }
    this.again = this.again.filter((older) => older.offsets.length > 0);
  }

  /**
   * Finds out whether topics that the coordinator does not know were deleted, by what another broker says. Creates none.
   * The answer counts when the commit is refused for the second time.
   */
  private lookFor(topics: readonly string[], offsets: Iterable<OffsetCommit>): void {
    const asked = [...offsets].filter(({ topic }) => topics.includes(topic));
    const body = { topics: topics.map((name) => ({ name })), allowAutoTopicCreation: false };
    const bounds = { minVersion: METADATA_WITHOUT_CREATION_VERSION };
    this.context.cluster.send('any', Metadata, body, bounds, (_error, response) => {
      for (const { topic, partition } of asked) {
        const found = response?.topics.find(({ name }) => name === topic);
        const key = partitionKey({ topic, partition });
        const isGone =
          found?.errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION ||
          (found?.errorCode === ErrorCode.NONE && partition >= found.partitions.length);
        if (isGone) this.gone.add(key);
        else this.gone.delete(key);
      }
    });
  }

  /** Tells the outcomes, in order, and keeps what is to be tried again. */
  private settleBatch(batch: readonly PendingCommit[], errors: Map<string, KafkaError> | KafkaError): void {
    const now = this.context.io.clock.monotonic();
    for (const commit of batch) {
      if (!(errors instanceof KafkaError)) {
        commit.offsets = commit.offsets.filter((each) => errors.has(partitionKey(each)));
      }
      const error = errors instanceof KafkaError ? errors : gravestError(commit, errors);
      if (error === null || commit.deadlineMs === null || !isRetried(error)) commit.settle(error);
      else if (this.isTopicGone(commit, error, now)) this.giveUp(commit, error);
      else this.tryAgain(commit, error, now);
    }
  }

  private giveUp(commit: PendingCommit, error: KafkaError): void {
    for (const each of commit.offsets) this.gone.delete(partitionKey(each));
    commit.settle(goneError(commit, error));
  }

  private tryAgain(commit: PendingCommit, error: KafkaError, now: number): void {
    commit.failures += 1;
    commit.retryAtMs = now + retryPauseMs(this.context, commit.failures);
    if (commit.retryAtMs < (commit.deadlineMs ?? 0)) this.again.push(commit);
    else commit.settle(timeoutError(`Offsets could not be committed in time. Last reason: ${error.message}`, error));
  }

  /** Whether all that is left belongs to topics that do not exist any more. */
  private isTopicGone(commit: PendingCommit, error: KafkaError, now: number): boolean {
    if (error.code !== 'UNKNOWN_TOPIC_OR_PARTITION') return false;
    commit.unknownTopicSinceMs ??= now;
    if (now - commit.unknownTopicSinceMs >= UNKNOWN_TOPIC_MS) return true;
    return commit.failures > 0 && commit.offsets.every((each) => this.gone.has(partitionKey(each)));
  }
}

function isSameSender(one: PendingCommit['sender'], other: PendingCommit['sender'] | undefined): boolean {
  if (one instanceof KafkaError || other instanceof KafkaError) return one === other;
  return (
    one.generationId === other?.generationId && one.memberId === other.memberId && one.incarnation === other.incarnation
  );
}

/** The error of a partition: rather one that ends the commit than one after which it is tried again. */
function gravestError(commit: PendingCommit, errors: ReadonlyMap<string, KafkaError>): KafkaError | null {
  let gravest: KafkaError | null = null;
  for (const each of commit.offsets) {
    const error = errors.get(partitionKey(each)) ?? null;
    if (error !== null && !isRetried(error)) return error;
    gravest ??= error;
  }
  return gravest;
}

function goneError({ offsets }: PendingCommit, error: KafkaError): KafkaError {
  const message = `${error.message} Not committed: ${partitionNames(offsets)}; everything else was.`;
  return new KafkaError(error.code, message, { retriable: error.retriable, cause: error });
}

/** A rebalance ends only by `poll`, so that waiting here for its end would be waiting for ever. */
function isRetried(error: KafkaError): boolean {
  return error.retriable && error.code !== 'REBALANCE_IN_PROGRESS';
}
