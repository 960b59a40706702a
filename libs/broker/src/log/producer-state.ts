/**
 * What a partition remembers of its idempotent and transactional producers: the five newest batches of each, its epoch,
 * its open transaction. Detects duplicates, gaps and zombies, and knows the first offset that is still undecided.
 * Guarantees: the same batches in the same order give the same state, whether appended, replicated or read after a start.
 * Leaves out when to expire and where to store: see `expire` and producer-snapshot.ts. Source: KIP-98.
 */
import { ErrorCode } from '@kafka-template/protocol';
import { PRODUCERS_PER_PARTITION_MAX } from '../limits.js';

/** A batch of a producer, as long as it may be sent again. Sequences count records, modulo 2^31. */
export interface BatchSpan {
  firstSequence: number;
  lastSequence: number;
  lastOffset: number;
  /** Last offset minus first offset. */
  offsetDelta: number;
  /** Largest timestamp of the batch. */
  timestamp: number;
}

/** State of one producer id. */
export interface ProducerEntry {
  readonly producerId: number;
  epoch: number;
  /** Oldest first, at most five. */
  readonly batches: BatchSpan[];
  /** Timestamp of the last batch or marker. */
  lastTimestamp: number;
  /** Wall clock of the last batch or marker, for expiry: record timestamps may be of any age. */
  lastSeenMs: number;
  /** Epoch of the coordinator that wrote the last marker, -1 when there was none. */
  coordinatorEpoch: number;
  /** First offset of the open transaction, -1 when there is none. */
  currentTransactionFirstOffset: number;
}

/** A batch as the producer state sees it. */
export interface ProducerBatch {
  readonly producerId: number;
  readonly epoch: number;
  readonly baseSequence: number;
  readonly recordCount: number;
  readonly isTransactional: boolean;
}

/** Where a batch is in the log, and its largest timestamp. */
export interface BatchPlace {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly timestamp: number;
}

/** The batch that ends a transaction, and the place it was given. */
export interface TransactionMarker {
  readonly producerId: number;
  readonly epoch: number;
  readonly coordinatorEpoch: number;
  readonly isAbort: boolean;
  readonly offset: number;
  readonly timestamp: number;
}

/**
 * The promise of a partition to take the first batch of a transaction once its coordinator has confirmed it. Any batch or
 * marker of the producer that comes in between takes it back (KIP-890).
 */
export interface Verification {
  readonly producerId: number;
  epoch: number;
  /** A batch behind a lower one that still waits must not come first. */
  lowestSequence: number;
  /** Wall clock, for expiry. */
  readonly sinceMs: number;
}

/** A transaction that a marker has just ended. */
export interface CompletedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
  /** Offset of the marker. */
  readonly lastOffset: number;
  readonly isAborted: boolean;
}

/** In-flight requests a producer may have, and so batches it may repeat. */
export const BATCHES_REMEMBERED = 5;

/** `check` found the batch in the log already; {@link ProducerState.duplicate} tells where. */
export const DUPLICATE = -2;

const SEQUENCE_MODULUS = 2 ** 31;

/** Sequence number of the last record of a batch. */
export function lastSequenceOf(baseSequence: number, recordCount: number): number {
  return (baseSequence + recordCount - 1) % SEQUENCE_MODULUS;
}

/** See the file comment. */
export class ProducerState {
  private readonly entries = new Map<number, ProducerEntry>();
  /** Open transactions by producer id; insertion order is offset order. */
  private readonly ongoing = new Map<number, number>();
  /** Transactions whose marker is not below the high watermark yet, in offset order of their markers. */
  private completed: CompletedTransaction[] = [];
  private found: BatchSpan | null = null;
  private readonly verifications = new Map<number, Verification>();

  /** Producers known. */
  get size(): number {
    return this.entries.size;
  }

  all(): Iterable<ProducerEntry> {
    return this.entries.values();
  }

  get(producerId: number): ProducerEntry | undefined {
    return this.entries.get(producerId);
  }

  /** The original of the batch that `check` called a {@link DUPLICATE}. Valid until the next `check`. */
  get duplicate(): BatchSpan | null {
    return this.found;
  }

  /**
   * May this batch follow? 0 for yes, {@link DUPLICATE}, or Kafka's error code: an older epoch is a zombie, a gap in the
   * sequence a lost batch. A producer nobody knows (any more) may begin anywhere.
   */
  check(batch: ProducerBatch): number {
    const entry = this.entries.get(batch.producerId);
    if (!entry) return ErrorCode.NONE;
    if (batch.epoch === entry.epoch) {
      const lastSequence = lastSequenceOf(batch.baseSequence, batch.recordCount);
      for (const span of entry.batches) {
        if (span.firstSequence === batch.baseSequence && span.lastSequence === lastSequence) {
          this.found = span;
          return DUPLICATE;
        }
      }
    }
    if (batch.epoch < entry.epoch) return ErrorCode.INVALID_PRODUCER_EPOCH;
    if (!batch.isTransactional && entry.currentTransactionFirstOffset >= 0) return ErrorCode.INVALID_TXN_STATE;
    if (batch.epoch > entry.epoch) {
      return batch.baseSequence === 0 ? ErrorCode.NONE : ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER;
    }
    const last = entry.batches[entry.batches.length - 1];
    const expected = last ? (last.lastSequence + 1) % SEQUENCE_MODULUS : 0;
    return batch.baseSequence === expected ? ErrorCode.NONE : ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER;
  }

