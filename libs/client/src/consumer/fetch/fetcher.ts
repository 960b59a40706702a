/**
 * Fetches records ahead and hands them out.
 *
 * Guarantees: one fetch under way per broker; while the application works on what it got, the next fetch is under way.
 * Bounds: two chunks per partition (CHUNKS_PER_PARTITION_MAX), and no fetch is sent while `fetchMaxBytes` are held;
 * chunks of paused partitions are kept aside, as in Java, and count only for the first of these.
 * Records of a partition come in order and without gaps or repetitions, whatever was sought, paused or fetched twice
 * meanwhile. A changed leader costs a look at the metadata and a pause, never a rebalance or a lost record. A replica that
 * the leader names for this consumer's rack is read instead of it (KIP-392), until it fails or `metadataMaxAgeMs` are over.
 * Leaves out the positions (offsets/positions.ts) and what a broker remembers of earlier fetches (fetch-session.ts).
 */
import {
  ErrorCode,
  Fetch,
  type FetchResponse,
  isMetadataError,
  type RequestInput,
  ZERO_UUID,
} from '@kafka-template/protocol';
import { brokerError, type KafkaError } from '../../errors.js';
import { type ConsumerContext, retryPauseMs } from '../consumer-context.js';
import { ConsumerRecords, NO_RECORDS } from '../consumer-records.js';
import type { ConsumerRecord } from '../consumer-record.js';
import type { Positions } from '../offsets/positions.js';
import type { PartitionState } from '../partition-state.js';
import { groupByTopic } from '../topic-partition.js';
import { type FetchPlan, FetchSession, type FetchWish } from './fetch-session.js';
import { type ChunkRules, FetchedChunk } from './fetched-chunk.js';

/** The lane of long polls. */
const FETCH_LANE = 'fetch';
/** Last version that names topics; later ones take their ids. */
const FETCH_NAMES_VERSION = 12;
/** Errors of a session that a full request cures. */
const SESSION_CODES: ReadonlySet<number> = new Set([
  ErrorCode.INVALID_FETCH_SESSION_EPOCH,
  ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR,
]);
/** How much longer than the broker may wait for data an answer may take. */
const FETCH_GRACE_MS = 5_000;

/** A partition at the moment it was asked for. */
interface Asked {
  readonly state: PartitionState;
  readonly version: number;
}

type Wish = FetchWish<Asked>;

/** What the fetcher knows of one broker. */
interface BrokerFetches {
  readonly session: FetchSession<Asked>;
  /** A fetch is on its way. */
  underWay: boolean;
  /** Failures in a row, and the monotonic time before which the broker is not asked again. */
  failures: number;
  retryAtMs: number;
}

type ResponsePartition = FetchResponse['responses'][number]['partitions'][number];

/** Records gathered for one partition while a `poll` result is put together. */
interface Gathered {
  readonly state: PartitionState;
  readonly records: ConsumerRecord[];
}

/** The fetches of one consumer. */
export class Fetcher {
  private readonly brokers = new Map<number, BrokerFetches>();
  /** Partitions with chunks to hand out, in the order in which their turn comes. */
  private turns: PartitionState[] = [];
  private error: KafkaError | null = null;
  private retryMs = Infinity;
  private rotation = 0;
  private readonly rules: ChunkRules;

  constructor(
    private readonly context: ConsumerContext,
    private readonly positions: Positions,
  ) {
    const { checkCrcs, isolationLevel } = context.options;
    this.rules = { checkCrcs, readCommitted: isolationLevel === 'read_committed' };
  }

  /** Monotonic time at which something that failed may be tried again; Infinity when nothing waits. */
  get nextMs(): number {
    return this.retryMs;
  }

  /**
   * Hands out up to `recordsMax` records that have been fetched, and moves the positions behind them.
   *
   * @throws KafkaError what a fetch came to, or CORRUPT_MESSAGE once everything before the bad batch was handed out
   */
  collect(recordsMax: number): ConsumerRecords {
    if (this.error !== null) {
      const { error } = this;
      this.error = null;
      throw error;
    }
    if (this.turns.length === 0) return NO_RECORDS;
    const gathered: Gathered[] = [];
    let left = recordsMax;
    for (let state = this.turns[0]; left > 0 && state !== undefined; state = this.turns[0]) {
      left -= this.handOut(state, left, gathered);
      const failure = state.buffer.head?.failure ?? null;
      if (failure === null) continue;
      if (gathered.some((each) => each.records.length > 0)) break;
      // Fetched again from the position: the bytes may have been damaged on the way.
      state.refetch();
      this.pause(state, this.context.io.clock.monotonic());
      throw failure;
    }
    return new ConsumerRecords(
      gathered
        .filter(({ records }) => records.length > 0)
        .map(({ state, records }) => ({
          topicPartition: state.topicPartition,
          records,
          nextOffset: state.position,
          nextOffsetEpoch: state.positionEpoch,
        })),
    );
  }

