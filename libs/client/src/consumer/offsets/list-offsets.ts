/**
 * Looks up offsets at the leaders of partitions: the ends of a log, or the first record at or after a time.
 *
 * Guarantees: one request per leader; what may pass (an election, old metadata) is tried again with back-off until the
 * time is over, and only for the partitions concerned. Changes no state of the consumer.
 */
import { ErrorCode, isMetadataError, ListOffsets, type ListOffsetsResponse } from '@kafka-template/protocol';
import { asKafkaError, brokerError, ClientErrorCode, type KafkaError, timeoutError } from '../../errors.js';
import { delay } from '../../io/clock.js';
import { type ConsumerContext, type RetryContext, retryPauseMs } from '../consumer-context.js';
import type { IsolationLevel } from '../consumer-options.js';
import { groupByTopic, partitionKey, partitionNames, type TopicPartition } from '../topic-partition.js';

/** Values of {@link OffsetQuery.timestamp} with a meaning of their own. */
export const OffsetSpec = {
  /** The offset the next record will get; with read_committed the end of what is decided. */
  LATEST: -1,
  /** The first offset there is. */
  EARLIEST: -2,
  /** The record with the greatest timestamp (Kafka 3.0 and later). */
  MAX_TIMESTAMP: -3,
  /** The first offset the broker itself has, where older ones are in remote storage (Kafka 3.4 and later). */
  EARLIEST_LOCAL: -4,
  /** The last offset that is in remote storage; -1 for none (Kafka 3.9 and later). */
  LATEST_TIERED: -5,
  /** The first offset that is not in remote storage yet (Kafka 4.2 and later). */
  EARLIEST_PENDING_UPLOAD: -6,
} as const;

/** A question about one partition. */
export interface OffsetQuery extends TopicPartition {
  /** Milliseconds since the epoch, or one of {@link OffsetSpec}. */
  readonly timestamp: number;
}

/** An answer. */
export interface FoundOffset extends TopicPartition {
  /** -1 when there is no record at or after the time. */
  readonly offset: number;
  /** Of the record found; -1 for the ends of the log. */
  readonly timestamp: number;
  /** Epoch of the leader that appended it, -1 when unknown. */
  readonly leaderEpoch: number;
}

/** What became of one question. */
export interface OffsetOutcome {
  readonly query: OffsetQuery;
  readonly found: FoundOffset | null;
  readonly error: KafkaError | null;
}

/** The parts of a client the look-up needs. */
export type OffsetLookupContext = RetryContext & { readonly cluster: OffsetCluster };

/** The part of the cluster the look-up uses. */
export type OffsetCluster = Pick<ConsumerContext['cluster'], 'request' | 'metadata'>;

/** First versions that know the later ones of {@link OffsetSpec}; every version knows the others. */
const SPEC_VERSIONS: ReadonlyMap<number, number> = new Map([
  [OffsetSpec.MAX_TIMESTAMP, 7],
  [OffsetSpec.EARLIEST_LOCAL, 8],
  [OffsetSpec.LATEST_TIERED, 9],
  [OffsetSpec.EARLIEST_PENDING_UPLOAD, 11],
]);
/** First version with an isolation level. */
const ISOLATION_VERSION = 2;

/** Looks up offsets. */
export class OffsetLookup {
  constructor(
    private readonly context: OffsetLookupContext,
    private readonly isolationLevel: IsolationLevel,
  ) {}

  /** The questions by leader; those whose partition has no known leader under -1. Asks for metadata if there are such. */
  byLeader(queries: Iterable<OffsetQuery>): Map<number, OffsetQuery[]> {
    const { metadata } = this.context.cluster;
    const groups = new Map<number, OffsetQuery[]>();
    for (const query of queries) {
      const leader = metadata.partition(query.topic, query.partition)?.leader ?? -1;
      const group = groups.get(leader);
      if (group === undefined) groups.set(leader, [query]);
      else group.push(query);
    }
    if (groups.has(-1)) metadata.requestUpdate();
    return groups;
  }

  /** Asks one leader, once. Never rejects: what fails is in the outcomes. */
  async ask(leader: number, queries: readonly OffsetQuery[]): Promise<OffsetOutcome[]> {
    const { cluster } = this.context;
    if (leader === -1) return queries.map((query) => this.withoutLeader(query));
    const minVersion = Math.max(0, ...queries.map(({ timestamp }) => SPEC_VERSIONS.get(timestamp) ?? 0));
    const readCommitted = this.isolationLevel === 'read_committed';
    try {
      const response = await cluster.request(
        leader,
        ListOffsets,
        (version) => ({
          replicaId: -1,
          isolationLevel: readCommitted && version >= ISOLATION_VERSION ? 1 : 0,
          topics: [...groupByTopic(queries)].map(([name, entries]) => ({
            name,
            partitions: entries.map(({ partition, timestamp }) => ({
              partitionIndex: partition,
              currentLeaderEpoch: cluster.metadata.partition(name, partition)?.leaderEpoch ?? -1,
              timestamp,
            })),
          })),
        }),
        { minVersion },
      );
      return this.outcomes(queries, response);
    } catch (thrown) {
      const error = asKafkaError(thrown, ClientErrorCode.PROTOCOL, 'Looking up offsets failed');
      if (error.retriable) cluster.metadata.requestUpdate();
      return queries.map((query) => ({ query, found: null, error }));
    }
  }

