/**
 * Error codes that older versions of the transaction messages do not know, and what they are told instead.
 *
 * A code that a client does not expect is fatal to it, or makes it try for ever; each version must get its own.
 * Source: KIP-588 (PRODUCER_FENCED), KIP-890 (TRANSACTION_ABORTABLE).
 */
import { ErrorCode } from '@kafka-template/protocol';

/** The first versions of a message that know the newer codes. */
export interface CodeVersions {
  readonly fencedSince: number;
  readonly abortableSince: number;
}

/** The code as a version of a message can say it. */
export function codeAt(errorCode: number, apiVersion: number, versions: CodeVersions): number {
  if (errorCode === ErrorCode.PRODUCER_FENCED && apiVersion < versions.fencedSince) {
    return ErrorCode.INVALID_PRODUCER_EPOCH;
  }
  if (errorCode === ErrorCode.TRANSACTION_ABORTABLE && apiVersion < versions.abortableSince) {
    return ErrorCode.INVALID_TXN_STATE;
  }
  return errorCode;
}
