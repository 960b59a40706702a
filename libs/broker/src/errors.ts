/**
 * The errors a broker throws at those who start or stop it.
 *
 * Few kinds, told apart by a stable `code`; each message says what failed, why, and what to do next. What clients are
 * told on the wire is not here: those are Kafka's error codes, and they are data.
 */

/** The stable codes of {@link BrokerError}. */
export type BrokerErrorCode =
  /** An option or a Kafka configuration entry is unknown, of the wrong type or contradicts another. */
  | 'CONFIG'
  /** The port is taken. */
  | 'PORT_IN_USE'
  /** The host or port cannot be bound for another reason. */
  | 'CANNOT_LISTEN'
  /** Another broker works in the data directory. */
  | 'DATA_DIR_IN_USE'
  /** The data directory cannot be read or written, or belongs to another broker or cluster. */
  | 'DATA_DIR';

/** A broker could not be started. `code` is for programs, `message` for people. */
export class BrokerError extends Error {
  override readonly name = 'BrokerError';

  constructor(
    readonly code: BrokerErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}
