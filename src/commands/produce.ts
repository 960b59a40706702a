/**
 * `kt produce`: writes lines of stdin, or values of the command line, to a topic.
 *
 * Says on stderr how many records were written when all of them are acknowledged. The first failure ends it.
 */
import { createInterface } from 'node:readline';
import type { Producer, ProducerRecord } from '@kafka-template/client';
import type { CommandIo } from '../command-io.js';
import { clientOptions, type ConnectionFlags } from '../connection.js';
import { CommandError } from '../exit-code.js';
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
  const producer = createProducer({ ...options, deliveryTimeoutMs: flags.timeout, requestTimeoutMs: flags.timeout });
  try {
    const written = await writeAll(producer, records(topic, values.length > 0 ? values : lines(io), flags));
    io.stderr.write(`${written} ${written === 1 ? 'record' : 'records'} written to ${topic}\n`);
  } finally {
    await producer.close(flags.timeout);
  }
}

function lines(io: CommandIo): AsyncIterable<string> {
  return createInterface({ input: io.stdin, crlfDelay: Infinity });
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
  let failure: Error | null = null;
  for await (const record of source) {
    outstanding++;
    producer.append(record, (error) => {
      outstanding--;
      if (error === null) written++;
      else failure ??= error;
    });
    if (outstanding >= OUTSTANDING_MAX) await producer.flush();
    if (failure !== null) break;
  }
  await producer.flush();
  // Assigned in a callback, which the compiler does not follow.
  const failed = failure as Error | null;
  if (failed !== null) throw new CommandError(`${failed.message} (${written} records were written before)`);
  return written;
}
