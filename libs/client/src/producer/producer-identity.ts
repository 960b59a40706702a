/**
 * The producer id and epoch by which brokers recognise repeated batches.
 *
 * Guarantees: an id is asked for with -1/-1, which is right for a new producer and for one that starts again; a bump
 * raises the epoch without asking anybody and takes a new id after the last epoch. While there is none, nothing is sent.
 */
import { ErrorCode, InitProducerId } from '@kafka-template/protocol';
import { type KafkaError, brokerError } from '../errors.js';
import type { ClientIo } from '../io/io.js';
import type { ClientLogger } from '../io/logger.js';
import { backoffMs } from '../network/backoff.js';
import type { Cluster } from '../network/cluster.js';
import type { Identity } from './identity.js';
import { PRODUCER_EPOCH_MAX, PRODUCE_VERSION_MAX } from './limits.js';

/** What the identity takes from the producer's options. */
export interface IdentityOptions {
  readonly retryBackoffMs: number;
  readonly retryBackoffMaxMs: number;
  readonly logger: ClientLogger;
}

/** A producer that is only idempotent has no transactions to time out. */
const NO_TRANSACTION_TIMEOUT_MS = 2147483647;

/** The identity of one idempotent producer. */
export class ProducerIdentity implements Identity {
  producerId = -1;
  producerEpoch = -1;
  /** Why there is no id yet; null when nothing went wrong. */
  lastError: KafkaError | null = null;
  readonly produceBounds = { maxVersion: PRODUCE_VERSION_MAX };
  /** A higher epoch can be had at any time. */
  readonly keepsSequences = false;
  readonly isGivingUp = false;
  private isAsking = false;
  private isClosed = false;
  private failures = 0;

  constructor(
    private readonly cluster: Pick<Cluster, 'send'>,
    private readonly options: IdentityOptions,
    private readonly io: ClientIo,
    /** There is an id now (null), or there will be none for the reason given. */
    private readonly onOutcome: (error: KafkaError | null) => void,
  ) {}

  /** Whether there is an id. */
  get isReady(): boolean {
    return this.producerId !== -1;
  }

  /** Asks for an id unless there is one or an answer is awaited. Repeats itself after errors that pass. */
  obtain(): void {
    if (this.isReady || this.isAsking || this.isClosed) return;
    this.isAsking = true;
    const body = { transactionalId: null, transactionTimeoutMs: NO_TRANSACTION_TIMEOUT_MS };
    this.cluster.send('any', InitProducerId, body, {}, (error, response) => {
      this.isAsking = false;
      const code = response?.errorCode ?? ErrorCode.NONE;
      const failure = code === ErrorCode.NONE ? error : brokerError(code, 'Obtaining a producer id');
      if (this.isClosed) return;
      if (failure !== null || response === null) this.onFailure(failure);
      else this.onAnswer(response.producerId, response.producerEpoch);
    });
  }

  /** The next epoch; a new id after the last one. */
  bump(): void {
    if (!this.isReady) return;
    if (this.producerEpoch < PRODUCER_EPOCH_MAX) {
      this.producerEpoch += 1;
      return;
    }
    this.producerId = -1;
    this.producerEpoch = -1;
    this.obtain();
  }

  admits(): boolean {
    return true;
  }

  onFailed(): void {}

  /** Asks no more. */
  close(): void {
    this.isClosed = true;
  }

  private onAnswer(producerId: number, producerEpoch: number): void {
    this.failures = 0;
    this.lastError = null;
    this.producerId = producerId;
    this.producerEpoch = producerEpoch;
    this.onOutcome(null);
  }

  private onFailure(error: KafkaError | null): void {
    this.lastError = error;
    if (error !== null && !error.retriable) {
      this.onOutcome(error);
      return;
    }
    this.failures += 1;
    this.isAsking = true;
    const limits = { initialMs: this.options.retryBackoffMs, maxMs: this.options.retryBackoffMaxMs };
    this.options.logger.debug('No producer id yet; asking again.', { error: error?.message });
    this.io.clock.setTimer(backoffMs(limits, this.failures, this.io.random), () => {
      this.isAsking = false;
      this.obtain();
    });
  }
}
