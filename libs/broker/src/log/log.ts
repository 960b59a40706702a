/**
 * One partition's log: appends batches, serves reads, rolls segments, lets old ones go.
 * Guarantees: offsets have no holes; `endOffset` moves only after the operating system accepted the bytes, and call-backs
 * come in the order of the appends; after a failed write nothing is appended any more: this log is only read (when the
 * disk is full), or offline. What comes after it is a log that was loaded again.
 * Leaves out replicas and visibility (replication/), opening (log-loader.ts) and when to clean up (the housekeeping).
 */
import {
  ErrorCode,
  ProtocolError,
  batchLastOffsetDelta,
  sealBatch,
  setBatchBaseOffset,
  setBatchLeaderEpoch,
  setBatchLogAppendTime,
} from '@kafka-template/protocol';
import { assert } from '../assert.js';
import type { Timer } from '../io/clock.js';
import { isPassing } from '../io/disk.js';
import { type AppendOutcome, appended, notAppended } from './append-outcome.js';
import { type BatchRules, validateBatch } from './batch-validation.js';
import type { LeaderEpochs } from './leader-epochs.js';
import { LeaderEpochsFile } from './leader-epochs-file.js';
import { NO_LIMIT, type TopicConfig } from './log-config.js';
import type { LogContext } from './log-context.js';
import { LogFiles } from './log-files.js';
import type { LogParts } from './log-parts.js';
import { LogReader } from './log-reader.js';
import { replayBatch } from './producer-replay.js';
import { checkProducer, sequenceRefusal } from './producer-check.js';
import { encodeProducerSnapshot } from './producer-snapshot.js';
import { DUPLICATE, type ProducerState, type Verification } from './producer-state.js';
import { PendingAppend } from './pending-append.js';
import { recompress } from './recompress.js';
import { expiredSegments, factsOf } from './retention.js';
import { mustRoll } from './roll-policy.js';
import { Segment } from './segment.js';
import { swapSegments } from './segment-swap.js';
import type { Segments } from './segments.js';
import { Tail, type LogRead } from './tail.js';
import { type SearchRange, type TimestampOffset, findByTimestamp, findLargestTimestamp } from './timestamp-lookup.js';
import { abortedTransactionsIn } from './transaction-index.js';
import { type PendingWrite, type WriteEvents, WriteQueue } from './write-queue.js';

/** Who wants to know when the log moves; one per log. */
export interface LogListener {
  /** `endOffset` has moved; called before the call-backs of the appends that moved it. */
  written(bytes: number): void;
  /** The log takes nothing any more. With a passing error (`isPassing`) it can still be read. */
  failed(error: Error): void;
}

/** A compaction that is under way. */
interface Cleaning {
  isCancelled: boolean;
  ended: Promise<unknown>;
}

/** Why a log takes nothing any more. */
interface Stopped {
  readonly errorCode: number;
  readonly message: string;
}

/** See the file comment. */
export class Log implements WriteEvents {
  readonly directory: string;
  readonly name: string;
  config: TopicConfig;
  readonly producers: ProducerState;
  readonly epochs: LeaderEpochs;
  readonly segments: Segments;
  readonly reader: LogReader;
  private readonly tail: Tail;
  private readonly files: LogFiles;
  private readonly epochsFile: LeaderEpochsFile;
  private readonly queue: WriteQueue;
  private listener: LogListener | null = null;
  private stopped: Stopped | null = null;
  private failure: Error | null = null;
  private cleaning: Cleaning | null = null;
  private start: number;
  private end: number;
  /** Offset of the next append; ahead of `end` while writes are under way. */
  private nextOffset: number;
  /** The files are as a clean stop left them. */
  private isComplete: boolean;
  private acceptedBytes = 0;
  private unflushedRecords = 0;
  private flushTimer: Timer | null = null;
  private readonly settle = (error: Error | null, pending: PendingWrite): void => {
    this.settleAppend(error, pending as PendingAppend);
  };

