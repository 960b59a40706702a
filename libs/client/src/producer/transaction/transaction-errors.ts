/**
 * What the errors of coordinators and leaders mean for a transaction.
 *
 * Guarantees Kafka's own classification (Java's TransactionManager): some pass, some need another coordinator, some end
 * the transaction, some the producer. Fencing always comes as PRODUCER_FENCED, also from brokers that say
 * INVALID_PRODUCER_EPOCH for it.
 */
import { ErrorCode, isRetriable } from '@kafka-template/protocol';
import { ClientErrorCode, KafkaError } from '../../errors.js';

/** The code for records that were never sent because their transaction was aborted; Java has an exception for it. */
export const TRANSACTION_ABORTED = 'TRANSACTION_ABORTED';

/** What to do about a refusal: the same again, the same after a pause elsewhere, or give up. */
export type Remedy = 'again' | 'look-up' | 'give-up';

const LOOK_UP: ReadonlySet<number> = new Set([
  ErrorCode.NOT_COORDINATOR,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.REQUEST_TIMED_OUT,
]);

/** These end the producer whatever was asked. */
const FATAL: ReadonlySet<string> = new Set([
  'PRODUCER_FENCED',
  'INVALID_PRODUCER_EPOCH',
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  ClientErrorCode.UNSUPPORTED_VERSION,
]);

/** These end it when a coordinator answers them: client and coordinator do not agree on what is going on. */
const FATAL_FROM_COORDINATOR: ReadonlySet<string> = new Set(['INVALID_TXN_STATE', 'UNSUPPORTED_FOR_MESSAGE_FORMAT']);

/** What to do about an error code of a coordinator. */
export function remedyOf(errorCode: number): Remedy {
  if (LOOK_UP.has(errorCode)) return 'look-up';
  return isRetriable(errorCode) ? 'again' : 'give-up';
}

/** Whether the coordinator has forgotten the transactional id: it has no transaction to end, but a new epoch to give. */
export function isIdForgotten(error: KafkaError | null): boolean {
  return error?.code === 'INVALID_PRODUCER_ID_MAPPING' || error?.code === 'UNKNOWN_PRODUCER_ID';
}

/** What a record's failure means for the transaction it belongs to: `fatal` for the producer, else `abortable`. */
export function transactionError(error: KafkaError, transactionalId: string): KafkaError {
  if (error.code === 'PRODUCER_FENCED' || error.code === 'INVALID_PRODUCER_EPOCH') {
    return fencedError(transactionalId, error);
  }
  if (FATAL.has(error.code)) return new KafkaError(error.code, error.message, { fatal: true, cause: error });
  return new KafkaError(error.code, error.message, { abortable: true, cause: error });
}

/** The same for what a coordinator refused. `isLast`: an end or a beginning, which nothing can be done instead of. */
export function coordinatorError(error: KafkaError, transactionalId: string, isLast: boolean): KafkaError {
  const isFatal = FATAL_FROM_COORDINATOR.has(error.code) || (isLast && !error.abortable && !isIdForgotten(error));
  if (!isFatal || FATAL.has(error.code)) return transactionError(error, transactionalId);
  return new KafkaError(error.code, error.message, { fatal: true, cause: error });
}

function fencedError(transactionalId: string, cause: KafkaError): KafkaError {
  return new KafkaError(
    'PRODUCER_FENCED',
    `Another producer has taken over the transactional id ${transactionalId}, or a transaction outlived ` +
      `transactionTimeoutMs and was aborted by the broker. Close this producer. (${cause.message})`,
    { fatal: true, cause },
  );
}
