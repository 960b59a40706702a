/**
 * What specs of compaction need: a log with one batch per segment if need be, a cleaner for it, and what a reader finds.
 */
import {
  RecordReader,
  batchLastOffset,
  batchProducerId,
  isControlBatch,
  isTransactionalBatch,
} from '@kafka-template/protocol';
import type { Disk } from '../../io/disk.js';
import type { FakeClock } from '../../testing/fake-clock.js';
import { LogWorld, type TestBatch, testBatch, testMarker } from '../../testing/log-world.js';
import type { TopicConfig } from '../log-config.js';
import type { Log } from '../log.js';
import { type CleanedOffset, type CleanerSettings, LogCleaner } from './log-cleaner.js';

/** Small enough that each batch of one record has a segment of its own. */
export const ONE_BATCH_SEGMENT_BYTES = 130;

/** A record as a reader finds it. */
export interface FoundRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string;
  readonly value: string | null;
  /** Of a transaction, else -1. */
  readonly producerId: number;
}

/** Runs what is deferred until the promise is settled. */
export async function driven<T>(clock: FakeClock, promise: Promise<T>): Promise<T> {
  let isSettled = false;
  const settled = promise.finally(() => (isSettled = true));
  settled.catch(() => undefined);
  while (!isSettled) await clock.settle();
  return settled;
}

/** See the file comment. */
export class CompactionWorld {
  cleaner: LogCleaner;
  saved: readonly CleanedOffset[] = [];

  private constructor(
    readonly world: LogWorld,
    readonly log: Log,
    settings: Partial<CleanerSettings>,
    checkpoint: ReadonlyMap<string, number>,
  ) {
    this.cleaner = new LogCleaner({
      context: world.context,
      settings,
      partitions: () => [this.partition],
      checkpoint,
      save: async (entries) => void (this.saved = entries),
    });
  }

  /** Opens the log in the directory; compacts with every bit of dirt, from segments of one batch. */
  static async open(
    options: {
      readonly disk?: Disk;
      readonly config?: Partial<TopicConfig>;
      readonly settings?: Partial<CleanerSettings>;
      readonly isClean?: boolean;
      readonly checkpoint?: ReadonlyMap<string, number>;
      readonly world?: LogWorld;
    } = {},
  ): Promise<CompactionWorld> {
    const world = options.world ?? new LogWorld(options.disk);
    const config: Partial<TopicConfig> = {
      cleanupPolicy: ['compact'],
      segmentBytes: ONE_BATCH_SEGMENT_BYTES,
      minCleanableDirtyRatio: 0,
      ...options.config,
    };
    const log = await world.open(config, { isClean: options.isClean ?? false });
    return new CompactionWorld(world, log, options.settings ?? {}, options.checkpoint ?? new Map());
  }

  get clock(): FakeClock {
    return this.world.clock;
  }

  get partition() {
    const { log } = this;
    return {
      topic: 't',
      partition: 0,
      log,
      lastStableOffset: Math.min(log.endOffset, log.producers.firstUnstableOffset(log.endOffset)),
    };
  }

  /** Appends one batch and returns its first offset. */
  async append(batch: TestBatch | Buffer): Promise<number> {
    const bytes = Buffer.isBuffer(batch) ? batch : testBatch({ timestamp: this.clock.now(), ...batch });
    const origin = isControlBatch(bytes) ? 'coordinator' : 'client';
    const { errorCode, baseOffset } = await this.world.append(this.log, bytes, { origin, transactionalId: 'tx' });
    if (errorCode !== 0) throw new Error(`The batch was refused with error ${errorCode}.`);
    return baseOffset;
  }

  /** Appends a record. */
  put(key: string, value: string | null, batch: Omit<TestBatch, 'records'> = {}): Promise<number> {
    return this.append({ ...batch, records: [{ key, value }] });
  }

  /** Ends a transaction. */
  end(producerId: number, isAbort: boolean, producerEpoch = 0): Promise<number> {
    return this.append(testMarker({ producerId, producerEpoch, isAbort }));
  }

  /** Compacts whatever is dirty, once the segments that are full have been completed. */
  async compact(): Promise<number> {
    await this.clock.settle();
    return driven(this.clock, this.cleaner.cleanAll());
  }

  /** The data records a reader finds from an offset on. */
  async records(fromOffset = this.log.startOffset): Promise<FoundRecord[]> {
    const found: FoundRecord[] = [];
    await this.walk(fromOffset, (reader) => {
      const { buffer, batchPosition } = reader;
      if (isControlBatch(buffer, batchPosition)) return;
      const producerId = isTransactionalBatch(buffer, batchPosition) ? batchProducerId(buffer, batchPosition) : -1;
      while (reader.nextRecord()) {
        const { offset, timestamp } = reader;
        const value = reader.value();
        if (offset < fromOffset) continue;
        found.push({ offset, timestamp, key: String(reader.key()), value: value && String(value), producerId });
      }
    });
    return found;
  }

  /** `key=value`, for what is short. */
  async texts(): Promise<string[]> {
    return (await this.records()).map(({ key, value }) => `${key}=${value ?? ''}`);
  }

  /** Visits every batch, as a consumer reads them. Returns the offset after the last one. */
  async walk(fromOffset: number, visit: (reader: RecordReader) => void, maxBytes = 300): Promise<number> {
    const { log } = this;
    let offset = fromOffset;
    while (offset < log.endOffset) {
      const read = await log.read(offset, log.endOffset, maxBytes, true);
      if (read.sizeBytes === 0) break;
      const reader = new RecordReader(Buffer.concat(read.buffers));
      while (reader.nextBatch()) {
        if (!reader.checkCrc()) throw new Error(`The checksum of the batch at offset ${offset} is wrong.`);
        visit(reader);
        offset = batchLastOffset(reader.buffer, reader.batchPosition) + 1;
      }
      read.release();
    }
    return offset;
  }
}
