/**
 * kafkajs' consumer behind the port: polled, although kafkajs pushes.
 *
 * Guarantees what the port does: rebalance callbacks run inside `poll` and are awaited before the partitions are given up;
 * positions change in memory only, never by a commit of kafkajs' own; commits arrive in order and with the generation they
 * belong to; who does not poll within `maxPollIntervalMs` loses the membership. Leaves out `assign`: kafkajs has no such thing.
 */
import type { Clock } from '../../io/clock.js';
import type { Log } from '../../io/log.js';
import type { ConsumerProperties } from '../driver-options.js';
import {
  type CommittedOffset,
  type DriverConsumer,
  type OffsetCommit,
  type PartitionInfo,
  type RebalanceListener,
  type TopicPartition,
  partitionName,
} from '../driver.js';
import { type CommitCallback, KafkaJsCommits } from './kafkajs.commits.js';
import { KafkaJsError, closedError, driverErrorOf, unsupportedError } from './kafkajs.error.js';
import { Feed } from './kafkajs.feed.js';
import { Membership } from './kafkajs.membership.js';
import { KafkaJsOffsets } from './kafkajs.offsets.js';
import type { KafkaJsPartition } from './kafkajs.partition.js';
import { PollTasks } from './kafkajs.poll-tasks.js';
import { KafkaJsRecords } from './kafkajs.record.js';
import { Signal } from './kafkajs.signal.js';
import type { KafkaJsCluster, KafkaJsConsumerClient } from './kafkajs.types.js';
import { within } from './kafkajs.wait.js';

/** Limit of `close` when none is given. As in the native driver. */
const CLOSE_TIMEOUT_MS = 30_000;

const NO_RECORDS = new KafkaJsRecords(new Map());

/** What the consumer needs. */
export interface KafkaJsConsumerParts {
  readonly client: KafkaJsConsumerClient;
  readonly cluster: KafkaJsCluster;
  readonly options: ConsumerProperties & { readonly groupId: string };
  readonly clock: Clock;
  readonly log: Log;
}

/** Reads through kafkajs. */
export class KafkaJsConsumer implements DriverConsumer {
  readonly #parts: KafkaJsConsumerParts;
  readonly #signal: Signal;
  readonly #feed: Feed;
  readonly #tasks: PollTasks;
  readonly #offsets: KafkaJsOffsets;
  readonly #membership: Membership;
  readonly #heartbeatIntervalMs: number;
  #topics: (string | RegExp)[] = [];
  #listener: RebalanceListener = {};
  /** Set while kafkajs runs or is being started. */
  #running: Promise<void> | undefined;
  #connecting: Promise<void> | undefined;
  /** For the next poll to throw. */
  #failure: KafkaJsError | undefined;
  #isWoken = false;
  #polling: Promise<unknown> | undefined;
  #polledMs: number;
  /** The end of the assignment under way: its positions are known and the listener has heard. */
  #assigned: Promise<void> = Promise.resolve();
  readonly #commits: KafkaJsCommits;
  #closing: Promise<void> | undefined;
  /** Set while the last partitions are given up for good. */
  #leaving: Promise<void> | undefined;
  #isEnded = false;

