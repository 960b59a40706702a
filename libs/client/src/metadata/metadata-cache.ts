/**
 * What the client knows of the cluster, and when it asks again.
 *
 * Guarantees: only topics in use are asked for; at most one request is under way; after a failure it waits (exponential
 * back-off); an answer older than `metadataMaxAgeMs` is replaced unasked; leader epochs never go backwards.
 * A topic nobody tracks is forgotten with the next answer.
 */
import { ErrorCode, Metadata, type MetadataResponse, type RequestInput } from '@kafka-template/protocol';
import { KafkaError, asKafkaError, brokerError, closedError, timeoutError } from '../errors.js';
import type { Timer } from '../io/clock.js';
import type { ClientIo } from '../io/io.js';
import type { ClientLogger } from '../io/logger.js';
import { backoffMs } from '../network/backoff.js';
import type { RequestBody, ResponseCallback } from '../network/request.js';
import { type ClusterView, EMPTY_VIEW, applyLeader, applyMetadata } from './cluster-view.js';
import type { BrokerInfo, PartitionInfo, TopicInfo } from './topic-info.js';

/** What the cache takes from the client's options. */
export interface MetadataOptions {
  readonly retryBackoffMs: number;
  readonly retryBackoffMaxMs: number;
  readonly metadataMaxAgeMs: number;
  /** Whether asking for a topic may create it, if the broker is set up so. Default true; an admin must not. */
  readonly allowAutoCreateTopics?: boolean;
  readonly logger: ClientLogger;
}

/** Asks any broker for metadata. */
export type MetadataSender = (body: RequestBody<typeof Metadata>, callback: ResponseCallback<typeof Metadata>) => void;

interface TopicWaiter {
  readonly topic: string;
  readonly timer: Timer;
  resolve(topic: TopicInfo): void;
  reject(error: KafkaError): void;
}

interface RefreshWaiter {
  /** The first request whose answer is new enough. */
  readonly request: number;
  resolve(): void;
  reject(error: KafkaError): void;
}

/** The cache. Made and owned by the Cluster. */
export class MetadataCache {
  private view: ClusterView = EMPTY_VIEW;
  private readonly tracked = new Set<string>();
  private readonly askedOnce = new Set<string>();
  private tracksAll = false;
  private readonly listeners = new Set<() => void>();
  private topicWaiters: TopicWaiter[] = [];
  private refreshWaiters: RefreshWaiter[] = [];
  private isClosed = false;
  private requestsSent = 0;
  private isUnderWay = false;
  private isWanted = false;
  /** Somebody waits for news the last answer did not have: the back-off does not count. */
  private isUrgent = false;
  private isAskingSoon = false;
  private failures = 0;
  private earliestMs = 0;
  private timer: Timer | null = null;
  private lastError: KafkaError | null = null;

  constructor(
    private readonly options: MetadataOptions,
    private readonly io: ClientIo,
    private readonly send: MetadataSender,
  ) {}

  /** Live brokers by id; empty before the first answer. */
  get brokers(): ReadonlyMap<number, BrokerInfo> {
    return this.view.brokers;
  }

  /** Null before the first answer. */
  get clusterId(): string | null {
    return this.view.clusterId;
  }

  /** Broker id of the controller, -1 when unknown. */
  get controllerId(): number {
    return this.view.controllerId;
  }

  /** Every usable topic that was answered last. */
  get topics(): ReadonlyMap<string, TopicInfo> {
    return this.view.topics;
  }

  /** A topic; undefined when it is unknown so far. Does not ask: see {@link track} and {@link waitForTopic}. */
  topic(name: string): TopicInfo | undefined {
    return this.view.topics.get(name);
  }

  /** Why a topic that was asked for is not usable; undefined when it is, or when no answer came yet. */
  topicError(name: string): KafkaError | undefined {
    return this.view.errors.get(name);
  }

  /** A partition; undefined when topic or partition is unknown. */
  partition(topic: string, partition: number): PartitionInfo | undefined {
    return this.view.topics.get(topic)?.partitions[partition];
  }

  /** Why the last request for metadata failed; null when it did not. */
  get error(): KafkaError | null {
    return this.lastError;
  }

  /** Takes topics into use: they are part of every request from now on. New ones are asked for at once. */
  track(names: Iterable<string>): void {
    let isNew = false;
    for (const name of names) {
      if (this.tracked.has(name)) continue;
      this.tracked.add(name);
      isNew ||= !this.view.topics.has(name);
    }
    if (isNew) this.requestUpdate({ immediately: true });
  }

