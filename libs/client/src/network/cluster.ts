/**
 * The cluster as one partner: metadata, coordinators, and requests to one broker, to any, or to the controller.
 *
 * Guarantees: the version of a request is the highest that this broker and this client have in common; a request for
 * "any" broker is tried at the next one when a connection cannot be opened, until its time is over; every callback is
 * called exactly once, never before `send` returns. Retrying what a broker refused is the caller's decision.
 */
import { type Api, Metadata, type ResponseOf } from '@kafka-template/protocol';
import { ClientErrorCode, KafkaError, closedError, networkError, timeoutError } from '../errors.js';
import type { ClientIo } from '../io/io.js';
import type { Endpoint } from '../io/network.js';
import { MetadataCache, type MetadataOptions } from '../metadata/metadata-cache.js';
import type { ResolvedClientOptions } from '../options.js';
import type { ApiRanges } from './api-ranges.js';
import { CoordinatorCache, type CoordinatorType } from './coordinator-cache.js';
import { Link } from './link.js';
import { Reachability } from './reachability.js';
import type { PendingRequest, RequestBody, ResponseCallback, SendOptions } from './request.js';

/** A broker id, or a choice left to the cluster. */
export type SendTarget = number | 'any' | 'controller';

/** Made by each producer, consumer and admin for itself. Opens no connection before the first request. */
export class Cluster {
  /** Brokers, topics and leaders; see there for refreshing and listening. */
  readonly metadata: MetadataCache;
  private readonly links = new Map<string, Link>();
  private readonly coordinators: CoordinatorCache;
  /** Addresses of coordinators that the metadata does not list (yet). */
  private readonly learntEndpoints = new Map<number, Endpoint>();
  private readonly reachability: Reachability;
  private isClosed = false;

  constructor(
    private readonly options: ResolvedClientOptions & Pick<MetadataOptions, 'allowAutoCreateTopics'>,
    private readonly io: ClientIo,
  ) {
    this.reachability = new Reachability(io.clock, options.logger);
    this.metadata = new MetadataCache(options, io, (body, callback) => this.sendMetadata(body, callback));
    this.metadata.onUpdate(() => {
      this.adoptLinks();
      this.moveLinks();
    });
    this.coordinators = new CoordinatorCache(this, options, io, (id, endpoint) =>
      this.learntEndpoints.set(id, endpoint),
    );
  }

  /**
   * Sends a request; `callback` gets the response or a KafkaError. A body whose fields depend on the version is given
   * as a function. Errors in the response's own fields are the caller's business.
   */
  send<A extends Api>(
    target: SendTarget,
    api: A,
    body: RequestBody<A>,
    options: SendOptions,
    callback: ResponseCallback<A>,
  ): void {
    const timeoutMs = options.timeoutMs ?? this.options.requestTimeoutMs;
    const request: PendingRequest = {
      api,
      body,
      bounds: options,
      deadlineMs: this.io.clock.monotonic() + timeoutMs,
      timeoutMs,
      expectResponse: options.expectResponse ?? true,
      version: -1,
      correlationId: -1,
      callback,
    };
    const lane = options.lane ?? 'main';
    if (target === 'any') this.sendToAny(request, lane);
    else if (target === 'controller') this.sendToController(request, lane);
    else this.sendToBroker(target, request, lane);
  }

  /** {@link send} as a promise. @throws KafkaError */
  request<A extends Api>(
    target: SendTarget,
    api: A,
    body: RequestBody<A>,
    options: SendOptions = {},
  ): Promise<ResponseOf<A>> {
    return new Promise((resolve, reject) => {
      this.send(target, api, body, options, (error, response) => {
        if (error !== null) reject(error);
        else resolve(response as ResponseOf<A>);
      });
    });
  }

  /**
   * The broker id of a coordinator; looked up when it is not known, with retries until `timeoutMs` (default:
   * `requestTimeoutMs`).
   *
   * @throws KafkaError TIMEOUT, or at once for an error that will not pass
   */
  coordinator(type: CoordinatorType, key: string, timeoutMs = this.options.requestTimeoutMs): Promise<number> {
    return this.coordinators.find(type, key, timeoutMs);
  }

  /** Forgets a coordinator: after NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE or a lost connection. */
  invalidateCoordinator(type: CoordinatorType, key: string): void {
    this.coordinators.invalidate(type, key);
  }

  /** The versions of one broker; null until a connection to it was opened. */
  apiVersions(nodeId: number, lane = 'main'): ApiRanges | null {
    return this.links.get(linkKey(nodeId, lane))?.ranges ?? null;
  }

  /** Closes every connection; what is pending fails with CLOSED. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.metadata.close();
    this.coordinators.close();
    for (const link of this.links.values()) link.close(closedError('The client was closed before the answer came.'));
    this.links.clear();
  }

  private sendMetadata(body: RequestBody<typeof Metadata>, callback: ResponseCallback<typeof Metadata>): void {
    this.send('any', Metadata, body, {}, callback);
  }

  private sendToBroker(nodeId: number, request: PendingRequest, lane: string): void {
    const link = this.isClosed ? null : this.link(nodeId, lane);
    if (link !== null) {
      link.send(request);
      return;
    }
    if (!this.isClosed) this.metadata.requestUpdate();
    const error = this.isClosed
      ? closedError('The client is closed.')
      : networkError(
          `Broker ${nodeId} is not among the live brokers of the cluster; ${request.api.name} was not sent.`,
        );
    this.io.clock.defer(() => request.callback(error, null, -1));
  }

  private sendToController(request: PendingRequest, lane: string): void {
    if (this.metadata.controllerId !== -1 || this.isClosed) {
      this.sendToBroker(this.metadata.controllerId, request, lane);
      return;
    }
    this.metadata.refresh().then(
      () => this.sendToBroker(this.metadata.controllerId, request, lane),
      (error: KafkaError) => request.callback(error, null, -1),
    );
  }

  /** Tries brokers until one can be reached. A request that was sent is never repeated here. */
  private sendToAny(request: PendingRequest, lane: string): void {
    const reasons = new Map<number, string>();
    const attempt = (): void => {
      const nodeId = this.chooseBroker(lane);
      const onOutcome: ResponseCallback<Api> = (error, response, version) => {
        const wasSent = version !== -1 || error === null || !isUnopened(error);
        if (error !== null) reasons.set(nodeId, reasonOf(error));
        if (!wasSent && !this.isClosed && this.io.clock.monotonic() < request.deadlineMs) attempt();
        else request.callback(this.describeAny(error, version, reasons), response, version);
      };
      this.sendToBroker(nodeId, { ...request, callback: onOutcome }, lane);
    };
    attempt();
  }

