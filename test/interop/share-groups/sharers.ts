/**
 * Sharers.java of this folder as a process that takes commands, and Kafka's own tools for share groups.
 */
import { execFile, spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { join } from 'node:path';
import { until } from '../../support/until.js';
import { installKafka } from '../kafka/start.mjs';

/** Long enough for a JVM that starts on a busy machine, and for two heartbeats of Apache Kafka's default. */
const DEADLINE_MS = 120_000;

/** A record as a member got it. */
export interface Taken {
  readonly member: string;
  readonly offset: number;
  readonly deliveryCount: number;
  readonly value: string;
}

/** Members of share groups in one Java process. */
export class Sharers {
  private readonly lines: string[] = [];
  private rest = '';
  private errors = '';

  private constructor(private readonly process: ChildProcessWithoutNullStreams) {
    process.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      const whole = (this.rest + chunk).split('\n');
      this.rest = whole.pop() ?? '';
      this.lines.push(...whole);
    });
    process.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      this.errors = (this.errors + chunk).slice(-4096);
    });
  }

  static start(bootstrapServers: string): Sharers {
    const program = join(import.meta.dirname, 'Sharers.java');
    return new Sharers(spawn('java', ['-Xmx256m', '-cp', installKafka(), program, bootstrapServers]));
  }

  enter(name: string, group: string, topic: string, mode: 'explicit' | 'implicit' = 'explicit'): void {
    this.process.stdin.write(`start ${name} ${group} ${topic} ${mode}\n`);
  }

  /** Closes a member and waits until it has. */
  async leave(name: string): Promise<void> {
    this.process.stdin.write(`stop ${name}\n`);
    await this.wait(() => this.lines.includes(`${name} closed`), `${name} is closed`);
  }

  /** What members were given, in the order in which they said so. */
  taken(...members: readonly string[]): Taken[] {
    return this.lines.flatMap((line) => {
      const [member = '', fact, , offset, deliveryCount, value = ''] = line.split(' ');
      if (fact !== 'got' || !members.includes(member)) return [];
      return [{ member, offset: Number(offset), deliveryCount: Number(deliveryCount), value }];
    });
  }

  /** What went wrong for anybody. */
  failures(): string[] {
    return this.lines.filter((line) => / failed |committed .* (?!-$)\S+$/.test(line));
  }

  /** Waits for a condition; a failure says what the members printed. */
  async wait(condition: () => boolean, what: string): Promise<void> {
    try {
      await until(condition, what, DEADLINE_MS);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`${reason}\n${this.lines.slice(-60).join('\n')}\n${this.errors}`, { cause: error });
    }
  }

  /** Closes all members and ends the process. */
  async end(): Promise<void> {
    if (this.process.exitCode !== null) return;
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.stdin.end();
    const force = setTimeout(() => this.process.kill('SIGKILL'), 20_000);
    await ended;
    clearTimeout(force);
  }
}

/** Runs Kafka's `kafka-share-groups`; resolves with its rows, cells separated by blanks. */
export async function kafkaShareGroups(
  bootstrapServers: string,
  ...parameters: readonly string[]
): Promise<string[][]> {
  const name = 'org.apache.kafka.tools.consumer.group.ShareGroupCommand';
  const lines = await tool(name, '--bootstrap-server', bootstrapServers, ...parameters);
  return lines.map((line) => line.trim().split(/\s+/));
}

/** Runs Kafka's `kafka-console-share-consumer`; resolves with the values it printed. */
export function kafkaConsoleShareConsumer(
  bootstrapServers: string,
  ...parameters: readonly string[]
): Promise<string[]> {
  const name = 'org.apache.kafka.tools.consumer.ConsoleShareConsumer';
  return tool(name, '--bootstrap-server', bootstrapServers, ...parameters);
}

/** What Kafka's `DumpLogSegments` finds in a file, line by line. `decoder` is for records of one internal topic. */
export function dumpLog(file: string, decoder: string): Promise<string[]> {
  return tool('org.apache.kafka.tools.DumpLogSegments', decoder, '--files', file);
}

/** Runs one of Kafka's tools; resolves with its lines, rejects unless it ends with 0. */
function tool(name: string, ...parameters: readonly string[]): Promise<string[]> {
  const options = { timeout: DEADLINE_MS, encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 } as const;
  return new Promise((resolve, reject) => {
    execFile('java', ['-Xmx256m', '-cp', installKafka(), name, ...parameters], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout.split('\n').filter((line) => line.trim() !== ''));
      else reject(new Error(`${parameters.join(' ')}: ${error.message}\n${stdout}\n${stderr}`));
    });
  });
}
