/**
 * Runs a program and turns everything that can go wrong into one line on stderr and an exit code.
 *
 * Errors of the user are told without a stack; only our own bugs show one. Never calls `process.exit`.
 */
import { CommanderError, type Command } from 'commander';
import type { CommandIo } from './command-io.js';
import { CommandError, ExitCode } from './exit-code.js';

/** Exit code for the stable error codes of broker and client that are not plain failures. */
const EXIT_CODE_OF: Readonly<Record<string, number>> = {
  CONFIG: ExitCode.USAGE,
  NETWORK: ExitCode.UNREACHABLE,
  TIMEOUT: ExitCode.TIMED_OUT,
  WAKEUP: ExitCode.INTERRUPTED,
};

/** Parses `args` (without node and script), runs the command, answers its exit code. */
export async function runProgram(program: Command, args: readonly string[], io: CommandIo = process): Promise<number> {
  const tell = (line: string): void => void io.stderr.write(`${line}\n`);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return ExitCode.OK;
  } catch (error) {
    if (error instanceof CommanderError) {
      // commander has printed its own message; help and version are no errors.
      return error.exitCode === 0 ? ExitCode.OK : ExitCode.USAGE;
    }
    const code = codeOf(error);
    if (error instanceof CommandError || code !== null) {
      tell(`kt: ${(error as Error).message}`);
      return error instanceof CommandError ? error.exitCode : (EXIT_CODE_OF[code ?? ''] ?? ExitCode.FAILED);
    }
    tell(`kt: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    tell('This is a bug in kt. Please report it with the lines above.');
    return ExitCode.FAILED;
  }
}

/** The stable code of an expected error, null for a bug. Errors of the language itself have no code. */
function codeOf(error: unknown): string | null {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : null;
}
