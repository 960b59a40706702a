/**
 * The producer: `append` with a callback, `send` with a promise, `flush`, `close`, and transactions.
 *
 * Guarantees: nothing blocks the event loop and nothing is thrown for a reason that lies with brokers; every callback is
 * called exactly once, by `close` at the latest. By default `acks` is all and idempotence on: no record is lost or stored
 * twice by retries, and the order inside a partition is the order of the calls. With a `transactionalId`, what belongs to
 * a transaction is seen by readers of committed records as a whole or not at all.
 */
import type { ConsumerGroupMetadata } from '../consumer/consumer.js';
import type { OffsetCommit } from '../consumer/offsets/commits.js';
import { ClientErrorCode, KafkaError, closedError } from '../errors.js';
import type { Timer } from '../io/clock.js';
import { type ClientIo, systemIo } from '../io/io.js';
import type { PartitionInfo } from '../metadata/topic-info.js';
import { Cluster } from '../network/cluster.js';
import { Aborts, abortedError } from './aborts.js';
import { Accumulator } from './accumulator.js';
import { Generations } from './generation.js';
import type { Identity } from './identity.js';
import { Interceptors } from './interceptors.js';
import { TOPIC_IDLE_MS } from './limits.js';
import { ProducerIdentity } from './producer-identity.js';
import { ProducerCounters, type ProducerMetrics } from './producer-metrics.js';
import { type ProducerOptions, type ResolvedProducerOptions, resolveProducerOptions } from './producer-options.js';
import {
  type Delivery,
  type DeliveryCallback,
  type ProducerRecord,
  type RecordMetadata,
  SendPromise,
  callSafely,
} from './producer-record.js';
import { recordProblem } from './record-size.js';
import { Sender } from './sender.js';
import { TopicQueues } from './topic-queues.js';
import { TransactionManager } from './transaction/transaction-manager.js';

/** Sends records to topics. Made by {@link createProducer}; one per process is usually right. */
export interface Producer {
  /**
   * Takes a record; the callback, if any, gets its metadata or its error, once, in a later turn of the event loop.
   * Never throws for a reason that lies with brokers, and never blocks: what cannot be buffered yet waits up to `maxBlockMs`.
   */
  append(record: ProducerRecord, callback?: DeliveryCallback): void;
  /**
   * {@link append} with a promise.
   *
   * @param options `signal` takes the record back while it waits (for metadata, memory, or its turn to be sent): the
   *   promise rejects with ABORTED, and the record is never sent. One that is on its way cannot be taken back: then the
   *   promise tells what became of it, as without a signal
   * @throws KafkaError
   */
  send(record: ProducerRecord, options?: SendRecordOptions): Promise<RecordMetadata>;
  /** What the producer has done so far, in numbers. */
  metrics(): ProducerMetrics;
  /** Sends without lingering; resolves when every record appended before has its outcome, good or bad. */
  flush(): Promise<void>;
  /**
   * Takes no more records, flushes, and closes the connections. After `timeoutMs` (default: as long as it takes, which
   * `deliveryTimeoutMs` bounds) what is left fails with CLOSED. Every callback has been called when it resolves.
   * An open transaction is aborted: its records that were not sent yet fail with TRANSACTION_ABORTED.
   */
  close(timeoutMs?: number): Promise<void>;
  /** The partitions of a topic. @throws KafkaError TIMEOUT after `maxBlockMs` */
  partitionsFor(topic: string): Promise<PartitionInfo[]>;
  /**
   * Makes transactions possible: to be awaited once, before the first one. Finishes what an earlier producer with the
   * same `transactionalId` has left, and fences that producer off.
   *
   * @throws KafkaError INVALID_ARGUMENT without `transactionalId` or when called twice; TIMEOUT after `maxBlockMs`: call
   *   it again to go on waiting; fatal for what will not pass
   */
  initTransactions(): Promise<void>;
  /**
   * Begins a transaction; every record appended until its end belongs to it, and none can be appended outside of one.
   * Asks nobody.
   *
   * @throws KafkaError INVALID_ARGUMENT unless the last transaction was ended; fatal when the producer was fenced
   */
  beginTransaction(): void;
  /**
   * Commits a group's offsets as part of the transaction: the next ones to read, with the consumer's `groupMetadata()`
   * by which a member that lost its partitions is found out (KIP-447). The consumer itself must not commit.
   *
   * @throws KafkaError abortable, e.g. ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID; fatal; TIMEOUT
   */
  sendOffsetsToTransaction(offsets: readonly OffsetCommit[], groupMetadata: ConsumerGroupMetadata): Promise<void>;
  /**
   * Flushes, and commits what was appended and the offsets.
   *
   * @throws KafkaError abortable when a record or offset of the transaction has failed: call `abortTransaction`; fatal
   *   when the producer was fenced; TIMEOUT after `maxBlockMs`: call it again to go on waiting
   */
  commitTransaction(): Promise<void>;
  /**
   * Drops what was not sent (TRANSACTION_ABORTED) and aborts the rest. A new transaction may begin afterwards.
   *
   * @throws KafkaError fatal when the producer was fenced; TIMEOUT after `maxBlockMs`: call it again to go on waiting
   */
  abortTransaction(): Promise<void>;
  /** Whether `close` was called. */
  readonly closed: boolean;
}

