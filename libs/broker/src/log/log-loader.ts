/**
 * Opens a log from its directory, or starts an empty one in it.
 * Guarantees: after a clean stop nothing is read but the ends of things; after any other stop every segment that may not
 * be on the device is checked batch by batch, cut at the first bad one, what lies behind is removed, and indexes, leader
 * epochs and producer state are made again from what is left. So are they from a damaged transaction index on.
 * Leaves out repairing: bytes that were cut were never acknowledged, or the device has lost them.
 */
import { batchBaseOffset, batchLastOffset, batchLeaderEpoch, batchMaxTimestamp } from '@kafka-template/protocol';
import { readLeaderEpochs } from './checkpoint.js';
import {
  LEADER_EPOCH_CHECKPOINT,
  STALE_SUFFIXES,
  SegmentSuffix,
  parseSegmentFileName,
  segmentFileName,
} from './file-names.js';
import { LeaderEpochs } from './leader-epochs.js';
import type { TopicConfig } from './log-config.js';
import type { LogContext } from './log-context.js';
import { Log } from './log.js';
import { replayBatch } from './producer-replay.js';
import { decodeProducerSnapshot } from './producer-snapshot.js';
import { ProducerState } from './producer-state.js';
import { type ReadBytes, scanSegment } from './segment-scan.js';
import { Segment } from './segment.js';
import { Segments } from './segments.js';
import { recoverSwaps } from './swap-recovery.js';
import { decodeTransactionIndex } from './transaction-index.js';
import { PRODUCER_WINDOW_BYTES, SEGMENT_STATS_MAX } from '../limits.js';

/** What is known of a log before it is opened. */
export interface LoadOptions {
  readonly directory: string;
  /** `topic-partition`, for people. */
  readonly name: string;
  readonly config: TopicConfig;
  /** The broker stopped in order: the files can be believed. */
  readonly isClean: boolean;
  /** Offset up to which the log was on the device. */
  readonly recoveryPoint: number;
  /** Log start offset from the checkpoint. */
  readonly startOffset: number;
}

const INDEX_SUFFIXES = [SegmentSuffix.OFFSET_INDEX, SegmentSuffix.TIME_INDEX, SegmentSuffix.TRANSACTION_INDEX];

class LogLoader {
  private producers = new ProducerState();
  private epochs = new LeaderEpochs();
  /** Where the log ends as far as it was read. */
  private endOffset = 0;
  private snapshots: number[] = [];
  /** What the directory held when it was looked through. */
  private names: ReadonlySet<string> = new Set();
  /** Offset of the snapshot that the producer state came from. */
  private restoredAt = -1;
  private readonly nowMs: number;

  constructor(
    private readonly options: LoadOptions,
    private readonly context: LogContext,
  ) {
    this.nowMs = context.clock.now();
  }

  async load(): Promise<Log> {
    const { disk } = this.context;
    const { directory } = this.options;
    let segments = await this.findSegments();
    const known = await readLeaderEpochs(disk, `${directory}/${LEADER_EPOCH_CHECKPOINT}`);
    this.epochs = new LeaderEpochs(known ?? []);
    const isUnclean = !this.options.isClean || (known === null && segments.length > 0);
    const unflushed = isUnclean ? this.firstUnflushed(segments, known !== null) : segments.length;
    const from = await this.loadTransactionIndexes(segments.slice(0, unflushed));
    const mustRecover = isUnclean || from < segments.length;
    if (mustRecover) segments = await this.recover(segments, from);
    else await this.readEnd(segments);
    const startOffset = Math.max(this.options.startOffset, segments[0]?.baseOffset ?? 0);
    if (segments.length === 0 || this.endOffset < startOffset) segments = await this.startOver(segments, startOffset);
    return this.assemble(segments, startOffset, mustRecover);
  }

