/**
 * The one error class of the client, and how a broker's error code becomes one.
 *
 * Guarantees a stable `code`: Kafka's own error name for what a broker answered (`NOT_LEADER_OR_FOLLOWER`), one of
 * {@link ClientErrorCode} for what the client itself found. `retriable` says whether the same call can succeed later
 * without any change; `abortable` that the transaction has to be aborted; `fatal` that this client object is of no
 * further use and has to be closed.
 * The message says what failed, why, and what to do next.
 */
import { ErrorCode, errorMessage, errorName, isRetriable } from '@kafka-template/protocol';

/** Codes of errors that no broker sent. All other codes are names of Kafka's error table. */
export const ClientErrorCode = {
  /** An option is unknown, of the wrong type, out of range, or contradicts another one. */
  CONFIG: 'CONFIG',
  /** The call itself is wrong: a bad argument, a method called at the wrong moment. */
  INVALID_ARGUMENT: 'INVALID_ARGUMENT',
  /** Something did not happen within its limit: a response, metadata, the delivery of a record. */
  TIMEOUT: 'TIMEOUT',
  /** A connection could not be opened or was lost. What was in flight on it may or may not have been carried out. */
  NETWORK: 'NETWORK',
  /** The client was closed before or while the call was made. */
  CLOSED: 'CLOSED',
  /** The `AbortSignal` of a `send` was raised while its record waited; it was not sent. */
  ABORTED: 'ABORTED',
  /** `wakeup()` interrupted a `poll()`. */
  WAKEUP: 'WAKEUP',
  /** No committed offset, or one that is out of range, and `autoOffsetReset` is `none`. */
  NO_OFFSET_FOR_PARTITION: 'NO_OFFSET_FOR_PARTITION',
  /** The group has given the partitions to another member since the records were fetched. */
  COMMIT_FAILED: 'COMMIT_FAILED',
  /** A rebalance listener or a commit callback of the application threw; its error is the `cause`. */
  LISTENER_FAILED: 'LISTENER_FAILED',
  /** The records waiting to be sent fill `bufferMemory`, and did so for `maxBlockMs`. */
  BUFFER_EXHAUSTED: 'BUFFER_EXHAUSTED',
  /** One record alone is larger than `maxRequestSize` or `bufferMemory`. */
  RECORD_TOO_LARGE: 'RECORD_TOO_LARGE',
  /** TLS could not be set up: a certificate was not accepted, or one side does not speak it. */
  SSL_AUTHENTICATION_FAILED: 'SSL_AUTHENTICATION_FAILED',
  /** Client and broker have no version of an API in common. */
  UNSUPPORTED_VERSION: 'UNSUPPORTED_VERSION',
  /** The bytes of a broker could not be understood. The connection is closed. */
  PROTOCOL: 'PROTOCOL',
} as const;

/** One of the client's own codes, or the name of an error in Kafka's table. */
export type KafkaErrorCode = string;

/** What else there is to say about an error; all parts are optional. */
export interface KafkaErrorDetails {
  /** The same call can succeed later. Default false. */
  readonly retriable?: boolean;
  /** The client object cannot be used any further. Default false. */
  readonly fatal?: boolean;
  /** The transaction can only be aborted. Default false. */
  readonly abortable?: boolean;
  /** The error below this one. */
  readonly cause?: unknown;
}

/** Every failure this client reports, by rejection or by callback. */
export class KafkaError extends Error {
  override readonly name = 'KafkaError';
  /** Stable: Kafka's error name, or one of {@link ClientErrorCode}. */
  readonly code: KafkaErrorCode;
  /** Whether the same call can succeed later without any change. */
  readonly retriable: boolean;
  /** Whether the client object is of no further use. */
  readonly fatal: boolean;
  /** Whether the transaction cannot be committed any more: call `abortTransaction()`, then begin again. */
  readonly abortable: boolean;

  constructor(code: KafkaErrorCode, message: string, details: KafkaErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retriable = details.retriable ?? false;
    this.fatal = details.fatal ?? false;
    this.abortable = details.abortable ?? false;
  }
}

/** Broker errors after which the client object can only be closed. */
const FATAL_CODES: ReadonlySet<number> = new Set([
  ErrorCode.PRODUCER_FENCED,
  ErrorCode.FENCED_INSTANCE_ID,
  ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
  ErrorCode.SASL_AUTHENTICATION_FAILED,
  ErrorCode.UNSUPPORTED_SASL_MECHANISM,
]);

/**
 * The error for a code a broker answered with.
 *
 * @param errorCode a wire code other than NONE
 * @param context what was being done, as the start of a sentence: `Committing offsets of group billing`
 * @param brokerMessage the broker's own words, where the response has a field for them; they win over the table's
 */
export function brokerError(errorCode: number, context: string, brokerMessage?: string | null): KafkaError {
  const name = errorName(errorCode);
  const reason = brokerMessage || errorMessage(errorCode);
  return new KafkaError(name, `${context} failed: ${name}: ${reason}`, {
    retriable: isRetriable(errorCode),
    fatal: FATAL_CODES.has(errorCode),
    abortable: errorCode === ErrorCode.TRANSACTION_ABORTABLE,
  });
}

/** An error about options: code `CONFIG`, never retriable. */
export function configError(message: string): KafkaError {
  return new KafkaError(ClientErrorCode.CONFIG, message);
}

/** A limit in time was reached: code `TIMEOUT`, retriable. */
export function timeoutError(message: string, cause?: unknown): KafkaError {
  return new KafkaError(ClientErrorCode.TIMEOUT, message, { retriable: true, cause });
}

/** A connection could not be opened or was lost: code `NETWORK`, retriable. */
export function networkError(message: string, cause?: unknown): KafkaError {
  return new KafkaError(ClientErrorCode.NETWORK, message, { retriable: true, cause });
}

/** The client was closed: code `CLOSED`, not retriable. */
export function closedError(message: string): KafkaError {
  return new KafkaError(ClientErrorCode.CLOSED, message);
}

/** Anything thrown, as a KafkaError: itself when it is one, else wrapped under the given code. */
export function asKafkaError(thrown: unknown, code: KafkaErrorCode, context: string): KafkaError {
  if (thrown instanceof KafkaError) return thrown;
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return new KafkaError(code, `${context}: ${reason}`, { cause: thrown });
}
