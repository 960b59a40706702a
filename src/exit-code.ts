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

const NETWORK = 'NETWORK';
const TIMEOUT = 'TIMEOUT';

/** Exit codes for the stable error codes of broker and client that are not plain failures. */
const EXIT_CODE_OF: Readonly<Record<string, number>> = {
  CONFIG: ExitCode.USAGE,
  [NETWORK]: ExitCode.UNREACHABLE,
  [TIMEOUT]: ExitCode.TIMED_OUT,
  WAKEUP: ExitCode.INTERRUPTED,
};

/** The stable code of an expected error, null for a bug. Errors of the language itself have no code. */
export function errorCodeOf(error: unknown): string | null {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : null;
}

/** The exit code for an error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommandError) return error.exitCode;
  // The time was over, but what it was spent on is finding a broker: "no broker" says more.
  if (errorCodeOf(error) === TIMEOUT && isCausedBy(error, NETWORK)) return ExitCode.UNREACHABLE;
  return EXIT_CODE_OF[errorCodeOf(error) ?? ''] ?? ExitCode.FAILED;
}

function isCausedBy(error: unknown, code: string): boolean {
  if (!(error instanceof Error)) return false;
  return errorCodeOf(error) === code || isCausedBy(error.cause, code);
}

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
