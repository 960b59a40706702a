/**
 * A partition replica on a log of this broker: decides what is visible, and wakes those who wait for it.
 * Guarantees: the high watermark never passes what the operating system has accepted, and never goes back; the last
 * stable offset never passes it or an undecided transaction.
 * Leaves out other replicas: as the only one, everything that is written is visible.
 */
import { ErrorCode } from '@kafka-template/protocol';
import { assert } from '../assert.js';
import type { AppendOutcome } from '../log/append-outcome.js';
import { isPassing } from '../io/disk.js';
import type { TopicConfig } from '../log/log-config.js';
import type { Log, LogListener } from '../log/log.js';
import type { LogRead } from '../log/tail.js';
import type { TimestampOffset } from '../log/timestamp-lookup.js';
import { transactionMarkerBatch } from '../log/transaction-marker.js';
import type { Logger } from '../io/logger.js';
import type {
  AbortedTransaction,
  AppendOptions,
  EndMarker,
  EpochEndOffset,
  Partition,
  ProducerEntry,
  ReadOutcome,
  ReadRequest,
  Verification,
} from './partition.js';
import type { Waits } from './waits.js';

/** Which partition it is. */
export interface PartitionIdentity {
  readonly topic: string;
  readonly partition: number;
  readonly topicId: string;
}

/** What a partition needs from those around it. */
export interface PartitionServices {
  readonly waits: Waits;
  readonly logger: Logger;
  /** Wall clock, epoch milliseconds. */
  nowMs(): number;
  /** Writes the log start offsets of all partitions down. */
  saveStartOffsets(): Promise<void>;
  /** The disk took nothing more of `partition`. */
  diskFailed(partition: LocalPartition, error: Error): void;
}

const NO_TRANSACTIONS: readonly AbortedTransaction[] = [];
const NOTHING: LogRead = { buffers: [], sizeBytes: 0, nextOffset: -1, release: () => undefined };

/** See the file comment. */
export class LocalPartition implements Partition, LogListener {
  readonly topic: string;
  readonly partition: number;
  readonly topicId: string;
  visibleBytes = 0;
  stableBytes = 0;
  private current: Log;
  private epoch = 0;
  private visible: number;
  private stable: number;
  /** `visibleBytes` when the last stable offset last was the high watermark. */
  private bytesWhenStable = 0;

  constructor(
    identity: PartitionIdentity,
    log: Log,
    private readonly services: PartitionServices,
  ) {
    this.current = log;
    this.topic = identity.topic;
    this.partition = identity.partition;
    this.topicId = identity.topicId;
    this.visible = log.endOffset;
    this.stable = Math.min(this.visible, log.producers.firstUnstableOffset(this.visible));
    log.listen(this);
    this.becomeLeader(Math.max(0, log.epochs.latest));
  }

  /** The log as it is now; another one after a disk was full. */
  get log(): Log {
    return this.current;
  }

  get leaderEpoch(): number {
    return this.epoch;
  }

  get logStartOffset(): number {
    return this.log.startOffset;
  }

  get logEndOffset(): number {
    return this.log.endOffset;
  }

  get highWatermark(): number {
    return this.visible;
  }

  get lastStableOffset(): number {
    return this.stable;
  }

  get isOnline(): boolean {
    return this.log.isOnline;
  }

  get sizeBytes(): number {
    return this.log.segments.sizeBytes;
  }

  append(records: Buffer, options: AppendOptions, done: (outcome: AppendOutcome) => void): void {
    this.log.append(records, options, this.epoch, done);
  }

  beginVerification(batch: Parameters<Partition['beginVerification']>[0]): Verification | null {
    return this.log.beginVerification(batch);
  }

  appendMarker(marker: EndMarker, timeoutMs: number, done: (outcome: AppendOutcome) => void): void {
    const { producerId, producerEpoch: epoch, coordinatorEpoch, committed, transactionVersion } = marker;
    const timestamp = this.services.nowMs();
    const batch = transactionMarkerBatch({ producerId, epoch, coordinatorEpoch, isAbort: !committed, timestamp });
    this.append(batch, { origin: 'coordinator', acks: -1, timeoutMs, transactionVersion }, done);
  }

  producers(): Iterable<Readonly<ProducerEntry>> {
    return this.log.producers.all();
  }

  read(request: ReadRequest): ReadOutcome | Promise<ReadOutcome> {
    const { fetchOffset, maxBytes, minOneBatch, readCommitted } = request;
    const { log } = this;
    if (!log.isOnline) return this.outcome(ErrorCode.KAFKA_STORAGE_ERROR, request, null);
    if (fetchOffset < log.startOffset || fetchOffset > log.endOffset) {
      return this.outcome(ErrorCode.OFFSET_OUT_OF_RANGE, request, null);
    }
    const end = readCommitted ? this.stable : this.visible;
    if (fetchOffset >= end) return this.outcome(ErrorCode.NONE, request, null);
    const found = log.read(fetchOffset, end, maxBytes, minOneBatch);
    if (!(found instanceof Promise)) return this.outcome(ErrorCode.NONE, request, found);
    const seen = { highWatermark: this.visible, lastStableOffset: this.stable };
    return found.then(
      (read) => this.outcome(ErrorCode.NONE, request, read, seen),
      (error: unknown) => this.readFailed(request, error),
    );
  }

