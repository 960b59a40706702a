/**
 * Runs `kt` for specs: in this process with streams of its own, or as a process, from the sources.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { createProgram } from '../program.js';
import { runProgram } from '../run-program.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What a command left. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command in this process, with this text on stdin. */
export async function runKt(args: readonly string[], input = ''): Promise<Finished> {
  const io = { stdin: Readable.from([Buffer.from(input)]), stdout: new PassThrough(), stderr: new PassThrough() };
  const texts = Promise.all([text(io.stdout), text(io.stderr)]);
  const code = await runProgram(createProgram(io), args, io);
  io.stdout.end();
  io.stderr.end();
  const [stdout, stderr] = await texts;
  return { code, stdout, stderr };
}

/** A process that runs `kt`; `output` grows while it runs. */
export interface Run {
  readonly child: ChildProcess;
  readonly output: { stdout: string; stderr: string };
  /** Resolves with the exit code and the signal. */
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
}

const runs: Run[] = [];

/** Starts `kt` as a process, with this text on stdin when given. */
export function kt(args: readonly string[], input?: string): Run {
  const child = spawn(process.execPath, ['--import', './test/support/typescript.mjs', 'src/main.ts', ...args], {
    cwd: ROOT,
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout!.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr!.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  child.stdin?.end(input);
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal })),
  );
  const run = { child, output, ended };
  runs.push(run);
  return run;
}

/** Ends what still runs; for `afterEach`. */
export async function endRuns(): Promise<void> {
  for (const { child, ended } of runs.splice(0)) {
    child.kill('SIGKILL');
    await ended;
  }
}
