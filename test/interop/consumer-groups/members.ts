/**
 * Members.java of this folder, or a program like it, as a process that takes commands, and Kafka's `kafka-consumer-groups`.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { installKafka } from '../kafka/start.mjs';
import { kafkaTool, MemberProcess } from '../support/member-process.js';

/** How a member enters; everything but the group has a default. */
export interface MemberWish {
  readonly group: string;
  readonly topic?: string;
  readonly pattern?: string;
  readonly assignor?: string;
  readonly instanceId?: string;
}

/** Members of one Java process. */
export class Members extends MemberProcess {
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
    this.command('start', name, group, topic, pattern, assignor, instanceId);
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
}

/** Runs Kafka's `kafka-consumer-groups`; resolves with its rows, cells separated by blanks, without the head. */
export async function kafkaConsumerGroups(
  bootstrapServers: string,
  ...parameters: readonly string[]
): Promise<string[][]> {
  const name = 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand';
  const lines = await kafkaTool(name, '--bootstrap-server', bootstrapServers, ...parameters);
  return lines.filter((line) => !line.startsWith('GROUP ')).map((line) => line.trim().split(/\s+/));
}
