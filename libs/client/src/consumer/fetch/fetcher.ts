/**
 * Fetches records ahead and hands them out.
 *
 * Guarantees: one fetch under way per broker; while the application works on what it got, the next fetch is under way.
 * Bounds: two chunks per partition (CHUNKS_PER_PARTITION_MAX), and no fetch is sent while `fetchMaxBytes` are held.
 * Records of a partition come in order and without gaps or repetitions, whatever was sought, paused or fetched twice
 * meanwhile. A changed leader costs a look at the metadata and a pause, never a rebalance or a lost record.
 * Leaves out the positions (offsets/positions.ts) and fetch sessions.
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
import { type ChunkRules, FetchedChunk } from './fetched-chunk.js';

/** The lane of long polls. */
const FETCH_LANE = 'fetch';
/** Last version that names topics; later ones take their ids. */
const FETCH_NAMES_VERSION = 12;
/** How much longer than the broker may wait for data an answer may take. */
const FETCH_GRACE_MS = 5_000;

/** A partition at the moment a fetch was sent. */
interface Wanted {
  readonly state: PartitionState;
  readonly version: number;
  readonly fetchOffset: number;
}

/** One topic of a fetch: its partitions by number. */
interface WantedTopic {
  readonly topic: string;
  readonly topicId: string;
  readonly partitions: Map<number, Wanted>;
}

type ResponsePartition = FetchResponse['responses'][number]['partitions'][number];

/** Records gathered for one partition while a `poll` result is put together. */
interface Gathered {
  readonly state: PartitionState;
  readonly records: ConsumerRecord[];
}