  /** Starts to verify the transaction of a batch; null when it is open here, so that there is nothing to ask. */
  beginVerification(
    batch: Pick<ProducerBatch, 'producerId' | 'epoch' | 'baseSequence'>,
    nowMs: number,
  ): Verification | null {
    const { producerId, epoch, baseSequence } = batch;
    if (this.isOpen(producerId, epoch)) return null;
    const known = this.verifications.get(producerId);
    if (known === undefined) {
      const oldest =
        this.verifications.size < PRODUCERS_PER_PARTITION_MAX ? undefined : this.verifications.keys().next();
      if (oldest?.done === false) this.verifications.delete(oldest.value);
      const fresh = { producerId, epoch, lowestSequence: baseSequence, sinceMs: nowMs };
      this.verifications.set(producerId, fresh);
      return fresh;
    }
    if (epoch > known.epoch || (epoch === known.epoch && baseSequence < known.lowestSequence)) {
      known.epoch = epoch;
      known.lowestSequence = baseSequence;
    }
    return known;
  }

  /** May this batch of a transaction be appended, given what its verification was? 0 or Kafka's error code. */
  checkVerification(batch: Omit<ProducerBatch, 'recordCount'>, verification: Verification | null): number {
    const { producerId, epoch, baseSequence } = batch;
    if (!batch.isTransactional || this.isOpen(producerId, epoch)) return ErrorCode.NONE;
    if (verification === null || this.verifications.get(producerId) !== verification)
      return ErrorCode.INVALID_TXN_STATE;
    return baseSequence > verification.lowestSequence ? ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER : ErrorCode.NONE;
  }

  /** Has the producer an open transaction in this epoch? */
  private isOpen(producerId: number, epoch: number): boolean {
    const entry = this.entries.get(producerId);
    return entry !== undefined && entry.epoch === epoch && entry.currentTransactionFirstOffset >= 0;
  }

  /** Notes a data batch of a producer and the place it was given. Checks nothing. A coordinator's has no sequence. */
  append(batch: ProducerBatch, place: BatchPlace, nowMs: number): void {
    const { baseOffset, timestamp } = place;
    const entry = this.entryOf(batch.producerId, batch.epoch);
    entry.lastSeenMs = nowMs;
    if (batch.baseSequence >= 0) this.remember(entry, batch, place);
    entry.lastTimestamp = timestamp;
    if (!batch.isTransactional) return;
    this.verifications.delete(batch.producerId);
    if (entry.currentTransactionFirstOffset >= 0) return;
    entry.currentTransactionFirstOffset = baseOffset;
    this.ongoing.set(batch.producerId, baseOffset);
  }

  private remember(entry: ProducerEntry, batch: ProducerBatch, place: BatchPlace): void {
    const { baseOffset, lastOffset, timestamp } = place;
    const recycled = entry.batches.length >= BATCHES_REMEMBERED ? entry.batches.shift() : undefined;
    const span = recycled ?? { firstSequence: 0, lastSequence: 0, lastOffset: 0, offsetDelta: 0, timestamp: 0 };
    span.firstSequence = batch.baseSequence;
    span.lastSequence = lastSequenceOf(batch.baseSequence, batch.recordCount);
    span.lastOffset = lastOffset;
    span.offsetDelta = lastOffset - baseOffset;
    span.timestamp = timestamp;
    entry.batches.push(span);
  }

  /**
   * May this marker be written? 0 or Kafka's error code. Every end of a transaction of version 2 has an epoch of its own:
   * a marker with the epoch of the transaction that is open now belongs to the one before.
   */
  checkMarker(marker: Omit<TransactionMarker, 'isAbort' | 'offset' | 'timestamp'>, transactionVersion = 0): number {
    const entry = this.entries.get(marker.producerId);
    if (!entry) return ErrorCode.NONE;
    const isLate = transactionVersion >= 2 && marker.epoch === entry.epoch && entry.currentTransactionFirstOffset >= 0;
    if (marker.epoch < entry.epoch || isLate) return ErrorCode.INVALID_PRODUCER_EPOCH;
    const isFenced = marker.coordinatorEpoch < entry.coordinatorEpoch;
    return isFenced ? ErrorCode.TRANSACTION_COORDINATOR_FENCED : ErrorCode.NONE;
  }

