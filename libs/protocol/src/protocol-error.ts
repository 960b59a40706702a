/**
 * The one error of this library: bytes that are not what the protocol says, or a value that a version cannot carry.
 * It says what was wrong and where; it never carries the bytes themselves.
 */

/** Why a message could not be read or written. */
export type ProtocolErrorCode =
  | 'TRUNCATED'
  | 'INVALID_LENGTH'
  | 'INVALID_VALUE'
  | 'TOO_MANY_ELEMENTS'
  | 'UNSUPPORTED_VERSION'
  | 'FRAME_TOO_LARGE'
  | 'CORRUPT_BATCH'
  | 'UNSUPPORTED_COMPRESSION';

/** Raised for malformed input and for values that do not fit; `code` is stable. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';

  constructor(
    readonly code: ProtocolErrorCode,
    message: string,
  ) {
    super(message);
  }
}
