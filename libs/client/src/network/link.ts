/**
 * The way to one broker on one lane: a connection when one is needed, a queue until it is open, back-off when it fails.
 *
 * Guarantees: requests are sent in the order of `send`, over reconnects too; those that waited for a connection which
 * could not be opened fail at once with version -1 ("never sent"), so that their owner can try elsewhere; a request
 * never waits longer than its own deadline. A connection the broker throttles is left alone for that time. A link opens no connection that nobody asked for.
 */
import { type KafkaError, closedError, networkError, timeoutError } from '../errors.js';
import type { Timer } from '../io/clock.js';
import type { ClientIo } from '../io/io.js';
import { type Endpoint, formatEndpoint } from '../io/network.js';
import type { ApiRanges } from './api-ranges.js';
import { backoffMs } from './backoff.js';
import { Connection, type ConnectionOptions } from './connection.js';
import { WAITING_REQUESTS_MAX } from './limits.js';
import type { PendingRequest } from './request.js';

/** What a link takes from the client's options. */
export interface LinkOptions extends ConnectionOptions {
  readonly reconnectBackoffMs: number;
  readonly reconnectBackoffMaxMs: number;
}

/** What happens to the connections of a link. */
export interface LinkEvents {
  /** A connection is open. */
  onOpen(address: string): void;
  /** A connection failed or, when `wasOpen`, broke; not when it was closed on purpose. */
  onFailure(address: string, error: KafkaError, wasOpen: boolean): void;
}

/** A way to one broker. */
export class Link {
  private connection: Connection | null = null;
  private ready = false;
  private closed = false;
  private isMoving = false;
  private waiting: PendingRequest[] = [];
  private failures = 0;
  private lastFailure: KafkaError | null = null;
  /** Monotonic time before which no connection is opened. */
  private retryAtMs = 0;
  /** Monotonic time before which the broker wants no request on this connection. */
  private throttledUntilMs = 0;
  private timer: Timer | null = null;
  private timerDueMs = Infinity;

  constructor(
    private endpoint: Endpoint,
    private readonly options: LinkOptions,
    private readonly io: ClientIo,
    private readonly events: LinkEvents,
  ) {}

  /** The broker's versions; null until a connection was opened. */
  get ranges(): ApiRanges | null {
    return this.ready ? (this.connection?.ranges ?? null) : null;
  }

  /** Requests that wait to be sent or answered. */
  get pendingCount(): number {
    return this.waiting.length + (this.connection?.pendingCount ?? 0);
  }

  /** How good a choice this link is for a request any broker can answer: lower is better. */
  get rank(): number {
    if (this.ready) return this.isThrottled ? 1 : 0;
    if (this.connection !== null) return 1;
    return this.isBackingOff ? 3 : 2;
  }

  /** Whether the last attempt failed. */
  get hasFailed(): boolean {
    return this.failures > 0;
  }

  /** Whether the pause after a failure is not over. */
  get isBackingOff(): boolean {
    return this.retryAtMs > this.io.clock.monotonic();
  }

  private get isThrottled(): boolean {
    return this.throttledUntilMs > this.io.clock.monotonic();
  }

  /** Points the link at another address. An open connection to the old one is dropped. */
  moveTo(endpoint: Endpoint): void {
    if (endpoint.host === this.endpoint.host && endpoint.port === this.endpoint.port) return;
    this.endpoint = endpoint;
    this.isMoving = true;
    this.connection?.close(networkError(`The broker has moved to ${endpoint.host}:${endpoint.port}.`));
    this.isMoving = false;
    this.failures = 0;
    this.retryAtMs = 0;
    if (this.waiting.length > 0) this.open();
  }

