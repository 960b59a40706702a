/**
 * The transactions of a producer: begin, records and offsets, commit or abort, and what is left after a failure.
 *
 * Guarantees: a commit is sent only when every record and offset of the transaction was acknowledged; an abort is sent
 * only when nothing of the transaction is on its way any more; a new transaction begins only after that, in a new epoch
 * if sequences were lost (KIP-360). A producer that was fenced does nothing more. Calls that wait longer than
 * `maxBlockMs` reject with TIMEOUT while the work goes on; the same call again goes on waiting for it.
 */
import { EndTxn, InitProducerId, Produce, TxnOffsetCommit } from '@kafka-template/protocol';
import type { ConsumerGroupMetadata } from '../../consumer/consumer.js';
import type { OffsetCommit } from '../../consumer/offsets/commits.js';
import { ClientErrorCode, KafkaError, asKafkaError, closedError, timeoutError } from '../../errors.js';
import type { Timer } from '../../io/clock.js';
import type { ClientIo } from '../../io/io.js';
import type { VersionBounds } from '../../network/api-ranges.js';
import type { Cluster } from '../../network/cluster.js';
import type { Identity } from '../identity.js';
import type { ResolvedProducerOptions } from '../producer-options.js';
import { CoordinatorRequests } from './coordinator-requests.js';
import { TRANSACTION_ABORTED, isIdForgotten, transactionError } from './transaction-errors.js';
import type { TransactionMember } from './transaction-member.js';
import { TransactionOffsets } from './transaction-offsets.js';
import { TransactionPartitions } from './transaction-partitions.js';
import { TransactionState } from './transaction-state.js';

/** What transactions need of their producer. */
export interface TransactionHost {
  /** Resolves when every record has its outcome. */
  flush(): Promise<void>;
  /** Resolves when, beyond that, no batch is on its way. */
  idle(): Promise<void>;
  /** Fails every record that was not sent, or that is known not to be stored. */
  dropUnsent(error: KafkaError): void;
  /** Fails every record. */
  failAll(error: KafkaError): void;
  /** Something may be sent now. */
  wake(): void;
}

/** First version of InitProducerId that raises the epoch of an id (KIP-360). */
const RAISE_EPOCH_VERSION = 3;
/** Produce of transaction version 2, where leaders add partitions by themselves. */
const VERSION_2_PRODUCE = 12;
/** EndTxn of transaction version 2, which raises the epoch. */
const VERSION_2_END = 5;
/** TxnOffsetCommit of transaction version 2, which adds the group by itself. */
const VERSION_2_OFFSETS = 5;

interface Operation {
  readonly name: string;
  readonly promise: Promise<void>;
}

/** The transactions of one producer. */
export class TransactionManager implements Identity, TransactionMember {
  producerId = -1;
  producerEpoch = -1;
  isVersion2 = false;
  readonly keepsSequences = true;
  readonly transactionalId: string;
  private readonly state: TransactionState;
  private readonly requests: CoordinatorRequests;
  private readonly partitions: TransactionPartitions;
  private readonly offsets: TransactionOffsets;
  private coordinatorId = -1;
  private hasStarted = false;
  /** Sequences were lost: the next transaction needs a new epoch. */
  private needsNewEpoch = false;
  /** The call under way: a second one of the same name joins it. */
  private operation: Operation | null = null;

  constructor(
    private readonly cluster: Cluster,
    private readonly options: ResolvedProducerOptions & { readonly transactionalId: string },
    private readonly io: ClientIo,
    private readonly host: TransactionHost,
  ) {
    this.transactionalId = options.transactionalId;
    this.state = new TransactionState(this.transactionalId);
    this.requests = new CoordinatorRequests(cluster, options, this.transactionalId, io);
    this.partitions = new TransactionPartitions(this, this.requests, io, () => host.wake());
    this.offsets = new TransactionOffsets(this, this.requests);
  }

  get isReady(): boolean {
    return this.producerId !== -1;
  }

  get lastError(): KafkaError | null {
    return this.requests.lastError;
  }

  get produceBounds(): VersionBounds {
    return this.isVersion2
      ? { minVersion: VERSION_2_PRODUCE, maxVersion: VERSION_2_PRODUCE }
      : { maxVersion: VERSION_2_PRODUCE - 1 };
  }

  get isGivingUp(): boolean {
    const { current } = this.state;
    return current === 'ABORTABLE_ERROR' || current === 'ABORTING' || current === 'FATAL_ERROR';
  }

  /** Whether there is a transaction that was not ended. */
  get isOpen(): boolean {
    return this.state.current === 'IN_TRANSACTION' || this.state.current === 'ABORTABLE_ERROR';
  }

