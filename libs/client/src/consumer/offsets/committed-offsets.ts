/**
 * Reads what a group has committed.
 *
 * Guarantees: one request for all partitions; what may pass (the coordinator loads or moves, a transaction's offsets are
 * pending) is tried again with back-off until the time is over. "Nothing committed" is an answer, not an error.
 */
import { ErrorCode, OffsetFetch, type OffsetFetchResponse, type RequestInput } from '@kafka-template/protocol';
import { asKafkaError, brokerError, ClientErrorCode, type KafkaError, timeoutError } from '../../errors.js';
import { delay } from '../../io/clock.js';
import { type RetryContext, retryPauseMs } from '../consumer-context.js';
import type { GroupChannel } from '../group/group-channel.js';
import { comparePartitions, groupByTopic, partitionKey, type TopicPartition } from '../topic-partition.js';

/** What a group has committed for one partition. */
export interface CommittedOffset extends TopicPartition {
  /** Where the group goes on; null when it has committed nothing. */
  readonly offset: number | null;
  /** Epoch of the leader that appended the record before it, -1 when unknown. */
  readonly leaderEpoch: number;
  /** The text committed with it; null when nothing was committed. */
  readonly metadata: string | null;
}

/** First version in which null asks for all partitions. */
const OFFSET_FETCH_ALL_VERSION = 2;
/** First version with several groups in one request. */
const OFFSET_FETCH_GROUPS_VERSION = 8;
/** Last version with topic names; later ones take ids only. */
const OFFSET_FETCH_NAMES_VERSION = 9;
/** First version that can wait for pending transactions. */
const REQUIRE_STABLE_VERSION = 7;

type ResponsePartition = OffsetFetchResponse['topics'][number]['partitions'][number];

/** What reading committed offsets takes from its client. */
export type CommittedContext = RetryContext & { readonly options: { readonly requestTimeoutMs: number } };

/** Reads committed offsets of one group. */
export class CommittedOffsets {
  constructor(
    private readonly context: CommittedContext,
    private readonly channel: GroupChannel,
  ) {}

  /**
   * One answer for each partition, in their order.
   *
   * @throws KafkaError what will not pass, or TIMEOUT
   */
  async fetch(partitions: readonly TopicPartition[], timeoutMs: number): Promise<CommittedOffset[]> {
    if (partitions.length === 0) return [];
    const answers = new Map((await this.retried(partitions, timeoutMs)).map((each) => [partitionKey(each), each]));
    return partitions.map(
      ({ topic, partition }) =>
        answers.get(partitionKey({ topic, partition })) ?? {
          topic,
          partition,
          offset: null,
          leaderEpoch: -1,
          metadata: null,
        },
    );
  }

  /** Everything the group has committed. @throws KafkaError what will not pass, or TIMEOUT */
  async fetchAll(timeoutMs: number): Promise<CommittedOffset[]> {
    const answers = await this.retried(null, timeoutMs);
    return answers.filter((each) => each.offset !== null).sort(comparePartitions);
  }

  private async retried(partitions: readonly TopicPartition[] | null, timeoutMs: number): Promise<CommittedOffset[]> {
    const { clock } = this.context.io;
    const deadlineMs = clock.monotonic() + timeoutMs;
    for (let failures = 1; ; failures++) {
      const outcome = await this.ask(partitions, deadlineMs - clock.monotonic());
      if (Array.isArray(outcome)) return outcome;
      if (!outcome.retriable) throw outcome;
      const pauseMs = retryPauseMs(this.context, failures);
      if (clock.monotonic() + pauseMs >= deadlineMs) {
        throw timeoutError(
          `The committed offsets of group ${this.channel.groupId} were not answered within ${timeoutMs} ms. ` +
            `Last reason: ${outcome.message}`,
          outcome,
        );
      }
      await delay(clock, pauseMs);
    }
  }

  private async ask(
    partitions: readonly TopicPartition[] | null,
    leftMs: number,
  ): Promise<CommittedOffset[] | KafkaError> {
    const { requestTimeoutMs } = this.context.options;
    try {
      const response = await this.channel.request(OffsetFetch, (version) => this.body(partitions, version), {
        timeoutMs: Math.min(requestTimeoutMs, Math.max(leftMs, 1)),
        maxVersion: OFFSET_FETCH_NAMES_VERSION,
        minVersion: partitions === null ? OFFSET_FETCH_ALL_VERSION : 0,
      });
      return this.read(response);
    } catch (error) {
      return asKafkaError(
        error,
        ClientErrorCode.PROTOCOL,
        `Reading the offsets of group ${this.channel.groupId} failed`,
      );
    }
  }

  private body(partitions: readonly TopicPartition[] | null, version: number): RequestInput<typeof OffsetFetch> {
    const { groupId } = this.channel;
    const topics =
      partitions &&
      [...groupByTopic(partitions)].map(([name, entries]) => ({
        name,
        partitionIndexes: entries.map((entry) => entry.partition),
      }));
    const requireStable = version >= REQUIRE_STABLE_VERSION;
    if (version < OFFSET_FETCH_GROUPS_VERSION) return { groupId, topics, requireStable };
    return { groups: [{ groupId, topics }], requireStable };
  }

  private read(response: OffsetFetchResponse): CommittedOffset[] {
    const group = response.groups[0] ?? response;
    if (group.errorCode !== ErrorCode.NONE) throw this.refusal(group.errorCode);
    return group.topics.flatMap((topic) => topic.partitions.map((answer) => this.toCommitted(topic.name, answer)));
  }

  private toCommitted(topic: string, answer: ResponsePartition): CommittedOffset {
    const { partitionIndex: partition, errorCode, committedOffset, committedLeaderEpoch, metadata } = answer;
    // Older brokers call a partition unknown that nobody has committed for; newer ones answer -1.
    const isUnknown = errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    if (errorCode !== ErrorCode.NONE && !isUnknown) throw this.refusal(errorCode);
    if (isUnknown || committedOffset < 0) return { topic, partition, offset: null, leaderEpoch: -1, metadata: null };
    return { topic, partition, offset: committedOffset, leaderEpoch: committedLeaderEpoch, metadata: metadata ?? '' };
  }

  private refusal(errorCode: number): KafkaError {
    this.channel.noticeCode(errorCode);
    return brokerError(errorCode, `Reading the offsets of group ${this.channel.groupId}`);
  }
}