  constructor(
    parts: LogParts,
    private readonly context: LogContext,
  ) {
    this.directory = parts.directory;
    this.name = parts.name;
    this.config = parts.config;
    this.producers = parts.producers;
    this.epochs = parts.epochs;
    this.segments = parts.segments;
    this.start = parts.startOffset;
    this.end = parts.endOffset;
    this.nextOffset = parts.endOffset;
    this.isComplete = parts.isComplete;
    this.tail = new Tail(context.memory, parts.endOffset);
    this.queue = new WriteQueue(context.clock, this);
    const fail = (error: Error): void => this.queue.fail(error);
    this.files = new LogFiles(context, parts.directory, parts.segments, parts.recoveryPoint, fail);
    this.epochsFile = new LeaderEpochsFile(context.disk, parts.directory, parts.epochs, fail);
    this.reader = new LogReader(parts.segments, context.disk, context.files, context.indexes, () => this.config);
  }

  /** First offset that may be read. */
  get startOffset(): number {
    return this.start;
  }

  /** Offset after the last record that the operating system accepted. */
  get endOffset(): number {
    return this.end;
  }

  /** Offset up to which the log is on the device. */
  get recoveryPoint(): number {
    return this.files.recoveryPoint;
  }

  /** It can be read. */
  get isOnline(): boolean {
    return this.stopped === null || this.isFull;
  }

  /** It cannot be written for want of room; what it has can be read, and let go. */
  get isFull(): boolean {
    return this.stopped?.errorCode === ErrorCode.KAFKA_STORAGE_ERROR && isPassing(this.failure);
  }

  /** First offset that is served from memory. */
  get tailStartOffset(): number {
    return this.tail.startOffset;
  }

  /** Sets who is told that the log moves. */
  listen(listener: LogListener): void {
    this.listener = listener;
  }

  /**
   * Appends one batch. `done` is called once: at once on a refusal, else when the batch is written, in order.
   * `records` may be reused when this returns.
   */
  append(records: Buffer, rules: BatchRules, leaderEpoch: number, done: (outcome: AppendOutcome) => void): void {
    if (this.stopped) return done(notAppended(this.stopped, this.start));
    const nowMs = this.context.clock.now();
    const refusal = validateBatch(records, rules, this.config, nowMs);
    if (refusal) return done(notAppended(refusal, this.start));
    if (this.context.pressure.isFull(records.length)) {
      const message = 'The disk does not keep up with what is produced; try again later.';
      return done(notAppended({ errorCode: ErrorCode.KAFKA_STORAGE_ERROR, message }, this.start));
    }
    const verdict = checkProducer(this.producers, records, rules);
    if (verdict === DUPLICATE) return this.answerDuplicate(done);
    if (verdict !== ErrorCode.NONE)
      return done(notAppended(sequenceRefusal(this.producers, records, verdict), this.start));
    let batch = records;
    if (this.config.compressionType !== 'producer' && rules.origin === 'client') {
      try {
        batch = recompress(records, this.config.compressionType);
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        const message = `The records of the batch cannot be read: ${error.message}`;
        return done(notAppended({ errorCode: ErrorCode.CORRUPT_MESSAGE, message }, this.start));
      }
    }
    this.place(batch, leaderEpoch, nowMs, done);
  }

  /** See {@link ProducerState.beginVerification}. */
  beginVerification(batch: Parameters<ProducerState['beginVerification']>[0]): Verification | null {
    return this.producers.beginVerification(batch, this.context.clock.now());
  }

  /** Whole batches from the one that holds `offset` on, below `endOffset`; from memory where possible. */
  read(offset: number, endOffset: number, maxBytes: number, minOneBatch: boolean): LogRead | Promise<LogRead> {
    if (offset >= this.tail.startOffset) return this.tail.read(offset, endOffset, maxBytes, minOneBatch);
    return this.reader.read({ offset, endOffset, maxBytes, minOneBatch });
  }

  /** First record of the range that is not older than `timestamp`. */
  findByTimestamp(range: SearchRange, timestamp: number): Promise<TimestampOffset | null> {
    return findByTimestamp(this.reader, this.segmentsFrom(range.startOffset), range, timestamp);
  }

  /** First record of the range with its largest timestamp. */
  findLargestTimestamp(range: SearchRange): Promise<TimestampOffset | null> {
    return findLargestTimestamp(this.reader, this.segmentsFrom(range.startOffset), range);
  }