  /** May this batch of a coordinator, which has no sequence, be written for a producer? 0 or Kafka's error code. */
  checkEpoch(producerId: number, epoch: number): number {
    const entry = this.entries.get(producerId);
    return entry && epoch < entry.epoch ? ErrorCode.INVALID_PRODUCER_EPOCH : ErrorCode.NONE;
  }

  /** Notes a transaction marker. Returns the transaction it ended, null when none was open. */
  appendMarker(marker: TransactionMarker, nowMs: number): CompletedTransaction | null {
    const entry = this.entryOf(marker.producerId, marker.epoch);
    const firstOffset = entry.currentTransactionFirstOffset;
    entry.currentTransactionFirstOffset = -1;
    entry.coordinatorEpoch = marker.coordinatorEpoch;
    entry.lastTimestamp = marker.timestamp;
    entry.lastSeenMs = nowMs;
    this.verifications.delete(marker.producerId);
    if (firstOffset < 0) return null;
    this.ongoing.delete(marker.producerId);
    const { producerId, offset: lastOffset, isAbort: isAborted } = marker;
    const ended = { producerId, firstOffset, lastOffset, isAborted };
    this.completed.push(ended);
    return ended;
  }

  /** First offset that is undecided or decided above `highWatermark`; Infinity when all is decided. */
  firstUnstableOffset(highWatermark: number): number {
    if (this.ongoing.size + this.completed.length === 0) return Infinity;
    if (this.completed.length > 0)
      this.completed = this.completed.filter(({ lastOffset }) => lastOffset >= highWatermark);
    let first = this.firstOngoingOffset();
    for (const { firstOffset } of this.completed) first = Math.min(first, firstOffset);
    return first;
  }

  /** First offset of the oldest open transaction; Infinity when none is open. */
  firstOngoingOffset(): number {
    for (const firstOffset of this.ongoing.values()) return firstOffset;
    return Infinity;
  }

  /** Forgets producers without an open transaction that were last heard of before `beforeMs` (wall clock). */
  expire(beforeMs: number): void {
    for (const entry of this.entries.values()) {
      if (entry.currentTransactionFirstOffset < 0 && entry.lastSeenMs < beforeMs) this.entries.delete(entry.producerId);
    }
    for (const { producerId, sinceMs } of this.verifications.values()) {
      if (sinceMs < beforeMs) this.verifications.delete(producerId);
    }
  }

  /** Restarts the expiry of all producers: after a start nobody knows how long they have been silent. */
  seen(nowMs: number): void {
    for (const entry of this.entries.values()) entry.lastSeenMs = nowMs;
  }

  /** Puts an entry in place, for example from a snapshot. */
  restore(entry: ProducerEntry): void {
    this.entries.set(entry.producerId, entry);
    if (entry.currentTransactionFirstOffset < 0) return;
    const open = [...this.ongoing, [entry.producerId, entry.currentTransactionFirstOffset] as const];
    this.ongoing.clear();
    for (const [producerId, firstOffset] of open.sort((a, b) => a[1] - b[1])) this.ongoing.set(producerId, firstOffset);
  }

  /**
   * Fills up windows of five from the end of the log, which `recent` has read: snapshots keep only the newest batch of a
   * producer, which would make the repetition of an older one look like a gap.
   */
  completeWindows(recent: ProducerState): void {
    for (const entry of this.entries.values()) {
      const batches = recent.get(entry.producerId)?.batches ?? [];
      const isSameEnd = batches[batches.length - 1]?.lastOffset === entry.batches[entry.batches.length - 1]?.lastOffset;
      if (isSameEnd && batches.length > entry.batches.length) entry.batches.splice(0, entry.batches.length, ...batches);
    }
  }

  private entryOf(producerId: number, epoch: number): ProducerEntry {
    let entry = this.entries.get(producerId);
    if (!entry) {
      entry = {
        producerId,
        epoch,
        batches: [],
        lastTimestamp: -1,
        lastSeenMs: -1,
        coordinatorEpoch: -1,
        currentTransactionFirstOffset: -1,
      };
      if (this.entries.size >= PRODUCERS_PER_PARTITION_MAX) this.dropOldest();
      this.entries.set(producerId, entry);
    } else if (entry.epoch !== epoch) {
      entry.epoch = epoch;
      entry.batches.length = 0;
    }
    return entry;
  }

  /** Over the bound the tenth that was silent longest goes; the next batch of such a producer is accepted unseen. */
  private dropOldest(): void {
    const idle = [...this.entries.values()].filter((entry) => entry.currentTransactionFirstOffset < 0);
    idle.sort((a, b) => a.lastSeenMs - b.lastSeenMs);
    for (const entry of idle.slice(0, Math.ceil(PRODUCERS_PER_PARTITION_MAX / 10)))
      this.entries.delete(entry.producerId);
  }
}