  private async assemble(segments: readonly Segment[], startOffset: number, wasRecovered: boolean): Promise<Log> {
    const { directory, name, config, recoveryPoint } = this.options;
    this.epochs.truncateFromEnd(this.endOffset);
    this.epochs.truncateFromStart(startOffset);
    if (this.producers.size > 0) await this.completeWindows(segments);
    this.producers.seen(this.nowMs);
    await this.removeSnapshots(segments);
    for (const segment of segments.slice(0, -1)) if (segment.indexes) this.context.indexes.used(segment);
    const parts = {
      directory,
      name,
      config,
      segments: new Segments(segments),
      producers: this.producers,
      epochs: this.epochs,
      startOffset,
      endOffset: this.endOffset,
      isComplete: !wasRecovered && this.restoredAt === this.endOffset,
      // What recovery has checked it has also forced to the device.
      recoveryPoint: wasRecovered ? this.endOffset : Math.min(recoveryPoint, this.endOffset),
    };
    return new Log(parts, this.context);
  }

  /** The segments in the directory; removes leftovers and files without their segment. */
  private async findSegments(): Promise<Segment[]> {
    const { disk } = this.context;
    const { directory } = this.options;
    const names = await recoverSwaps(disk, directory, await disk.readdir(directory));
    const baseOffsets = new Set<number>();
    for (const name of names) {
      const baseOffset = parseSegmentFileName(name, SegmentSuffix.LOG);
      if (baseOffset !== null) baseOffsets.add(baseOffset);
      const snapshot = parseSegmentFileName(name, SegmentSuffix.SNAPSHOT);
      if (snapshot !== null) this.snapshots.push(snapshot);
    }
    for (const name of names) {
      const orphan = INDEX_SUFFIXES.some((suffix) => {
        const baseOffset = parseSegmentFileName(name, suffix);
        return baseOffset !== null && !baseOffsets.has(baseOffset);
      });
      if (orphan || STALE_SUFFIXES.some((suffix) => name.endsWith(suffix))) await disk.unlink(`${directory}/${name}`);
    }
    this.names = new Set(names);
    const sorted = [...baseOffsets].sort((a, b) => a - b);
    const segments: Segment[] = [];
    for (let from = 0; from < sorted.length; from += SEGMENT_STATS_MAX) {
      const some = sorted.slice(from, from + SEGMENT_STATS_MAX);
      segments.push(...(await Promise.all(some.map((baseOffset) => this.openSegment(baseOffset)))));
    }
    return segments;
  }

  private async openSegment(baseOffset: number): Promise<Segment> {
    const path = `${this.options.directory}/${segmentFileName(baseOffset, SegmentSuffix.LOG)}`;
    const stat = await this.context.disk.stat(path);
    const segment = new Segment(this.options.directory, baseOffset, stat?.modifiedMs ?? this.nowMs);
    segment.sizeBytes = stat?.sizeBytes ?? 0;
    segment.plannedBytes = segment.sizeBytes;
    return segment;
  }

  /** Index of the first segment that may not be on the device. */
  private firstUnflushed(segments: readonly Segment[], areEpochsKnown: boolean): number {
    if (!areEpochsKnown) return 0;
    let index = segments.length - 1;
    while (index > 0 && (segments[index] as Segment).baseOffset > this.options.recoveryPoint) index--;
    return Math.max(index, 0);
  }

  /** Returns the index of the first segment whose transactions cannot be known from its file; their number when all can. */
  private async loadTransactionIndexes(segments: readonly Segment[]): Promise<number> {
    for (const [index, segment] of segments.entries()) {
      const name = segmentFileName(segment.baseOffset, SegmentSuffix.TRANSACTION_INDEX);
      if (!this.names.has(name)) continue;
      const file = await this.context.disk.readFile(`${this.options.directory}/${name}`);
      const entries = decodeTransactionIndex(file, segment.baseOffset);
      if (entries === null) {
        this.context.logger.warn(`${this.options.name}: a transaction index is damaged and is made again`, {
          file: name,
        });
        return index;
      }
      segment.aborted = entries;
      segment.abortedPersisted = entries.length;
    }
    return segments.length;
  }