  /** Aborted transactions with records in the range, sorted by first offset. */
  abortedTransactions(fromOffset: number, toOffset: number): { producerId: number; firstOffset: number }[] {
    return abortedTransactionsIn(
      this.segmentsFrom(fromOffset).map(({ aborted }) => aborted),
      fromOffset,
      toOffset,
    );
  }

  /** Notes that `leaderEpoch` begins at the end of the log. */
  beginEpoch(leaderEpoch: number): void {
    if (this.epochs.assign(leaderEpoch, this.nextOffset)) this.epochsFile.save();
  }

  /** Moves the log start forward and lets go of the segments below it. Offsets beyond the end are the caller's mistake. */
  advanceStart(offset: number, highWatermark: number): void {
    assert(offset <= this.end, 'The log start cannot pass the log end.');
    if (offset <= this.start) return;
    this.start = offset;
    if (this.epochs.truncateFromStart(offset)) this.epochsFile.save();
    this.deleteExpired(highWatermark, { ...this.config, cleanupPolicy: [] });
  }

  /** Applies retention. Returns how many segments went. */
  async applyRetention(highWatermark: number): Promise<number> {
    if (!this.isOnline) return 0;
    // The age of a segment is in its index; load as many as it takes to find one that stays.
    for (;;) {
      const undecided = this.segments.at(this.countExpired(highWatermark, this.config));
      if (!undecided || undecided.hasTimestamps) break;
      await this.reader.indexes(undecided);
    }
    return this.deleteExpired(highWatermark, this.config);
  }

  /**
   * Runs a compaction, during which no other one runs and retention takes no segment away. Null when the log is stopped or
   * one is running. A log that stops waits for it to end, which it should when it is cancelled.
   */
  async clean<T>(run: (isCancelled: () => boolean) => Promise<T>): Promise<T | null> {
    if (this.stopped || this.cleaning) return null;
    const cleaning: Cleaning = { isCancelled: false, ended: Promise.resolve() };
    this.cleaning = cleaning;
    const result = run(() => cleaning.isCancelled);
    cleaning.ended = result.catch(() => undefined);
    try {
      return await result;
    } finally {
      this.cleaning = null;
    }
  }

  /** Ends a compaction that is under way; whoever takes segments away other than by retention must call it first. */
  async cancelCleaning(): Promise<void> {
    if (!this.cleaning) return;
    this.cleaning.isCancelled = true;
    await this.cleaning.ended;
  }

  /** Puts a compacted segment in the place of its originals; only inside `clean`. */
  async swap(originals: readonly Segment[], cleaned: Segment): Promise<void> {
    const { context, config, segments } = this;
    let isExchanged = false;
    const exchange = (): void => {
      segments.replace(originals, cleaned);
      this.reader.forgetPlaces();
      // What is in memory is what was in the originals.
      this.tail.dropBefore((segments.after(cleaned) as Segment).baseOffset);
      isExchanged = true;
    };
    try {
      await swapSegments({ context, config, originals, cleaned, exchange });
      this.files.removeLater(originals, config.fileDeleteDelayMs);
    } catch (error) {
      // Even if room is all that lacks: the files are in the middle of changing their names.
      if (isExchanged) this.queue.fail(new Error(`Compaction stopped half-way: ${(error as Error).message}`));
      throw error;
    }
  }

  /** Forces everything written so far to the device. */
  async flush(): Promise<void> {
    if (this.stopped) return;
    const endOffset = this.end;
    this.unflushedRecords = 0;
    try {
      await this.files.sync(endOffset);
      await this.files.flushIndexes();
    } catch (error) {
      this.queue.fail(error as Error);
    }
  }

  /** Writes and forces everything, leaves a snapshot, closes the files. A failed log is only closed; false then. */
  async close(): Promise<boolean> {
    this.stop(ErrorCode.NOT_LEADER_OR_FOLLOWER, 'The broker is shutting down.');
    await this.cancelCleaning();
    await this.queue.drain();
    await this.epochsFile.settled();
    this.tail.clear(this.end);
    if (this.failure || this.isComplete) {
      await this.files.abandon();
      return !this.failure;
    }
    await this.files.close(this.end, encodeProducerSnapshot(this.producers));
    return true;
  }