  /** Why no record can be taken now; null inside a transaction. */
  get refusal(): KafkaError | null {
    return this.state.current === 'IN_TRANSACTION' ? null : this.state.refusal('Sending a record', ['IN_TRANSACTION']);
  }

  /** Its id comes with `initTransactions`. */
  obtain(): void {}

  bump(): void {
    this.needsNewEpoch = true;
    const message = `The broker has lost the sequence of the records of ${this.transactionalId}.`;
    this.fail(new KafkaError('OUT_OF_ORDER_SEQUENCE_NUMBER', message, { abortable: true }));
  }

  admits(topic: string, partition: number): boolean {
    return this.state.current !== 'FATAL_ERROR' && this.partitions.admit(topic, partition);
  }

  onFailed(error: KafkaError, hadSequence: boolean): void {
    if (hadSequence) this.needsNewEpoch = true;
    this.fail(transactionError(error, this.transactionalId));
  }

  markStarted(): void {
    this.hasStarted = true;
  }

  fail(thrown: unknown): void {
    const error = asKafkaError(thrown, ClientErrorCode.PROTOCOL, `The transaction of ${this.transactionalId} failed`);
    if (error.fatal) {
      if (this.state.failFatal(error)) this.io.clock.defer(() => this.host.failAll(error));
    } else if (this.state.failAbortable(error)) {
      this.io.clock.defer(() => this.dropUnsent(error));
    }
  }

  /** Obtains the producer id; aborts what an earlier producer with this transactional id left open, and fences it off. */
  async initTransactions(): Promise<void> {
    await this.run('initTransactions()', () => {
      this.state.require('initTransactions()', ['UNINITIALIZED']);
      this.state.to('INITIALIZING');
      return this.initialize();
    });
  }

  /** @throws KafkaError when a transaction is open, or there can be none */
  beginTransaction(): void {
    this.state.require('beginTransaction()', ['READY']);
    this.learnVersion(this.coordinatorId);
    this.partitions.clear();
    this.offsets.clear();
    this.hasStarted = false;
    this.state.to('IN_TRANSACTION');
  }

  async commitTransaction(): Promise<void> {
    await this.run('commitTransaction()', () => {
      this.state.require('commitTransaction()', ['IN_TRANSACTION']);
      this.state.to('COMMITTING');
      return this.commit();
    });
  }

  async abortTransaction(): Promise<void> {
    await this.run('abortTransaction()', () => {
      this.state.require('abortTransaction()', ['IN_TRANSACTION', 'ABORTABLE_ERROR']);
      const { error } = this.state;
      this.state.to('ABORTING');
      return this.abort(isIdForgotten(error));
    });
  }

  async sendOffsets(offsets: readonly OffsetCommit[], group: ConsumerGroupMetadata): Promise<void> {
    const name = 'sendOffsetsToTransaction()';
    this.state.require(name, ['IN_TRANSACTION']);
    await this.within(name, this.offsets.send(offsets, group));
  }

  /** Ends what is open: an abort if it was not ended yet. Never rejects, takes `maxBlockMs` at most. */
  async end(): Promise<void> {
    try {
      if (this.isOpen) await this.abortTransaction();
      else if (this.operation !== null) await this.within(this.operation.name, this.operation.promise);
    } catch (error) {
      this.options.logger.warn('A transaction was left open when its producer was closed; the broker will abort it.', {
        transactionalId: this.transactionalId,
        error,
      });
    }
  }

  close(): void {
    this.requests.close();
    this.state.failFatal(closedError('The producer is closed; create another one.'));
  }

  private async initialize(): Promise<void> {
    await this.obtainEpoch();
    this.state.to('READY');
  }

  /** With id and epoch -1 for a producer that starts, with its own for one that goes on (KIP-360). */
  private async obtainEpoch(): Promise<void> {
    const { transactionalId, producerId, producerEpoch } = this;
    const { transactionTimeoutMs } = this.options;
    const { nodeId, response } = await this.requests.send({
      api: InitProducerId,
      context: `Initializing the transactions of ${transactionalId}`,
      coordinator: 'transaction',
      key: transactionalId,
      body: (version) => ({
        transactionalId,
        transactionTimeoutMs,
        ...(version < RAISE_EPOCH_VERSION ? {} : { producerId, producerEpoch }),
      }),
      codeOf: ({ errorCode }) => errorCode,
      isLast: true,
    });
    this.adopt(response.producerId, response.producerEpoch);
    this.learnVersion(nodeId);
  }

  private adopt(producerId: number, producerEpoch: number): void {
    this.producerId = producerId;
    this.producerEpoch = producerEpoch;
    this.needsNewEpoch = false;
  }

