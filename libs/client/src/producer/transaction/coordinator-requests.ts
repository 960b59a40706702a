/**
 * Requests of transactions to coordinators: found, asked, asked again until there is an answer that means something.
 *
 * Guarantees: a request whose answer was lost is sent again until it is answered, because only then it is known what
 * the coordinator has done; the coordinator is looked up again when it moved or cannot be reached; pauses grow. All of
 * these requests are idempotent. Bound: one request at a time per caller; ends with the producer.
 */
import { type Api, ErrorCode, type ResponseOf } from '@kafka-template/protocol';
import { ClientErrorCode, KafkaError, asKafkaError, brokerError, closedError } from '../../errors.js';
import { delay } from '../../io/clock.js';
import type { ClientIo } from '../../io/io.js';
import type { VersionBounds } from '../../network/api-ranges.js';
import { backoffMs } from '../../network/backoff.js';
import type { Cluster } from '../../network/cluster.js';
import type { CoordinatorType } from '../../network/coordinator-cache.js';
import type { RequestBody } from '../../network/request.js';
import type { ResolvedProducerOptions } from '../producer-options.js';
import { coordinatorError, remedyOf } from './transaction-errors.js';

/** The first pause after CONCURRENT_TRANSACTIONS: the markers of the last transaction take this long, not longer. */
const CONCURRENT_BACKOFF_MS = 20;

/** One thing to ask of a coordinator. */
export interface CoordinatorRequest<A extends Api> {
  readonly api: A;
  /** What is being done, as the start of a sentence. */
  readonly context: string;
  readonly coordinator: CoordinatorType;
  /** The group or the transactional id. */
  readonly key: string;
  readonly bounds?: VersionBounds;
  readonly body: RequestBody<A>;
  /** The error code that decides about the whole answer. */
  codeOf(response: ResponseOf<A>): number;
  /** Nothing can be done instead: what is refused for good ends the producer. Default false. */
  readonly isLast?: boolean;
  /** Whether an answer that would only be asked for again is an end, too: the transaction is being aborted. */
  isPointless?(): boolean;
}

/** The answer, and who gave it. */
export interface CoordinatorAnswer<A extends Api> {
  readonly response: ResponseOf<A>;
  readonly nodeId: number;
}

/** The requests of one producer. */
export class CoordinatorRequests {
  private isClosed = false;
  /** The last refusal that passed or may pass; told when something else runs out of time. */
  lastError: KafkaError | null = null;

  constructor(
    private readonly cluster: Pick<Cluster, 'coordinator' | 'invalidateCoordinator' | 'request'>,
    private readonly options: ResolvedProducerOptions,
    private readonly transactionalId: string,
    private readonly io: ClientIo,
  ) {}

  /** @throws KafkaError fatal or abortable; CLOSED */
  async send<A extends Api>(request: CoordinatorRequest<A>): Promise<CoordinatorAnswer<A>> {
    for (let failures = 1; ; failures++) {
      if (this.isClosed) throw closedError(`${request.context} ended because the producer was closed.`);
      const outcome = await this.attempt(request);
      if (!(outcome instanceof KafkaError)) {
        this.lastError = null;
        return outcome;
      }
      this.lastError = outcome;
      await this.pause(outcome, failures);
    }
  }

  /** Ends everything under way with CLOSED, at its next step. */
  close(): void {
    this.isClosed = true;
  }

  /** The answer, or the error after which to ask again. @throws KafkaError for what will not pass */
  private async attempt<A extends Api>(request: CoordinatorRequest<A>): Promise<CoordinatorAnswer<A> | KafkaError> {
    const { api, body, bounds, coordinator, key, context } = request;
    let answer: CoordinatorAnswer<A>;
    try {
      const nodeId = await this.cluster.coordinator(coordinator, key);
      answer = { nodeId, response: await this.cluster.request(nodeId, api, body, bounds ?? {}) };
    } catch (thrown) {
      const error = asKafkaError(thrown, ClientErrorCode.PROTOCOL, context);
      if (!error.retriable) throw this.final(error, request);
      this.cluster.invalidateCoordinator(coordinator, key);
      return error;
    }
    const errorCode = request.codeOf(answer.response);
    if (errorCode === ErrorCode.NONE) return answer;
    const error = brokerError(errorCode, context);
    const remedy = remedyOf(errorCode);
    if (remedy === 'look-up') this.cluster.invalidateCoordinator(coordinator, key);
    if (remedy === 'give-up' || request.isPointless?.() === true) throw this.final(error, request);
    return error;
  }

  private final(error: KafkaError, request: { readonly isLast?: boolean }): KafkaError {
    return error.code === ClientErrorCode.CLOSED
      ? error
      : coordinatorError(error, this.transactionalId, request.isLast ?? false);
  }

  private pause(error: KafkaError, failures: number): Promise<void> {
    const { retryBackoffMs, retryBackoffMaxMs } = this.options;
    const isConcurrent = error.code === 'CONCURRENT_TRANSACTIONS';
    const initialMs = isConcurrent ? Math.min(CONCURRENT_BACKOFF_MS, retryBackoffMs) : retryBackoffMs;
    this.options.logger.debug('A transaction coordinator will be asked again.', { error: error.message });
    return delay(this.io.clock, backoffMs({ initialMs, maxMs: retryBackoffMaxMs }, failures, this.io.random));
  }
}
