/**
 * The consumer: puts the parts together and runs the poll loop.
 *
 * Guarantees, beside those of the interface (consumer.ts): a turn of the loop takes at most one step of a rebalance and
 * hands records out only while the assignment is in force; `poll` lets the event loop run every few milliseconds, so that
 * even an application that polls in a tight loop gets its heartbeats out and its fetches in.
 */
import { ClientErrorCode, closedError, KafkaError, timeoutError } from '../errors.js';
import type { ClientIo } from '../io/io.js';
import type { PartitionInfo } from '../metadata/topic-info.js';
import type { Consumer, ConsumerGroupMetadata, OffsetForTime, PartitionOffset } from './consumer.js';
import type { ConsumerCluster, ConsumerContext } from './consumer-context.js';
import { ConsumerCounters, type ConsumerMetrics } from './consumer-metrics.js';
import type { ResolvedConsumerOptions } from './consumer-options.js';
import type { ConsumerRecord } from './consumer-record.js';
import { type ConsumerRecords, NO_RECORDS } from './consumer-records.js';
import { Fetcher } from './fetch/fetcher.js';
import { ConsumerGroup } from './group/consumer-group.js';
import { TopicWatch } from './group/topic-watch.js';
import type { CommittedOffset } from './offsets/committed-offsets.js';
import { type CommitCallback, type OffsetCommit } from './offsets/commits.js';
import { OffsetLookup, type OffsetQuery, OffsetSpec } from './offsets/list-offsets.js';
import { positionsToCommit } from './offsets/auto-commit.js';
import { Positions } from './offsets/positions.js';
import { RecreatedTopics } from './offsets/recreated-topics.js';
import { TruncationCheck } from './offsets/truncation-check.js';
import type { ResetTarget } from './partition-state.js';
import { RecordIterator } from './record-iterator.js';
import type { RebalanceListener } from './rebalance-listener.js';
import { Signal } from './signal.js';
import { Subscriptions } from './subscriptions.js';
import { partitionKey, type TopicPartition } from './topic-partition.js';

/** Limit of `close` when none is given. As in Java. */
const CLOSE_TIMEOUT_MS = 30_000;

/** How long polls may go on without letting the event loop run; it costs as much as handing out hundreds of records. */
const YIELD_INTERVAL_MS = 2;

/** How long one turn of `for await` waits for records before it looks whether it is to end. */
const ITERATION_POLL_MS = 1_000;

/** The consumer behind `createConsumer`. */
export class KafkaConsumer implements Consumer {
  private readonly context: ConsumerContext;
  private readonly subscriptions = new Subscriptions();
  private readonly signal: Signal;
  private readonly topics: TopicWatch;
  private readonly lookup: OffsetLookup;
  private readonly positions: Positions;
  private readonly recreated: RecreatedTopics;
  private readonly truncation: TruncationCheck;
  private readonly fetcher: Fetcher;
  /** Null without a group. */
  private readonly group: ConsumerGroup | null;
  private readonly counters = new ConsumerCounters();
  private inPoll = false;
  /** Monotonic time at which `poll` was left last; null before the first. */
  private polledMs: number | null = null;
  /** The poll under way. */
  private polling: Promise<unknown> | null = null;
  /** Set while the partitions are being given up for good: the poll loop stands still. */
  private givingUp: Promise<void> | null = null;
  private closing: Promise<void> | null = null;
  /** Set at the end of `close`: until then the rebalance listener may still commit. */
  private ended = false;
  /** The last turn of the loop ended before the assignment was in force. */
  private waitsForGroup = false;
  private wakeupRequested = false;
  /** Monotonic time at which the event loop is known to have run. */
  private yieldedMs = -Infinity;
  /** What a commit callback threw, for the next poll. */
  private callbackError: KafkaError | null = null;

  constructor(
    private readonly options: ResolvedConsumerOptions,
    private readonly cluster: ConsumerCluster,
    private readonly io: ClientIo,
  ) {
    this.signal = new Signal(io.clock);
    const { subscriptions, signal, counters } = this;
    this.context = { options, cluster, io, subscriptions, signal, counters };
    this.topics = new TopicWatch(this.context);
    this.lookup = new OffsetLookup(this.context, options.isolationLevel);
    this.group = options.groupId === undefined ? null : new ConsumerGroup(this.context, options.groupId, this.topics);
    const noticeLeaders = (): void => this.truncation.notice();
    this.positions = new Positions(this.context, this.group?.committed ?? null, this.lookup, noticeLeaders);
    this.recreated = new RecreatedTopics(this.context);
    this.truncation = new TruncationCheck(this.context, this.positions);
    this.fetcher = new Fetcher(this.context, this.positions);
    cluster.metadata.onUpdate(() => {
      this.topics.onMetadata();
      this.recreated.onMetadata();
      this.truncation.notice();
      this.signal.raise();
    });
  }

