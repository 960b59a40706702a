/**
 * In which state the transactions of a producer are, and which step may follow which. The names are the Java client's.
 *
 * Guarantees: FATAL_ERROR is never left, ABORTABLE_ERROR by an abort only; a call that the state does not allow is an
 * error that names the state and what to call instead, and never changes anything.
 */
import { ClientErrorCode, KafkaError } from '../../errors.js';

/** Where the producer stands. */
export type TransactionStateName =
  /** `initTransactions` was not called. */
  | 'UNINITIALIZED'
  | 'INITIALIZING'
  /** Between two transactions. */
  | 'READY'
  | 'IN_TRANSACTION'
  | 'COMMITTING'
  | 'ABORTING'
  /** The transaction can only be aborted. */
  | 'ABORTABLE_ERROR'
  /** The producer can only be closed. */
  | 'FATAL_ERROR';

/** What may follow; FATAL_ERROR may follow everything. */
const NEXT: Readonly<Record<TransactionStateName, readonly TransactionStateName[]>> = {
  UNINITIALIZED: ['INITIALIZING'],
  INITIALIZING: ['READY'],
  READY: ['IN_TRANSACTION'],
  IN_TRANSACTION: ['COMMITTING', 'ABORTING', 'ABORTABLE_ERROR'],
  COMMITTING: ['READY', 'ABORTABLE_ERROR'],
  ABORTING: ['READY'],
  ABORTABLE_ERROR: ['ABORTING'],
  FATAL_ERROR: [],
};

const ADVICE: Readonly<Record<TransactionStateName, string>> = {
  UNINITIALIZED: 'Await initTransactions() first, once.',
  INITIALIZING: 'Await initTransactions() first.',
  READY: 'Call beginTransaction() first.',
  IN_TRANSACTION: 'Call commitTransaction() or abortTransaction() first.',
  COMMITTING: 'Await commitTransaction() first.',
  ABORTING: 'Await abortTransaction() first.',
  ABORTABLE_ERROR: 'Call abortTransaction() first.',
  FATAL_ERROR: 'Close this producer and create another one.',
};

/** The state of one producer's transactions. */
export class TransactionState {
  private state: TransactionStateName = 'UNINITIALIZED';
  /** Why the state is ABORTABLE_ERROR or FATAL_ERROR. */
  private failure: KafkaError | null = null;

  constructor(private readonly transactionalId: string) {}

  get current(): TransactionStateName {
    return this.state;
  }

  /** What led to ABORTABLE_ERROR or FATAL_ERROR; null in all other states. */
  get error(): KafkaError | null {
    return this.failure;
  }

  /** Takes a step. */
  to(next: TransactionStateName): void {
    if (next !== 'FATAL_ERROR' && !NEXT[this.state].includes(next)) {
      throw new KafkaError(
        ClientErrorCode.INVALID_ARGUMENT,
        `Transactions of producer ${this.transactionalId} cannot go from state ${this.state} to ${next}.`,
      );
    }
    this.state = next;
    this.failure = null;
  }

  /** The transaction can only be aborted. Returns false where that is no news: nothing to abort, or about to be. */
  failAbortable(error: KafkaError): boolean {
    if (this.state !== 'IN_TRANSACTION' && this.state !== 'COMMITTING') return false;
    this.state = 'ABORTABLE_ERROR';
    this.failure = error;
    return true;
  }

  /** The producer can only be closed. The first reason stays. Returns false when it was so before. */
  failFatal(error: KafkaError): boolean {
    if (this.state === 'FATAL_ERROR') return false;
    this.state = 'FATAL_ERROR';
    this.failure = error;
    return true;
  }

  /** Why `call` is not possible now; null when the state is one of `allowed`. */
  refusal(call: string, allowed: readonly TransactionStateName[]): KafkaError | null {
    if (allowed.includes(this.state)) return null;
    const { failure, state, transactionalId } = this;
    if (state === 'FATAL_ERROR' && failure !== null) return failure;
    const what = `${call} of producer ${transactionalId} is not possible in state ${state}.`;
    if (failure === null) return new KafkaError(ClientErrorCode.INVALID_ARGUMENT, `${what} ${ADVICE[state]}`);
    return new KafkaError(failure.code, `${what} ${ADVICE[state]} The reason: ${failure.message}`, {
      abortable: true,
      cause: failure,
    });
  }

  /** @throws KafkaError when `call` is not possible now */
  require(call: string, allowed: readonly TransactionStateName[]): void {
    const refusal = this.refusal(call, allowed);
    if (refusal !== null) throw refusal;
  }
}
