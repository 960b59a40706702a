/**
 * Reads the reply topic of a template and completes the requests that wait. Spring's ReplyingKafkaTemplate, its container part.
 *
 * Without a group: every instance of an application reads the topic and picks out its own replies, or reads one partition that
 * is its own. Starts with the first request, at the end of the topic, and is reading before that request is sent, so that no
 * reply is missed. `close` fails what still waits: nothing hangs.
 */
import type { Driver, DriverConsumer, DriverRecord } from '../drivers/driver.js';
import { KafkaTemplateError, KafkaTemplateErrorCode, errorCodeOf } from '../errors.js';
import type { Clock, Timer } from '../io/clock.js';
import type { Log } from '../io/log.js';
import { ConsumerRecord } from '../record/consumer-record.js';
import type { RecordSerdes } from '../serde/record-serdes.js';
import type { HeaderToSend } from './producer-record.js';
import { KafkaReplyTimeoutError, type ReplyFuture } from './reply-future.js';

/** How a template gets replies. */
export interface ReplyOptions {
  /** The topic that replies come to. */
  readonly topic: string;
  /** The one partition that this instance reads, sent along with each request. Default: all, shared with other instances. */
  readonly partition?: number;
  /** How long a reply may take, unless a request says otherwise. Default 5000. */
  readonly timeoutMs?: number;
  /** Requests that may wait at a time; more are refused. Default 10000. */
  readonly maxPending?: number;
  /** Looks at a reply, and returns an error if it tells of one: the request then fails with it. */
  readonly errorOf?: (reply: ConsumerRecord) => Error | undefined;
}

/** What a receiver works with. */
export interface ReplyReceiverParts {
  readonly driver: Pick<Driver, 'name' | 'capabilities'>;
  readonly createConsumer: () => DriverConsumer;
  readonly serdes: RecordSerdes;
  readonly clock: Clock;
  readonly log: Log;
}

/** Headers of requests and replies. Spring's and Nest's names. */
export const REQUEST_HEADERS = {
  CORRELATION_ID: 'kafka_correlationId',
  REPLY_TOPIC: 'kafka_replyTopic',
  REPLY_PARTITION: 'kafka_replyPartition',
} as const;

const DEFAULT_TIMEOUT_MS = 5000;
const DEFAULT_PENDING_MAX = 10_000;
const POLL_TIMEOUT_MS = 5000;
const RETRY_MS = 500;
const CLOSE_TIMEOUT_MS = 5000;

interface Pending {
  readonly future: ReplyFuture;
  readonly timer: Timer;
}

/** The requests of a template that wait, and the consumer that brings their replies. */
export class ReplyReceiver {
  readonly options: ReplyOptions;
  readonly #parts: ReplyReceiverParts;
  readonly #pending = new Map<string, Pending>();
  #consumer: DriverConsumer | undefined;
  #starting: Promise<void> | undefined;
  #loop: Promise<void> | undefined;
  #isClosed = false;
  #endWait: (() => void) | undefined;

  constructor(options: ReplyOptions, parts: ReplyReceiverParts) {
    this.options = options;
    this.#parts = parts;
  }