  /** Stops the log because its partition is deleted; the caller removes the directory. */
  async abandon(): Promise<void> {
    this.stop(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 'The partition is being deleted.');
    this.queue.fail(new Error('The partition is being deleted.'));
    await this.cancelCleaning();
    await this.queue.drain();
    this.tail.clear(this.end);
    await this.epochsFile.settled();
    await this.files.abandon();
  }

  /** The disk has failed under another log: this one must not be used any more either. */
  fail(error: Error): void {
    if (this.failure) this.failed(error);
    else this.queue.fail(error);
  }

  /** Lets go of everything a failed log holds, so that it can be loaded again. Reads that are under way end well. */
  async retire(): Promise<void> {
    assert(this.failure !== null, 'Only a log that has failed is loaded again.');
    await this.cancelCleaning();
    await this.queue.drain();
    await this.epochsFile.settled();
    await this.files.abandon();
  }

  // What the write queue calls.

  openSegment(segment: Segment): ReturnType<LogFiles['openSegment']> {
    return this.files.openSegment(segment);
  }

  accepted(segment: Segment, writes: readonly PendingWrite[], bytes: number): Promise<void> | null {
    this.isComplete = false;
    segment.sizeBytes += bytes;
    segment.modifiedMs = this.context.clock.now();
    segment.isSynced = false;
    this.acceptedBytes = bytes;
    const last = writes[writes.length - 1];
    for (const write of writes) this.unflushedRecords += write.recordCount;
    if (!last || this.unflushedRecords === 0) return null;
    if (this.unflushedRecords >= this.config.flushMessages) {
      this.unflushedRecords = 0;
      return this.files.sync(last.nextOffset);
    }
    if (this.config.flushMs < NO_LIMIT) this.armFlushTimer();
    return null;
  }

  written(endOffset: number): void {
    this.end = endOffset;
    this.listener?.written(this.acceptedBytes);
  }

  failed(error: Error): void {
    // A full disk may turn out to be broken.
    if (!this.failure || isPassing(this.failure)) this.failure = error;
    if (this.stopped) return;
    const state = isPassing(error) ? 'read-only until there is room again' : 'offline until the broker is restarted';
    this.context.logger.error(`${this.name}: the partition is ${state}: writing failed`, { error });
    this.stop(ErrorCode.KAFKA_STORAGE_ERROR, `The log of ${this.name} is ${state}: ${error.message}`);
    // A write that is under way may still succeed, and is part of the log then.
    void this.queue.drain().then(() => {
      this.tail.clear(this.end);
      return this.files.cutFailedWrite();
    });
    this.listener?.failed(error);
  }

  private stop(errorCode: number, message: string): void {
    this.stopped ??= { errorCode, message };
    if (this.flushTimer) this.context.clock.clearTimer(this.flushTimer);
    this.flushTimer = null;
  }

  private armFlushTimer(): void {
    this.flushTimer ??= this.context.clock.setTimer(this.config.flushMs, () => {
      this.flushTimer = null;
      void this.flush();
    });
  }

  private segmentsFrom(offset: number): readonly Segment[] {
    return this.segments.all().slice(this.segments.indexOf(offset));
  }

