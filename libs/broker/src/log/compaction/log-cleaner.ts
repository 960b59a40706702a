/**
 * Compacts the logs whose `cleanup.policy` says so: the dirtiest first, one at a time.
 * Guarantees: how far a log is compacted is written down after each compaction (Kafka's `cleaner-offset-checkpoint`); a log
 * that cannot be compacted, other than for want of room, is reported and left alone until the broker starts again; `stop`
 * ends a running compaction.
 * Leaves out the clock: whoever owns the cleaner calls it.
 */
import { isPassing } from '../../io/disk.js';
import type { LogContext } from '../log-context.js';
import type { Log } from '../log.js';
import type { Segment } from '../segment.js';
import { NO_LIMIT } from '../log-config.js';
import { type CleanableRange, cleanableRange } from './cleanable-range.js';
import { keysIn } from './key-offsets.js';
import { type CompactionResult, compactLog } from './log-compaction.js';
import { Cancelled, WorkSlices } from './work-slices.js';
import { batchMaxTimestamp, BATCH_HEADER_BYTES } from '@kafka-template/protocol';

/** A partition as the cleaner sees it. */
export interface CleanablePartition {
  readonly topic: string;
  readonly partition: number;
  readonly log: Log;
  readonly lastStableOffset: number;
}

/** One line of the checkpoint. */
export interface CleanedOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** Settings; the comments give Kafka's names and defaults. */
export interface CleanerSettings {
  /** `log.cleaner.dedupe.buffer.size`, 128 MiB: memory for keys. Only what the keys of a compaction need is taken. */
  readonly dedupeBufferBytes: number;
  /** `log.cleaner.io.buffer.load.factor`, 0.9: part of that memory that may be filled. */
  readonly loadFactor: number;
  /** `log.cleaner.io.max.bytes.per.second`, no limit. */
  readonly maxBytesPerSecond: number;
}

/** Kafka's settings. */
export const DEFAULT_CLEANER_SETTINGS: CleanerSettings = {
  dedupeBufferBytes: 128 * 1024 * 1024,
  loadFactor: 0.9,
  maxBytesPerSecond: Infinity,
};

/** Less would waste most of the memory, and nothing would fit into none. */
const LOAD_FACTOR_MIN = 0.1;

/** What a cleaner works with. */
export interface CleanerOptions {
  readonly context: LogContext;
  readonly settings?: Partial<CleanerSettings>;
  /** All partitions of the broker. */
  readonly partitions: () => Iterable<CleanablePartition>;
  /** Replaces the checkpoint. */
  readonly save: (entries: readonly CleanedOffset[]) => Promise<void>;
  /** The checkpoint as it was found, offset by `topic-partition`. */
  readonly checkpoint: ReadonlyMap<string, number>;
}

interface Candidate {
  readonly partition: CleanablePartition;
  readonly range: CleanableRange;
}

/** See the file comment. */
export class LogCleaner {
  private readonly offsets: Map<string, number>;
  private readonly settings: CleanerSettings;
  private readonly uncleanable = new WeakSet<Log>();
  private isStopped = false;
  private saving: Promise<void> = Promise.resolve();

  constructor(private readonly options: CleanerOptions) {
    this.offsets = new Map(options.checkpoint);
    const settings = { ...DEFAULT_CLEANER_SETTINGS, ...options.settings };
    this.settings = { ...settings, loadFactor: Math.min(Math.max(settings.loadFactor, LOAD_FACTOR_MIN), 1) };
  }

  /** Compacts until no log is dirty enough. Returns how many compactions there were. */
  async cleanAll(): Promise<number> {
    let count = 0;
    for (;;) {
      const dirtiest = await this.dirtiest();
      if (!dirtiest) return count;
      const outcome = await this.clean(dirtiest);
      if (outcome === 'ended') return count;
      if (outcome === 'compacted') count++;
    }
  }

  /** Up to where a log is compacted; undefined when it never was. */
  cleanedOffset(name: string): number | undefined {
    return this.offsets.get(name);
  }

  /** A partition is gone; the next one of this name begins anew. */
  async forget(name: string): Promise<void> {
    const offset = this.offsets.get(name);
    if (offset === undefined) return;
    this.offsets.delete(name);
    try {
      await this.save();
    } catch (error) {
      // Whoever asked asks again.
      this.offsets.set(name, offset);
      throw error;
    }
  }

  /** Ends what is running, soon, and begins nothing any more. */
  stop(): void {
    this.isStopped = true;
  }

  private async dirtiest(): Promise<Candidate | null> {
    let found: Candidate | null = null;
    for (const partition of this.options.partitions()) {
      const { log } = partition;
      if (this.isStopped) return null;
      if (!log.config.cleanupPolicy.includes('compact') || !log.isOnline || log.isFull || this.uncleanable.has(log))
        continue;
      const range = await this.measure(partition);
      if (range?.isDue && range.dirtyRatio > (found?.range.dirtyRatio ?? 0)) found = { partition, range };
    }
    return found;
  }

