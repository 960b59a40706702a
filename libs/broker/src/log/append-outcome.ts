/**
 * What became of an append, and the ways to say so.
 */
import type { BatchRefusal, RecordError } from './batch-validation.js';

/** On an error `baseOffset` and `logAppendTimeMs` are -1. */
export interface AppendOutcome {
  /** Kafka's error code, 0 for success. A duplicate batch succeeds with its original offset. */
  readonly errorCode: number;
  readonly baseOffset: number;
  /** Epoch milliseconds with `message.timestamp.type=LogAppendTime`, else -1. */
  readonly logAppendTimeMs: number;
  readonly logStartOffset: number;
  readonly recordErrors: readonly RecordError[];
  readonly errorMessage: string | null;
}

const NO_RECORD_ERRORS: readonly RecordError[] = [];

/** The batch is in the log. */
export function appended(baseOffset: number, logAppendTimeMs: number, logStartOffset: number): AppendOutcome {
  const recordErrors = NO_RECORD_ERRORS;
  return { errorCode: 0, baseOffset, logAppendTimeMs, logStartOffset, recordErrors, errorMessage: null };
}

/** The batch is not in the log, and why. */
export function notAppended(
  refusal: Pick<BatchRefusal, 'errorCode' | 'message'> & Partial<BatchRefusal>,
  logStartOffset: number,
): AppendOutcome {
  const { errorCode, message: errorMessage, recordErrors = NO_RECORD_ERRORS } = refusal;
  return { errorCode, baseOffset: -1, logAppendTimeMs: -1, logStartOffset, recordErrors, errorMessage };
}
