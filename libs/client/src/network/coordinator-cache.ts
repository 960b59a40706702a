/**
 * Which broker coordinates which group or transaction.
 *
 * Guarantees: one look-up at a time per key, shared by all who ask; it is repeated with back-off while the coordinator
 * is being elected or loaded, until the asker's time is over. At most COORDINATORS_MAX answers are remembered.
 */
import { ErrorCode, FindCoordinator, type RequestInput, type ResponseOf } from '@kafka-template/protocol';
import { KafkaError, brokerError, closedError, timeoutError } from '../errors.js';
import { delay } from '../io/clock.js';
import type { ClientIo } from '../io/io.js';
import type { Endpoint } from '../io/network.js';
import { backoffMs } from './backoff.js';
import { COORDINATORS_MAX } from './limits.js';
import type { RequestBody, SendOptions } from './request.js';

/** What is coordinated: a consumer group or the transactions of a transactional id. */
export type CoordinatorType = 'group' | 'transaction';

const KEY_TYPE: Readonly<Record<CoordinatorType, number>> = { group: 0, transaction: 1 };

/** What the cache takes from the client's options. */
export interface CoordinatorOptions {
  readonly retryBackoffMs: number;
  readonly retryBackoffMaxMs: number;
}

/** The one thing the cache needs of the cluster. */
export interface CoordinatorAsker {
  request(
    target: 'any',
    api: typeof FindCoordinator,
    body: RequestBody<typeof FindCoordinator>,
    options: SendOptions,
  ): Promise<ResponseOf<typeof FindCoordinator>>;
}

/** The cache. Made and owned by the Cluster. */
export class CoordinatorCache {
  private readonly known = new Map<string, number>();
  private readonly lookups = new Map<string, Promise<number>>();
  private isClosed = false;

  constructor(
    private readonly cluster: CoordinatorAsker,
    private readonly options: CoordinatorOptions,
    private readonly io: ClientIo,
    private readonly onEndpoint: (nodeId: number, endpoint: Endpoint) => void,
  ) {}

  /** The coordinator's broker id. @throws KafkaError TIMEOUT, CLOSED, or what the broker answered */
  find(type: CoordinatorType, key: string, timeoutMs: number): Promise<number> {
    if (this.isClosed) return Promise.reject(closedError('The client is closed.'));
    const name = `${type}:${key}`;
    const known = this.known.get(name);
    if (known !== undefined) return Promise.resolve(known);
    const underWay = this.lookups.get(name);
    if (underWay !== undefined) return underWay;
    const lookup = this.lookUp(type, key, timeoutMs)
      .then((nodeId) => this.remember(name, nodeId))
      .finally(() => this.lookups.delete(name));
    this.lookups.set(name, lookup);
    return lookup;
  }

  /** Forgets one. */
  invalidate(type: CoordinatorType, key: string): void {
    this.known.delete(`${type}:${key}`);
  }

  /** Ends look-ups under way with CLOSED at their next step. */
  close(): void {
    this.isClosed = true;
    this.known.clear();
  }

  private remember(name: string, nodeId: number): number {
    const oldest = this.known.keys().next();
    if (this.known.size >= COORDINATORS_MAX && oldest.done !== true) this.known.delete(oldest.value);
    this.known.set(name, nodeId);
    return nodeId;
  }

  private async lookUp(type: CoordinatorType, key: string, timeoutMs: number): Promise<number> {
    const { clock, random } = this.io;
    const deadlineMs = clock.monotonic() + timeoutMs;
    const limits = { initialMs: this.options.retryBackoffMs, maxMs: this.options.retryBackoffMaxMs };
    for (let failures = 1; ; failures++) {
      const outcome = await this.ask(type, key, Math.ceil(deadlineMs - clock.monotonic()));
      if (typeof outcome === 'number') return outcome;
      if (this.isClosed) throw closedError('The client was closed while looking for a coordinator.');
      if (!outcome.retriable) throw outcome;
      const pauseMs = backoffMs(limits, failures, random);
      if (clock.monotonic() + pauseMs >= deadlineMs) throw this.lateError(type, key, timeoutMs, outcome);
      await delay(clock, pauseMs);
    }
  }

  private async ask(type: CoordinatorType, key: string, timeoutMs: number): Promise<number | KafkaError> {
    const body = (version: number): RequestInput<typeof FindCoordinator> =>
      version < 4 ? { key, keyType: KEY_TYPE[type] } : { keyType: KEY_TYPE[type], coordinatorKeys: [key] };
    const bounds = { timeoutMs, minVersion: type === 'group' ? 0 : 1 };
    try {
      const response = await this.cluster.request('any', FindCoordinator, body, bounds);
      const found = response.coordinators[0] ?? response;
      if (found.errorCode !== ErrorCode.NONE) {
        return brokerError(found.errorCode, `Looking for the coordinator of ${type} ${key}`, found.errorMessage);
      }
      this.onEndpoint(found.nodeId, { host: found.host, port: found.port });
      return found.nodeId;
    } catch (thrown) {
      if (thrown instanceof KafkaError) return thrown;
      throw thrown;
    }
  }

  private lateError(type: CoordinatorType, key: string, timeoutMs: number, cause: KafkaError): KafkaError {
    return timeoutError(
      `The coordinator of ${type} ${key} was not found within ${timeoutMs} ms. Last reason: ${cause.message}`,
      cause,
    );
  }
}
