/**
 * A program with members of groups, as a process: commands go in by lines, and what the members do comes out by lines.
 * Guarantees that a wait ends in time and then says what was printed. Beside it, Kafka's own tools.
 */
import { execFile, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { until } from '../../support/until.js';
import { installKafka } from '../kafka/start.mjs';

/** Long enough for a JVM that starts on a busy machine. */
const DEADLINE_MS = 120_000;
const ERRORS_MAX = 4_096;
const LINES_TOLD = 60;
/** How long the members may take to leave, once the commands are at their end. */
const END_MS = 20_000;

/** See the file comment. */
export class MemberProcess {
  protected readonly lines: string[] = [];
  private rest = '';
  private errors = '';

  protected constructor(private readonly process: ChildProcessWithoutNullStreams) {
    process.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      const whole = (this.rest + chunk).split('\n');
      this.rest = whole.pop() ?? '';
      this.lines.push(...whole);
    });
    process.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      this.errors = (this.errors + chunk).slice(-ERRORS_MAX);
    });
  }

  /** Closes a member and waits until it has. */
  async leave(name: string): Promise<void> {
    this.command('stop', name);
    await this.wait(() => this.lines.includes(`${name} closed`), `${name} is closed`);
  }

  /** Waits for a condition; a failure says what the members printed. */
  async wait(condition: () => boolean, what: string): Promise<void> {
    try {
      await until(condition, what, DEADLINE_MS);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`${reason}\n${this.lines.slice(-LINES_TOLD).join('\n')}\n${this.errors}`, { cause: error });
    }
  }

  /** Closes all members and ends the process. */
  async end(): Promise<void> {
    if (this.process.exitCode !== null) return;
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.stdin.end();
    const force = setTimeout(() => this.process.kill('SIGKILL'), END_MS);
    await ended;
    clearTimeout(force);
  }

  protected command(...words: readonly string[]): void {
    this.process.stdin.write(`${words.join(' ')}\n`);
  }
}

/** Runs one of Kafka's tools by the name of its class; resolves with its lines, rejects unless it ends with 0. */
export function kafkaTool(name: string, ...parameters: readonly string[]): Promise<string[]> {
  const options = { timeout: DEADLINE_MS, encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 } as const;
  return new Promise((resolve, reject) => {
    execFile('java', ['-Xmx256m', '-cp', installKafka(), name, ...parameters], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout.split('\n').filter((line) => line.trim() !== ''));
      else reject(new Error(`${parameters.join(' ')}: ${error.message}\n${stdout}\n${stderr}`));
    });
  });
}

/** What Kafka's `DumpLogSegments` finds in a file, line by line. `decoder` is for records of one internal topic. */
export function dumpLog(file: string, decoder: string): Promise<string[]> {
  return kafkaTool('org.apache.kafka.tools.DumpLogSegments', decoder, '--files', file);
}
