/**
 * Runs a program and turns everything that can go wrong into one line on stderr and an exit code.
 *
 * Errors of the user are told without a stack; only our own bugs show one. Never calls `process.exit`.
 */
import { CommanderError, type Command } from 'commander';
import type { CommandIo } from './command-io.js';
import { CommandError, errorCodeOf, ExitCode, exitCodeOf } from './exit-code.js';

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
    if (error instanceof CommandError || errorCodeOf(error) !== null) {
      tell(`kt: ${(error as Error).message}`);
      return exitCodeOf(error);
    }
    tell(`kt: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    tell('This is a bug in kt. Please report it with the lines above.');
    return ExitCode.FAILED;
  }
}