  get closed(): boolean {
    return this.closing !== null;
  }

  subscribe(topics: string | readonly string[] | RegExp, listener: RebalanceListener = {}): void {
    this.checkMayChange();
    this.needGroup();
    if (topics instanceof RegExp) this.subscriptions.subscribePattern(topics, listener);
    else this.subscriptions.subscribeTopics(checkTopics(topics), listener);
    this.changed();
  }

  assign(partitions: readonly TopicPartition[]): void {
    this.checkMayChange();
    checkTopics(partitions.map((each) => each.topic).concat(partitions.length === 0 ? ['-'] : []));
    if (this.subscriptions.mode === 'assigned') this.group?.autoCommit.commitInBackground();
    this.subscriptions.assign(partitions);
    this.changed();
  }

  async unsubscribe(): Promise<void> {
    this.checkMayChange();
    const { promise, resolve } = deferred();
    this.givingUp = promise;
    try {
      await this.giveUp('the consumer unsubscribed from all topics', CLOSE_TIMEOUT_MS);
    } finally {
      this.subscriptions.clear();
      this.givingUp = null;
      resolve();
      this.changed();
    }
  }

  subscription(): string[] {
    return [...this.subscriptions.topics];
  }

  assignment(): TopicPartition[] {
    return Array.from(this.subscriptions.partitions.values(), (state) => state.topicPartition);
  }

  poll(timeoutMs: number): Promise<ConsumerRecords> {
    if (this.inPoll) {
      return Promise.reject(invalid('poll() is already waiting. Await it before calling poll() again.'));
    }
    this.inPoll = true;
    const poll = this.runPoll(timeoutMs);
    // A poll that is refused is over before it is known here.
    if (this.inPoll) this.polling = poll;
    return poll;
  }

  seek(partition: TopicPartition, offset: number): void {
    this.checkOpen();
    if (!Number.isSafeInteger(offset) || offset < 0) {
      throw invalid(`The offset ${offset} to seek to in ${partitionKey(partition)} is not a whole number from 0 on.`);
    }
    this.subscriptions.get(partition).seek(offset, -1);
    this.signal.raise();
  }

  seekToBeginning(partitions?: readonly TopicPartition[]): void {
    this.resetTo(partitions, 'earliest');
  }

  seekToEnd(partitions?: readonly TopicPartition[]): void {
    this.resetTo(partitions, 'latest');
  }

  async position(partition: TopicPartition): Promise<number> {
    const { defaultApiTimeoutMs } = this.options;
    const { clock } = this.io;
    const deadlineMs = clock.monotonic() + defaultApiTimeoutMs;
    for (;;) {
      this.checkOpen();
      const state = this.subscriptions.get(partition);
      if (state.hasPosition) return state.position;
      const nowMs = clock.monotonic();
      this.positions.update(nowMs);
      if (nowMs >= deadlineMs) {
        throw timeoutError(`The position of ${state.key} could not be found within ${defaultApiTimeoutMs} ms.`);
      }
      await this.signal.wait(Math.min(deadlineMs, this.positions.nextMs));
    }
  }

  currentLag(partition: TopicPartition): number | null {
    this.checkOpen();
    return this.subscriptions.get(partition).lag;
  }