  /** Takes topics out of use. */
  untrack(names: Iterable<string>): void {
    for (const name of names) this.tracked.delete(name);
  }

  /** Whether every request asks for all topics of the cluster: for subscriptions by pattern. Default false. */
  trackAll(all: boolean): void {
    if (this.tracksAll === all) return;
    this.tracksAll = all;
    if (all) this.requestUpdate({ immediately: true });
  }

  /** Something is out of date: asks soon, not before the back-off is over unless `immediately`. */
  requestUpdate(options: { readonly immediately?: boolean } = {}): void {
    if (this.isClosed) return;
    if (this.isWanted && options.immediately !== true) return;
    this.isWanted = true;
    this.isUrgent ||= options.immediately === true;
    this.schedule();
  }

  /** A broker could not be reached or was lost: the cluster may have changed, and waiters want to know the reason. */
  connectionFailed(error: KafkaError): void {
    this.lastError = error;
    this.requestUpdate();
  }

  /**
   * Resolves when an answer that was asked for after this call is in.
   *
   * @param topics asked for in that request even if nobody tracks them
   * @throws KafkaError when the request fails; retriable ones may be tried again
   */
  refresh(topics: Iterable<string> = []): Promise<void> {
    if (this.isClosed) return Promise.reject(closedError('The client is closed.'));
    for (const name of topics) this.askedOnce.add(name);
    return new Promise((resolve, reject) => {
      this.refreshWaiters.push({ request: this.requestsSent + 1, resolve, reject });
      this.requestUpdate({ immediately: true });
    });
  }

  /**
   * The topic, as soon as it is known; created meanwhile if the broker creates topics by itself.
   *
   * @throws KafkaError TIMEOUT after `timeoutMs` in Kafka's words, or at once for an error that will not pass
   */
  waitForTopic(name: string, timeoutMs: number): Promise<TopicInfo> {
    const known = this.view.topics.get(name);
    if (known !== undefined) return Promise.resolve(known);
    if (this.isClosed) return Promise.reject(closedError('The client is closed.'));
    return new Promise((resolve, reject) => {
      const timer = this.io.clock.setTimer(timeoutMs, () => {
        this.topicWaiters = this.topicWaiters.filter((each) => each.timer !== timer);
        reject(this.absentError(name, timeoutMs));
      });
      this.topicWaiters.push({ topic: name, timer, resolve, reject });
      this.requestUpdate({ immediately: true });
    });
  }

  /** The error for a topic that did not appear in time. */
  absentError(topic: string, timeoutMs: number): KafkaError {
    const cause = this.lastError ?? this.view.errors.get(topic);
    const reason = cause === undefined ? '' : ` Last reason: ${cause.message}`;
    return timeoutError(`Topic ${topic} not present in metadata after ${timeoutMs} ms.${reason}`, cause);
  }