  constructor(parts: KafkaJsConsumerParts) {
    this.#parts = parts;
    const { client, cluster, clock, options } = parts;
    this.#heartbeatIntervalMs = options.heartbeatIntervalMs ?? 3000;
    this.#polledMs = clock.now();
    this.#signal = new Signal(clock);
    this.#tasks = new PollTasks(() => this.#signal.raise());
    const { defaultApiTimeoutMs: timeoutMs = 60_000, retryBackoffMs = 100 } = options;
    this.#offsets = new KafkaJsOffsets(cluster, { clock, timeoutMs, retryBackoffMs });
    this.#feed = new Feed({
      client,
      signal: this.#signal,
      clock,
      maxPollRecords: options.maxPollRecords ?? 500,
      heartbeatIntervalMs: this.#heartbeatIntervalMs,
      isPolled: () => this.#isPolled(),
    });
    this.#membership = new Membership({
      cluster,
      groupId: options.groupId,
      clock,
      defaultApiTimeoutMs: timeoutMs,
      retryBackoffMs,
      beforeJoin: () => this.#beforeJoin(),
      beforeFetch: () => this.#beforeFetch(),
      onOutOfRange: (partition) => this.#onOutOfRange(partition),
    });
    this.#commits = new KafkaJsCommits({
      membership: this.#membership,
      options,
      clock,
      log: parts.log,
      onCallbackError: (error) => this.#fail(error),
    });
    client.on('consumer.group_join', ({ payload }) => this.#onJoined(payload as JoinEvent));
    client.on('consumer.crash', ({ payload }) => this.#onCrash((payload as { error: unknown }).error));
    client.on('consumer.start_batch_process', ({ payload }) => {
      const batch = payload as TopicPartition & { batchSize: number; lastOffset: string };
      if (batch.batchSize === 0) this.#feed.onSkipped(batch);
    });
  }

  subscribe(topics: string | readonly string[] | RegExp, listener: RebalanceListener = {}): void {
    this.#checkOpen();
    if (this.#running !== undefined) throw unsupportedError('change its subscription while it runs');
    this.#topics = typeof topics === 'string' || topics instanceof RegExp ? [topics] : [...topics];
    this.#listener = listener;
  }

  assign(_partitions: readonly TopicPartition[]): void {
    throw unsupportedError('read partitions that are named one by one (assign)');
  }

  assignment(): TopicPartition[] {
    return this.#feed.list().map(({ topic, partition }) => ({ topic, partition }));
  }

  poll(timeoutMs: number): Promise<KafkaJsRecords> {
    if (this.#polling !== undefined) {
      return Promise.reject(new KafkaJsError('INVALID_ARGUMENT', 'poll() is already waiting. Await it first.'));
    }
    const poll = this.#poll(timeoutMs).finally(() => {
      this.#polling = undefined;
      this.#polledMs = this.#parts.clock.now();
    });
    this.#polling = poll;
    return poll;
  }

  seek(partition: TopicPartition, offset: number): void {
    this.#checkOpen();
    if (!Number.isSafeInteger(offset) || offset < 0) {
      throw new KafkaJsError('INVALID_ARGUMENT', `The offset ${offset} to seek to is not a whole number from 0 on.`);
    }
    this.#feed.seek(this.#owned(partition), offset);
  }

  seekToBeginning(partitions?: readonly TopicPartition[]): void {
    this.#reset(partitions, (owned) => this.#offsets.beginning(owned));
  }

  seekToEnd(partitions?: readonly TopicPartition[]): void {
    this.#reset(partitions, (owned) => this.#offsets.end(owned));
  }

  async position(partition: TopicPartition): Promise<number> {
    const { clock, options } = this.#parts;
    const timeoutMs = options.defaultApiTimeoutMs ?? 60_000;
    const deadlineMs = clock.now() + timeoutMs;
    for (;;) {
      this.#checkOpen();
      const { position } = this.#owned(partition);
      if (position !== undefined) return position;
      if (clock.now() >= deadlineMs) {
        const name = partitionName(partition);
        throw new KafkaJsError('TIMEOUT', `The position of ${name} could not be found within ${timeoutMs} ms.`);
      }
      await this.#signal.wait(deadlineMs - clock.now());
    }
  }

  async committed(partitions: readonly TopicPartition[]): Promise<CommittedOffset[]> {
    await this.#connected();
    return this.#membership.committed(partitions);
  }

  commitSync(offsets: readonly OffsetCommit[] = this.#positions()): Promise<void> {
    return this.#isEnded ? Promise.reject(closedError('consumer')) : this.#commits.commit(offsets);
  }

  commitAsync(offsets: readonly OffsetCommit[], callback?: CommitCallback): void {
    const committing = this.commitSync(offsets);
    this.#commits.report(committing, offsets, callback);
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.#setPaused(partitions, true);
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.#setPaused(partitions, false);
  }

  async beginningOffsets(partitions: readonly TopicPartition[]): Promise<OffsetCommit[]> {
    await this.#connected();
    return this.#offsets.beginning(partitions);
  }

  async endOffsets(partitions: readonly TopicPartition[]): Promise<OffsetCommit[]> {
    await this.#connected();
    return this.#offsets.end(partitions);
  }

  async offsetsForTimes(
    queries: readonly (TopicPartition & { readonly timestamp: number })[],
  ): Promise<(TopicPartition & { readonly offset: number | null })[]> {
    await this.#connected();
    const found = await Promise.all(queries.map((query) => this.#offsets.atTime(query, query.timestamp)));
    return found.flat().map(({ topic, partition, offset }) => ({
      topic,
      partition,
      offset: offset < 0 ? null : offset,
    }));
  }

  async partitionsFor(topic: string): Promise<PartitionInfo[]> {
    await this.#connected();
    const found = await this.#offsets.partitionsOf(topic);
    return found.map(({ partitionId, leader }) => ({ topic, partition: partitionId, leader }));
  }

  wakeup(): void {
    this.#isWoken = true;
    this.#signal.raise();
  }

  close(timeoutMs = CLOSE_TIMEOUT_MS): Promise<void> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async #poll(timeoutMs: number): Promise<KafkaJsRecords> {
    const { clock } = this.#parts;
    const deadlineMs = clock.now() + timeoutMs;
    if (this.#commits.isDue() && this.#feed.list().length > 0) this.commitAsync(this.#positions());
    for (;;) {
      await this.#tasks.run();
      if (this.#leaving !== undefined || this.#isEnded) throw closedError('consumer');
      if (this.#isWoken) {
        this.#isWoken = false;
        throw new KafkaJsError('WAKEUP', 'poll() was interrupted by wakeup().', { retriable: true });
      }
      const failure = this.#failure;
      this.#failure = undefined;
      if (failure !== undefined) throw failure;
      this.#start();
      const records = this.#feed.take();
      if (records.count > 0) return records;
      const remainingMs = deadlineMs - clock.now();
      if (remainingMs <= 0) return NO_RECORDS;
      await this.#signal.wait(remainingMs);
    }
  }

  #start(): void {
    if (this.#topics.length === 0) {
      throw new KafkaJsError('INVALID_ARGUMENT', 'The consumer reads nothing. Call subscribe() before poll().');
    }
    this.#running ??= this.#run().catch((error: unknown) => {
      this.#running = undefined;
      this.#fail(driverErrorOf(error, `subscribing to ${this.#topics.join(', ')}`));
    });
  }

  async #run(): Promise<void> {
    const { client } = this.#parts;
    await this.#connected();
    // Where reading begins is decided here; kafkajs' own answer to that is never used.
    await client.subscribe({ topics: this.#topics, fromBeginning: true });
    await client.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 1,
      eachBatch: (payload: Parameters<Feed['onBatch']>[0]) => this.#feed.onBatch(payload),
    });
  }

  async #connected(): Promise<void> {
    this.#checkOpen();
    try {
      this.#connecting ??= this.#parts.client.connect();
      await this.#connecting;
    } catch (error) {
      this.#connecting = undefined;
      throw driverErrorOf(error, 'connecting');
    }
  }

  /** kafkajs is about to join: what the group has not taken away yet is given up in order. */
  async #beforeJoin(): Promise<void> {
    if (this.#isEnded) throw closedError('consumer');
    await this.#alive(this.#assigned);
    if (this.#leaving !== undefined) await this.#leaving;
    else if (this.#feed.list().length > 0) await this.#alive(this.#tasks.add(() => this.#giveUp()));
  }

  async #beforeFetch(): Promise<void> {
    await this.#alive(this.#assigned);
    // Nobody polls: without fetches there are no heartbeats either, and the group goes on without this member.
    while (!this.#isPolled()) await this.#signal.wait(this.#heartbeatIntervalMs);
  }

  /** Waits, and keeps the membership alive meanwhile. */
  async #alive(work: Promise<void>): Promise<void> {
    let isDone = false;
    const done = work.finally(() => (isDone = true));
    for (;;) {
      await within(done, this.#heartbeatIntervalMs, this.#parts.clock);
      if (isDone || this.#isEnded) return;
      if (this.#isPolled()) await this.#membership.heartbeat();
    }
  }

  #isPolled(): boolean {
    const { clock, options } = this.#parts;
    if (this.#polling !== undefined || this.#closing !== undefined) return true;
    return clock.now() - this.#polledMs < (options.maxPollIntervalMs ?? 300_000);
  }

  /** Inside a poll, or at the end: the listener first, then the commit that is due. */
  async #giveUp(): Promise<void> {
    const partitions = this.assignment();
    if (partitions.length === 0) return;
    const isLost = this.#membership.isExpelled;
    const listener = this.#listener;
    try {
      if (isLost && listener.onPartitionsLost !== undefined) await listener.onPartitionsLost(partitions);
      else await listener.onPartitionsRevoked?.(partitions);
    } finally {
      if (!isLost && this.#commits.isAutomatic) await this.commitSync().catch(() => undefined);
      this.#feed.clear();
    }
  }

  #onJoined({ memberAssignment }: JoinEvent): void {
    const partitions = Object.entries(memberAssignment).flatMap(([topic, numbers]) =>
      [...numbers].sort((left, right) => left - right).map((partition) => ({ topic, partition })),
    );
    this.#feed.assign(partitions);
    this.#assigned = this.#assign(partitions);
  }

  /** Finds the positions, tells the listener, lets kafkajs fetch. Never rejects. */
  async #assign(partitions: readonly TopicPartition[]): Promise<void> {
    await this.#findPositions(partitions);
    await this.#tasks.add(async () => {
      await this.#listener.onPartitionsAssigned?.(partitions);
    });
    this.#feed.begin();
  }

  async #findPositions(partitions: readonly TopicPartition[]): Promise<void> {
    const { clock, options } = this.#parts;
    while (this.#closing === undefined) {
      try {
        const committed = await this.#membership.committed(partitions);
        const missing = committed.filter(({ offset }) => (offset ?? null) === null);
        for (const { offset, ...partition } of committed) this.#found(partition, offset ?? undefined);
        await this.#startOver(missing, 'There is no committed offset');
        return;
      } catch (thrown) {
        const error = driverErrorOf(thrown, 'finding where to begin');
        if (!error.retriable) {
          this.#fail(error);
          return;
        }
        this.#parts.log.warn(`${error.message}; trying again`);
        await new Promise<void>((resolve) => clock.setTimer(options.retryBackoffMs ?? 100, resolve));
      }
    }
  }

  async #startOver(partitions: readonly TopicPartition[], reason: string): Promise<void> {
    const policy = this.#parts.options.autoOffsetReset ?? 'latest';
    const starts = await this.#offsets.reset(partitions, policy, reason);
    for (const { offset, ...partition } of starts) this.#found(partition, offset);
  }

  #found(partition: TopicPartition, offset: number | undefined): void {
    const owned = this.#feed.find(partition);
    if (owned !== undefined && offset !== undefined) this.#feed.seek(owned, offset);
  }

  async #onOutOfRange(partition: TopicPartition): Promise<void> {
    const owned = this.#feed.find(partition);
    if (owned === undefined) return;
    const reason = `The position ${owned.next ?? 'unknown'} does not exist any more`;
    this.#parts.log.warn(`${partitionName(partition)}: ${reason}`);
    try {
      await this.#startOver([partition], reason);
    } catch (error) {
      // Held, so that kafkajs does not go on from where it would.
      owned.next = undefined;
      this.#feed.begin();
      this.#fail(driverErrorOf(error, 'resetting a position'));
    }
  }

  /** kafkajs has stopped and left the group; the next poll starts it again. */
  #onCrash(error: unknown): void {
    this.#running = undefined;
    this.#connecting = undefined;
    if (this.#closing !== undefined) return;
    this.#membership.expel();
    if (this.#feed.list().length > 0) void this.#tasks.add(() => this.#giveUp());
    this.#fail(driverErrorOf(error, 'consuming'));
  }

  #fail(error: KafkaJsError): void {
    this.#failure = error;
    this.#signal.raise();
  }

  #reset(
    partitions: readonly TopicPartition[] | undefined,
    look: (owned: KafkaJsPartition[]) => Promise<OffsetCommit[]>,
  ): void {
    this.#checkOpen();
    const chosen = partitions === undefined || partitions.length === 0 ? this.assignment() : partitions;
    const owned = chosen.map((partition) => this.#owned(partition));
    for (const partition of owned) partition.forgetPosition();
    look(owned)
      .then((found) => {
        for (const { offset, ...partition } of found) {
          const now = this.#feed.find(partition);
          // A seek meanwhile, or another assignment, is later than this one.
          if (now !== undefined && owned.includes(now) && now.position === undefined) this.#feed.seek(now, offset);
        }
      })
      .catch((error: unknown) => this.#fail(driverErrorOf(error, 'looking up offsets')));
  }

  #setPaused(partitions: readonly TopicPartition[], isPaused: boolean): void {
    this.#checkOpen();
    const owned = partitions.map((partition) => this.#owned(partition));
    for (const partition of owned) this.#feed.setPaused(partition, isPaused);
  }

  #owned(partition: TopicPartition): KafkaJsPartition {
    const owned = this.#feed.find(partition);
    if (owned !== undefined) return owned;
    throw new KafkaJsError(
      'INVALID_ARGUMENT',
      `Partition ${partitionName(partition)} is not assigned to this consumer. Wait until poll() has brought it.`,
    );
  }

  #positions(): OffsetCommit[] {
    return this.#feed
      .list()
      .flatMap(({ topic, partition, position }) =>
        position === undefined ? [] : [{ topic, partition, offset: position }],
      );
  }

  async #close(timeoutMs: number): Promise<void> {
    const { clock, log, client } = this.#parts;
    this.#signal.raise();
    const end = this.#leave().catch((error: unknown) => {
      log.warn(`The consumer did not close in order: ${driverErrorOf(error, 'closing').message}`);
    });
    await within(end, timeoutMs, clock);
    this.#isEnded = true;
    this.#feed.stop();
    this.#tasks.giveUp();
    this.#signal.raise();
    // In time it is a second call that finds nothing to do; else it ends the connections.
    void client.disconnect().catch(() => undefined);
  }

  async #leave(): Promise<void> {
    this.#leaving = this.#leaveGroup();
    await this.#leaving;
    this.#feed.stop();
    // A join that is under way is waited for: the member would stay in the group, as nobody knows its id yet.
    await this.#running;
    await this.#parts.client.disconnect();
  }

  async #leaveGroup(): Promise<void> {
    await this.#polling?.catch(() => undefined);
    this.#tasks.giveUp();
    await this.#giveUp();
    await this.#commits.settled();
  }

  #checkOpen(): void {
    if (this.#isEnded) throw closedError('consumer');
  }
}

interface JoinEvent {
  readonly memberAssignment: Readonly<Record<string, readonly number[]>>;
}