/** Options of one `send`. */
export interface SendRecordOptions {
  /** Takes the record back while it waits. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A producer. No connection is opened before the first record.
 *
 * @param io for tests and simulations: other clocks and networks than the real ones
 * @throws KafkaError CONFIG
 */
export function createProducer(options: ProducerOptions, io: ClientIo = systemIo): Producer {
  return new KafkaProducer(resolveProducerOptions(options), io);
}

let lastResolve: (outcome: RecordMetadata | Promise<never>) => void;

/** The executor of every `send`'s promise: one function for all, where a closure for each would be half of its memory. */
function keepResolve(resolve: (outcome: RecordMetadata | Promise<never>) => void): void {
  lastResolve = resolve;
}

class KafkaProducer implements Producer {
  private readonly cluster: Cluster;
  private readonly identity: Identity | null;
  /** Null without a transactional id; else it is the identity, too. */
  private readonly transactions: TransactionManager | null;
  private readonly generations = new Generations();
  private readonly accumulator: Accumulator;
  private readonly sender: Sender;
  private readonly counters = new ProducerCounters();
  private readonly aborts: Aborts;
  /** Null without any. */
  private readonly interceptors: Interceptors | null;
  private readonly topics = new Map<string, TopicQueues>();
  private lastTopic: TopicQueues | null = null;
  private closing: Promise<void> | null = null;

  constructor(
    private readonly options: ResolvedProducerOptions,
    private readonly io: ClientIo,
  ) {
    const cluster = new Cluster(options, io);
    this.cluster = cluster;
    this.transactions = this.createTransactions();
    this.identity = this.transactions ?? this.createIdentity();
    this.accumulator = new Accumulator(options, io, this.generations, {
      onWork: () => this.sender.wake(),
      absentTopicError: (topic) => cluster.metadata.absentError(topic, options.maxBlockMs),
      onFailed: (error) => this.identity?.onFailed(error, false),
    });
    this.aborts = new Aborts(this.accumulator, this.topics);
    const { interceptors, logger } = options;
    this.interceptors = interceptors.length === 0 ? null : new Interceptors(interceptors, logger);
    this.sender = new Sender({
      counters: this.counters,
      options,
      io,
      cluster,
      accumulator: this.accumulator,
      generations: this.generations,
      identity: this.identity,
      expireWaiting: (nowMs) => this.accumulator.expire(this.topics.values(), nowMs),
    });
    cluster.metadata.onUpdate(() => this.onMetadata());
  }

  get closed(): boolean {
    return this.closing !== null;
  }

  append(record: ProducerRecord, callback?: DeliveryCallback): void {
    if (this.interceptors === null) this.take(record, callback);
    else this.intercept(this.interceptors, record, callback);
  }