  /** The newest snapshot at or below `offset` becomes the producer state. Returns where it was taken, or `from`. */
  private async restoreProducers(offset: number, from: number): Promise<number> {
    const { disk } = this.context;
    const candidates = this.snapshots.filter((at) => at <= offset && at >= from).sort((a, b) => b - a);
    for (const at of candidates) {
      const path = `${this.options.directory}/${segmentFileName(at, SegmentSuffix.SNAPSHOT)}`;
      const state = decodeProducerSnapshot(await disk.readFile(path));
      if (state) {
        this.producers = state;
        this.restoredAt = at;
        return at;
      }
      this.context.logger.warn(`${this.options.name}: a producer snapshot is damaged and is left out`, { path });
    }
    return from;
  }

  /** After a clean stop: find the end, restore the producers. */
  private async readEnd(segments: readonly Segment[]): Promise<void> {
    const active = segments[segments.length - 1];
    if (!active) return;
    const { offsets } = await this.loadIndexes(active);
    this.endOffset = active.baseOffset;
    const lastEntry = offsets.lastPosition;
    const { validBytes } = await this.scan(active, lastEntry, active.baseOffset, false, (block, at) => {
      this.endOffset = batchLastOffset(block, at) + 1;
    });
    await this.scan(active, 0, active.baseOffset, false, (block, at) => {
      active.firstTimestamp = batchMaxTimestamp(block, at);
      return false;
    });
    active.plannedBytes = validBytes;
    if (validBytes !== active.sizeBytes) await this.cut(active, validBytes, 'the last batch is incomplete');
    const first = segments[0] as Segment;
    const at = await this.restoreProducers(this.endOffset, first.baseOffset);
    await this.replay(segments, at);
  }

  /** After an unclean stop: check what may not be on the device, from `from` on. */
  private async recover(segments: readonly Segment[], from: number): Promise<Segment[]> {
    const first = segments[from];
    if (!first) return [];
    this.context.logger.debug(`${this.options.name}: checking the log after an unclean stop`, {
      segments: segments.length - from,
      fromOffset: first.baseOffset,
    });
    const at = await this.restoreProducers(first.baseOffset, (segments[0] as Segment).baseOffset);
    this.endOffset = first.baseOffset;
    await this.replay(segments.slice(0, from), at);
    for (let index = from; index < segments.length; index++) {
      const segment = segments[index] as Segment;
      const next = segments[index + 1];
      const problem = await this.recoverSegment(segment, next);
      if (problem === null) continue;
      await this.removeSegments(segments.slice(index + 1), problem);
      return segments.slice(0, index + 1);
    }
    return [...segments];
  }

  /** Checks one segment and makes its indexes again. Returns why it was cut, or null. */
  private async recoverSegment(segment: Segment, next: Segment | undefined): Promise<string | null> {
    const note = segment.visitor(this.options.config);
    segment.aborted = [];
    segment.abortedPersisted = 0;
    let overlap: string | null = null;
    const isLast = next === undefined;
    const { validBytes, problem } = await this.scan(
      segment,
      0,
      segment.baseOffset,
      true,
      (block, at, position) => {
        if (next && batchLastOffset(block, at) >= next.baseOffset) {
          overlap = 'a batch reaches into the next segment';
          return false;
        }
        note(block, at, position);
        this.epochs.assign(batchLeaderEpoch(block, at), batchBaseOffset(block, at));
        this.endOffset = batchLastOffset(block, at) + 1;
        const aborted = replayBatch(this.producers, block, at, this.nowMs);
        if (aborted) segment.aborted.push(aborted);
        return true;
      },
      isLast,
    );
    segment.plannedBytes = validBytes;
    const reason = problem ?? overlap;
    await this.cut(segment, validBytes, reason);
    segment.indexes?.offsets.markRebuilt();
    segment.indexes?.times.markRebuilt();
    await segment.flushIndexes(this.context.disk, { seal: next !== undefined, sync: true });
    return reason;
  }

  /** Cuts the file if need be, and forces it to the device. */
  private async cut(segment: Segment, validBytes: number, reason: string | null): Promise<void> {
    if (validBytes !== segment.sizeBytes) {
      this.context.logger.warn(`${this.options.name}: cut the log at offset ${this.endOffset}: ${reason ?? ''}`, {
        file: segment.logPath,
        lostBytes: segment.sizeBytes - validBytes,
      });
    }
    const file = await this.context.disk.open(segment.logPath, 'write');
    try {
      if (validBytes !== segment.sizeBytes) await file.truncate(validBytes);
      await file.sync();
    } finally {
      await file.close();
    }
    segment.sizeBytes = validBytes;
    segment.plannedBytes = validBytes;
  }