  /** A partition may be handed out again. */
  resumed(state: PartitionState): void {
    if (state.buffer.head !== undefined && !this.turns.includes(state)) this.turns.push(state);
  }

  /** Sends the fetches that can be sent now. */
  send(nowMs: number): void {
    const byBroker = new Map<number, PartitionState[]>();
    const held = new Set<number>();
    let bytes = 0;
    this.retryMs = Infinity;
    for (const state of this.context.subscriptions.partitions.values()) {
      if (!state.readable) continue;
      // What a paused partition holds waits for `resume` and must not keep the others from being fetched.
      bytes += state.buffer.bytes;
      if (!state.mayTry(nowMs)) {
        this.retryMs = Math.min(this.retryMs, state.retryAtMs);
        continue;
      }
      const broker = this.brokerOf(state, nowMs);
      if (broker === -1 || this.brokers.get(broker)?.underWay === true) continue;
      // A fetch without the full partition would wait for the others' data while this one is drained.
      if (state.buffer.full) held.add(broker);
      const group = byBroker.get(broker);
      if (group === undefined) byBroker.set(broker, [state]);
      else group.push(state);
    }
    if (bytes >= this.context.options.fetchMaxBytes) return;
    for (const [broker, states] of byBroker) {
      if (!held.has(broker) && this.mayAsk(broker, nowMs)) this.fetch(broker, states);
    }
  }

  /** Hands out from the partition whose turn it is and passes the turn on; returns the number of records. */
  private handOut(state: PartitionState, recordsMax: number, gathered: Gathered[]): number {
    const chunk = this.isReadable(state) ? state.buffer.head : undefined;
    if (chunk === undefined) {
      this.turns.shift();
      return 0;
    }
    let part = gathered.find((each) => each.state === state);
    if (part === undefined) gathered.push((part = { state, records: [] }));
    const before = part.records.length;
    chunk.take(before + recordsMax, part.records);
    state.position = chunk.nextOffset;
    if (chunk.lastEpoch >= 0) state.positionEpoch = chunk.lastEpoch;
    if (chunk.drained) {
      state.buffer.shift();
      this.turns.shift();
      if (state.buffer.head !== undefined) this.turns.push(state);
    }
    return part.records.length - before;
  }

  private isReadable(state: PartitionState): boolean {
    return state.readable && this.context.subscriptions.partitions.get(state.key) === state;
  }

  /** The replica nearby that the leader has named, while it is there and the news is fresh; else the leader. */
  private brokerOf(state: PartitionState, nowMs: number): number {
    const { preferredReplica } = state;
    if (preferredReplica === -1) return this.leaderOf(state, nowMs);
    if (nowMs < state.preferredUntilMs && this.context.cluster.metadata.brokers.has(preferredReplica)) {
      return preferredReplica;
    }
    state.preferredReplica = -1;
    return this.leaderOf(state, nowMs);
  }

  private leaderOf(state: PartitionState, nowMs: number): number {
    const { topic, partition } = state.topicPartition;
    const { metadata } = this.context.cluster;
    const leader = metadata.partition(topic, partition)?.leader ?? -1;
    if (leader === -1) {
      metadata.requestUpdate();
      // Without metadata of the topic the next answer wakes the poll loop; with it, looking again only makes sense later.
      if (metadata.topic(topic) !== undefined) this.pause(state, nowMs);
    }
    return leader;
  }

  private mayAsk(broker: number, nowMs: number): boolean {
    const retryAtMs = this.brokers.get(broker)?.retryAtMs ?? 0;
    if (nowMs >= retryAtMs) return true;
    this.retryMs = Math.min(this.retryMs, retryAtMs);
    return false;
  }