  /** Takes a record as it is. */
  private take(record: ProducerRecord, callback: Delivery | undefined): void {
    const problem = recordProblem(record);
    if (this.closing !== null || problem !== null || this.transactions?.refusal != null) {
      this.refuse(problem, callback);
      return;
    }
    const { lastTopic } = this;
    const topic = lastTopic !== null && lastTopic.name === record.topic ? lastTopic : this.topicQueues(record.topic);
    this.accumulator.append(topic, record, callback ?? null);
  }

  send(record: ProducerRecord, options?: SendRecordOptions): Promise<RecordMetadata> {
    const signal = options?.signal;
    if (signal?.aborted === true) return Promise.reject(abortedError(signal));
    const promise = new Promise<RecordMetadata>(keepResolve);
    const delivery = new SendPromise(lastResolve);
    if (this.interceptors === null && signal === undefined) this.take(record, delivery);
    else this.sendWatched(record, delivery, signal);
    return promise;
  }

  metrics(): ProducerMetrics {
    const { recordsWaiting, usedBytes } = this.accumulator.usage;
    const { bufferMemory } = this.options;
    return this.counters.snapshot({
      recordsPending: this.generations.pendingCount,
      recordsWaiting,
      bufferTotalBytes: bufferMemory,
      bufferAvailableBytes: bufferMemory - usedBytes,
    });
  }

  flush(): Promise<void> {
    if (this.generations.pendingCount === 0) return Promise.resolve();
    const done = this.generations.end();
    this.sender.wake();
    return done;
  }

  close(timeoutMs = Infinity): Promise<void> {
    this.closing ??= this.shutDown(timeoutMs);
    return this.closing;
  }

  initTransactions(): Promise<void> {
    return this.inTransactions('initTransactions()', (transactions) => transactions.initTransactions());
  }

  beginTransaction(): void {
    this.needTransactions('beginTransaction()').beginTransaction();
  }

  sendOffsetsToTransaction(offsets: readonly OffsetCommit[], groupMetadata: ConsumerGroupMetadata): Promise<void> {
    return this.inTransactions('sendOffsetsToTransaction()', (transactions) =>
      transactions.sendOffsets(offsets, groupMetadata),
    );
  }

  commitTransaction(): Promise<void> {
    return this.inTransactions('commitTransaction()', (transactions) => transactions.commitTransaction());
  }

  abortTransaction(): Promise<void> {
    return this.inTransactions('abortTransaction()', (transactions) => transactions.abortTransaction());
  }

  async partitionsFor(topic: string): Promise<PartitionInfo[]> {
    const { partitions } = await this.cluster.metadata.waitForTopic(topic, this.options.maxBlockMs);
    return [...partitions];
  }

  private sendWatched(record: ProducerRecord, delivery: SendPromise, signal: AbortSignal | undefined): void {
    const settle: DeliveryCallback = (error, metadata) => delivery.settle(error, metadata);
    if (this.interceptors !== null) this.intercept(this.interceptors, record, settle, signal);
    else this.take(record, signal === undefined ? settle : this.aborts.watch(signal, settle));
  }

  private intercept(
    interceptors: Interceptors,
    record: ProducerRecord,
    callback: DeliveryCallback | undefined,
    signal?: AbortSignal,
  ): void {
    const seen = interceptors.onSend(record);
    const watched = interceptors.watch(seen, callback);
    this.take(seen, signal === undefined ? watched : this.aborts.watch(signal, watched));
  }

  private createTransactions(): TransactionManager | null {
    const { transactionalId } = this.options;
    if (transactionalId === undefined) return null;
    return new TransactionManager(this.cluster, { ...this.options, transactionalId }, this.io, {
      flush: () => this.flush(),
      idle: () => this.sender.idle(),
      wake: () => this.sender.wake(),
      failAll: (error) => this.failEverything(error),
      dropUnsent: (error) => {
        this.accumulator.failAll(this.topics.values(), error);
        this.sender.dropUnsent(error);
      },
    });
  }

  private createIdentity(): Identity | null {
    if (!this.options.enableIdempotence) return null;
    return new ProducerIdentity(this.cluster, this.options, this.io, (error) => this.onIdentity(error));
  }

