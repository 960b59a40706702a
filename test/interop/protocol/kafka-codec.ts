/**
 * Runs KafkaCodec.java and KafkaRecords.java on Kafka's own jars, which Maven fetches once into test/interop/.cache.
 *
 * Guarantees an answer for every request, in order; fails with what to install when Maven or a JDK is missing.
 */
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const folder = import.meta.dirname;
const pom = join(folder, 'pom.xml');

/** The version of Apache Kafka that is compared with, from pom.xml. */
export const KAFKA_VERSION = /<kafka\.version>(.*?)</.exec(readFileSync(pom, 'utf8'))?.[1] ?? 'unknown';

const cache = resolve(folder, '../.cache', `kafka-messages-${KAFKA_VERSION}`);

/** Fetches the jars unless that was done before, and gives the class path. */
async function classPath(): Promise<string> {
  const done = join(cache, 'done');
  const lib = join(cache, 'lib');
  if (!existsSync(done)) {
    mkdirSync(lib, { recursive: true });
    const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${lib}`];
    await promisify(execFile)('mvn', ['-q', '-B', '-f', pom, ...goal]).catch((cause: unknown) => {
      throw new Error('Maven could not fetch the jars of Apache Kafka; install maven and a JDK (17 or later)', {
        cause,
      });
    });
    writeFileSync(done, '');
  }
  const jars = readdirSync(lib).filter((name) => name.endsWith('.jar'));
  return jars.map((name) => join(lib, name)).join(delimiter);
}

/** The programs: Kafka's message classes, and its record batches and hashes. */
export type KafkaProgram = 'KafkaCodec' | 'KafkaRecords';

/** Compiles a program unless that was done for this very text of it, and gives the folder of its classes. */
async function compiled(program: KafkaProgram, libraries: string): Promise<string> {
  const source = join(folder, `${program}.java`);
  const digest = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 12);
  const classes = join(cache, `${program}-${digest}`);
  if (existsSync(join(classes, `${program}.class`))) return classes;
  await promisify(execFile)('javac', ['-cp', libraries, '-d', classes, source]).catch((cause: unknown) => {
    throw new Error(`${program}.java could not be compiled; install a JDK (17 or later)`, { cause });
  });
  return classes;
}

/** Sends the requests (one JSON text each) to Kafka's classes and gives the answers in the same order. */
export async function askKafka<Answer>(
  requests: readonly string[],
  program: KafkaProgram = 'KafkaCodec',
): Promise<Answer[]> {
  const libraries = await classPath();
  const classes = await compiled(program, libraries);
  const java = spawn('java', ['-cp', `${classes}${delimiter}${libraries}`, program]);
  const output: Buffer[] = [];
  const problems: Buffer[] = [];
  java.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  java.stderr.on('data', (chunk: Buffer) => problems.push(chunk));
  const ended = new Promise<number | null>((settle, fail) => {
    java.on('error', (cause) => fail(new Error('java could not be started; install a JDK (17 or later)', { cause })));
    java.on('close', settle);
  });
  java.stdin.on('error', () => undefined);
  java.stdin.end(requests.map((line) => `${line}\n`).join(''));
  const status = await ended;
  const lines = Buffer.concat(output).toString().split('\n').filter(Boolean);
  if (status !== 0 || lines.length !== requests.length) {
    const detail = Buffer.concat(problems).toString();
    throw new Error(`${program} answered ${lines.length} of ${requests.length} requests, exit ${status}: ${detail}`);
  }
  return lines.map((line) => JSON.parse(line) as Answer);
}
