/**
 * `kt consume`: prints the records of a topic, from the beginning to the present end; `--follow` goes on.
 *
 * With `--group` it reads as a member of that group and commits what it printed; without, it leaves no trace. Ctrl-C ends
 * it in order with exit code 130.
 */
import type { Consumer, ConsumerRecord, OffsetCommit, TopicPartition } from '@kafka-template/client';
import type { CommandIo } from '../command-io.js';
import { clientOptions, type ConnectionFlags } from '../connection.js';
import { CommandError, ExitCode } from '../exit-code.js';
import { endWithReader } from '../output.js';
import { recordToJson } from '../record-json.js';

/** How records are printed: a line for people, JSON for programs, or the value alone. */
export type RecordFormat = 'line' | 'ndjson' | 'value';

/** Flags of the command. */
export interface ConsumeFlags extends ConnectionFlags {
  readonly group?: string;
  /** `earliest`, `latest`, an offset, or `-n` for the last n of each partition. */
  readonly from: string;
  readonly maxRecords?: number;
  readonly follow?: boolean;
  /** Default: `line` on a terminal, else `ndjson`. */
  readonly output?: RecordFormat;
}

const POLL_MS = 500;
const NEWLINE = Buffer.from('\n');

/** Runs until the end, the wanted number of records, or Ctrl-C. */
export async function consume(io: CommandIo, topic: string, flags: ConsumeFlags): Promise<void> {
  endWithReader(io);
  const options = await clientOptions(flags);
  const { createConsumer } = await import('@kafka-template/client');
  const consumer = createConsumer({
    ...options,
    groupId: flags.group,
    autoOffsetReset: flags.from === 'latest' ? 'latest' : 'earliest',
    enableAutoCommit: false,
    allowAutoCreateTopics: false,
    defaultApiTimeoutMs: flags.timeout,
  });
  let isInterrupted = false;
  const onSignal = (): void => {
    isInterrupted = true;
    consumer.wakeup();
  };
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  try {
    await begin(consumer, topic, flags);
    await readAll(io, consumer, flags, () => isInterrupted);
  } catch (error) {
    if (!isInterrupted) throw error;
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
    await consumer.close(flags.timeout);
  }
  if (isInterrupted) throw new CommandError('interrupted', ExitCode.INTERRUPTED);
}

async function begin(consumer: Consumer, topic: string, flags: ConsumeFlags): Promise<void> {
  const start = startOf(flags.from);
  if (flags.group !== undefined) {
    consumer.subscribe(topic);
    return;
  }
  const partitions = (await consumer.partitionsFor(topic)).map(({ partition }) => ({ topic, partition }));
  consumer.assign(partitions);
  if (start === 'earliest') consumer.seekToBeginning();
  else if (start === 'latest') consumer.seekToEnd();
  else await seekTo(consumer, partitions, start);
}

function startOf(from: string): 'earliest' | 'latest' | number {
  if (from === 'earliest' || from === 'latest') return from;
  if (/^-?\d+$/.test(from)) return Number(from);
  throw new CommandError(
    `--from takes earliest, latest, an offset, or -n for the last n records, not '${from}'.`,
    ExitCode.USAGE,
  );
}

/** An offset counts from the start, a negative one from the end; both stay inside of what there is. */
async function seekTo(consumer: Consumer, partitions: readonly TopicPartition[], start: number): Promise<void> {
  const firsts = await consumer.beginningOffsets(partitions);
  const ends = await consumer.endOffsets(partitions);
  partitions.forEach((place, index) => {
    const first = firsts[index]!.offset;
    const end = ends[index]!.offset;
    const wanted = start < 0 ? end + start : start;
    consumer.seek(place, Math.min(Math.max(wanted, first), end));
  });
}

async function readAll(
  io: CommandIo,
  consumer: Consumer,
  flags: ConsumeFlags,
  isInterrupted: () => boolean,
): Promise<void> {
  const print = printer(io, flags.output ?? (io.stdout.isTTY === true ? 'line' : 'ndjson'));
  const limit = flags.maxRecords ?? Infinity;
  let printed = 0;
  let ends: Ends | null = null;
  while (printed < limit && !isInterrupted()) {
    const records = await consumer.poll(POLL_MS);
    const next = new Map<number, OffsetCommit>();
    for (const record of records) {
      if (printed >= limit) break;
      print(record);
      printed++;
      const { topic, partition, offset } = record;
      next.set(partition, { topic, partition, offset: offset + 1 });
    }
    // Only what was printed: the last poll may have brought more than was wanted.
    if (flags.group !== undefined && next.size > 0) await consumer.commitSync([...next.values()]);
    if (flags.follow === true) continue;
    if (ends === null || !ends.isFor(consumer)) ends = await Ends.of(consumer);
    if (await ends.areReached(consumer)) return;
  }
}

/** Where the assigned partitions ended when they were assigned. */
class Ends {
  private constructor(
    private readonly places: readonly TopicPartition[],
    private readonly offsets: readonly number[],
  ) {}

  static async of(consumer: Consumer): Promise<Ends> {
    const places = consumer.assignment();
    const ends = places.length === 0 ? [] : await consumer.endOffsets(places);
    return new Ends(
      places,
      ends.map(({ offset }) => offset),
    );
  }

  isFor(consumer: Consumer): boolean {
    const key = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`;
    return consumer.assignment().map(key).join() === this.places.map(key).join();
  }

  /** A member that has nothing assigned yet is not at the end. */
  async areReached(consumer: Consumer): Promise<boolean> {
    if (this.places.length === 0) return false;
    for (const [index, place] of this.places.entries()) {
      if ((await consumer.position(place)) < this.offsets[index]!) return false;
    }
    return true;
  }
}

function printer({ stdout }: CommandIo, format: RecordFormat): (record: ConsumerRecord) => void {
  switch (format) {
    case 'ndjson':
      return (record) => void stdout.write(`${JSON.stringify(recordToJson(record))}\n`);
    case 'value':
      return (record) => void stdout.write(Buffer.concat([record.value ?? Buffer.alloc(0), NEWLINE]));
    case 'line':
      return (record) => {
        const { partition, offset, timestamp, key, value } = record;
        const time = timestamp < 0 ? '-' : new Date(timestamp).toISOString();
        stdout.write(`${partition}:${offset}  ${time}  ${key?.toString() ?? '-'}  ${value?.toString() ?? '(null)'}\n`);
      };
  }
}