  private async inTransactions(call: string, step: (transactions: TransactionManager) => Promise<void>): Promise<void> {
    await step(this.needTransactions(call));
  }

  private needTransactions(call: string): TransactionManager {
    if (this.closing !== null) throw closedError(`The producer is closed; ${call} needs an open one.`);
    if (this.transactions !== null) return this.transactions;
    const message = `${call} needs a producer with the option "transactionalId".`;
    throw new KafkaError(ClientErrorCode.INVALID_ARGUMENT, message);
  }

  private async shutDown(timeoutMs: number): Promise<void> {
    // The flag must be up before anything else runs: callbacks of what is flushed may append.
    await Promise.resolve();
    if (!(await this.endWithin(timeoutMs))) {
      const error = closedError(`The producer was closed before the record was delivered (close(${timeoutMs})).`);
      this.accumulator.failAll(this.topics.values(), error);
      this.sender.failAll(error);
      await this.generations.end();
    }
    this.sender.close();
    this.identity?.close();
    this.cluster.close();
    await this.interceptors?.close();
  }

  /** Ends an open transaction and flushes. */
  private async end(): Promise<boolean> {
    await this.transactions?.end();
    await this.flush();
    return true;
  }

  private endWithin(timeoutMs: number): Promise<boolean> {
    const flushed = this.end();
    if (timeoutMs === Infinity) return flushed;
    let timer: Timer | null = null;
    const late = new Promise<boolean>((resolve) => {
      timer = this.io.clock.setTimer(timeoutMs, () => resolve(false));
    });
    return Promise.race([flushed, late]).finally(() => {
      if (timer !== null) this.io.clock.clearTimer(timer);
    });
  }

  private topicQueues(name: string): TopicQueues {
    let topic = this.topics.get(name);
    if (topic === undefined) {
      topic = new TopicQueues(name, this.io.clock.monotonic(), this.io.random, this.options.batchSize, this.identity);
      this.topics.set(name, topic);
      topic.update(this.cluster.metadata.topic(name));
      this.cluster.metadata.track([name]);
    }
    this.lastTopic = topic;
    return topic;
  }

  private onMetadata(): void {
    const { metadata } = this.cluster;
    const nowMs = this.io.clock.monotonic();
    for (const [name, topic] of this.topics) {
      const error = metadata.topicError(name);
      if (topic.update(metadata.topic(name))) this.accumulator.onTopicKnown(topic);
      if (error !== undefined && !error.retriable) this.accumulator.failTopic(topic, error);
      if (nowMs - topic.lastUsedMs > TOPIC_IDLE_MS && topic.isIdle) this.forget(topic);
    }
    const fatal = metadata.error;
    if (fatal !== null && !fatal.retriable) this.failEverything(fatal);
    this.sender.wake();
  }

  private forget(topic: TopicQueues): void {
    if (this.identity?.keepsSequences === true) return;
    // Its sequence numbers go with it. If the topic is used again, they begin at 0 in a higher epoch; in the same epoch
    // the broker would take the new records for repetitions of the old ones.
    this.identity?.bump();
    this.topics.delete(topic.name);
    this.cluster.metadata.untrack([topic.name]);
    if (this.lastTopic === topic) this.lastTopic = null;
  }

  private onIdentity(error: KafkaError | null): void {
    if (error !== null) this.failEverything(error);
    this.sender.wake();
  }

  private failEverything(error: KafkaError): void {
    this.accumulator.failAll(this.topics.values(), error);
    this.sender.failAll(error);
  }

  /** The outcome of a record that is not even taken. */
  private refuse(problem: string | null, callback: Delivery | undefined): void {
    const error = problem === null ? this.notNow() : new KafkaError(ClientErrorCode.INVALID_ARGUMENT, problem);
    this.identity?.onFailed(error, false);
    if (callback === undefined) return;
    this.io.clock.defer(() => callSafely(callback, this.options.logger, error, null));
  }

  private notNow(): KafkaError {
    const refusal = this.closing === null ? this.transactions?.refusal : null;
    return refusal ?? closedError('The producer is closed; create another one to send more records.');
  }
}
