/**
 * Members.java of this folder, or a program like it, as a process that takes commands, and Kafka's `kafka-consumer-groups`.
 */
import { execFile, spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { join } from 'node:path';
import { installKafka } from '../kafka/start.mjs';
import { until } from '../../support/until.js';

/** Long enough for a JVM that starts on a busy machine. */
const DEADLINE_MS = 120_000;
/** Long enough for some heartbeats of every member, and for a JVM that starts on a busy machine. */
const REBALANCE_MS = 90_000;

/** How a member enters; everything but the group has a default. */
export interface MemberWish {
  readonly group: string;
  readonly topic?: string;
  readonly pattern?: string;
  readonly assignor?: string;
  readonly instanceId?: string;
}

/** Members of one Java process. */
export class Members {
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

  /** Members by Apache Kafka's Java client. */
  static start(bootstrapServers: string, protocol: 'classic' | 'consumer' = 'consumer'): Members {
    const program = join(import.meta.dirname, 'Members.java');
    return Members.run('java', ['-Xmx256m', '-cp', installKafka(), program, bootstrapServers, protocol]);
  }

  /** Members by any program that takes the same commands. */
  static run(command: string, parameters: readonly string[]): Members {
    return new Members(spawn(command, parameters));
  }

  enter(name: string, { group, topic = '-', pattern = '-', assignor = '-', instanceId = '-' }: MemberWish): void {
    this.process.stdin.write(`start ${name} ${group} ${topic} ${pattern} ${assignor} ${instanceId}\n`);
  }

  /** Closes a member and waits until it has. */
  async leave(name: string): Promise<void> {
    this.process.stdin.write(`stop ${name}\n`);
    await this.wait(() => this.lines.includes(`${name} closed`), `${name} is closed`);
  }

  /** What a member owns, as it last said, in order. */
  assigned(name: string): string[] {
    const last = this.lines.filter((line) => line.startsWith(`${name} assigned `)).at(-1) ?? '';
    return (
      last
        .split(' ')[2]
        ?.split(',')
        .filter((place) => place !== '') ?? []
    );
  }

  /** How often a member has said that it owns something it did not own before. */
  changes(name: string): number {
    return this.lines.filter((line) => line.startsWith(`${name} assigned `) && !line.endsWith(' ')).length;
  }

  /** Records that a member has read and committed. */
  read(name: string): number {
    return Number(
      this.lines
        .filter((line) => line.startsWith(`${name} read `))
        .at(-1)
        ?.split(' ')[2] ?? 0,
    );
  }

  /** Waits until the members own exactly these numbers of partitions, each of the partitions once. */
  async untilShared(counts: Readonly<Record<string, number>>): Promise<Record<string, string[]>> {
    const owned = (): Record<string, string[]> =>
      Object.fromEntries(Object.keys(counts).map((name) => [name, this.assigned(name)]));
    const isShared = (): boolean => {
      const all = Object.values(owned()).flat();
      const right = Object.entries(counts).every(([name, count]) => this.assigned(name).length === count);
      return right && new Set(all).size === all.length;
    };
    await this.wait(isShared, `members own ${JSON.stringify(counts)}`);
    return owned();
  }

  /** Waits for a condition; a failure says what the members printed. */
  async wait(condition: () => boolean, what: string): Promise<void> {
    try {
      await until(condition, what, REBALANCE_MS);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`${reason}\n${this.lines.join('\n')}\n${this.errors}`, { cause: error });
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

/** Runs Kafka's `kafka-consumer-groups`; resolves with its rows, cells separated by blanks, without the head. */
export async function kafkaConsumerGroups(
  bootstrapServers: string,
  ...parameters: readonly string[]
): Promise<string[][]> {
  const name = 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand';
  const lines = await tool(name, '--bootstrap-server', bootstrapServers, ...parameters);
  return lines.filter((line) => !line.startsWith('GROUP ')).map((line) => line.trim().split(/\s+/));
}

/** What Kafka's `DumpLogSegments` finds in a file of `__consumer_offsets`, line by line. */
export function dumpOffsetsLog(file: string): Promise<string[]> {
  return tool('org.apache.kafka.tools.DumpLogSegments', '--offsets-decoder', '--files', file);
}

/** Runs one of Kafka's tools; resolves with its lines. */
function tool(name: string, ...parameters: readonly string[]): Promise<string[]> {
  const options = { timeout: DEADLINE_MS, encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 } as const;
  return new Promise((resolve, reject) => {
    execFile('java', ['-Xmx256m', '-cp', installKafka(), name, ...parameters], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout.split('\n').filter((line) => line.trim() !== ''));
      else reject(new Error(`${parameters.join(' ')}: ${error.message}\n${stdout}\n${stderr}`));
    });
  });
}