  /**
   * Answers all questions, in their order.
   *
   * @throws KafkaError the first that will not pass, or TIMEOUT naming the partitions without an answer
   */
  async find(queries: readonly OffsetQuery[], timeoutMs: number): Promise<FoundOffset[]> {
    const outcomes = await this.outcomesOf(queries, timeoutMs);
    return outcomes.map(({ found, error, query }) => {
      if (found !== null) return found;
      throw error ?? this.lateError([query], timeoutMs, null);
    });
  }

  /** Like {@link find}, with the error of each partition in its place. Rejects only when the client is closed. */
  async outcomesOf(queries: readonly OffsetQuery[], timeoutMs: number): Promise<OffsetOutcome[]> {
    const outcomes = new Map<OffsetQuery, OffsetOutcome>();
    await Promise.all(
      withoutRepetition(queries).map(async (part) => {
        const answers = await this.distinctOutcomesOf(part, timeoutMs);
        part.forEach((query, index) => outcomes.set(query, answers[index] as OffsetOutcome));
      }),
    );
    return queries.map((query) => outcomes.get(query) as OffsetOutcome);
  }

  private async distinctOutcomesOf(queries: readonly OffsetQuery[], timeoutMs: number): Promise<OffsetOutcome[]> {
    const { cluster, io } = this.context;
    const deadlineMs = io.clock.monotonic() + timeoutMs;
    const done = new Map<string, OffsetOutcome>();
    let open: readonly OffsetQuery[] = queries;
    for (let failures = 1; open.length > 0; failures++) {
      await this.ensureMetadata(open);
      const answers = await Promise.all([...this.byLeader(open)].map(([leader, group]) => this.ask(leader, group)));
      const retry: OffsetOutcome[] = [];
      for (const outcome of answers.flat()) {
        if (outcome.error?.retriable === true) retry.push(outcome);
        else done.set(partitionKey(outcome.query), outcome);
      }
      open = retry.map((outcome) => outcome.query);
      if (open.length === 0) break;
      const pauseMs = retryPauseMs(this.context, failures);
      if (io.clock.monotonic() + pauseMs >= deadlineMs) {
        const cause = retry[0]?.error ?? null;
        for (const query of open) {
          done.set(partitionKey(query), { query, found: null, error: this.lateError(open, timeoutMs, cause) });
        }
        break;
      }
      await delay(io.clock, pauseMs);
      cluster.metadata.requestUpdate();
    }
    return queries.map((query) => done.get(partitionKey(query)) as OffsetOutcome);
  }

  /** Asks for topics that nobody tracks. A failure shows later, as a missing leader. */
  private async ensureMetadata(queries: readonly OffsetQuery[]): Promise<void> {
    const { metadata } = this.context.cluster;
    const topics = [...groupByTopic(queries).keys()];
    if (topics.every((topic) => metadata.topic(topic) !== undefined)) return;
    try {
      await metadata.refresh(topics);
    } catch (error) {
      if (asKafkaError(error, ClientErrorCode.NETWORK, 'Metadata').code === ClientErrorCode.CLOSED) throw error;
    }
  }

  private withoutLeader(query: OffsetQuery): OffsetOutcome {
    const { metadata } = this.context.cluster;
    const reason =
      metadata.topicError(query.topic) ??
      brokerError(ErrorCode.LEADER_NOT_AVAILABLE, `Looking up an offset of ${partitionKey(query)}`);
    return { query, found: null, error: reason };
  }

  private outcomes(queries: readonly OffsetQuery[], response: ListOffsetsResponse): OffsetOutcome[] {
    const answers = new Map(
      response.topics.flatMap((topic) =>
        topic.partitions.map((each) => [partitionKey({ topic: topic.name, partition: each.partitionIndex }), each]),
      ),
    );
    return queries.map((query) => {
      const answer = answers.get(partitionKey(query));
      const errorCode = answer?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR;
      if (answer === undefined || errorCode !== ErrorCode.NONE) {
        if (isMetadataError(errorCode)) this.context.cluster.metadata.requestUpdate();
        return { query, found: null, error: brokerError(errorCode, `Looking up an offset of ${partitionKey(query)}`) };
      }
      const { offset, timestamp, leaderEpoch } = answer;
      const { topic, partition } = query;
      return { query, found: { topic, partition, offset, timestamp, leaderEpoch }, error: null };
    });
  }

  private lateError(open: readonly OffsetQuery[], timeoutMs: number, cause: KafkaError | null): KafkaError {
    const reason = cause === null ? '' : ` Last reason: ${cause.message}`;
    return timeoutError(`No offset of ${partitionNames(open)} within ${timeoutMs} ms.${reason}`, cause ?? undefined);
  }
}

/** Brokers refuse a request that names a partition twice: the questions in parts that do not. */
function withoutRepetition(queries: readonly OffsetQuery[]): OffsetQuery[][] {
  const parts: OffsetQuery[][] = [];
  const seen = new Map<string, number>();
  for (const query of queries) {
    const key = partitionKey(query);
    const part = seen.get(key) ?? 0;
    seen.set(key, part + 1);
    (parts[part] ??= []).push(query);
  }
  return parts;
}