/** The fetches of one consumer. */
export class Fetcher {
  /** Brokers with a fetch under way. */
  private readonly underWay = new Set<number>();
  /** Monotonic time before which a broker is not asked again, and its failures in a row. */
  private readonly brokerPauses = new Map<number, { untilMs: number; failures: number }>();
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
      bytes += state.buffer.bytes;
      if (!state.hasPosition || state.paused || state.revoking) continue;
      if (!state.mayTry(nowMs)) {
        this.retryMs = Math.min(this.retryMs, state.retryAtMs);
        continue;
      }
      const leader = this.leaderOf(state, nowMs);
      if (leader === -1 || this.underWay.has(leader)) continue;
      // A fetch without the full partition would wait for the others' data while this one is drained.
      if (state.buffer.full) held.add(leader);
      const group = byBroker.get(leader);
      if (group === undefined) byBroker.set(leader, [state]);
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
    return !state.paused && !state.revoking && this.context.subscriptions.partitions.get(state.key) === state;
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
    const untilMs = this.brokerPauses.get(broker)?.untilMs ?? 0;
    if (nowMs >= untilMs) return true;
    this.retryMs = Math.min(this.retryMs, untilMs);
    return false;
  }

  private fetch(broker: number, states: readonly PartitionState[]): void {
    const { cluster, options } = this.context;
    const wanted = this.wantedTopics(states);
    const hasIds = wanted.every(({ topicId }) => topicId !== ZERO_UUID);
    const timeoutMs = Math.max(options.requestTimeoutMs, options.fetchMaxWaitMs + FETCH_GRACE_MS);
    const bounds = hasIds ? {} : { maxVersion: FETCH_NAMES_VERSION };
    this.underWay.add(broker);
    cluster.send(broker, Fetch, this.body(wanted), { lane: FETCH_LANE, timeoutMs, ...bounds }, (error, response) => {
      this.underWay.delete(broker);
      if (error !== null || response === null) this.onBrokerFailure(broker, error);
      else if (response.errorCode !== ErrorCode.NONE) {
        this.onBrokerFailure(broker, brokerError(response.errorCode, `Fetching from broker ${broker}`));
      } else this.onResponse(broker, wanted, response);
      this.context.signal.raise();
    });
  }

  /** The partitions by topic. The broker fills the answer in the order of the request, so each time another one comes first. */
  private wantedTopics(states: readonly PartitionState[]): WantedTopic[] {
    const { metadata } = this.context.cluster;
    const byTopic = new Map<string, WantedTopic>();
    const first = this.rotation++ % states.length;
    for (let index = 0; index < states.length; index++) {
      const state = states[(first + index) % states.length] as PartitionState;
      const { topic, partition } = state.topicPartition;
      let entry = byTopic.get(topic);
      if (entry === undefined) {
        entry = { topic, topicId: metadata.topic(topic)?.topicId ?? ZERO_UUID, partitions: new Map() };
        byTopic.set(topic, entry);
      }
      entry.partitions.set(partition, { state, version: state.version, fetchOffset: state.buffer.fetchOffset });
    }
    return [...byTopic.values()];
  }

  private body(wanted: readonly WantedTopic[]): RequestInput<typeof Fetch> {
    const { options, cluster } = this.context;
    return {
      maxWaitMs: options.fetchMaxWaitMs,
      minBytes: options.fetchMinBytes,
      maxBytes: options.fetchMaxBytes,
      isolationLevel: this.rules.readCommitted ? 1 : 0,
      topics: wanted.map(({ topic, topicId, partitions }) => ({
        topic,
        topicId,
        partitions: Array.from(partitions, ([partition, { fetchOffset }]) => ({
          partition,
          currentLeaderEpoch: cluster.metadata.partition(topic, partition)?.leaderEpoch ?? -1,
          fetchOffset,
          partitionMaxBytes: options.maxPartitionFetchBytes,
        })),
      })),
      forgottenTopicsData: [],
    };
  }

  private onBrokerFailure(broker: number, error: KafkaError | null): void {
    const failures = (this.brokerPauses.get(broker)?.failures ?? 0) + 1;
    const untilMs = this.context.io.clock.monotonic() + retryPauseMs(this.context, failures);
    this.brokerPauses.set(broker, { untilMs, failures });
    if (error === null || error.retriable) {
      this.context.options.logger.debug(`A fetch from broker ${broker} failed; trying again.`, { error });
      this.context.cluster.metadata.requestUpdate();
    } else {
      this.error = error;
    }
  }

  private onResponse(broker: number, wanted: readonly WantedTopic[], response: FetchResponse): void {
    this.brokerPauses.delete(broker);
    for (const { topic, topicId, partitions } of response.responses) {
      const entry = wanted.find((each) => each.topic === topic || (each.topicId === topicId && topicId !== ZERO_UUID));
      for (const partition of partitions) {
        const asked = entry?.partitions.get(partition.partitionIndex);
        if (asked !== undefined && this.isCurrent(asked)) this.onPartition(asked, partition);
      }
    }
  }

  /** Whether the partition is still assigned and still where it was when the fetch was sent. */
  private isCurrent({ state, version, fetchOffset }: Wanted): boolean {
    return (
      state.version === version &&
      state.buffer.fetchOffset === fetchOffset &&
      !state.revoking &&
      this.context.subscriptions.partitions.get(state.key) === state
    );
  }

  private onPartition({ state, fetchOffset }: Wanted, answer: ResponsePartition): void {
    if (answer.errorCode !== ErrorCode.NONE) {
      this.onPartitionError(state, answer);
      return;
    }
    state.failures = 0;
    state.highWatermark = answer.highWatermark;
    const { records, abortedTransactions } = answer;
    if (records === null || records.length === 0) return;
    const chunk = new FetchedChunk(state.topicPartition, fetchOffset, { records, abortedTransactions }, this.rules);
    if (state.buffer.add(fetchOffset, chunk)) this.resumed(state);
  }

  private onPartitionError(
    state: PartitionState,
    { errorCode, currentLeader, partitionIndex }: ResponsePartition,
  ): void {
    const { cluster, options, io } = this.context;
    const { topic } = state.topicPartition;
    const error = brokerError(errorCode, `Fetching ${state.key} at offset ${state.buffer.fetchOffset}`);
    this.pause(state, io.clock.monotonic());
    if (errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) {
      // What was fetched before is handed out first; the fetch is repeated meanwhile.
      if (state.buffer.head !== undefined) return;
      options.logger.warn(`Offset ${state.position} of ${state.key} does not exist (any more).`);
      this.positions.resetByPolicy([state], `Offset ${state.position} is out of range`);
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

  private pause(state: PartitionState, nowMs: number): void {
    state.failed(nowMs + retryPauseMs(this.context, state.failures + 1));
    this.retryMs = Math.min(this.retryMs, state.retryAtMs);
  }
}