  /** Null when the log cannot be measured. */
  private async measure({ log, lastStableOffset }: CleanablePartition): Promise<CleanableRange | null> {
    const all = log.segments.all();
    // A segment whose last writes are still being completed is as good as active.
    const unsealed = all.findIndex((segment, index) => index === all.length - 1 || segment.file !== null);
    if (unsealed === 0) return null;
    const active = all[unsealed] as Segment;
    const sealed = all.slice(0, unsealed);
    const checkpoint = this.offsets.get(log.name) ?? null;
    try {
      return cleanableRange(
        {
          segments: await this.facts(log, sealed, checkpoint ?? 0),
          activeBaseOffset: active.baseOffset,
          startOffset: log.startOffset,
          endOffset: log.endOffset,
          lastStableOffset,
          checkpoint,
          nowMs: this.options.context.clock.now(),
        },
        log.config,
      );
    } catch (error) {
      this.giveUp(log, error);
      return null;
    }
  }

  private async facts(log: Log, segments: readonly Segment[], cleanedOffset: number) {
    const { minCompactionLagMs, maxCompactionLagMs } = log.config;
    const facts = [];
    for (const [index, segment] of segments.entries()) {
      const isDirty = (segments[index + 1]?.baseOffset ?? Infinity) > cleanedOffset;
      // Both are known only after reading; most topics do not ask.
      if (isDirty && minCompactionLagMs > 0 && !segment.hasTimestamps) await log.reader.indexes(segment);
      if (isDirty && maxCompactionLagMs < NO_LIMIT && segment.firstTimestamp < 0 && segment.sizeBytes > 0) {
        segment.firstTimestamp = batchMaxTimestamp(await log.reader.readBytes(segment, 0, BATCH_HEADER_BYTES));
      }
      facts.push({
        baseOffset: segment.baseOffset,
        sizeBytes: segment.sizeBytes,
        largestTimestamp: segment.maxTimestamp >= 0 ? segment.maxTimestamp : segment.modifiedMs,
        firstTimestamp: segment.firstTimestamp,
      });
    }
    return facts;
  }

  private async clean({ partition, range }: Candidate): Promise<'compacted' | 'given up' | 'ended'> {
    const { log } = partition;
    const { clock, logger } = this.options.context;
    const startedMs = clock.monotonic();
    try {
      const result = await log.clean((isCancelled) => this.compact(log, range, isCancelled));
      // A log that has stopped meanwhile may be of a topic that is gone; the next of its name begins anew.
      if (result === null || !log.isOnline) return 'ended';
      this.offsets.set(log.name, result.endOffset);
      await this.save();
      logger.info(`${log.name}: compacted up to offset ${result.endOffset}`, {
        fromOffset: range.firstDirtyOffset,
        bytesBefore: result.bytesBefore,
        bytesAfter: result.bytesAfter,
        tookMs: Math.round(clock.monotonic() - startedMs),
      });
      return 'compacted';
    } catch (error) {
      if (error instanceof Cancelled) return 'ended';
      if (isPassing(error)) {
        logger.warn(`${log.name}: could not be compacted, which is tried again: ${error.message}`);
        return 'ended';
      }
      this.giveUp(log, error);
      return 'given up';
    }
  }

  private compact(log: Log, range: CleanableRange, isCancelled: () => boolean): Promise<CompactionResult> {
    const { clock, disk } = this.options.context;
    const { dedupeBufferBytes, loadFactor, maxBytesPerSecond: bytesPerSecond } = this.settings;
    return compactLog({
      log,
      disk,
      firstDirtyOffset: range.firstDirtyOffset,
      endOffset: range.endOffset,
      nowMs: clock.now(),
      keysMax: keysIn(dedupeBufferBytes, loadFactor),
      loadFactor,
      slices: new WorkSlices({ clock, bytesPerSecond, isCancelled: () => this.isStopped || isCancelled() }),
    });
  }

  private giveUp(log: Log, error: unknown): void {
    if (!log.isOnline) return;
    this.uncleanable.add(log);
    this.options.context.logger.error(
      `${log.name}: the log could not be compacted and is left as it is until the broker is restarted`,
      { error },
    );
  }

  /** Writes the checkpoint, one write after the other. */
  private save(): Promise<void> {
    const saved = this.saving.then(() => {
      const entries: CleanedOffset[] = [];
      for (const { topic, partition, log } of this.options.partitions()) {
        const offset = this.offsets.get(log.name);
        if (offset !== undefined) entries.push({ topic, partition, offset });
      }
      return this.options.save(entries);
    });
    this.saving = saved.catch(() => undefined);
    return saved;
  }
}