  /** Calls `listener` after each answer. Returns the function that ends it. */
  onUpdate(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** A response named a newer leader (KIP-951). */
  learnLeader(topic: string, partition: number, news: { leader: number; leaderEpoch: number }): void {
    this.view = applyLeader(this.view, topic, partition, news);
  }

  /** Ends all waiting with CLOSED. */
  close(): void {
    this.isClosed = true;
    if (this.timer !== null) this.io.clock.clearTimer(this.timer);
    this.timer = null;
    this.failWaiters(closedError('The client was closed while waiting for metadata.'), true);
    this.listeners.clear();
  }

  private schedule(): void {
    if (this.isUnderWay || this.isClosed) return;
    const { clock } = this.io;
    if (this.timer !== null) clock.clearTimer(this.timer);
    this.timer = null;
    if (this.isWanted && (this.isUrgent || this.earliestMs <= clock.monotonic())) {
      this.askSoon();
      return;
    }
    const delayMs = this.isWanted ? this.earliestMs - clock.monotonic() : this.options.metadataMaxAgeMs;
    this.timer = clock.setTimer(Math.ceil(delayMs), () => {
      this.timer = null;
      this.ask();
    });
  }

  /** At the end of this turn, so that all topics that are new in it go into one request. */
  private askSoon(): void {
    if (this.isAskingSoon) return;
    this.isAskingSoon = true;
    this.io.clock.defer(() => {
      this.isAskingSoon = false;
      if (!this.isUnderWay && !this.isClosed) this.ask();
    });
  }

  private ask(): void {
    this.isUnderWay = true;
    this.isWanted = false;
    this.isUrgent = false;
    this.requestsSent += 1;
    const names = this.tracksAll ? null : this.namesToAsk();
    this.askedOnce.clear();
    const body = (version: number): RequestInput<typeof Metadata> => ({
      // Version 0 has no null: there an empty list asks for all topics.
      topics: names === null ? (version === 0 ? [] : null) : names.map((name) => ({ name })),
      ...(version >= 4 ? { allowAutoTopicCreation: this.options.allowAutoCreateTopics ?? true } : {}),
    });
    this.send(body, (error, response) => this.onAnswer(error, response));
  }

  private namesToAsk(): string[] {
    const names = new Set([...this.tracked, ...this.askedOnce]);
    for (const waiter of this.topicWaiters) names.add(waiter.topic);
    return [...names];
  }

  private onAnswer(error: KafkaError | null, response: MetadataResponse | null): void {
    this.isUnderWay = false;
    if (this.isClosed) return;
    const failure = error ?? this.refusal(response);
    if (failure !== null || response === null) {
      this.onFailure(failure ?? asKafkaError(new Error('no response'), 'NETWORK', 'Metadata'));
      return;
    }
    this.lastError = null;
    this.view = applyMetadata(this.view, response, []);
    this.serveWaiters();
    // A topic that is being created, or a partition without a leader: ask again, less and less often.
    if (this.isIncomplete()) this.pause();
    else this.failures = 0;
    for (const listener of this.listeners) listener();
    this.schedule();
  }

  private refusal(response: MetadataResponse | null): KafkaError | null {
    if (response === null) return null;
    if (response.errorCode !== ErrorCode.NONE) return brokerError(response.errorCode, 'Asking for metadata');
    if (response.brokers.length > 0) return null;
    // A broker that is starting knows nobody yet, not even itself; Kafka's clients ask again too.
    return brokerError(ErrorCode.BROKER_NOT_AVAILABLE, 'Asking for metadata', 'the answer names no broker');
  }

  private onFailure(error: KafkaError): void {
    this.lastError = error;
    this.options.logger.debug('Asking for metadata failed.', { error: error.message });
    this.failWaiters(error, !error.retriable);
    this.pause();
    for (const listener of this.listeners) listener();
    this.schedule();
  }

  private pause(): void {
    this.failures += 1;
    this.isWanted = true;
    const limits = { initialMs: this.options.retryBackoffMs, maxMs: this.options.retryBackoffMaxMs };
    this.earliestMs = this.io.clock.monotonic() + backoffMs(limits, this.failures, this.io.random);
  }

  private isIncomplete(): boolean {
    for (const [name, error] of this.view.errors) {
      if (error.retriable && (this.tracked.has(name) || this.topicWaiters.some((each) => each.topic === name)))
        return true;
    }
    for (const name of this.tracked) {
      if (this.view.topics.get(name)?.partitions.some((each) => each.leader === -1) === true) return true;
    }
    return false;
  }

  private serveWaiters(): void {
    const refreshed = this.refreshWaiters.filter((each) => each.request <= this.requestsSent);
    this.refreshWaiters = this.refreshWaiters.filter((each) => each.request > this.requestsSent);
    for (const waiter of refreshed) waiter.resolve();
    const waiters = this.topicWaiters;
    this.topicWaiters = [];
    for (const waiter of waiters) {
      const topic = this.view.topics.get(waiter.topic);
      const error = this.view.errors.get(waiter.topic);
      if (topic === undefined && (error === undefined || error.retriable)) {
        this.topicWaiters.push(waiter);
        continue;
      }
      this.io.clock.clearTimer(waiter.timer);
      if (topic !== undefined) waiter.resolve(topic);
      else if (error !== undefined) waiter.reject(error);
    }
  }

  /** Who waits for one answer is told of any failure; who waits for a topic only of one that will not pass. */
  private failWaiters(error: KafkaError, topicWaitersToo: boolean): void {
    const asked = this.refreshWaiters.filter((each) => this.isClosed || each.request <= this.requestsSent);
    this.refreshWaiters = this.refreshWaiters.filter((each) => !asked.includes(each));
    for (const waiter of asked) waiter.reject(error);
    if (!topicWaitersToo) return;
    for (const waiter of this.topicWaiters.splice(0)) {
      this.io.clock.clearTimer(waiter.timer);
      waiter.reject(error);
    }
  }
}