  private describeAny(
    error: KafkaError | null,
    version: number,
    reasons: ReadonlyMap<number, string>,
  ): KafkaError | null {
    if (error === null || version !== -1 || !error.retriable) return error;
    const listed = [...new Set(reasons.values())].join(' ');
    return timeoutError(
      `No broker could be reached. ${listed} Check bootstrapServers, and that a broker ` +
        'listens there and advertises an address this machine can reach.',
      error,
    );
  }

  /** The broker that is the least trouble: connected and idle first, one that just failed last. */
  private chooseBroker(lane: string): number {
    let candidates = [...this.metadata.brokers.keys()];
    const isCutOff = candidates.every((id) => this.links.get(linkKey(id, lane))?.hasFailed === true);
    // Nobody of the known cluster answers: it may have moved as a whole, so begin again (KIP-899).
    if (isCutOff) candidates = [...candidates, ...this.options.bootstrapServers.map((_, index) => -1 - index)];
    const start = Math.floor(this.io.random.next() * candidates.length);
    let best = candidates[start] ?? -1;
    let bestScore = Infinity;
    for (let step = 0; step < candidates.length; step++) {
      const id = candidates[(start + step) % candidates.length] ?? -1;
      const link = this.links.get(linkKey(id, lane));
      const score = link === undefined ? 2 : link.rank + link.pendingCount / 1e6;
      if (score < bestScore) [best, bestScore] = [id, score];
    }
    return best;
  }

  private link(nodeId: number, lane: string): Link | null {
    const key = linkKey(nodeId, lane);
    const known = this.links.get(key);
    if (known !== undefined) return known;
    const endpoint = this.endpoint(nodeId);
    if (endpoint === undefined) return null;
    const link = new Link(endpoint, this.options, this.io, {
      onOpen: (address) => this.reachability.reached(address),
      onFailure: (address, error, wasOpen) => this.onLinkFailure(address, error, wasOpen),
    });
    this.links.set(key, link);
    return link;
  }

  /** Bootstrap servers have the ids -1, -2, … */
  private endpoint(nodeId: number): Endpoint | undefined {
    if (nodeId < 0) return this.options.bootstrapServers[-1 - nodeId];
    return this.metadata.brokers.get(nodeId) ?? this.learntEndpoints.get(nodeId);
  }

  private onLinkFailure(address: string, error: KafkaError, wasOpen: boolean): void {
    this.reachability.failed(address, error, wasOpen);
    if (!this.isClosed) this.metadata.connectionFailed(wasOpen ? error : this.explain(error));
  }

  /** For who waits until the time is over: not only what happened last, but which brokers were tried. */
  private explain(error: KafkaError): KafkaError {
    if (!error.retriable || [...this.links.values()].some((link) => link.ranges !== null)) return error;
    const tried = this.reachability.unreachable.join(', ');
    return networkError(
      `No broker can be reached; tried: ${tried}. ${error.message} Check bootstrapServers, and that a broker is running there.`,
      error,
    );
  }

  /** A bootstrap server that turns out to be a broker at the same address keeps its connection. */
  private adoptLinks(): void {
    for (const [key, link] of this.links) {
      const [nodeId, lane] = [nodeOf(key), key.slice(key.indexOf('/') + 1)];
      const endpoint = nodeId < 0 && link.ranges !== null ? this.endpoint(nodeId) : undefined;
      if (endpoint === undefined) continue;
      for (const [id, { host, port }] of this.metadata.brokers) {
        if (host !== endpoint.host || port !== endpoint.port || this.links.has(linkKey(id, lane))) continue;
        this.links.delete(key);
        this.links.set(linkKey(id, lane), link);
        break;
      }
    }
  }

  /** Brokers may come back at another address. */
  private moveLinks(): void {
    for (const [key, link] of this.links) {
      const endpoint = this.metadata.brokers.get(nodeOf(key));
      if (endpoint !== undefined) link.moveTo(endpoint);
    }
  }
}

/** Of a request that waited in vain for a connection: why there was none. */
function reasonOf({ cause, message }: KafkaError): string {
  return cause instanceof KafkaError ? cause.message : message;
}

/** Whether there was no connection to send on: refused, lost, or to something that is no broker. */
function isUnopened({ code, retriable }: KafkaError): boolean {
  return retriable && (code === ClientErrorCode.NETWORK || code === ClientErrorCode.PROTOCOL);
}

function linkKey(nodeId: number, lane: string): string {
  return `${nodeId}/${lane}`;
}

function nodeOf(key: string): number {
  return Number(key.slice(0, key.indexOf('/')));
}