  /** Resolves when replies are being read. Rejects when they cannot be; the next call tries again. */
  ready(): Promise<void> {
    if (this.#isClosed) return Promise.reject(closed());
    this.#starting ??= this.#start().catch((error: unknown) => {
      this.#starting = undefined;
      throw error;
    });
    return this.#starting;
  }

  /** From now on the reply completes the future; the time runs. */
  expect(future: ReplyFuture, timeoutMs: number = this.options.timeoutMs ?? DEFAULT_TIMEOUT_MS): void {
    const { clock } = this.#parts;
    const max = this.options.maxPending ?? DEFAULT_PENDING_MAX;
    if (this.#isClosed || this.#pending.size >= max) {
      const error = this.#isClosed ? closed() : tooMany(max);
      queueMicrotask(() => future.complete(error, undefined));
      return;
    }
    const id = future.correlationId;
    const timer = clock.setTimer(timeoutMs, () =>
      this.fail(future, new KafkaReplyTimeoutError(future.topic, timeoutMs)),
    );
    this.#pending.set(id, { future, timer });
  }

  /** Whether a request still waits. */
  isWaiting(future: ReplyFuture): boolean {
    return this.#pending.has(future.correlationId);
  }

  /** The request has failed. */
  fail(future: ReplyFuture, error: Error): void {
    this.#take(future.correlationId);
    future.complete(error, undefined);
  }

  /** Fails what waits, and stops reading. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { future } of [...this.#pending.values()]) this.fail(future, closed());
    this.#endWait?.();
    this.#consumer?.wakeup();
    await this.#starting?.catch(() => undefined);
    await this.#loop;
    await this.#consumer?.close(CLOSE_TIMEOUT_MS);
  }

  async #start(): Promise<void> {
    const { driver, createConsumer } = this.#parts;
    if (!driver.capabilities.assign) {
      throw new KafkaTemplateError(
        KafkaTemplateErrorCode.UNSUPPORTED_BY_DRIVER,
        `The driver ${driver.name} cannot read partitions without a group, as sendAndReceive does: use the driver native`,
      );
    }
    const consumer = createConsumer();
    try {
      const { topic, partition } = this.options;
      const partitions = partition === undefined ? await consumer.partitionsFor(topic) : [{ topic, partition }];
      const assigned = partitions.map((one) => ({ topic, partition: one.partition }));
      consumer.assign(assigned);
      consumer.seekToEnd(assigned);
      // Asking for the positions fixes them: what comes after this is read.
      for (const one of assigned) await consumer.position(one);
    } catch (error) {
      await consumer.close(CLOSE_TIMEOUT_MS);
      throw error;
    }
    this.#consumer = consumer;
    this.#loop = this.#read(consumer);
  }

  async #read(consumer: DriverConsumer): Promise<void> {
    const { log } = this.#parts;
    while (!this.#isClosed) {
      try {
        const polled = await consumer.poll(POLL_TIMEOUT_MS);
        for (const partition of polled.partitions()) {
          for (const record of polled.records(partition)) this.#onReply(record);
        }
      } catch (error) {
        if (this.#isClosed) return;
        if (errorCodeOf(error) === 'WAKEUP') continue;
        log.error(`Replies from topic ${this.options.topic} cannot be read; it is tried again`, error);
        await this.#wait(RETRY_MS);
      }
    }
  }

  #onReply(source: DriverRecord): void {
    const { log, serdes } = this.#parts;
    const reply = new ConsumerRecord(source, serdes);
    const id = reply.header(REQUEST_HEADERS.CORRELATION_ID)?.toString();
    const future = id === undefined ? undefined : this.#take(id);
    if (future === undefined) {
      log.debug(`A reply on ${this.options.topic} is for somebody else, or too late`);
      return;
    }
    let error: Error | undefined;
    try {
      error = this.options.errorOf?.(reply);
    } catch (thrown) {
      error = thrown as Error;
    }
    if (error === undefined) future.complete(undefined, reply);
    else future.complete(error, undefined);
  }

  #take(id: string): ReplyFuture | undefined {
    const pending = this.#pending.get(id);
    if (pending === undefined) return undefined;
    pending.timer.cancel();
    this.#pending.delete(id);
    return pending.future;
  }

  async #wait(delayMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#parts.clock.setTimer(delayMs, resolve);
      this.#endWait = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}

function closed(): KafkaTemplateError {
  return new KafkaTemplateError('CLOSED', 'The template is closed: the application is shutting down');
}

function tooMany(max: number): KafkaTemplateError {
  return new KafkaTemplateError(
    KafkaTemplateErrorCode.TOO_MANY_REQUESTS,
    `${max} requests wait for their replies already: slow down, or raise template.replies.maxPending`,
  );
}

/** The headers of a request. */
export function requestHeaders(correlationId: string, { topic, partition }: ReplyOptions): HeaderToSend[] {
  const headers: HeaderToSend[] = [
    { key: REQUEST_HEADERS.CORRELATION_ID, value: correlationId },
    { key: REQUEST_HEADERS.REPLY_TOPIC, value: topic },
  ];
  if (partition === undefined) return headers;
  // Four bytes, as Spring reads it.
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(partition);
  return [...headers, { key: REQUEST_HEADERS.REPLY_PARTITION, value: bytes }];
}