  private fetch(broker: number, states: readonly PartitionState[]): void {
    const { cluster, options } = this.context;
    const fetches = this.brokers.get(broker) ?? newBroker();
    this.brokers.set(broker, fetches);
    const plan = fetches.session.plan(this.wishes(states));
    const timeoutMs = Math.max(options.requestTimeoutMs, options.fetchMaxWaitMs + FETCH_GRACE_MS);
    const bounds = fetches.session.usesIds ? {} : { maxVersion: FETCH_NAMES_VERSION };
    fetches.underWay = true;
    const { counters, io } = this.context;
    const sentMs = io.clock.monotonic();
    cluster.send(broker, Fetch, this.body(plan), { lane: FETCH_LANE, timeoutMs, ...bounds }, (error, response) => {
      fetches.underWay = false;
      counters.fetched(io.clock.monotonic() - sentMs);
      if (error !== null || response === null) this.onBrokerFailure(broker, fetches, error);
      else if (response.errorCode !== ErrorCode.NONE) this.onRefusal(broker, fetches, response.errorCode);
      else this.onResponse(fetches, response);
      this.context.signal.raise();
    });
  }

  /** The broker fills the answer in the order of the request, so each time another partition comes first. */
  private wishes(states: readonly PartitionState[]): Wish[] {
    const { metadata } = this.context.cluster;
    const first = this.rotation++ % states.length;
    return states.map((_, index) => {
      const state = states[(first + index) % states.length] as PartitionState;
      const { topic, partition } = state.topicPartition;
      return {
        topic,
        partition,
        topicId: metadata.topic(topic)?.topicId ?? ZERO_UUID,
        fetchOffset: state.buffer.fetchOffset,
        leaderEpoch: metadata.partition(topic, partition)?.leaderEpoch ?? -1,
        owner: { state, version: state.version },
      };
    });
  }

  private body(plan: FetchPlan<Asked>): RequestInput<typeof Fetch> {
    const { options } = this.context;
    return {
      maxWaitMs: options.fetchMaxWaitMs,
      minBytes: options.fetchMinBytes,
      maxBytes: options.fetchMaxBytes,
      isolationLevel: this.rules.readCommitted ? 1 : 0,
      sessionId: plan.sessionId,
      sessionEpoch: plan.sessionEpoch,
      rackId: options.clientRack ?? '',
      topics: Array.from(groupByTopic(plan.wishes), ([topic, wishes]) => ({
        topic,
        topicId: (wishes[0] as Wish).topicId,
        partitions: wishes.map(({ partition, leaderEpoch, fetchOffset }) => ({
          partition,
          currentLeaderEpoch: leaderEpoch,
          fetchOffset,
          partitionMaxBytes: options.maxPartitionFetchBytes,
        })),
      })),
      forgottenTopicsData: plan.forgotten.map(({ topic, topicId, partition }) => ({
        topic,
        topicId,
        partitions: [partition],
      })),
    };
  }

  private onBrokerFailure(broker: number, fetches: BrokerFetches, error: KafkaError | null): void {
    fetches.session.reset();
    fetches.failures++;
    for (const state of this.context.subscriptions.partitions.values()) {
      if (state.preferredReplica === broker) state.preferredReplica = -1;
    }
    fetches.retryAtMs = this.context.io.clock.monotonic() + retryPauseMs(this.context, fetches.failures);
    if (error === null || error.retriable) {
      this.context.options.logger.debug(`A fetch from broker ${broker} failed; trying again.`, { error });
      this.context.cluster.metadata.requestUpdate();
    } else {
      this.error = error;
    }
  }

  /** The broker refuses the request as a whole. What is about the session is tried again at once, with a full request. */
  private onRefusal(broker: number, fetches: BrokerFetches, errorCode: number): void {
    if (errorCode === ErrorCode.FETCH_SESSION_ID_NOT_FOUND) fetches.session.forget();
    else if (SESSION_CODES.has(errorCode)) fetches.session.reset();
    else this.onBrokerFailure(broker, fetches, brokerError(errorCode, `Fetching from broker ${broker}`));
  }

  private onResponse(fetches: BrokerFetches, response: FetchResponse): void {
    const { session } = fetches;
    fetches.failures = 0;
    session.accepted(response.sessionId);
    for (const { topic, topicId, partitions } of response.responses) {
      const name = topic === '' ? session.topicName(topicId) : topic;
      for (const partition of name === undefined ? [] : partitions) {
        const wish = session.asked(name as string, partition.partitionIndex);
        if (wish !== undefined && this.isCurrent(wish)) this.onPartition(wish, partition, topic === '');
      }
    }
  }

