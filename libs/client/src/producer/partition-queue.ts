/**
 * The batches of one partition: waiting, on their way, and their sequence numbers.
 *
 * Guarantees the order of records. With idempotence: sequences are given when a batch is first sent and stay with its
 * bytes; a batch that failed is sent again before any later one, and no other batch ever takes its sequence. When the
 * broker misses a batch for good, the sequences start again from 0 in a higher epoch, which fences off any late copy
 * (KIP-360). Epochs of different partitions are independent: one that has nothing to repair keeps its own.
 */
import type { BatchIdentity, ProducerBatch } from './producer-batch.js';
import type { Identity } from './identity.js';
import { REMEMBERED_BATCHES, SEQUENCE_MASK } from './limits.js';

/** One partition of one topic, for as long as the producer uses the topic. */
export class PartitionQueue {
  /** Broker id of the leader, -1 while there is none. */
  leader = -1;
  /** Waiting to be sent, in order; the last one may still take records. */
  readonly batches: ProducerBatch[] = [];
  /** Requests on their way with a batch of this partition. */
  inFlight = 0;
  /** Broker they went to; meaningful while `inFlight` > 0. */
  inFlightNode = -1;
  /** Order number of the next batch. */
  nextOrder = 0;
  /** Size the last full batch had, to start the next with a buffer that fits. */
  expectedBytes = 0;

  /** Neighbours among the {@link ActivePartitions}, and whether it is one of them. */
  previousActive: PartitionQueue | null = null;
  nextActive: PartitionQueue | null = null;
  isActive = false;

  /** Batches with a sequence and no outcome, in order: on their way, or waiting to be sent again. */
  private readonly unresolved: ProducerBatch[] = [];
  private producerId = -1;
  private producerEpoch = -1;
  private nextSequence = 0;
  /** Batches that were given a sequence in this epoch. */
  private batchesSent = 0;
  /** Whether the broker has acknowledged a batch of this epoch, so that it knows where the sequences stand. */
  private isKnownToBroker = false;
  /** The broker misses the batch of this order for good, so that from here on a new epoch is needed; Infinity if not. */
  private gapOrder = Infinity;

  constructor(
    readonly topic: string,
    readonly partition: number,
    /** Null without idempotence. */
    private readonly identity: Identity | null,
  ) {}

  /** Whether it has a leader. */
  get isAvailable(): boolean {
    return this.leader !== -1;
  }

  /** Batches that wait. */
  get queuedBatches(): number {
    return this.batches.length;
  }

  /** The batch that takes records; null when the last one is finished or there is none. */
  get open(): ProducerBatch | null {
    const last = this.batches[this.batches.length - 1];
    return last === undefined || last.isFinished ? null : last;
  }

  /** Whether nothing waits and nothing is on its way. */
  get isIdle(): boolean {
    return this.batches.length === 0 && this.inFlight === 0 && this.unresolved.length === 0;
  }

  /**
   * Whether order and sequences allow sending the first waiting batch to `node` now. With idempotence this also moves
   * the partition to a new epoch when it is due.
   */
  maySend(node: number): boolean {
    const first = this.batches[0];
    if (first === undefined) return false;
    // What went to the former leader must be answered first, or a later batch could overtake it.
    if (this.inFlight > 0 && this.inFlightNode !== node) return false;
    if (this.identity === null) return true;
    this.adoptEpochIfDue(this.identity);
    if (!this.identity.isReady || first.order >= this.gapOrder) return false;
    if (this.identity.isGivingUp && first.identity === null) return false;
    if (!this.identity.admits(this.topic, this.partition)) return false;
    if (first.identity !== null) return this.unresolved[0] === first;
    // A broker that does not know the producer takes any first sequence: were the first batch refused and the second one
    // on its way, the second would be stored and the first could never be again (KAFKA-14359). So the first goes alone.
    const oldest = this.unresolved[0]?.identity ?? null;
    if (oldest === null) return true;
    // The oldest open batch may be stored: it must stay among the last ones the broker remembers, or its repetition
    // would not be known as one.
    return this.isKnownToBroker && this.batchesSent - oldest.batchNumber < REMEMBERED_BATCHES;
  }

  /** Takes the first waiting batch for sending: gives it its sequence if it has none, and its bytes. */
  take(node: number): { readonly batch: ProducerBatch; readonly bytes: Buffer } {
    const batch = this.batches.shift();
    if (batch === undefined) throw new Error('take() from an empty partition queue');
    if (this.identity !== null && batch.identity === null) batch.identify(this.allot(batch));
    const bytes = batch.bytes();
    batch.attempts += 1;
    this.inFlight += 1;
    this.inFlightNode = node;
    return { batch, bytes };
  }

  /** The size of the first waiting batch if it were sent now; an upper bound while it is not compressed yet. */
  get firstBytes(): number {
    const first = this.batches[0];
    return first === undefined ? 0 : (first.finishedBytes?.length ?? first.sizeBytes);
  }

  /** The request with this batch was answered or lost. To be called first, before one of the three below. */
  arrived(): void {
    this.inFlight -= 1;
  }