  private async removeSegments(segments: readonly Segment[], reason: string): Promise<void> {
    for (const segment of segments) {
      this.context.logger.warn(`${this.options.name}: removed a segment behind damage: ${reason}`, {
        file: segment.logPath,
        lostBytes: segment.sizeBytes,
      });
      await this.context.files.close(segment.logPath);
      await segment.remove(this.context.disk);
    }
  }

  /** Feeds the batches from `fromOffset` on to the producer state. */
  private async replay(segments: readonly Segment[], fromOffset: number): Promise<void> {
    for (const [index, segment] of segments.entries()) {
      const next = segments[index + 1];
      if (next && next.baseOffset <= fromOffset) continue;
      if (fromOffset >= this.endOffset && next === undefined) continue;
      await this.scan(segment, 0, segment.baseOffset, false, (block, at) => {
        if (batchLastOffset(block, at) >= fromOffset) replayBatch(this.producers, block, at, this.nowMs);
      });
    }
  }

  /** A snapshot knows the newest batch of each producer only; the end of the log knows those before. */
  private async completeWindows(segments: readonly Segment[]): Promise<void> {
    const recent = new ProducerState();
    let from = segments.length;
    let bytes = 0;
    while (from > 0 && bytes < PRODUCER_WINDOW_BYTES) bytes += (segments[--from] as Segment).sizeBytes;
    for (const segment of segments.slice(from)) {
      const { offsets } = await this.loadIndexes(segment);
      const position = offsets.positionBefore(bytes - PRODUCER_WINDOW_BYTES);
      await this.scan(segment, position, segment.baseOffset, false, (block, at) => {
        replayBatch(recent, block, at, this.nowMs);
      });
      bytes = 0;
    }
    this.producers.completeWindows(recent);
  }

  /** Nothing usable is there: an empty segment at the log start. */
  private async startOver(segments: readonly Segment[], startOffset: number): Promise<Segment[]> {
    await this.removeSegments(segments, `the log ends at ${this.endOffset}, before its start ${startOffset}`);
    const segment = new Segment(this.options.directory, startOffset, this.nowMs);
    segment.startIndexes(this.options.config);
    segment.file = await this.context.disk.open(segment.logPath, 'create');
    this.endOffset = startOffset;
    this.producers = new ProducerState();
    this.epochs = new LeaderEpochs();
    return [segment];
  }

  /** Keeps snapshots of segments and the one at the end; what lies behind the end belongs to a log that is gone. */
  private async removeSnapshots(segments: readonly Segment[]): Promise<void> {
    const kept = new Set(segments.map(({ baseOffset }) => baseOffset));
    for (const at of this.snapshots) {
      if (at === this.endOffset || (at < this.endOffset && kept.has(at))) continue;
      await this.context.disk.unlink(`${this.options.directory}/${segmentFileName(at, SegmentSuffix.SNAPSHOT)}`);
    }
  }

  private loadIndexes(segment: Segment): ReturnType<Segment['loadIndexes']> {
    return segment.loadIndexes(this.context.disk, this.options.config, this.readerOf(segment));
  }

  private readerOf(segment: Segment): ReadBytes {
    return (position, length) => this.context.files.read(segment.logPath, position, length);
  }

  private scan(
    segment: Segment,
    position: number,
    baseOffset: number,
    checkCrc: boolean,
    visit: (block: Buffer, at: number, position: number) => boolean | void,
    contiguous = false,
  ): ReturnType<typeof scanSegment> {
    const { sizeBytes: endPosition } = segment;
    return scanSegment({
      read: this.readerOf(segment),
      position,
      endPosition,
      baseOffset,
      checkCrc,
      contiguous,
      visit,
    });
  }
}

/** Opens the log in a directory that exists; see the file comment. Rejects with a `DiskError`. */
export function loadLog(options: LoadOptions, context: LogContext): Promise<Log> {
  return new LogLoader(options, context).load();
}
