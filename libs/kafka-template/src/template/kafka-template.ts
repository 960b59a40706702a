/**
 * Sends records: fire and forget, synchronously, or with callbacks. Spring's KafkaTemplate.
 *
 * `send` never blocks and never throws for anything a broker or a record's contents may cause: every failure arrives by
 * the returned future and then by the ProducerListener, and never before `send` has returned. Records are handed to the
 * producer in the order of the calls.
 */
import type {
  ConsumerGroupMetadata,
  DriverProducer,
  DriverProducerRecord,
  OffsetCommit,
  PartitionInfo,
  RecordMetadata,
} from '../drivers/driver.js';
import { KafkaTemplateError, KafkaTemplateErrorCode, SerializationError, asError, errorCodeOf } from '../errors.js';
import { callGuarded } from '../io/call-guarded.js';
import type { Clock } from '../io/clock.js';
import type { Log } from '../io/log.js';
import { uniqueId } from '../io/unique-id.js';
import type { ConsumerRecord } from '../record/consumer-record.js';
import type { RecordSerdes } from '../serde/record-serdes.js';
import { TopicContract } from '../serde/topic-contract.js';
import { KafkaSendError, describeTarget } from './kafka-send-error.js';
import type { OutcomeHost } from './outcome.js';
import type { ProducerInterceptor } from './producer-interceptor.js';
import type { ProducerListener } from './producer-listener.js';
import type { ProducerRecord } from './producer-record.js';
import {
  type ContractRecord,
  NO_RECORD,
  type OutgoingMessage,
  RAW,
  type RecordToSend,
  isReadable,
  kindOf,
  recordOf,
  recordOfObject,
  requestOf,
  serializeRecord,
} from './record-forms.js';
import type { RecordReader, RecordPlace } from './record-reader.js';
import { ReplyFuture } from './reply-future.js';
import { type ReplyOptions, type ReplyReceiver, requestHeaders } from './reply-receiver.js';
import { SendAllFuture } from './send-all-future.js';
import { SendFuture } from './send-future.js';
import { SendResult } from './send-result.js';
import { SignalWatch, abortError, checkSignal } from './signal-watch.js';
import { OpenTransaction, type Transactions, noTransactions } from './transactions.js';

/** Settings of a template. */
export interface TemplateOptions {
  /** Topic of `sendDefault`. */
  defaultTopic?: string;
  /** How long `close` waits for records on their way. Default 10000. */
  closeTimeoutMs?: number;
  /** Where replies to `sendAndReceive` come to. */
  replies?: ReplyOptions;
  /** For `executeInTransaction` and listeners with `transactional`: begins the ids of their producers. Unique for each instance. */
  transactionIdPrefix?: string;
  /** See and change records on their way out, in this order. */
  interceptors?: readonly ProducerInterceptor[];
}

/** What a template works with. */
export interface KafkaTemplateParts {
  readonly producer: DriverProducer;
  readonly serdes: RecordSerdes;
  readonly listener: ProducerListener;
  readonly clock: Clock;
  readonly log: Log;
  /** Reads single records; absent: `receive` is refused. */
  readonly reader?: RecordReader;
  /** Absent: `executeInTransaction` is refused. */
  readonly transactions?: Transactions | undefined;
  /** Brings replies; absent: `sendAndReceive` is refused. */
  readonly replies?: ReplyReceiver | undefined;
}

/** What can be said about one request besides the record. */
export interface RequestOptions extends SendOptions {
  /** How long the reply may take, the send included. Default: `replies.timeoutMs`, else 5000. */
  readonly timeoutMs?: number;
}

/** What can be said about one send besides the record. */
export interface SendOptions {
  /**
   * Takes the record back while it waits in the producer: it is not sent and its future fails with code ABORTED. One that is in
   * a request already cannot be taken back: its future tells what became of it. Drivers that cannot take records back
   * (kafkajs) end the wait only: code ABORTED, and the record may still arrive. One signal may be shared by any number of sends.
   */
  readonly signal?: AbortSignal;
}

/** Counts of a template since it was made. */
export interface TemplateMetrics {
  /** Calls of `send` and the like. */
  readonly sent: number;
  /** Records the broker has acknowledged. */
  readonly acknowledged: number;
  /** Records that were not sent. */
  readonly failed: number;
  /** Records whose outcome is not known yet. */
  readonly pending: number;
}

