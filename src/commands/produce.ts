/**
 * `kt produce`: writes lines of stdin, or values of the command line, to a topic.
 *
 * Says on stderr how many records were written when all of them are acknowledged. The first failure ends it.
 */
import { createInterface } from 'node:readline';
import type { Producer, ProducerRecord } from '@kafka-template/client';
import type { CommandIo } from '../command-io.js';
import { clientOptions, type ConnectionFlags } from '../connection.js';
import { CommandError, errorCodeOf, ExitCode, exitCodeOf } from '../exit-code.js';
import { counted } from '../output.js';
import { recordFromJson } from '../record-json.js';

/** Flags of the command. */
export interface ProduceFlags extends ConnectionFlags {
  /** The key of every record. */
  readonly key?: string;
  /** What stands between key and value in a line. */
  readonly keySeparator?: string;
  readonly partition?: number;
  /** Lines are JSON, as `kt consume` prints it. */
  readonly json?: boolean;
}

/** Records that may wait for their acknowledgement before more lines are read. */
const OUTSTANDING_MAX = 10_000;

/** Runs until stdin or the values end. */
export async function produce(
  io: CommandIo,
  topic: string,
  values: readonly string[],
  flags: ProduceFlags,
): Promise<void> {
  const options = await clientOptions(flags);
  const { createProducer } = await import('@kafka-template/client');
  const { timeout } = flags;
  const producer = createProducer({
    ...options,
    deliveryTimeoutMs: timeout,
    requestTimeoutMs: timeout,
    maxBlockMs: timeout,
  });
  const input = values.length > 0 ? null : createInterface({ input: io.stdin, crlfDelay: Infinity });
  if (input !== null && io.stdin.isTTY === true) {
    io.stderr.write(`Each line is a record for ${topic}; Ctrl-D ends\n`);
  }
  let isInterrupted = false;
  const onSignal = (): void => {
    isInterrupted = true;
    input?.close();
  };
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  try {
    if (flags.partition !== undefined) await requirePartition(producer, topic, flags.partition);
    const written = await writeAll(producer, records(topic, input ?? values, flags));
    io.stderr.write(`${counted(written, 'record')} written to ${topic}\n`);
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
    await producer.close(timeout);
  }
  if (isInterrupted) throw new CommandError('interrupted', ExitCode.INTERRUPTED);
}

/** The producer would wait for the partition to appear until the time is over, as Kafka's does. */
async function requirePartition(producer: Producer, topic: string, partition: number): Promise<void> {
  const { length } = await producer.partitionsFor(topic);
  if (partition < length) return;
  const which = length === 1 ? 'one partition, 0' : `${length} partitions, 0 to ${length - 1}`;
  throw new CommandError(`Topic ${topic} has ${which}: there is no partition ${partition}.`);
}

async function* records(
  topic: string,
  source: readonly string[] | AsyncIterable<string>,
  flags: ProduceFlags,
): AsyncIterable<ProducerRecord> {
  let lineNumber = 0;
  for await (const line of source) {
    lineNumber++;
    const record = flags.json === true ? recordFromJson(line, lineNumber, topic) : plainRecord(topic, line, flags);
    yield { ...record, key: flags.key ?? record.key, partition: flags.partition };
  }
}

function plainRecord(topic: string, line: string, { keySeparator }: ProduceFlags): ProducerRecord {
  const at = keySeparator === undefined ? -1 : line.indexOf(keySeparator);
  if (at < 0) return { topic, value: line };
  return { topic, key: line.slice(0, at), value: line.slice(at + keySeparator!.length) };
}

async function writeAll(producer: Producer, source: AsyncIterable<ProducerRecord>): Promise<number> {
  let written = 0;
  let outstanding = 0;
  const failures: unknown[] = [];
  try {
    for await (const record of source) {
      outstanding++;
      producer.append(record, (error) => {
        outstanding--;
        if (error === null) written++;
        else if (failures.length === 0) failures.push(error);
      });
      if (outstanding >= OUTSTANDING_MAX) await producer.flush();
      if (failures.length > 0) break;
    }
  } catch (error) {
    // A line that is wrong. What was read before it is written, and counted.
    failures.push(error);
  }
  await producer.flush();
  const [failure] = failures;
  if (failure === undefined) return written;
  if (!(failure instanceof CommandError) && errorCodeOf(failure) === null) throw failure as Error;
  const before = written === 0 ? 'nothing was written' : `${counted(written, 'record')} written before`;
  throw new CommandError(`${(failure as Error).message} (${before})`, exitCodeOf(failure));
}
