/**
 * What the exit codes of `kt` mean, and the error that carries one.
 */

/** Exit codes by meaning. Scripts rely on them. */
export const ExitCode = {
  OK: 0,
  /** The operation failed, wholly or for one of several items. */
  FAILED: 1,
  /** The command line is wrong: nothing was tried. */
  USAGE: 2,
  /** No broker could be reached. */
  UNREACHABLE: 3,
  /** The time given was not enough. */
  TIMED_OUT: 5,
  /** Ended by Ctrl-C. */
  INTERRUPTED: 130,
} as const;

/** Ends the command with a message on stderr and this exit code. */
export class CommandError extends Error {
  override readonly name = 'CommandError';

  constructor(
    message: string,
    readonly exitCode: number = ExitCode.FAILED,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}