const DEFAULT_CLOSE_TIMEOUT_MS = 10_000;

/** How long `receive` waits for a record, unless told otherwise. Spring's default. */
const RECEIVE_TIMEOUT_MS = 5000;

/** Injectable sender of records. One per application is the normal case; it is safe to use from everywhere. */
export class KafkaTemplate {
  readonly #parts: KafkaTemplateParts;
  readonly #options: TemplateOptions;
  readonly #host: OutcomeHost;
  readonly #signals = new SignalWatch();
  /** Records whose outcome comes by a promise, a little later than the producer knows it. */
  readonly #promised = new Set<Promise<void>>();
  #closing: Promise<void> | undefined;
  #sent = 0;
  #acknowledged = 0;
  #failed = 0;

  constructor(parts: KafkaTemplateParts, options: TemplateOptions = {}) {
    this.#parts = parts;
    this.#options = options;
    this.#host = { clock: parts.clock, log: parts.log };
  }

  /** Topic of `sendDefault`, if one is configured. */
  get defaultTopic(): string | undefined {
    return this.#options.defaultTopic;
  }

  /** Whether it can send in transactions. */
  get hasTransactions(): boolean {
    return this.#parts.transactions !== undefined;
  }

  /** Sends a record with everything a record can have, to a topic with a contract. */
  send<K, V>(record: ContractRecord<K, V>, options?: SendOptions): SendFuture<K, V>;
  /** Sends a record with everything a record can have. */
  send<K, V>(record: ProducerRecord<K, V>, options?: SendOptions): SendFuture<K, V>;
  /** Sends a message: a payload, and headers that say where it goes. */
  send<V>(message: OutgoingMessage<V>, options?: SendOptions): SendFuture<unknown, V>;
  /** Sends a value without a key; the partition is the producer's choice. With a contract, of its type and written its way. */
  send<V>(topic: TopicContract<unknown, V, unknown>, value: NoInfer<V> | null): SendFuture<null, V>;
  send<V>(topic: string, value: V): SendFuture<null, V>;
  /** Sends a value with a key: equal keys go to the same partition and keep their order. */
  send<K, V>(topic: TopicContract<K, V, unknown>, key: NoInfer<K> | null, value: NoInfer<V> | null): SendFuture<K, V>;
  send<K, V>(topic: string, key: K, value: V): SendFuture<K, V>;
  /** Sends to a chosen partition. */
  send<K, V>(
    topic: TopicContract<K, V, unknown>,
    partition: number | null,
    key: NoInfer<K> | null,
    value: NoInfer<V> | null,
  ): SendFuture<K, V>;
  send<K, V>(topic: string, partition: number | null, key: K, value: V): SendFuture<K, V>;
  /** Sends to a chosen partition with a timestamp in epoch milliseconds. */
  send<K, V>(
    topic: TopicContract<K, V, unknown>,
    partition: number | null,
    timestamp: number | null,
    key: NoInfer<K> | null,
    value: NoInfer<V> | null,
  ): SendFuture<K, V>;
  send<K, V>(topic: string, partition: number | null, timestamp: number | null, key: K, value: V): SendFuture<K, V>;
  send(first: unknown, ...rest: unknown[]): unknown {
    if (typeof first === 'string') return this.#dispatch(recordOf(first, rest), undefined);
    if (first instanceof TopicContract) return this.#dispatch(recordOf(first.name, rest), first.serdes);
    return this.#sendObject(first, (rest[0] as SendOptions | undefined)?.signal);
  }

  /** Sends a record whose key and value are bytes already: no serializer sees them. For forwarding what was received. */
  sendRaw(record: DriverProducerRecord): SendFuture<Buffer | string, Buffer | string> {
    const sent = this.#dispatch(record as ProducerRecord, RAW);
    return sent as SendFuture<Buffer | string, Buffer | string>;
  }

  /** As `send` without the topic: the template's `defaultTopic`. Throws ILLEGAL_STATE when there is none. */
  sendDefault<V>(value: V): SendFuture<null, V>;
  sendDefault<K, V>(key: K, value: V): SendFuture<K, V>;
  sendDefault<K, V>(partition: number | null, key: K, value: V): SendFuture<K, V>;
  sendDefault<K, V>(partition: number | null, timestamp: number | null, key: K, value: V): SendFuture<K, V>;
  sendDefault(...parameters: unknown[]): unknown {
    const topic = this.#options.defaultTopic;
    if (topic === undefined) {
      throw new KafkaTemplateError(
        KafkaTemplateErrorCode.ILLEGAL_STATE,
        'sendDefault needs a default topic: set template.defaultTopic in the options of KafkaModule, or use send(topic, ...)',
      );
    }
    return this.#dispatch(recordOf(topic, parameters), undefined);
  }