  /** Gives the batch its place, in memory at once, on disk by the queue. */
  private place(batch: Buffer, leaderEpoch: number, nowMs: number, done: (outcome: AppendOutcome) => void): void {
    const baseOffset = this.nextOffset;
    const recordCount = batchLastOffsetDelta(batch) + 1;
    const nextOffset = baseOffset + recordCount;
    const segment = this.segmentFor(batch, nextOffset - 1, nowMs);
    const chunk = this.tail.add(batch, baseOffset, nextOffset);
    const at = chunk.used - batch.length;
    setBatchBaseOffset(chunk.buffer, at, baseOffset);
    setBatchLeaderEpoch(chunk.buffer, at, leaderEpoch);
    const isAppendTime = this.config.messageTimestampType === 'LogAppendTime';
    if (isAppendTime) {
      setBatchLogAppendTime(chunk.buffer, at, nowMs);
      sealBatch(chunk.buffer, at);
    }
    segment.note(chunk.buffer, at, segment.plannedBytes, this.config.indexIntervalBytes);
    const aborted = replayBatch(this.producers, chunk.buffer, at, nowMs);
    if (aborted) segment.aborted.push(aborted);
    if (leaderEpoch > this.epochs.latest && this.epochs.assign(leaderEpoch, baseOffset)) this.epochsFile.save();
    this.nextOffset = nextOffset;
    this.context.pressure.added(batch.length);
    const appendTimeMs = isAppendTime ? nowMs : -1;
    const { settle } = this;
    this.queue.enqueue(
      // prettier-ignore
      new PendingAppend(segment, chunk, at, batch.length, recordCount, nextOffset, baseOffset, appendTimeMs, done, settle),
    );
  }

  private settleAppend(error: Error | null, pending: PendingAppend): void {
    if (pending.bytes > 0) this.context.pressure.removed(pending.bytes);
    const outcome = error
      ? notAppended(this.stopped ?? { errorCode: ErrorCode.KAFKA_STORAGE_ERROR, message: error.message }, this.start)
      : appended(pending.baseOffset, pending.logAppendTimeMs, this.start);
    try {
      pending.done(outcome);
    } catch (thrown) {
      // One caller's mistake must not keep the others waiting for their answers.
      this.context.logger.error(`${this.name}: a call-back of an append threw`, { error: thrown });
    }
  }

  /** The batch is in the log already, or on its way; then the answer waits for it. */
  private answerDuplicate(done: (outcome: AppendOutcome) => void): void {
    const original = this.producers.duplicate;
    assert(original !== null, 'A duplicate must have an original.');
    const baseOffset = original.lastOffset - original.offsetDelta;
    const appendTimeMs = this.config.messageTimestampType === 'LogAppendTime' ? original.timestamp : -1;
    if (original.lastOffset < this.end) return done(appended(baseOffset, appendTimeMs, this.start));
    const segment = this.segments.active;
    const { nextOffset, settle } = this;
    this.queue.enqueue(new PendingAppend(segment, null, 0, 0, 0, nextOffset, baseOffset, appendTimeMs, done, settle));
  }

  private segmentFor(batch: Buffer, lastOffset: number, nowMs: number): Segment {
    const { active } = this.segments;
    return mustRoll(active, batch, lastOffset, this.config, nowMs) ? this.roll(nowMs) : active;
  }

  private roll(nowMs: number): Segment {
    const segment = new Segment(this.directory, this.nextOffset, nowMs);
    segment.startIndexes(this.config);
    this.segments.push(segment);
    this.files.rolled(segment, encodeProducerSnapshot(this.producers));
    return segment;
  }

  /** How many segments, from the oldest on, `config` lets go. */
  private countExpired(highWatermark: number, config: TopicConfig): number {
    const nowMs = this.context.clock.now();
    const limits = { nowMs, highWatermark: Math.min(highWatermark, this.end), logStartOffset: this.start };
    return expiredSegments(factsOf(this.segments.all(), this.nextOffset), config, limits);
  }

  private deleteExpired(highWatermark: number, config: TopicConfig): number {
    if (!this.isOnline || this.cleaning) return 0;
    // A full disk takes no new segment.
    const countMax = this.isFull ? this.segments.count - 1 : Infinity;
    const count = Math.min(this.countExpired(highWatermark, config), countMax);
    if (count === 0) return 0;
    const next = count === this.segments.count ? this.roll(this.context.clock.now()) : null;
    const removed = this.segments.removeFirst(count);
    this.start = Math.max(this.start, this.segments.first.baseOffset);
    if (this.epochs.truncateFromStart(this.start)) this.epochsFile.save();
    this.context.logger.info(`${this.name}: deleted ${count} segments`, { logStartOffset: this.start });
    const removal = next ? this.files.replace(removed, next) : this.files.remove(removed);
    removal.catch((error: Error) => this.queue.fail(error));
    this.isComplete = false;
    return count;
  }
}
