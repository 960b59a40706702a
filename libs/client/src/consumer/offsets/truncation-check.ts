/**
 * Notices that a log was cut behind a consumer's position (KIP-320): after an unclean election the new leader may lack
 * records that were read already, and the same offsets will be given to other records.
 *
 * Guarantees: after a change of leaders nothing is fetched in a partition before its new leader has confirmed that the
 * log still holds what the position builds on; if not, reading goes on where the logs parted (or fails with `none`), so
 * that no record of the new leader is left out. Needs to know the leader epoch of the position; a position from `seek`
 * has none and is not checked. Brokers before Kafka 2.3 cannot be asked; then nothing is checked.
 */
import { ErrorCode, isMetadataError, OffsetForLeaderEpoch, type ResponseOf } from '@kafka-template/protocol';
import { asKafkaError, brokerError, ClientErrorCode, KafkaError } from '../../errors.js';
import { type ConsumerContext, retryPauseMs } from '../consumer-context.js';
import type { PartitionState } from '../partition-state.js';
import { groupByTopic, partitionKey } from '../topic-partition.js';
import type { Positions } from './positions.js';

/** First version a consumer may use with its ordinary permissions. */
const CONSUMER_VERSION = 3;

/** A partition at the moment it was asked for. */
interface Check {
  readonly state: PartitionState;
  readonly version: number;
  readonly leaderEpoch: number;
}

type Answer = ResponseOf<typeof OffsetForLeaderEpoch>['topics'][number]['partitions'][number];

/** Checks positions after changes of leaders. */
export class TruncationCheck {
  private isStale = true;
  private error: KafkaError | null = null;
  private retryMs = Infinity;

  constructor(
    private readonly context: ConsumerContext,
    private readonly positions: Positions,
  ) {}

  /** Monotonic time at which a failed check may be tried again; Infinity when none waits. */
  get nextMs(): number {
    return this.retryMs;
  }

  /** Leaders may have changed, or positions have been found: to be looked at with the next {@link update}. */
  notice(): void {
    this.isStale = true;
  }

  /**
   * Starts the checks that are needed and can be made now.
   *
   * @throws KafkaError LOG_TRUNCATION when a log was cut and `autoOffsetReset` is `none`; or what will not pass
   */
  update(nowMs: number): void {
    if (this.error !== null) {
      const { error } = this;
      this.error = null;
      throw error;
    }
    if (this.isStale) this.findUnchecked();
    this.retryMs = Infinity;
    const byLeader = new Map<number, Check[]>();
    for (const state of this.context.subscriptions.partitions.values()) {
      if (!state.unchecked || state.lookingUp || state.revoking) continue;
      if (!state.mayTry(nowMs)) {
        this.retryMs = Math.min(this.retryMs, state.retryAtMs);
        continue;
      }
      const { topic, partition } = state.topicPartition;
      const leader = this.context.cluster.metadata.partition(topic, partition)?.leader ?? -1;
      // Without a leader the next answer of the cluster is waited for.
      if (leader === -1) continue;
      state.lookingUp = true;
      const check = { state, version: state.version, leaderEpoch: this.leaderEpochOf(state) };
      const checks = byLeader.get(leader);
      if (checks === undefined) byLeader.set(leader, [check]);
      else checks.push(check);
    }
    for (const [leader, checks] of byLeader) void this.ask(leader, checks);
  }

  /** Partitions whose leader is newer than what was read last wait for its word. */
  private findUnchecked(): void {
    this.isStale = false;
    for (const state of this.context.subscriptions.partitions.values()) {
      const leaderEpoch = this.leaderEpochOf(state);
      if (!state.hasPosition || state.unchecked || leaderEpoch <= state.checkedEpoch) continue;
      if (state.positionEpoch < 0 || state.positionEpoch >= leaderEpoch) state.checkedEpoch = leaderEpoch;
      else state.beginCheck();
    }
  }

  private leaderEpochOf(state: PartitionState): number {
    const { topic, partition } = state.topicPartition;
    return this.context.cluster.metadata.partition(topic, partition)?.leaderEpoch ?? -1;
  }

  private async ask(leader: number, checks: readonly Check[]): Promise<void> {
    const entries = checks.map(({ state, leaderEpoch }) => ({ ...state.topicPartition, state, leaderEpoch }));
    const topics = [...groupByTopic(entries)].map(([topic, group]) => ({
      topic,
      partitions: group.map(({ partition, leaderEpoch, state }) => ({
        partition,
        currentLeaderEpoch: leaderEpoch,
        leaderEpoch: state.positionEpoch,
      })),
    }));
    try {
      const body = { replicaId: -1, topics };
      const response = await this.context.cluster.request(leader, OffsetForLeaderEpoch, body, {
        minVersion: CONSUMER_VERSION,
      });
      const answers = new Map(
        response.topics.flatMap(({ topic, partitions }) =>
          partitions.map((each) => [partitionKey({ topic, partition: each.partition }), each] as const),
        ),
      );
      for (const check of this.current(checks)) this.apply(check, answers.get(check.state.key));
    } catch (thrown) {
      const error = asKafkaError(thrown, ClientErrorCode.PROTOCOL, 'Checking positions failed');
      for (const check of this.current(checks)) {
        if (error.code === ClientErrorCode.UNSUPPORTED_VERSION) check.state.endCheck(check.leaderEpoch);
        else this.onFailure(check, error);
      }
    }
    this.context.signal.raise();
  }

  private apply(check: Check, answer: Answer | undefined): void {
    const { state, leaderEpoch } = check;
    const errorCode = answer?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR;
    if (answer === undefined || errorCode !== ErrorCode.NONE) {
      if (isMetadataError(errorCode)) this.context.cluster.metadata.requestUpdate();
      this.onFailure(check, brokerError(errorCode, `Checking the position of ${state.key}`));
      return;
    }
    state.lookingUp = false;
    if (answer.endOffset >= state.position) state.endCheck(leaderEpoch);
    else this.onTruncation(check, answer);
  }

  private onTruncation({ state, leaderEpoch }: Check, { endOffset, leaderEpoch: endEpoch }: Answer): void {
    const { options, io } = this.context;
    const what = `The log of ${state.key} was cut behind position ${state.position} by its new leader`;
    if (options.autoOffsetReset === 'none') {
      state.failed(io.clock.monotonic() + retryPauseMs(this.context, 1));
      const advice = endOffset < 0 ? '' : ` The logs parted at offset ${endOffset}.`;
      const message = `${what}, and autoOffsetReset is "none".${advice} seek() to where reading shall go on.`;
      this.error = new KafkaError('LOG_TRUNCATION', message);
      return;
    }
    if (endOffset < 0) {
      this.positions.resetByPolicy([state], what);
      return;
    }
    options.logger.warn(`${what}; going on at offset ${endOffset}, where the logs parted.`);
    state.seek(endOffset, endEpoch);
    state.checkedEpoch = leaderEpoch;
  }

  private onFailure({ state }: Check, error: KafkaError): void {
    state.lookingUp = false;
    state.failed(this.context.io.clock.monotonic() + retryPauseMs(this.context, state.failures + 1));
    if (!error.retriable) this.error = error;
    else this.context.cluster.metadata.requestUpdate();
  }

  /** Those whose partition is still assigned and still where it was when it was asked for. */
  private current(checks: readonly Check[]): Check[] {
    const { partitions } = this.context.subscriptions;
    return checks.filter(({ state, version }) => state.version === version && partitions.get(state.key) === state);
  }
}