  /** Whether the partition is still assigned and still where it was when the fetch was sent. */
  private isCurrent({ owner: { state, version }, fetchOffset }: Wish): boolean {
    return (
      state.version === version &&
      state.buffer.fetchOffset === fetchOffset &&
      !state.revoking &&
      this.context.subscriptions.partitions.get(state.key) === state
    );
  }

  private onPartition({ owner: { state }, fetchOffset }: Wish, answer: ResponsePartition, byId: boolean): void {
    if (answer.errorCode !== ErrorCode.NONE) {
      this.onPartitionError(state, answer, byId);
      return;
    }
    state.failures = 0;
    if (answer.preferredReadReplica >= 0) this.prefer(state, answer.preferredReadReplica);
    state.endOffset = this.rules.readCommitted ? answer.lastStableOffset : answer.highWatermark;
    const { records, abortedTransactions } = answer;
    if (records === null || records.length === 0) return;
    this.context.counters.bytes += records.length;
    const chunk = new FetchedChunk(state.topicPartition, fetchOffset, { records, abortedTransactions }, this.rules);
    if (state.buffer.add(fetchOffset, chunk)) this.resumed(state);
  }

  private prefer(state: PartitionState, replica: number): void {
    const { cluster, io, options } = this.context;
    const nowMs = io.clock.monotonic();
    if (cluster.metadata.brokers.has(replica)) {
      state.preferredReplica = replica;
      state.preferredUntilMs = nowMs + options.metadataMaxAgeMs;
    } else {
      // The leader would name it again and again.
      cluster.metadata.requestUpdate();
      this.pause(state, nowMs);
    }
  }

  private onPartitionError(
    state: PartitionState,
    { errorCode, currentLeader, partitionIndex }: ResponsePartition,
    byId: boolean,
  ): void {
    const { cluster, options, io } = this.context;
    const { topic } = state.topicPartition;
    const error = brokerError(errorCode, `Fetching ${state.key} at offset ${state.buffer.fetchOffset}`);
    const isFollower = state.preferredReplica !== -1;
    state.preferredReplica = -1;
    this.pause(state, io.clock.monotonic());
    if (errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) {
      // A follower may be behind; only the leader's word counts.
      if (isFollower) return;
      // What was fetched before is handed out first; the fetch is repeated meanwhile.
      if (state.buffer.head !== undefined) return;
      // By its name the topic may be another one than that of the position.
      if (byId || state.topicId === null) this.resetPosition(state);
      else this.resetUnlessRecreated(state);
    } else if (isMetadataError(errorCode)) {
      if (currentLeader.leaderId >= 0) {
        const { leaderId, leaderEpoch } = currentLeader;
        cluster.metadata.learnLeader(topic, partitionIndex, { leader: leaderId, leaderEpoch });
      }
      cluster.metadata.requestUpdate();
      options.logger.debug(error.message);
    } else if (error.retriable) {
      options.logger.debug(error.message);
    } else if (errorCode === ErrorCode.UNKNOWN_SERVER_ERROR) {
      options.logger.warn(error.message);
    } else {
      this.error = error;
    }
  }

  private resetPosition(state: PartitionState): void {
    this.context.options.logger.warn(`Offset ${state.position} of ${state.key} does not exist (any more).`);
    this.positions.resetByPolicy([state], `Offset ${state.position} is out of range`);
  }

  /** Looks at the metadata first, which begin the partition anew if its topic is another one. Failing, fetches again. */
  private resetUnlessRecreated(state: PartitionState): void {
    const { cluster, signal, subscriptions } = this.context;
    const { version } = state;
    const { topic } = state.topicPartition;
    const onAnswer = (): void => {
      const isCurrent = state.version === version && subscriptions.partitions.get(state.key) === state;
      const exists = cluster.metadata.topic(topic) !== undefined;
      if (isCurrent && exists && state.position === state.buffer.fetchOffset) this.resetPosition(state);
      signal.raise();
    };
    cluster.metadata.refresh([topic]).then(onAnswer, () => undefined);
  }

  private pause(state: PartitionState, nowMs: number): void {
    state.failed(nowMs + retryPauseMs(this.context, state.failures + 1));
    this.retryMs = Math.min(this.retryMs, state.retryAtMs);
  }
}

function newBroker(): BrokerFetches {
  return { session: new FetchSession(), underWay: false, failures: 0, retryAtMs: 0 };
}
