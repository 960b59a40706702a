/**
 * `kt consume`: prints the records of a topic, from the beginning to the present end; `--follow` goes on.
 *
 * With `--group` it reads as a member of that group and commits what it printed; without, it leaves no trace. Ctrl-C ends
 * it in order with exit code 130.
 */
import { once } from 'node:events';
import type { Consumer, ConsumerRecord, OffsetCommit, TopicPartition } from '@kafka-template/client';
import type { CommandIo } from '../command-io.js';
import { clientOptions, type ConnectionFlags, withAdmin } from '../connection.js';
import { CommandError, ExitCode } from '../exit-code.js';
import { counted } from '../output.js';
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

/** How long a member that was interrupted tries to leave its group. */
const INTERRUPTED_CLOSE_MS = 1000;
const NEWLINE = Buffer.from('\n');

/** Runs until the end, the wanted number of records, or Ctrl-C. */
export async function consume(io: CommandIo, topic: string, flags: ConsumeFlags): Promise<void> {
  const start = startOf(flags);
  const options = await clientOptions(flags);
  await requireTopic(topic, flags);
  const { createConsumer } = await import('@kafka-template/client');
  const consumer = createConsumer({
    ...options,
    groupId: flags.group,
    autoOffsetReset: start === 'latest' ? 'latest' : 'earliest',
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
    await begin(consumer, topic, { start, isMember: flags.group !== undefined });
    const printed = await readAll(io, consumer, flags, () => isInterrupted);
    if (printed === 0 && typeof start === 'number' && start > 0) {
      io.stderr.write(
        `No record of ${topic} has an offset from ${start} on; \`kt topics describe ${topic}\` shows the ends\n`,
      );
    }
  } catch (error) {
    if (!isInterrupted) throw error;
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
    await consumer.close(isInterrupted ? INTERRUPTED_CLOSE_MS : flags.timeout);
  }
  if (isInterrupted) throw new CommandError('interrupted', ExitCode.INTERRUPTED);
}

/** The consumer would wait for the topic to appear, as Kafka's does. */
async function requireTopic(topic: string, flags: ConsumeFlags): Promise<void> {
  const [described] = await withAdmin(flags, (admin) => admin.describeTopics([topic]));
  if (described?.error === null) return;
  if (described?.error.code !== 'UNKNOWN_TOPIC_OR_PARTITION') throw new CommandError(String(described?.error.message));
  throw new CommandError(`There is no topic '${topic}'. \`kt topics ls\` shows those there are.`);
}

type Start = 'earliest' | 'latest' | number;

async function begin(
  consumer: Consumer,
  topic: string,
  { start, isMember }: { readonly start: Start; readonly isMember: boolean },
): Promise<void> {
  if (isMember) {
    consumer.subscribe(topic);
    return;
  }
  const partitions = (await consumer.partitionsFor(topic)).map(({ partition }) => ({ topic, partition }));
  consumer.assign(partitions);
  if (start === 'earliest') consumer.seekToBeginning();
  else if (start === 'latest') consumer.seekToEnd();
  else await seekTo(consumer, partitions, start);
}

function startOf({ from, group }: ConsumeFlags): Start {
  if (from === 'earliest' || from === 'latest') return from;
  const offset = Number(from);
  if (/^-?\d+$/.test(from) && Number.isSafeInteger(offset)) {
    if (group === undefined) return offset;
    const message = `--from ${from} and --group contradict each other: a group goes on where it has stopped.`;
    throw new CommandError(`${message} With --group it takes earliest or latest, for a new group.`, ExitCode.USAGE);
  }
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

/** How many records were printed. */
async function readAll(
  io: CommandIo,
  consumer: Consumer,
  flags: ConsumeFlags,
  isInterrupted: () => boolean,
): Promise<number> {
  const print = printer(io, flags.output ?? (io.stdout.isTTY === true ? 'line' : 'ndjson'));
  const limit = flags.maxRecords ?? Infinity;
  let printed = 0;
  let ends: Ends | null = null;
  let progressMs = performance.now();
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
    await drained(io);
    if (flags.follow === true) continue;
    if (!records.isEmpty) progressMs = performance.now();
    else if (performance.now() - progressMs > flags.timeout) throw stalled(consumer, printed, flags);
    if (ends === null || !ends.isFor(consumer)) ends = await Ends.of(consumer);
    if (await ends.areReached(consumer)) break;
  }
  return printed;
}

/** A reader that is slower than the broker sets the pace. */
async function drained({ stdout }: CommandIo): Promise<void> {
  if (stdout.writableNeedDrain) await once(stdout, 'drain');
}

/** The end is not reached and nothing comes: why, as far as it can be known. */
function stalled(consumer: Consumer, printed: number, { group, timeout }: ConsumeFlags): CommandError {
  const isIdle = group !== undefined && consumer.assignment().length === 0;
  const why = isIdle
    ? `The group ${group} has given this member no partitions: others have them all, or the broker is away.`
    : 'There are more records, but the broker does not send them: it may be away.';
  return new CommandError(
    `${why} Gave up after ${timeout} ms (--timeout), ${counted(printed, 'record')} printed.`,
    ExitCode.TIMED_OUT,
  );
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
