/**
 * Partitions.java: where Apache Kafka's own client puts keys.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { installKafka } from '../kafka/start.mjs';

/** Long enough for a JVM that starts on a busy machine. */
const DEADLINE_MS = 90_000;

/** A key, and how many partitions its topic has. */
export interface KeyPlace {
  readonly key: Buffer;
  readonly partitionCount: number;
}

/** The partition of each key, in order; rejects with what Java printed when it fails. */
export function javaPartitions(places: readonly KeyPlace[]): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const program = join(import.meta.dirname, 'Partitions.java');
    const child = spawn('java', ['-Xmx256m', '-XX:+UseSerialGC', '-cp', installKafka(), program]);
    const said = { stdout: '', stderr: '' };
    const deadline = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS);
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        said[stream] += text;
      });
    }
    child.once('error', (error) => {
      clearTimeout(deadline);
      reject(new Error(`java could not be started: ${error.message}`));
    });
    child.once('close', (exitCode) => {
      clearTimeout(deadline);
      const answers = said.stdout.split('\n').filter(Boolean).map(Number);
      if (exitCode === 0 && answers.length === places.length) resolve(answers);
      else reject(new Error(`Partitions.java gave ${answers.length} of ${places.length} answers:\n${said.stderr}`));
    });
    // It may end before it has read everything; its exit code says more than EPIPE.
    child.stdin.on('error', () => undefined);
    child.stdin.end(places.map(({ key, partitionCount }) => `${partitionCount} ${key.toString('hex')}\n`).join(''));
  });
}
