/**
 * Sharers.java of this folder as a process that takes commands, and Kafka's own tools for share groups.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { installKafka } from '../kafka/start.mjs';
import { kafkaTool, MemberProcess } from '../support/member-process.js';

/** A record as a member got it. */
export interface Taken {
  readonly member: string;
  readonly offset: number;
  readonly deliveryCount: number;
  readonly value: string;
}

/** Members of share groups in one Java process. */
export class Sharers extends MemberProcess {
  static start(bootstrapServers: string): Sharers {
    const program = join(import.meta.dirname, 'Sharers.java');
    return new Sharers(spawn('java', ['-Xmx256m', '-cp', installKafka(), program, bootstrapServers]));
  }

  enter(name: string, group: string, topic: string, mode: 'explicit' | 'implicit' = 'explicit'): void {
    this.command('start', name, group, topic, mode);
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
}

/** Runs Kafka's `kafka-share-groups`; resolves with its rows, cells separated by blanks. */
export async function kafkaShareGroups(
  bootstrapServers: string,
  ...parameters: readonly string[]
): Promise<string[][]> {
  const name = 'org.apache.kafka.tools.consumer.group.ShareGroupCommand';
  const lines = await kafkaTool(name, '--bootstrap-server', bootstrapServers, ...parameters);
  return lines.map((line) => line.trim().split(/\s+/));
}

/** Runs Kafka's `kafka-console-share-consumer`; resolves with the values it printed. */
export function kafkaConsoleShareConsumer(
  bootstrapServers: string,
  ...parameters: readonly string[]
): Promise<string[]> {
  const name = 'org.apache.kafka.tools.consumer.ConsoleShareConsumer';
  return kafkaTool(name, '--bootstrap-server', bootstrapServers, ...parameters);
}