  /** Between transactions only: both versions must never meet in one. Keeps what is known while there is no connection. */
  private learnVersion(nodeId: number): void {
    this.coordinatorId = nodeId;
    const ranges = this.cluster.apiVersions(nodeId);
    if (ranges === null) return;
    this.isVersion2 =
      ranges.featureLevel('transaction.version') >= 2 &&
      ranges.supports(Produce, { minVersion: VERSION_2_PRODUCE }) &&
      ranges.supports(EndTxn, { minVersion: VERSION_2_END }) &&
      ranges.supports(TxnOffsetCommit, { minVersion: VERSION_2_OFFSETS });
  }

  private async commit(): Promise<void> {
    await this.host.flush();
    await this.offsets.settled();
    await this.host.idle();
    this.state.require('commitTransaction()', ['COMMITTING']);
    if (this.hasStarted) await this.endTransaction(true);
    this.state.to('READY');
  }

  private async abort(isIdLost: boolean): Promise<void> {
    // Callbacks come in a later turn than the call that causes them.
    await new Promise<void>((resolve) => this.io.clock.defer(resolve));
    this.dropUnsent(new KafkaError(TRANSACTION_ABORTED, 'The record was not sent: its transaction was aborted.'));
    await this.host.flush();
    await this.offsets.settled();
    await this.partitions.settled();
    await this.host.idle();
    this.state.require('abortTransaction()', ['ABORTING']);
    if (this.hasStarted && !isIdLost) await this.endByAbort();
    else if (isIdLost) this.needsNewEpoch = true;
    if (this.needsNewEpoch) await this.obtainEpoch();
    this.state.to('READY');
  }

  private async endByAbort(): Promise<void> {
    try {
      await this.endTransaction(false);
    } catch (error) {
      if (!(error instanceof KafkaError && isIdForgotten(error))) throw error;
      this.needsNewEpoch = true;
    }
  }

  private async endTransaction(committed: boolean): Promise<void> {
    const { transactionalId, producerId, producerEpoch } = this;
    const { nodeId, response } = await this.requests.send({
      api: EndTxn,
      context: `${committed ? 'Committing' : 'Aborting'} the transaction of ${transactionalId}`,
      coordinator: 'transaction',
      key: transactionalId,
      bounds: this.isVersion2 ? { minVersion: VERSION_2_END } : { maxVersion: VERSION_2_END - 1 },
      body: { transactionalId, producerId, producerEpoch, committed },
      codeOf: ({ errorCode }) => errorCode,
      isLast: true,
    });
    this.coordinatorId = nodeId;
    if (this.isVersion2 && response.producerId !== -1) this.adopt(response.producerId, response.producerEpoch);
  }

  private dropUnsent(error: KafkaError): void {
    this.partitions.drop();
    this.host.dropUnsent(error);
    this.host.wake();
  }

  /** Starts an operation, or joins the same one, and waits for it. */
  private run(name: string, start: () => Promise<void>): Promise<void> {
    if (this.operation?.name !== name) {
      const promise = start().catch((error: unknown) => {
        this.fail(error);
        // A beginning or an abort that cannot be carried out leaves nothing else to try.
        const { current } = this.state;
        if (current === 'INITIALIZING' || current === 'ABORTING') this.fail(asFatal(error));
        throw this.state.refusal(name, []) ?? error;
      });
      const operation = { name, promise };
      this.operation = operation;
      const done = (): void => {
        if (this.operation === operation) this.operation = null;
      };
      promise.then(done, done);
    }
    return this.within(name, this.operation.promise);
  }

  private within(name: string, promise: Promise<void>): Promise<void> {
    const { maxBlockMs } = this.options;
    let timer: Timer | null = null;
    const late = new Promise<void>((_, reject) => {
      timer = this.io.clock.setTimer(maxBlockMs, () => reject(this.lateError(name)));
    });
    return Promise.race([promise, late]).finally(() => {
      if (timer !== null) this.io.clock.clearTimer(timer);
    });
  }

  private lateError(name: string): KafkaError {
    const { lastError } = this;
    const reason = lastError === null ? '' : ` Last reason: ${lastError.message}`;
    return timeoutError(
      `${name} of producer ${this.transactionalId} did not end within ${this.options.maxBlockMs} ms (maxBlockMs). It goes on; ` +
        `call it again to wait for it, or close the producer.${reason}`,
      lastError ?? undefined,
    );
  }
}

function asFatal(thrown: unknown): KafkaError {
  const error = asKafkaError(thrown, ClientErrorCode.PROTOCOL, 'A transaction failed');
  return error.fatal ? error : new KafkaError(error.code, error.message, { fatal: true, cause: error });
}