  metrics(): ConsumerMetrics {
    const states = [...this.subscriptions.partitions.values()];
    const lags = states.map(({ lag }) => lag).filter((lag) => lag !== null);
    const idleMs = this.polledMs === null ? null : this.io.clock.monotonic() - this.polledMs;
    return this.counters.snapshot({
      assignedPartitions: states.length,
      recordsLagMax: lags.length === 0 ? null : lags.reduce((one, other) => Math.max(one, other)),
      lastPollAgoMs: this.inPoll ? 0 : idleMs,
    });
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<ConsumerRecord> {
    return new RecordIterator({
      isClosed: () => this.closed,
      poll: () => this.poll(ITERATION_POLL_MS),
      find: (partition) => this.subscriptions.find(partition),
    });
  }

  async committed(partitions: readonly TopicPartition[]): Promise<CommittedOffset[]> {
    this.checkOpen();
    return this.needGroup().committed.fetch(partitions, this.options.defaultApiTimeoutMs);
  }

  async commitSync(offsets?: readonly OffsetCommit[]): Promise<void> {
    this.checkOpen();
    const { commits } = this.needGroup();
    await commits.commitSync(this.toCommit(offsets), this.options.defaultApiTimeoutMs);
  }

  commitAsync(offsets?: readonly OffsetCommit[], callback?: CommitCallback): void {
    const toCommit = this.toCommit(offsets);
    const tell = (error: KafkaError | null): void => this.tellCommitted(error, toCommit, callback);
    if (this.group === null || this.ended) {
      const error = this.group === null ? noGroupError() : closedError('The consumer is closed.');
      this.io.clock.defer(() => tell(error));
      return;
    }
    this.group.commits.commitAsync(toCommit, tell);
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.checkOpen();
    for (const state of partitions.map((each) => this.subscriptions.get(each))) state.paused = true;
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.checkOpen();
    for (const state of partitions.map((each) => this.subscriptions.get(each))) {
      state.paused = false;
      this.fetcher.resumed(state);
    }
    this.signal.raise();
  }

  paused(): TopicPartition[] {
    return [...this.subscriptions.partitions.values()].filter((each) => each.paused).map((each) => each.topicPartition);
  }

  beginningOffsets(partitions: readonly TopicPartition[]): Promise<PartitionOffset[]> {
    return this.ends(partitions, OffsetSpec.EARLIEST);
  }

  endOffsets(partitions: readonly TopicPartition[]): Promise<PartitionOffset[]> {
    return this.ends(partitions, OffsetSpec.LATEST);
  }

  async offsetsForTimes(queries: readonly OffsetQuery[]): Promise<OffsetForTime[]> {
    this.checkOpen();
    const found = await this.lookup.find(queries, this.options.defaultApiTimeoutMs);
    return found.map((each) => (each.offset < 0 ? { ...each, offset: null } : each));
  }

  async partitionsFor(topic: string): Promise<readonly PartitionInfo[]> {
    this.checkOpen();
    const { partitions } = await this.cluster.metadata.waitForTopic(topic, this.options.defaultApiTimeoutMs);
    return partitions;
  }

  groupMetadata(): ConsumerGroupMetadata {
    return this.needGroup().metadata();
  }

  wakeup(): void {
    this.wakeupRequested = true;
    this.signal.raise();
  }

  close(timeoutMs = CLOSE_TIMEOUT_MS): Promise<void> {
    this.closing ??= this.shutDown(timeoutMs);
    return this.closing;
  }

  /** One call of poll. Never throws synchronously. */
  private async runPoll(timeoutMs: number): Promise<ConsumerRecords> {
    const { clock } = this.io;
    try {
      if (this.closed) throw closedError('The consumer is closed.');
      if (!(timeoutMs >= 0)) throw invalid(`The timeout of poll(), ${timeoutMs} ms, is not a number from 0 on.`);
      if (this.subscriptions.mode === 'none' && this.givingUp === null) {
        throw invalid(
          'This consumer is not subscribed to any topics or assigned any partitions. Call subscribe() or assign().',
        );
      }
      this.group?.membership.heartbeat.pollBegan();
      const deadlineMs = clock.monotonic() + timeoutMs;
      await this.yieldNowAndThen();
      for (;;) {
        const nowMs = clock.monotonic();
        const records = this.turn(nowMs);
        if (!records.isEmpty || nowMs >= deadlineMs) return records;
        await this.signal.wait(Math.min(deadlineMs, this.nextTurnMs()));
        this.yieldedMs = clock.monotonic();
      }
    } finally {
      this.inPoll = false;
      this.polling = null;
      this.polledMs = clock.monotonic();
      this.group?.membership.heartbeat.pollEnded();
    }
  }

  /** Lets the event loop run if it has not done so for a while: with records at hand, polls never wait for anything. */
  private async yieldNowAndThen(): Promise<void> {
    const { clock } = this.io;
    if (clock.monotonic() - this.yieldedMs < YIELD_INTERVAL_MS) return;
    await new Promise<void>((resolve) => clock.defer(resolve));
    this.yieldedMs = clock.monotonic();
  }

  /** Does what can be done now, and returns the records that are there. */
  private turn(nowMs: number): ConsumerRecords {
    if (this.closed) throw closedError('The consumer was closed.');
    if (this.wakeupRequested) {
      this.wakeupRequested = false;
      throw new KafkaError(ClientErrorCode.WAKEUP, 'poll() was interrupted by wakeup().', { retriable: true });
    }
    if (this.givingUp !== null) return NO_RECORDS;
    this.throwFailures();
    this.waitsForGroup = this.subscriptions.groupManaged && this.group?.rebalance.advance() === false;
    if (this.waitsForGroup) return NO_RECORDS;
    this.recreated.update();
    this.group?.autoCommit.commitIfDue(nowMs);
    this.positions.update(nowMs);
    this.truncation.update(nowMs);
    const records = this.fetcher.collect(this.options.maxPollRecords);
    this.counters.records += records.count;
    this.fetcher.send(nowMs);
    return records;
  }

  private throwFailures(): void {
    const error = this.callbackError ?? this.topics.failure;
    this.callbackError = null;
    if (error !== null) throw error;
    const metadataError = this.cluster.metadata.error;
    if (metadataError !== null && !metadataError.retriable) throw metadataError;
  }

  private nextTurnMs(): number {
    // What else is due is done when the assignment is in force; waking for it before would be spinning.
    if (this.waitsForGroup) return this.group?.rebalance.nextStepMs ?? Infinity;
    const groupMs = Math.min(this.group?.rebalance.nextStepMs ?? Infinity, this.group?.autoCommit.nextMs ?? Infinity);
    return Math.min(this.positions.nextMs, this.truncation.nextMs, this.fetcher.nextMs, groupMs);
  }

  private async shutDown(timeoutMs: number): Promise<void> {
    const { clock } = this.io;
    this.signal.raise();
    const { promise: timeUp, resolve } = deferred();
    const timer = clock.setTimer(timeoutMs, resolve);
    try {
      await Promise.race([this.endInOrder(timeoutMs), timeUp]);
    } finally {
      clock.clearTimer(timer);
      this.ended = true;
      this.group?.membership.heartbeat.stop();
      this.subscriptions.clear();
      this.cluster.close();
    }
  }

  private async endInOrder(timeoutMs: number): Promise<void> {
    await this.givingUp;
    await this.giveUp('the consumer is being closed', timeoutMs);
  }

  /** Gives up all partitions and leaves the group. Rejects with what the listener threw, after everything is done. */
  private async giveUp(reason: string, timeoutMs: number): Promise<void> {
    this.signal.raise();
    // A poll that is under way ends its turn first, so that there is one thing at a time.
    if (this.closed) await this.polling?.catch(() => undefined);
    if (this.group === null) return;
    if (this.subscriptions.groupManaged) await this.group.leave(reason);
    else await this.group.autoCommit.commitNow(timeoutMs);
  }

  private resetTo(partitions: readonly TopicPartition[] | undefined, target: ResetTarget): void {
    this.checkOpen();
    const chosen = partitions === undefined || partitions.length === 0 ? this.assignment() : partitions;
    for (const state of chosen.map((each) => this.subscriptions.get(each))) state.requestReset(target);
    this.signal.raise();
  }

  private async ends(partitions: readonly TopicPartition[], timestamp: number): Promise<PartitionOffset[]> {
    this.checkOpen();
    const queries = partitions.map(({ topic, partition }) => ({ topic, partition, timestamp }));
    const found = await this.lookup.find(queries, this.options.defaultApiTimeoutMs);
    return found.map(({ topic, partition, offset }) => ({ topic, partition, offset }));
  }

  private toCommit(offsets: readonly OffsetCommit[] | undefined): readonly OffsetCommit[] {
    return offsets ?? positionsToCommit(this.context, { onlyMoved: false });
  }

  private tellCommitted(
    error: KafkaError | null,
    offsets: readonly OffsetCommit[],
    callback: CommitCallback | undefined,
  ): void {
    if (callback === undefined) {
      if (error !== null) this.options.logger.warn('An asynchronous commit failed.', { error });
      return;
    }
    try {
      callback(error, offsets);
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      this.callbackError = new KafkaError(ClientErrorCode.LISTENER_FAILED, `A commit callback threw: ${reason}`, {
        cause: thrown,
      });
      this.signal.raise();
    }
  }

  /** The subscription or the assignment changed. */
  private changed(): void {
    this.topics.update();
    this.signal.raise();
  }

  private checkOpen(): void {
    if (this.ended) throw closedError('The consumer is closed.');
  }

  private checkMayChange(): void {
    if (this.closed) throw closedError('The consumer is closed.');
    if (this.givingUp !== null) throw invalid('unsubscribe() is under way. Await it first.');
  }

  private needGroup(): ConsumerGroup {
    if (this.group === null) throw noGroupError();
    return this.group;
  }
}

function invalid(message: string): KafkaError {
  return new KafkaError(ClientErrorCode.INVALID_ARGUMENT, message);
}

function noGroupError(): KafkaError {
  return new KafkaError(
    'INVALID_GROUP_ID',
    'To use the group management or offset commit APIs, you must provide a valid groupId in the consumer options.',
  );
}

function checkTopics(topics: string | readonly string[]): readonly string[] {
  const names = typeof topics === 'string' ? [topics] : topics;
  if (names.length === 0) throw invalid('subscribe() needs at least one topic; unsubscribe() ends a subscription.');
  const wrong = names.find((name) => typeof name !== 'string' || name.trim() === '');
  if (wrong !== undefined) throw invalid(`${JSON.stringify(wrong)} is not the name of a topic.`);
  return names;
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((fulfil) => (resolve = fulfil));
  return { promise, resolve };
}
