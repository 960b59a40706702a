/**
 * One connection to one broker: opening, the ApiVersions exchange, authentication, pipelined requests, time limits.
 *
 * Guarantees: requests leave in the order of `send` and their responses are matched in that order by correlation id; a
 * request that times out, or bytes that make no sense, close the connection, because nothing after them can be trusted;
 * whatever was in flight then fails with the same error, in order. Decoded responses own their bytes. A session with a
 * lifetime is renewed by the first request late in it, which waits with those after it until that is done (KIP-368).
 * Leaves out reconnecting and the queue before the connection is open: see link.ts.
 */
import {
  type Api,
  Fetch,
  FrameSplitter,
  Produce,
  type ResponseOf,
  decodeResponse,
  encodeRequest,
  responseCorrelationId,
} from '@kafka-template/protocol';
import { ClientErrorCode, KafkaError, asKafkaError, networkError, timeoutError } from '../errors.js';
import type { Timer } from '../io/clock.js';
import type { ClientIo } from '../io/io.js';
import type { ClientLogger } from '../io/logger.js';
import { type Endpoint, type Stream, formatEndpoint } from '../io/network.js';
import type { ResolvedSecurity } from '../security-options.js';
import { usesTls } from '../security-protocol.js';
import type { ApiRanges } from './api-ranges.js';
import { decodeApiVersions, negotiateApiVersions } from './api-versions.js';
import { type FailedConnection, connectionFailure, foreignAnswer } from './connection-failure.js';
import { RESPONSE_BYTES_MAX, WAITING_REQUESTS_MAX } from './limits.js';
import type { PendingRequest } from './request.js';
import { type SaslSettings, authenticate } from './sasl/authentication.js';

/** A session is renewed after this part of its lifetime and up to {@link RENEWAL_SPREAD} more, as Java's client does. */
const RENEWAL_START = 0.85;
const RENEWAL_SPREAD = 0.1;

/** What a connection takes from the client's options. */
export interface ConnectionOptions extends ResolvedSecurity {
  readonly clientId: string;
  readonly socketConnectionSetupTimeoutMs: number;
  readonly connectionsMaxIdleMs: number;
  readonly logger: ClientLogger;
}

/** What happens to a connection. */
export interface ConnectionEvents {
  /** The broker's versions are known; `send` may be called. */
  onReady(): void;
  /** The broker wants to be left alone for this long: a quota is used up (KIP-219). */
  onThrottled(throttleTimeMs: number): void;
  /** The connection is gone; called once. `reason` is null when it was closed for being idle. */
  onClosed(reason: KafkaError | null): void;
}

/** A connection; opens itself when made. */
export class Connection {
  private readonly stream: Stream;
  private readonly splitter = new FrameSplitter(RESPONSE_BYTES_MAX);
  private readonly inFlight: PendingRequest[] = [];
  /** Requests without a response whose bytes the operating system has not taken yet. */
  private readonly unflushed: PendingRequest[] = [];
  private state: 'opening' | 'ready' | 'closed' = 'opening';
  private isConnected = false;
  private apiRanges: ApiRanges | null = null;
  private nextCorrelationId = 0;
  private readonly setupDeadlineMs: number;
  private lastUsedMs: number;
  private timer: Timer | null = null;
  private timerDueMs = Infinity;
  /** Whether anything but the first exchange was ever answered. */
  private isUsed = false;
  /** Monotonic time from which the next request renews the session. */
  private renewAtMs = Infinity;
  /** Requests that wait for the renewal under way; null when there is none. */
  private held: PendingRequest[] | null = null;
  /** When the renewal under way has failed. */
  private renewalDeadlineMs = Infinity;

  constructor(
    private readonly endpoint: Endpoint,
    private readonly options: ConnectionOptions,
    private readonly io: ClientIo,
    private readonly events: ConnectionEvents,
  ) {
    this.lastUsedMs = io.clock.monotonic();
    this.setupDeadlineMs = this.lastUsedMs + options.socketConnectionSetupTimeoutMs;
    this.armTimer(this.setupDeadlineMs);
    // Never plain where TLS was asked for, whatever becomes of the code that resolves options.
    if (usesTls(options.securityProtocol) && options.ssl === null) throw new Error('TLS without settings');
    const streamEvents = {
      onConnected: () => this.handshake(),
      onData: (chunk: Buffer) => this.receive(chunk),
      onClosed: (error: Error | null) => this.close(connectionFailure(this.description, error)),
    };
    this.stream = io.network.connect(endpoint, streamEvents, options.ssl ?? undefined);
  }

