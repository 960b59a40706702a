/**
 * What an answer means for a batch: stored, to be sent again, or failed for good.
 *
 * Guarantees Kafka's own classification. With idempotence a repeated batch counts as stored, and a sequence that the
 * broker refuses is a matter between the partition's queue and the broker, never an error of a record by itself.
 */
import { ErrorCode, isMetadataError, isRetriable } from '@kafka-template/protocol';
import { ClientErrorCode, KafkaError, brokerError } from '../errors.js';
import { ROUTED_ERRORS_MAX } from './limits.js';
import type { BatchInFlight, PartitionResponse } from './produce-request.js';

/** The broker has the batch. */
export interface StoredOutcome {
  readonly kind: 'stored';
  /** Offset of the first record, -1 when the broker did not tell. */
  readonly baseOffset: number;
  /** Time the broker stamped the records with, -1 when it did not. */
  readonly logAppendTimeMs: number;
}

/** The broker does not have it, or nobody knows. */
export interface RefusedOutcome {
  /** `again` if the time allows it; `too-large` to be sent in smaller batches. */
  readonly kind: 'again' | 'too-large' | 'failed';
  readonly error: KafkaError;
  /** The error of one record, by its place in the batch. */
  readonly errorOf: (index: number) => KafkaError;
  /** The batch may be in the log all the same. */
  readonly mayBeStored: boolean;
  /** Something the broker said about the sequence. */
  readonly sequence: 'out-of-order' | 'forgotten' | null;
  /** The leader may have changed. */
  readonly needsMetadata: boolean;
}

/** One of the two. */
export type BatchOutcome = StoredOutcome | RefusedOutcome;

/** Failures of a leader that has appended the batch to its own log. */
const AFTER_APPEND: ReadonlySet<number> = new Set([
  ErrorCode.REQUEST_TIMED_OUT,
  ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
  ErrorCode.KAFKA_STORAGE_ERROR,
]);

/** Refusals of a batch for its size; a record alone may pass. */
const TOO_LARGE: ReadonlySet<number> = new Set([ErrorCode.MESSAGE_TOO_LARGE, ErrorCode.RECORD_LIST_TOO_LARGE]);

function refused(kind: RefusedOutcome['kind'], error: KafkaError, more: Partial<RefusedOutcome> = {}): RefusedOutcome {
  return { kind, error, errorOf: () => error, mayBeStored: false, sequence: null, needsMetadata: false, ...more };
}

/** The request failed as a whole: nobody knows whether the batch was stored. */
export function judgeFailure(error: KafkaError): BatchOutcome {
  return refused(error.retriable ? 'again' : 'failed', error, { mayBeStored: true });
}

/** What the broker's answer means for one batch; no answer at all is a fault that may pass. */
export function judge(each: BatchInFlight, answer: PartitionResponse | undefined, isIdempotent: boolean): BatchOutcome {
  const { topic, partition } = each.queue;
  if (answer === undefined) {
    const message = `The broker's answer leaves out ${topic}-${partition}.`;
    return refused('again', new KafkaError(ClientErrorCode.PROTOCOL, message, { retriable: true }));
  }
  const { errorCode } = answer;
  if (errorCode === ErrorCode.NONE) {
    return { kind: 'stored', baseOffset: answer.baseOffset, logAppendTimeMs: answer.logAppendTimeMs };
  }
  if (errorCode === ErrorCode.DUPLICATE_SEQUENCE_NUMBER) return { kind: 'stored', baseOffset: -1, logAppendTimeMs: -1 };
  const error = brokerError(errorCode, `Sending to ${topic}-${partition}`, answer.errorMessage);
  if (isIdempotent && errorCode === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER) {
    return refused('again', error, { sequence: 'out-of-order' });
  }
  if (isIdempotent && errorCode === ErrorCode.UNKNOWN_PRODUCER_ID)
    return refused('again', error, { sequence: 'forgotten' });
  // What may be stored already must not be sent in other batches: the broker would not know it again.
  if (TOO_LARGE.has(errorCode) && each.batch.recordCount > 1 && !each.batch.mayBeStored)
    return refused('too-large', error);
  if (isRetriable(errorCode)) {
    const mayBeStored = AFTER_APPEND.has(errorCode);
    return refused('again', error, { mayBeStored, needsMetadata: isMetadataError(errorCode) });
  }
  return refused('failed', error, { errorOf: recordErrors(each, answer, error) });
}

/** The broker may say which records were at fault (KIP-467); the others failed only because they were in the same batch. */
function recordErrors(
  { queue, batch }: BatchInFlight,
  answer: PartitionResponse,
  error: KafkaError,
): (index: number) => KafkaError {
  if (answer.recordErrors.length === 0) return () => error;
  const messages = new Map<number, string | null>();
  for (const each of answer.recordErrors.slice(0, ROUTED_ERRORS_MAX)) {
    messages.set(each.batchIndex, each.batchIndexErrorMessage);
  }
  const context = `Sending to ${queue.topic}-${queue.partition}`;
  if (batch.recordCount === 1) {
    const only = brokerError(answer.errorCode, context, messages.get(0) ?? answer.errorMessage);
    return () => only;
  }
  const bystander = new KafkaError(
    error.code,
    `${context} failed: the record was part of a batch which had one or more invalid records, and can be sent again.`,
    { retriable: true, cause: error },
  );
  return (index) => {
    const message = messages.get(index);
    return message === undefined ? bystander : brokerError(answer.errorCode, context, message ?? answer.errorMessage);
  };
}