  offsetForTimestamp(timestamp: number): Promise<TimestampOffset | null> {
    return this.log.findByTimestamp({ startOffset: this.logStartOffset, endOffset: this.visible }, timestamp);
  }

  offsetOfMaxTimestamp(): Promise<TimestampOffset | null> {
    return this.log.findLargestTimestamp({ startOffset: this.logStartOffset, endOffset: this.visible });
  }

  epochEndOffset(epoch: number): EpochEndOffset {
    return this.log.epochs.endOffset(epoch, this.logEndOffset);
  }

  async deleteRecordsBefore(offset: number): Promise<number> {
    if (!this.isOnline) return ErrorCode.KAFKA_STORAGE_ERROR;
    if (!this.log.config.cleanupPolicy.includes('delete')) return ErrorCode.POLICY_VIOLATION;
    const target = offset === -1 ? this.visible : offset;
    if (target < 0 || target > this.visible) return ErrorCode.OFFSET_OUT_OF_RANGE;
    if (target <= this.logStartOffset) return ErrorCode.NONE;
    this.log.advanceStart(target, this.visible);
    await this.services.saveStartOffsets();
    return ErrorCode.NONE;
  }

  becomeLeader(leaderEpoch: number): void {
    if (leaderEpoch < this.epoch) return;
    this.epoch = leaderEpoch;
    this.log.beginEpoch(leaderEpoch);
  }

  /** New configuration; what is in the log already stays as it is. */
  configure(config: TopicConfig): void {
    this.log.config = config;
  }

  /** Goes on with a log that was loaded again from the same files. */
  replaceLog(log: Log): void {
    assert(log.endOffset >= this.visible, 'What was visible must still be there.');
    this.current = log;
    log.listen(this);
    log.beginEpoch(this.epoch);
    this.written(0);
  }

  /** The disk has failed under another partition. */
  diskFailed(error: Error): void {
    this.log.fail(error);
    this.services.waits.removed(this);
  }

  /** Lets old segments go and forgets producers that have been silent since `producersBeforeMs`. */
  async cleanUp(producersBeforeMs: number): Promise<void> {
    this.log.producers.expire(producersBeforeMs);
    await this.log.applyRetention(this.visible);
  }

  written(bytes: number): void {
    this.visible = this.log.endOffset;
    this.visibleBytes += bytes;
    this.updateStable();
    this.services.waits.advanced(this);
  }

  failed(error: Error): void {
    if (!isPassing(error)) this.services.waits.removed(this);
    this.services.diskFailed(this, error);
  }

  private updateStable(): void {
    const stable = Math.min(this.visible, this.log.producers.firstUnstableOffset(this.visible));
    if (stable <= this.stable) return;
    this.stable = stable;
    // While a transaction holds some of the bytes back this counts too many: somebody is woken who waits again.
    this.stableBytes += this.visibleBytes - this.bytesWhenStable;
    if (stable === this.visible) this.bytesWhenStable = this.visibleBytes;
  }

  private readFailed(request: ReadRequest, error: unknown): ReadOutcome {
    // The segment may have been deleted under the reader.
    if (request.fetchOffset < this.logStartOffset) return this.outcome(ErrorCode.OFFSET_OUT_OF_RANGE, request, null);
    this.services.logger.error(`${this.log.name}: reading failed`, { error, fetchOffset: request.fetchOffset });
    return this.outcome(ErrorCode.KAFKA_STORAGE_ERROR, request, null);
  }

  private outcome(
    errorCode: number,
    request: ReadRequest,
    found: LogRead | null,
    seen: { highWatermark: number; lastStableOffset: number } | null = null,
  ): ReadOutcome {
    const { fetchOffset, readCommitted } = request;
    const highWatermark = seen?.highWatermark ?? this.visible;
    const lastStableOffset = seen?.lastStableOffset ?? this.stable;
    const read = found ?? NOTHING;
    const nextOffset = found?.nextOffset ?? fetchOffset;
    return {
      errorCode,
      highWatermark,
      lastStableOffset,
      logStartOffset: this.logStartOffset,
      records: read.buffers,
      sizeBytes: read.sizeBytes,
      hasMore: errorCode === ErrorCode.NONE && nextOffset < (readCommitted ? lastStableOffset : highWatermark),
      abortedTransactions: readCommitted ? this.abortedBetween(fetchOffset, nextOffset) : null,
      release: () => read.release(),
    };
  }

  private abortedBetween(fromOffset: number, toOffset: number): readonly AbortedTransaction[] {
    return toOffset > fromOffset ? this.log.abortedTransactions(fromOffset, toOffset) : NO_TRANSACTIONS;
  }
}