  /** Sends, or queues until the connection is open. Never calls back before it returns. */
  send(request: PendingRequest): void {
    if (this.ready && this.connection !== null && !this.isThrottled) {
      this.connection.send(request);
      return;
    }
    if (this.closed || this.waiting.length >= WAITING_REQUESTS_MAX) {
      const error = this.closed
        ? closedError('The client is closed.')
        : networkError(
            `${WAITING_REQUESTS_MAX} requests already wait for ${this.endpoint.host}:${this.endpoint.port}.`,
          );
      this.io.clock.defer(() => request.callback(error, null, -1));
      return;
    }
    this.waiting.push(request);
    this.armTimer(request.deadlineMs);
    if (this.isThrottled) this.armTimer(this.throttledUntilMs);
    else this.open();
  }

  /** Drops the connection; everything pending fails with `reason`. */
  close(reason: KafkaError): void {
    this.closed = true;
    if (this.timer !== null) this.io.clock.clearTimer(this.timer);
    this.connection?.close(reason);
    this.failWaiting(reason);
  }

  private open(): void {
    if (this.connection !== null || this.closed) return;
    if (this.isBackingOff) {
      this.armTimer(this.retryAtMs);
      return;
    }
    this.connection = new Connection(this.endpoint, this.options, this.io, {
      onReady: () => this.onReady(),
      onThrottled: (throttleTimeMs) => {
        this.throttledUntilMs = Math.max(this.throttledUntilMs, this.io.clock.monotonic() + throttleTimeMs);
      },
      onClosed: (reason) => this.onClosed(reason),
    });
  }

  private onReady(): void {
    this.ready = true;
    this.failures = 0;
    this.lastFailure = null;
    this.events.onOpen(formatEndpoint(this.endpoint));
    this.sendWaiting();
  }

  private sendWaiting(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const request of waiting) this.send(request);
  }

  private onClosed(reason: KafkaError | null): void {
    const wasOpen = this.ready;
    this.connection = null;
    this.ready = false;
    this.throttledUntilMs = 0;
    if (reason === null || this.closed) return;
    this.failures += 1;
    this.lastFailure = reason;
    const limits = { initialMs: this.options.reconnectBackoffMs, maxMs: this.options.reconnectBackoffMaxMs };
    // Credentials and certificates seldom become right by themselves, and brokers count such attempts: the longest pause.
    const pauseMs = reason.fatal ? limits.maxMs : backoffMs(limits, this.failures, this.io.random);
    this.retryAtMs = this.io.clock.monotonic() + pauseMs;
    this.failWaiting(reason);
    if (!this.isMoving) this.events.onFailure(formatEndpoint(this.endpoint), reason, wasOpen);
  }

  private failWaiting(reason: KafkaError): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const request of waiting) this.io.clock.defer(() => request.callback(reason, null, -1));
  }

  private armTimer(dueMs: number): void {
    if (dueMs >= this.timerDueMs) return;
    const { clock } = this.io;
    if (this.timer !== null) clock.clearTimer(this.timer);
    this.timerDueMs = dueMs;
    this.timer = clock.setTimer(Math.ceil(dueMs - clock.monotonic()), () => this.onTimer());
  }

  /** Fails what waited too long, and connects when the pause is over. */
  private onTimer(): void {
    this.timer = null;
    this.timerDueMs = Infinity;
    const now = this.io.clock.monotonic();
    const late = this.waiting.filter((request) => request.deadlineMs <= now);
    this.waiting = this.waiting.filter((request) => request.deadlineMs > now);
    for (const request of late) request.callback(this.lateError(request), null, -1);
    for (const request of this.waiting) this.armTimer(request.deadlineMs);
    if (this.waiting.length === 0) return;
    if (this.isThrottled) this.armTimer(this.throttledUntilMs);
    else if (this.ready) this.sendWaiting();
    else this.open();
  }

  private lateError(request: PendingRequest): KafkaError {
    const { host, port } = this.endpoint;
    if (this.ready) {
      const message = `${request.api.name} was not sent: ${host}:${port} throttles this client, for more than ${request.timeoutMs} ms.`;
      return timeoutError(message);
    }
    const reason = this.lastFailure === null ? '' : ` ${this.lastFailure.message}`;
    return timeoutError(
      `${request.api.name} was not sent: no connection to ${host}:${port} in ${request.timeoutMs} ms.${reason}`,
      this.lastFailure ?? undefined,
    );
  }
}