  /**
   * Sends records, each as `send` does; completes when all have their outcome. Some may fail and others not:
   * KafkaSendAllError tells which. No transaction: see there for all or nothing.
   */
  sendAll<K, V>(
    records: Iterable<ProducerRecord<K, V> | ContractRecord<K, V> | OutgoingMessage<V>>,
    options?: SendOptions,
  ): SendAllFuture<K, V> {
    const futures: SendFuture[] = [];
    try {
      for (const record of records) futures.push(this.#sendObject(record, options?.signal));
    } catch (error) {
      // No list, or one that fails while it is read: what came before is on its way.
      const isList =
        typeof (records as Partial<Iterable<unknown>> | null | undefined)?.[Symbol.iterator] === 'function';
      const problem = `sendAll takes a list of records, and was given ${kindOf(records)}`;
      futures.push(this.#refuse(undefined, isList ? error : new SerializationError(problem)));
    }
    return new SendAllFuture(futures, this.#host) as SendAllFuture<K, V>;
  }

  /**
   * Sends a request and waits for its reply: a record on the topic of `template.replies` with the same `kafka_correlationId`, as
   * listeners with `@SendTo()` and those of Spring and @nestjs/microservices write it. Throws ILLEGAL_STATE without that option.
   */
  sendAndReceive<R = unknown, K = unknown, V = unknown>(
    request: ProducerRecord<K, V> | ContractRecord<K, V> | OutgoingMessage<V>,
    options: RequestOptions = {},
  ): ReplyFuture<R> {
    const { replies } = this.#parts;
    if (replies === undefined) {
      throw new KafkaTemplateError(
        KafkaTemplateErrorCode.ILLEGAL_STATE,
        'sendAndReceive needs a topic for replies: set template.replies.topic in the options of KafkaModule',
      );
    }
    const correlationId = uniqueId();
    const { signal } = options;
    let prepared: RecordToSend;
    try {
      checkSignal(signal);
      prepared = requestOf(request, this.#options.defaultTopic, requestHeaders(correlationId, replies.options));
    } catch (error) {
      const refused = new ReplyFuture<R>('', correlationId, this.#host);
      this.#refuse(request, error).addCallback(null, (failure) => refused.complete(failure, undefined));
      return refused;
    }
    const future = new ReplyFuture(prepared.record.topic, correlationId, this.#host);
    replies.expect(future, options.timeoutMs);
    const fail = (error: Error) => replies.fail(future, error);
    replies.ready().then(
      () => {
        // It may have timed out meanwhile: nobody would take the reply.
        if (!replies.isWaiting(future)) return;
        this.#dispatch(prepared.record, prepared.serdes, signal).addCallback(null, fail);
      },
      (error: unknown) => fail(asError(error)),
    );
    if (signal != null) this.#watchRequest(signal, future, fail);
    return future as ReplyFuture<R>;
  }

  /**
   * One record of a topic, by its place; undefined when it is not there within `timeoutMs` (default 5000): not written yet,
   * or removed. Each call opens a consumer of its own; for more than one use {@link receiveAll}. Rejects with
   * UNSUPPORTED_BY_DRIVER where partitions cannot be read one by one.
   */
  async receive<K = unknown, V = unknown>(
    topic: string | TopicContract<K, unknown, V>,
    partition: number,
    offset: number,
    timeoutMs: number = RECEIVE_TIMEOUT_MS,
  ): Promise<ConsumerRecord<K, V> | undefined> {
    const serdes = topic instanceof TopicContract ? topic.serdes : undefined;
    const name = topic instanceof TopicContract ? topic.name : topic;
    const [record] = await this.#reader().read([{ topic: name, partition, offset }], timeoutMs, serdes);
    return record as ConsumerRecord<K, V> | undefined;
  }

  /** Several records by their places, in the same order, with one consumer. `timeoutMs` is for each of them. */
  receiveAll<K = unknown, V = unknown>(
    places: readonly RecordPlace[],
    timeoutMs: number = RECEIVE_TIMEOUT_MS,
  ): Promise<(ConsumerRecord<K, V> | undefined)[]> {
    return this.#reader().read(places, timeoutMs) as Promise<(ConsumerRecord<K, V> | undefined)[]>;
  }

  /** Hands the driver's producer to a callback and returns what that returns. For what the template has no method for. */
  execute<T>(callback: (producer: DriverProducer) => T): T {
    return callback(this.#parts.producer);
  }

  /**
   * Runs `work` in a transaction, independent of any other: everything sent inside, by `kafka` or by this template, becomes visible
   * to readers of committed records together, or not at all. Rejects with what the work throws, after the transaction was
   * aborted, or with the error of the commit. Throws ILLEGAL_STATE without `transactionIdPrefix`.
   */
  executeInTransaction<T>(work: (kafka: KafkaTemplate) => T | PromiseLike<T>): Promise<T> {
    const { transactions } = this.#parts;
    if (transactions === undefined) throw noTransactions('executeInTransaction');
    const parts = { ...this.#parts, transactions: undefined };
    return transactions.run((producer) => work(new KafkaTemplate({ ...parts, producer }, this.#options)));
  }

  /**
   * Commits offsets with the open transaction: each that of the next record to read, with the consumer's `groupMetadata()`.
   * Listeners with `transactional` do it by themselves. Rejects with ILLEGAL_STATE outside of a transaction.
   */
  async sendOffsetsToTransaction(offsets: readonly OffsetCommit[], group: ConsumerGroupMetadata): Promise<void> {
    const { producer, transactions } = this.#parts;
    const open = producer instanceof OpenTransaction ? producer : transactions?.current;
    if (open === undefined) throw noTransactions('sendOffsetsToTransaction');
    await open.sendOffsets(offsets, group);
  }

  /** Counts since the template was made. */
  metrics(): TemplateMetrics {
    const counts = { sent: this.#sent, acknowledged: this.#acknowledged, failed: this.#failed };
    return { ...counts, pending: counts.sent - counts.acknowledged - counts.failed };
  }

  /** Resolves when everything sent before has been acknowledged or has failed, callbacks included. */
  async flush(): Promise<void> {
    const promised = [...this.#promised];
    await this.#parts.producer.flush();
    await Promise.all(promised);
  }

  /** The partitions of a topic, as the producer knows them. */
  partitionsFor(topic: string): Promise<readonly PartitionInfo[]> {
    return this.#parts.producer.partitionsFor(topic);
  }

  /**
   * Waits for what is on its way, up to `closeTimeoutMs`, fails the rest, and disconnects: every future has completed
   * when this resolves. The module does it when the application shuts down. Later sends fail.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { producer, replies } = this.#parts;
    const timeoutMs = this.#options.closeTimeoutMs ?? DEFAULT_CLOSE_TIMEOUT_MS;
    await Promise.all([replies?.close(), producer.close(timeoutMs), this.#parts.transactions?.close(timeoutMs)]);
    await Promise.all(this.#promised);
  }

  #watchRequest(signal: AbortSignal, future: ReplyFuture, fail: (error: Error) => void): void {
    const onAbort = () => fail(abortError(signal, 'it may have been handled all the same'));
    if (signal.aborted) {
      queueMicrotask(onAbort);
      return;
    }
    const forget = this.#signals.on(signal, onAbort);
    future.addCallback(forget, forget);
  }

  #reader(): RecordReader {
    const { reader } = this.#parts;
    if (reader !== undefined) return reader;
    throw new KafkaTemplateError(KafkaTemplateErrorCode.ILLEGAL_STATE, 'This template was made without a reader');
  }

  #sendObject(given: unknown, signal: AbortSignal | undefined): SendFuture {
    try {
      const { record, serdes } = recordOfObject(given, this.#options.defaultTopic);
      return this.#dispatch(record, serdes, signal);
    } catch (error) {
      // A property of the record throws when it is read.
      return this.#refuse(given, error);
    }
  }

  #dispatch(given: ProducerRecord, serdes: RecordSerdes | undefined, signal?: AbortSignal): SendFuture {
    let data: DriverProducerRecord | undefined;
    let failure: unknown;
    const record = this.#options.interceptors === undefined ? given : this.#intercepted(given);
    try {
      if (this.#closing !== undefined) {
        throw new KafkaTemplateError('CLOSED', 'the template is closed: the application is shutting down');
      }
      checkSignal(signal);
      if (signal?.aborted === true) throw abortError(signal, 'it was not sent');
      data = serializeRecord(record, serdes ?? this.#parts.serdes);
    } catch (error) {
      failure = error;
    }
    if (data === undefined) return this.#refuse(record, failure);
    const future = new SendFuture(record, this.#host);
    this.#append(data, future, signal);
    this.#sent++;
    return future;
  }

  /** The future of a record that no driver has seen. */
  #refuse(given: unknown, failure: unknown): SendFuture {
    this.#sent++;
    const future = new SendFuture(isReadable(given) ? given : NO_RECORD, this.#host);
    queueMicrotask(() => this.#complete(future, failure, null));
    return future;
  }

  #append(data: DriverProducerRecord, future: SendFuture, signal: AbortSignal | null | undefined): void {
    const producer: DriverProducer = this.#parts.transactions?.current ?? this.#parts.producer;
    let appended = false;
    try {
      if (signal != null) {
        if (producer.send !== undefined) {
          this.#follow(producer.send(data, { signal }), future, signal);
          return;
        }
        this.#watch(signal, future);
      }
      producer.append(data, (error, metadata) => {
        // A driver may know at once that it cannot send. The caller has no future yet, so it hears of it afterwards.
        if (appended) this.#complete(future, error, metadata);
        else queueMicrotask(() => this.#complete(future, error, metadata));
      });
    } catch (error) {
      queueMicrotask(() => this.#complete(future, error, null));
    }
    appended = true;
  }

  /** The driver takes the record back when the signal is aborted. */
  #follow(sent: Promise<RecordMetadata>, future: SendFuture, signal: AbortSignal): void {
    const promised: Promise<void> = sent.then(
      (metadata) => {
        this.#promised.delete(promised);
        this.#complete(future, null, metadata);
      },
      (error: unknown) => {
        this.#promised.delete(promised);
        const isTakenBack = errorCodeOf(error) === KafkaTemplateErrorCode.ABORTED;
        this.#complete(future, isTakenBack ? abortError(signal, 'it was not sent') : error, null);
      },
    );
    this.#promised.add(promised);
  }

  /** The driver cannot take the record back: only the wait for it ends. */
  #watch(signal: AbortSignal, future: SendFuture): void {
    const onAbort = () => this.#complete(future, abortError(signal, 'it may still arrive'), null);
    const forget = this.#signals.on(signal, onAbort);
    future.addCallback(forget, forget);
  }

  #intercepted(given: ProducerRecord): ProducerRecord {
    let record = given;
    for (const interceptor of this.#options.interceptors ?? []) {
      try {
        record = interceptor.onSend?.(record) ?? record;
      } catch (error) {
        this.#parts.log.error(`A ProducerInterceptor failed on a record for ${describeTarget(given)}`, error);
      }
    }
    return record;
  }

  #listenerFailed(record: ProducerRecord, error: unknown): void {
    this.#parts.log.error(`The ProducerListener failed on a record for ${describeTarget(record)}`, error);
  }

  /** The order is Spring's: interceptors, the future with its callbacks, then the listener. */
  #complete(future: SendFuture, cause: unknown, metadata: RecordMetadata | null): void {
    if (future.isDone) return;
    const { listener } = this.#parts;
    const { record } = future;
    if (metadata !== null && cause === null) {
      this.#acknowledged++;
      this.#tellInterceptors(record, metadata, null);
      future.complete(undefined, new SendResult(record, metadata));
      if (listener.onSuccess === undefined) return;
      callGuarded(
        () => listener.onSuccess?.(record, metadata),
        (thrown) => this.#listenerFailed(record, thrown),
      );
    } else {
      this.#failed++;
      const error = new KafkaSendError(record, cause);
      this.#tellInterceptors(record, metadata, error);
      future.complete(error, undefined);
      callGuarded(
        () => listener.onError?.(record, metadata, error),
        (thrown) => this.#listenerFailed(record, thrown),
      );
    }
  }

  #tellInterceptors(record: ProducerRecord, metadata: RecordMetadata | null, error: Error | null): void {
    for (const interceptor of this.#options.interceptors ?? []) {
      callGuarded(
        () => interceptor.onAcknowledgement?.(metadata, error, record),
        (thrown) => this.#parts.log.error(`A ProducerInterceptor failed on ${describeTarget(record)}`, thrown),
      );
    }
  }
}