  /** The broker's versions; null until the connection is ready. */
  get ranges(): ApiRanges | null {
    return this.apiRanges;
  }

  /** Requests that were sent and are not answered. */
  get pendingCount(): number {
    return this.inFlight.length + this.unflushed.length + (this.held?.length ?? 0);
  }

  /** `host:port`, for messages. */
  get address(): string {
    return formatEndpoint(this.endpoint);
  }

  /** Sends a request at the highest common version. Only after `onReady`. A version or encoding error leaves the connection open. */
  send(request: PendingRequest): void {
    const { clock } = this.io;
    if (this.held !== null || (this.renewAtMs !== Infinity && clock.monotonic() >= this.renewAtMs)) {
      this.hold(request);
      return;
    }
    try {
      if (this.apiRanges === null) throw networkError(`The connection to ${this.address} is not open yet.`);
      this.transmit(request, this.apiRanges.choose(request.api, request.bounds, `Broker ${this.address}`));
    } catch (thrown) {
      const context = `${request.api.name} could not be sent to ${this.address}`;
      this.refuse(request, asKafkaError(thrown, ClientErrorCode.INVALID_ARGUMENT, context));
    }
  }

  /** Closes the connection. What was in flight fails with `reason`, which null (idle) never meets. */
  close(reason: KafkaError | null): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    if (this.timer !== null) this.io.clock.clearTimer(this.timer);
    this.stream.destroy();
    const failed = [...this.unflushed.splice(0), ...this.inFlight.splice(0), ...(this.held?.splice(0) ?? [])];
    this.events.onClosed(reason);
    for (const request of failed) this.conclude(request, this.requestError(request, reason), null);
  }

  private transmit(request: PendingRequest, version: number): void {
    const body = typeof request.body === 'function' ? request.body(version) : request.body;
    const correlationId = this.nextCorrelationId;
    const chunks = encodeRequest(request.api, version, correlationId, this.options.clientId, body);
    this.nextCorrelationId = (correlationId + 1) & 0x7fffffff;
    request.correlationId = correlationId;
    request.version = version;
    this.lastUsedMs = this.io.clock.monotonic();
    if (request.expectResponse) {
      this.inFlight.push(request);
      this.stream.write(chunks);
    } else {
      this.unflushed.push(request);
      this.stream.write(chunks, () => this.flushed());
    }
    this.armTimer(request.deadlineMs);
  }

  /** The operating system took the oldest request that expects no response. */
  private flushed(): void {
    const request = this.unflushed.shift();
    if (request !== undefined) this.conclude(request, null, null);
  }

  private handshake(): void {
    this.isConnected = true;
    negotiateApiVersions({
      deadlineMs: this.setupDeadlineMs,
      transmit: (request, version) => this.guarded(() => this.transmit(request, version)),
      onRanges: (ranges) => {
        this.apiRanges = ranges;
        const { sasl } = this.options;
        if (sasl === null) this.becomeReady();
        else this.authenticate(sasl, ranges, this.setupDeadlineMs, () => this.becomeReady());
      },
      onFailed: (error) => this.close(error),
    });
  }

  private authenticate(settings: SaslSettings, ranges: ApiRanges, deadlineMs: number, onDone: () => void): void {
    authenticate({
      settings,
      context: this.endpoint,
      address: this.address,
      ranges,
      deadlineMs,
      transmit: (request, version) => {
        if (this.state !== 'closed') this.guarded(() => this.transmit(request, version));
      },
    }).then(
      (lifetimeMs) => {
        if (this.state === 'closed') return;
        const part = RENEWAL_START + RENEWAL_SPREAD * this.io.random.next();
        this.renewAtMs = lifetimeMs > 0 ? this.io.clock.monotonic() + lifetimeMs * part : Infinity;
        onDone();
      },
      (thrown: unknown) =>
        this.close(asKafkaError(thrown, ClientErrorCode.PROTOCOL, `Authentication at ${this.address}`)),
    );
  }

  /** Keeps a request until the session is renewed, and begins with that. What is in flight is answered before. */
  private hold(request: PendingRequest): void {
    if (this.held !== null) {
      if (this.held.length < WAITING_REQUESTS_MAX) this.held.push(request);
      else this.refuse(request, networkError(`${WAITING_REQUESTS_MAX} requests already wait for ${this.address}.`));
      this.armTimer(request.deadlineMs);
      return;
    }
    this.held = [request];
    this.armTimer(request.deadlineMs);
    const { sasl, socketConnectionSetupTimeoutMs } = this.options;
    if (sasl === null || this.apiRanges === null) return;
    // The broker answers in order, and what is in flight (a fetch, a join) may take all of its own time.
    const freeMs = this.inFlight.reduce((latest, each) => Math.max(latest, each.deadlineMs), this.io.clock.monotonic());
    this.renewalDeadlineMs = freeMs + socketConnectionSetupTimeoutMs;
    this.armTimer(this.renewalDeadlineMs);
    this.authenticate(sasl, this.apiRanges, this.renewalDeadlineMs, () => this.release());
  }

  private release(): void {
    const held = this.held ?? [];
    this.held = null;
    this.renewalDeadlineMs = Infinity;
    for (const request of held) this.send(request);
  }

  private refuse(request: PendingRequest, error: KafkaError): void {
    this.io.clock.defer(() => request.callback(error, null, -1));
  }

  private becomeReady(): void {
    this.state = 'ready';
    this.armTimer(this.lastUsedMs + this.options.connectionsMaxIdleMs);
    this.events.onReady();
  }

  private receive(chunk: Buffer): void {
    const isOtherKind = this.state === 'opening' ? foreignAnswer(this.description, chunk) : null;
    if (isOtherKind !== null) this.close(isOtherKind);
    this.guarded(() => this.splitter.push(chunk, (frame) => this.receiveFrame(chunk, frame)));
  }

  private receiveFrame(chunk: Buffer, frame: Buffer): void {
    if (this.state === 'closed') return;
    const correlationId = responseCorrelationId(frame);
    const request = this.inFlight.shift();
    if (request === undefined || request.correlationId !== correlationId) {
      if (request !== undefined) this.inFlight.unshift(request);
      const expected = request === undefined ? 'none' : String(request.correlationId);
      throw new Error(`response ${correlationId} came where ${expected} was expected`);
    }
    this.lastUsedMs = this.io.clock.monotonic();
    // The chunk is the socket's reused buffer: a response may keep views of its frame, so the frame gets its own bytes.
    const owned = frame.buffer === chunk.buffer ? Buffer.from(frame) : frame;
    const response = this.decode(request, owned);
    if (this.state === 'ready') this.isUsed = true;
    const throttleTimeMs = throttleTime(request, response);
    // Before the callback, which may send the next request.
    if (throttleTimeMs > 0) this.events.onThrottled(throttleTimeMs);
    this.conclude(request, null, response);
  }

  /** Tells the outcome. A callback that throws is a bug of its owner and must not cost the others their connection. */
  private conclude(request: PendingRequest, error: KafkaError | null, response: ResponseOf<Api> | null): void {
    try {
      request.callback(error, response, request.version);
    } catch (thrown) {
      this.options.logger.error(`The callback of a ${request.api.name} request threw.`, { error: thrown });
    }
  }

  private decode(request: PendingRequest, frame: Buffer): ResponseOf<Api> {
    try {
      return decodeApiVersions(request, frame) ?? decodeResponse(request.api, request.version, frame);
    } catch (thrown) {
      this.inFlight.unshift(request);
      throw thrown;
    }
  }

  /** Runs a step that reads or writes bytes; whatever it throws ends the connection. */
  private guarded(step: () => void): void {
    try {
      step();
    } catch (thrown) {
      const { message: reason } = thrown as Error;
      const code = thrown instanceof KafkaError ? thrown.code : ClientErrorCode.PROTOCOL;
      const message = `Broker ${this.address} sent what this client cannot read (${reason}). Is it a Kafka listener?`;
      this.close(new KafkaError(code, message, { retriable: true, cause: thrown }));
    }
  }

  /** Makes sure that the timer fires at `dueMs` or before. */
  private armTimer(dueMs: number): void {
    if (dueMs >= this.timerDueMs) return;
    const { clock } = this.io;
    if (this.timer !== null) clock.clearTimer(this.timer);
    this.timerDueMs = dueMs;
    this.timer = clock.setTimer(Math.ceil(dueMs - clock.monotonic()), () => this.onTimer());
  }

  private onTimer(): void {
    this.timer = null;
    this.timerDueMs = Infinity;
    const now = this.io.clock.monotonic();
    if (this.state === 'opening') {
      this.close(this.setupError());
      return;
    }
    if (this.renewalDeadlineMs <= now) {
      this.close(this.renewalError());
      return;
    }
    this.expireHeld(now);
    let nextMs = Math.min(this.lastUsedMs + this.options.connectionsMaxIdleMs, this.renewalDeadlineMs);
    for (const request of this.inFlight) nextMs = Math.min(nextMs, request.deadlineMs);
    for (const request of this.unflushed) nextMs = Math.min(nextMs, request.deadlineMs);
    for (const request of this.held ?? []) nextMs = Math.min(nextMs, request.deadlineMs);
    if (nextMs > now) this.armTimer(nextMs);
    else if (this.pendingCount === 0) this.close(null);
    else this.closeForTimeout(now);
  }

  /** Fails the requests whose time is over while they wait for a renewal. They were never sent. */
  private expireHeld(now: number): void {
    if (this.held === null) return;
    const late = this.held.filter((request) => request.deadlineMs <= now);
    this.held = this.held.filter((request) => request.deadlineMs > now);
    for (const request of late) this.conclude(request, this.requestError(request, null), null);
  }

  private closeForTimeout(now: number): void {
    const late = [...this.inFlight, ...this.unflushed].find((request) => request.deadlineMs <= now);
    if (late === undefined) {
      this.armTimer(now + this.options.connectionsMaxIdleMs);
      return;
    }
    this.close(networkError(`The connection to ${this.address} was closed because ${late.api.name} got no answer.`));
  }

  /** What one request is told when the connection goes: a timeout if its own time is over, else the common reason. */
  private requestError(request: PendingRequest, reason: KafkaError | null): KafkaError {
    if (request.deadlineMs <= this.io.clock.monotonic()) {
      return timeoutError(
        `${request.api.name} to ${this.address} got no answer within ${request.timeoutMs} ms (requestTimeoutMs).`,
      );
    }
    return reason ?? networkError(`The connection to ${this.address} was closed.`);
  }

  private setupError(): KafkaError {
    return this.tooLate('was not usable');
  }

  private renewalError(): KafkaError {
    return this.tooLate('was not authenticated again');
  }

  private tooLate(what: string): KafkaError {
    const limitMs = this.options.socketConnectionSetupTimeoutMs;
    return networkError(
      `The connection to ${this.address} ${what} within ${limitMs} ms (socketConnectionSetupTimeoutMs).`,
    );
  }

  private get description(): FailedConnection {
    const { address, isConnected, isUsed } = this;
    const opening = isConnected ? 'opening' : 'connecting';
    const stage = this.state === 'opening' ? opening : isUsed ? 'used' : 'unused';
    return { address, securityProtocol: this.options.securityProtocol, stage };
  }
}

/**
 * First versions with which a broker answers at once and then reads nothing for the throttle time (KIP-219). Before, it has
 * waited already. All other APIs with the field did so from Kafka 2.0 on.
 */
const THROTTLED_BY_CLIENT: ReadonlyMap<number, number> = new Map([
  [Produce.key, 6],
  [Fetch.key, 8],
]);

function throttleTime({ api, version }: PendingRequest, response: ResponseOf<Api>): number {
  if (version < (THROTTLED_BY_CLIENT.get(api.key) ?? 0)) return 0;
  const { throttleTimeMs } = response as { readonly throttleTimeMs?: number };
  return throttleTimeMs ?? 0;
}