  /** The broker has the batch. */
  resolve(batch: ProducerBatch): void {
    if (batch.identity === null) return;
    this.removeUnresolved(batch);
    this.isKnownToBroker = true;
  }

  /**
   * The batch is given up. If the broker does not have it, it leaves a gap. If it may have it, only the answers to the
   * batches behind it will tell; they may be stored, too, and must keep their sequences until then.
   */
  abandon(batch: ProducerBatch): void {
    const position = this.batches.indexOf(batch);
    if (position !== -1) this.batches.splice(position, 1);
    if (batch.identity === null) return;
    this.removeUnresolved(batch);
    const isLast = this.unresolved.every(({ order }) => order < batch.order);
    if (isLast || !batch.mayBeStored) this.leaveGap(batch);
  }

  /** The batch is to be sent again: back to its place among those that wait. */
  putBack(batch: ProducerBatch): void {
    const position = this.batches.findIndex((each) => each.order > batch.order);
    if (position === -1) this.batches.push(batch);
    else this.batches.splice(position, 0, batch);
  }

  /** Puts another batch, or none, in the place of one that was never sent. */
  exchange(batch: ProducerBatch, other: ProducerBatch | null): void {
    this.batches.splice(this.batches.indexOf(batch), 1, ...(other === null ? [] : [other]));
  }

  /** Whether the batch cannot be stored in this epoch, because the broker misses one before it, or itself, for good. */
  isBehindGap({ order }: ProducerBatch): boolean {
    return order >= this.gapOrder;
  }

  /**
   * The batch was too large for the broker: its records take its place in smaller ones. Its sequence is a gap, unless
   * the epoch has to be kept; then each part takes its share of the sequence, and they go one by one.
   */
  replace(batch: ProducerBatch, parts: readonly ProducerBatch[]): void {
    if (this.identity?.keepsSequences === true && batch.identity !== null)
      this.passSequence(batch, batch.identity, parts);
    else this.abandon(batch);
    for (const part of parts) this.putBack(part);
  }

  /**
   * The broker says that the sequence does not follow the last one it stored. For a batch behind one that is still to be
   * sent again that was to be expected; for the first one it means that the broker misses something for good, so that
   * the sequences have to start again.
   */
  outOfOrder(batch: ProducerBatch): void {
    if (this.unresolved[0] === batch) this.leaveGap(batch);
  }

  /** The broker has no trace of this producer (any more): start again from this batch on. */
  forgotten(batch: ProducerBatch): void {
    this.leaveGap(batch);
  }

  private passSequence(batch: ProducerBatch, identity: BatchIdentity, parts: readonly ProducerBatch[]): void {
    let { baseSequence } = identity;
    for (const part of parts) {
      part.identify({ ...identity, baseSequence });
      baseSequence = sequenceAfter(baseSequence, part.recordCount);
    }
    this.unresolved.splice(this.unresolved.indexOf(batch), 1, ...parts);
  }

  private leaveGap({ order }: ProducerBatch): void {
    this.gapOrder = Math.min(this.gapOrder, order);
  }

  private allot(batch: ProducerBatch): BatchIdentity {
    const baseSequence = this.nextSequence;
    this.nextSequence = sequenceAfter(baseSequence, batch.recordCount);
    this.unresolved.push(batch);
    const batchNumber = this.batchesSent++;
    return { producerId: this.producerId, producerEpoch: this.producerEpoch, baseSequence, batchNumber };
  }

  private removeUnresolved(batch: ProducerBatch): void {
    const position = this.unresolved.indexOf(batch);
    if (position !== -1) this.unresolved.splice(position, 1);
  }

  /**
   * Moves to the producer's current epoch, or to a new one, as soon as nothing is on its way and nothing before the gap
   * is open: what is behind the gap cannot be stored in the old epoch, what is before it may be and is asked for first.
   */
  private adoptEpochIfDue(identity: Identity): void {
    const first = this.unresolved[0];
    if (this.inFlight > 0 || (first !== undefined && first.order < this.gapOrder)) return;
    const isStale = !this.isCurrent(identity);
    if (this.gapOrder === Infinity && !isStale) return;
    if (!isStale) identity.bump();
    if (!identity.isReady || this.isCurrent(identity)) return;
    this.producerId = identity.producerId;
    this.producerEpoch = identity.producerEpoch;
    this.nextSequence = 0;
    this.batchesSent = 0;
    this.isKnownToBroker = false;
    this.gapOrder = Infinity;
    // What was refused gets new sequences when it is sent again, in the order in which it waits.
    for (const batch of this.unresolved.splice(0)) batch.identify(null);
  }

  private isCurrent(identity: Identity): boolean {
    return this.producerId === identity.producerId && this.producerEpoch === identity.producerEpoch;
  }
}

/** The sequence that follows `count` records from `sequence` on: after 2147483647 comes 0. */
export function sequenceAfter(sequence: number, count: number): number {
  return (sequence + count) & SEQUENCE_MASK;
}
