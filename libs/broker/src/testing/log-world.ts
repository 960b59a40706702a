/**
 * What specs of logs and partitions need: batches in one line, a log on a disk in memory with a clock that stands still.
 */
import { BatchBuilder, type CompressionName, type RecordHeader, decodeRecords } from '@kafka-template/protocol';
import { type Logger, silentLogger } from '../io/logger.js';
import type { Disk } from '../io/disk.js';
import { MemoryDisk } from '../io/memory-disk.js';
import type { AppendOutcome } from '../log/append-outcome.js';
import type { BatchRules } from '../log/batch-validation.js';
import { DEFAULT_TOPIC_CONFIG, type TopicConfig } from '../log/log-config.js';
import { type LogContext, type LogContextBounds, createLogContext } from '../log/log-context.js';
import { type LoadOptions, loadLog } from '../log/log-loader.js';
import type { Log } from '../log/log.js';
import { FakeClock } from './fake-clock.js';

/** One record of a test batch; what is left out has a harmless default. */
export interface TestRecord {
  readonly key?: string | null;
  readonly value?: string | null;
  readonly timestamp?: number;
  readonly headers?: readonly RecordHeader[];
}

/** What a test batch is made of. */
export interface TestBatch {
  /** The records, or how many to make up. Default 1. */
  readonly records?: number | readonly TestRecord[];
  /** Timestamp of records that have none. Default: the start of the fake clock. */
  readonly timestamp?: number;
  /** Bytes of the value of made-up records. Default 8. */
  readonly valueBytes?: number;
  readonly compression?: CompressionName;
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly transactional?: boolean;
}

let serial = 0;

/** A finished batch as a producer sends it. Made-up values differ from each other. */
export function testBatch(options: TestBatch = {}): Buffer {
  const { records = 1, timestamp = FakeClock.START_MS, valueBytes = 8 } = options;
  const list: readonly TestRecord[] =
    typeof records === 'number'
      ? Array.from({ length: records }, () => ({ value: String(serial++).padEnd(valueBytes, '.') }))
      : records;
  const builder = new BatchBuilder({ capacityBytes: 1024, compression: options.compression ?? 'none' });
  for (const record of list) {
    builder.append(record.timestamp ?? timestamp, record.key ?? null, record.value ?? null, record.headers ?? null);
  }
  return builder.finish(options);
}

/** The batch that ends a transaction. */
export function testMarker(options: {
  producerId: number;
  producerEpoch: number;
  isAbort: boolean;
  coordinatorEpoch?: number;
}): Buffer {
  const builder = new BatchBuilder({ capacityBytes: 128 });
  const key = Buffer.from([0, 0, 0, options.isAbort ? 0 : 1]);
  const value = Buffer.alloc(6);
  value.writeInt32BE(options.coordinatorEpoch ?? 0, 2);
  builder.append(FakeClock.START_MS, key, value, null);
  return builder.finish({ ...options, transactional: true, control: true });
}

/** Appends and waits for the answer; the fake clock's deferred work is run meanwhile. */
export async function appendTo(
  world: { clock: FakeClock },
  log: Pick<Log, 'append'>,
  batch: Buffer,
  rules: BatchRules = { origin: 'client' },
): Promise<AppendOutcome> {
  const outcome = new Promise<AppendOutcome>((resolve) => log.append(batch, rules, 0, resolve));
  world.clock.runDeferred();
  return outcome;
}

/** A disk in memory, a clock that stands still, and logs on them. */
export class LogWorld {
  readonly clock = new FakeClock();
  readonly disk: Disk;
  readonly context: LogContext;

  constructor(
    disk?: Disk,
    readonly directory = 'data/t-0',
    logger: Logger = silentLogger,
    bounds: LogContextBounds = {},
  ) {
    this.disk = disk ?? new MemoryDisk(() => this.clock.now());
    this.context = createLogContext({ disk: this.disk, clock: this.clock, logger }, bounds);
  }

  /** The disk, as the memory disk it is by default. */
  get memory(): MemoryDisk {
    return this.disk as MemoryDisk;
  }

  /** Opens the log in the directory, as after an unclean stop unless told otherwise. */
  async open(config: Partial<TopicConfig> = {}, options: Partial<Omit<LoadOptions, 'config'>> = {}): Promise<Log> {
    await this.disk.mkdir(this.directory);
    return loadLog(
      {
        directory: this.directory,
        name: 't-0',
        config: { ...DEFAULT_TOPIC_CONFIG, ...config },
        isClean: false,
        recoveryPoint: 0,
        startOffset: 0,
        ...options,
      },
      this.context,
    );
  }

  append(log: Pick<Log, 'append'>, batch: Buffer, rules?: BatchRules): Promise<AppendOutcome> {
    return appendTo(this, log, batch, rules);
  }
}

/** Offset and value of every record in a piece of log. */
export function recordsIn(buffers: readonly Buffer[]): { offset: number; value: string }[] {
  return decodeRecords(Buffer.concat(buffers)).map(({ offset, value }) => ({ offset, value: String(value) }));
}

/** Everything between the log start and the log end, read with small steps. */
export async function readAll(log: Log, maxBytes = 200): Promise<{ offset: number; value: string }[]> {
  const all: { offset: number; value: string }[] = [];
  for (let offset = log.startOffset; offset < log.endOffset;) {
    const found = await log.read(offset, log.endOffset, maxBytes, true);
    if (found.sizeBytes === 0) break;
    const from = offset;
    all.push(...recordsIn(found.buffers).filter((record) => record.offset >= from));
    offset = found.nextOffset;
  }
  return all;
}
