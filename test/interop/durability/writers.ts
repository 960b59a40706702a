/**
 * Foreign idempotent writers that go on for as long as they are let: Java's VerifiableProducer and kcat.
 *
 * Both write numbered values in order to one partition, are idempotent and wait for all in-sync replicas. The Java one tells each
 * acknowledgement with its offset; kcat tells nothing until the end, and then that everything has arrived.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { installKafka } from '../kafka/start.mjs';

/** What a writer was told about a record. */
export interface Acknowledged {
  readonly value: string;
  readonly offset: number;
}

/** A writer at work. */
export interface Writer {
  /** Ends the stream; resolves with the number of records written, or rejects when one was not acknowledged. */
  finish(): Promise<number>;
  /** For clean-up; harmless when it has ended. */
  kill(): void;
}

/** A writer that tells what it was told, as far as it has got. */
export interface TellingWriter extends Writer {
  readonly acknowledged: readonly Acknowledged[];
  /** What it reported as failed. */
  readonly failures: readonly string[];
}

/** Records per second: each stop of the broker has to leave some acknowledged and some under way, no more. */
const JAVA_THROUGHPUT = 1000;
const KCAT_LINES_PER_TURN = 5;
const KCAT_TURN_MS = 5;
/** A record that VerifiableProducer was about to hand to its client when it was told to end: it was never sent. */
const NOT_SENT = 'Producer closed while send in progress';
const STDERR_CHARS_MAX = 16_384;

function ended(child: ChildProcess): Promise<{ how: number | string; stderr: string }> {
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_CHARS_MAX);
  });
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ how: error.message, stderr }));
    child.once('close', (code, signal) => resolve({ how: code ?? signal ?? 'unknown', stderr }));
  });
}

/** Starts VerifiableProducer on `topic`; its values are 0, 1, 2… `commandConfig` is a properties file for the producer. */
export function startJavaWriter(bootstrapServers: string, topic: string, commandConfig: string): TellingWriter {
  const tool = 'org.apache.kafka.tools.VerifiableProducer';
  const child = spawn('java', [
    ...['-Xmx256m', '-cp', installKafka(), tool, '--bootstrap-server', bootstrapServers, '--topic', topic],
    ...['--acks', '-1', '--throughput', String(JAVA_THROUGHPUT), '--command-config', commandConfig],
  ]);
  const acknowledged: Acknowledged[] = [];
  const failures: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (!line.startsWith('{')) return;
    const event = JSON.parse(line) as { name: string; value: string; offset: number; message?: string };
    if (event.name === 'producer_send_success') acknowledged.push({ value: event.value, offset: event.offset });
    else if (event.name === 'producer_send_error' && event.message !== NOT_SENT) failures.push(event.message ?? line);
  });
  const end = ended(child);
  return {
    acknowledged,
    failures,
    kill: () => void child.kill('SIGKILL'),
    async finish() {
      // It stops sending, waits for what is under way, and leaves with the code of a signal.
      child.kill('SIGTERM');
      const { how, stderr } = await end;
      if (failures.length > 0) throw new Error(`VerifiableProducer (${how}) failed: ${failures[0]}\n${stderr}`);
      return acknowledged.length;
    },
  };
}

/** Starts kcat on `topic` with an input that numbers its lines: 0, 1, 2… No line expires before `deliveryTimeoutMs`. */
export function startKcatWriter(bootstrapServers: string, topic: string, deliveryTimeoutMs: number): Writer {
  const settings = [
    'enable.idempotence=true',
    'acks=all',
    'reconnect.backoff.max.ms=100',
    `delivery.timeout.ms=${deliveryTimeoutMs}`,
  ];
  const child = spawn('kcat', [
    // -E: a broker that is away is no reason to end.
    ...['-b', bootstrapServers, '-E', '-P', '-t', topic, '-p', '0'],
    ...settings.flatMap((setting) => ['-X', setting]),
  ]);
  const end = ended(child);
  child.stdin.on('error', () => undefined);
  let next = 0;
  const timer = setInterval(() => {
    // It reads no further while too much waits for the broker.
    if (child.stdin.writableNeedDrain) return;
    const block = Array.from({ length: KCAT_LINES_PER_TURN }, () => `${next++}\n`);
    child.stdin.write(block.join(''));
  }, KCAT_TURN_MS);
  return {
    kill() {
      clearInterval(timer);
      child.kill('SIGKILL');
    },
    async finish() {
      clearInterval(timer);
      child.stdin.end();
      const { how, stderr } = await end;
      if (how !== 0) throw new Error(`kcat ended with ${how}:\n${stderr}`);
      return next;
    },
  };
}
