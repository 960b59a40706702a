/**
 * The records of one partition that travel together.
 *
 * Guarantees: a record is encoded when it is appended, and only its callback is kept; the finished bytes stay the same
 * over retries; every callback is called exactly once, and one that throws does not keep the others from being called.
 */
import {
  BATCH_HEADER_BYTES,
  BatchBuilder,
  type CompressionName,
  type RecordHeader,
  RecordReader,
  recordSizeBound,
  sealBatch,
  setBatchProducer,
} from '@kafka-template/protocol';
import type { KafkaError } from '../errors.js';
import type { ClientLogger } from '../io/logger.js';
import type { BatchSpace } from './batch-spaces.js';
import { Deliveries } from './deliveries.js';
import type { Generation } from './generation.js';
import { type Delivery, RecordMetadata, callSafely } from './producer-record.js';
import { recordBytesMax } from './record-size.js';

/** Of a batch that has given up its space. Nothing is ever kept in it. */
const NO_DELIVERIES = new Deliveries();

/** Producer id, its epoch, and the sequence of a batch's first record. */
export interface BatchIdentity {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  /** Batches of the partition before it in this epoch. */
  readonly batchNumber: number;
}

/** What is the same for all batches of a producer. */
export interface BatchSetting {
  readonly compressionType: CompressionName;
  /** Undefined without transactions. */
  readonly transactionalId: string | undefined;
  readonly logger: ClientLogger;
}

/** One batch, from its first record to the last callback. */
export class ProducerBatch {
  /** Bytes counted against `bufferMemory`. */
  memoryBytes = 0;
  /** Times it was sent. */
  attempts = 0;
  /** Monotonic time before which it is not sent again. */
  retryAtMs = 0;
  /** The callbacks were called. A batch that expired on its way is settled before its answer comes. */
  isSettled = false;
  /** An attempt ended in a way that leaves open whether the broker has the batch. */
  mayBeStored = false;
  /** What went wrong last; told when the time runs out. */
  lastError: KafkaError | null = null;
  /** Null until it is first sent, and always without idempotence. */
  identity: BatchIdentity | null = null;

  /** The places up to `order + orderSpan` are its own: parts of it go there. */
  private orderSpan = 1;
  private readonly builder: BatchBuilder;
  private finished: Buffer | null = null;
  private deliveries: Deliveries;

  constructor(
    readonly topic: string,
    readonly partition: number,
    /** Place among the batches of its partition; retries keep this order. */
    public order: number,
    /** Monotonic time of its first record. */
    readonly createdMs: number,
    readonly generation: Generation,
    private readonly setting: BatchSetting,
    capacityBytes: number,
    /** What its records and callbacks are put into; its buffer is used if it is large enough for `capacityBytes`. */
    private pooled?: BatchSpace,
  ) {
    this.builder = new BatchBuilder({ capacityBytes, compression: setting.compressionType, buffer: pooled?.buffer });
    this.deliveries = pooled?.deliveries ?? new Deliveries();
  }

  get recordCount(): number {
    return this.builder.recordCount;
  }

  /** Uncompressed, header included. */
  get sizeBytes(): number {
    return this.builder.sizeBytes;
  }

  /** Whether it takes no more records. */
  get isFinished(): boolean {
    return this.finished !== null;
  }

  /** Encodes one record; see {@link BatchBuilder.append} for what it throws, which leaves the batch as it was. */
  append(
    timestamp: number,
    key: Buffer | string | null,
    value: Buffer | string | null,
    headers: readonly RecordHeader[] | null,
  ): void {
    this.builder.append(timestamp, key, value, headers);
  }

  /** Keeps the callback of the record that was appended last. */
  keepCallback(callback: Delivery, timestamp: number, keySize: number, valueSize: number): void {
    this.deliveries.keep(this.builder.recordCount - 1, callback, timestamp, keySize, valueSize);
  }

  /** Gives the batch its place in an epoch, or takes it away: only when no earlier copy of it can be on its way. */
  identify(identity: BatchIdentity | null): void {
    this.identity = identity;
    if (this.finished === null || identity === null) return;
    setBatchProducer(this.finished, 0, identity);
    sealBatch(this.finished, 0);
  }

  /** The bytes to send: finished on the first call, the same buffer on every later one. */
  bytes(): Buffer {
    const transactional = this.setting.transactionalId !== undefined;
    this.finished ??= this.builder.finish({ ...this.identity, transactional });
    return this.finished;
  }

  /** The finished bytes; null before. */
  get finishedBytes(): Buffer | null {
    return this.finished;
  }

  /**
   * Shares its records, with their callbacks, out to batches of about half its size. To be called on a batch of several
   * records that was sent; it must not be used afterwards.
   */
  split(): ProducerBatch[] {
    const parts: ProducerBatch[] = [];
    const bytesMax = Math.ceil((this.sizeBytes - BATCH_HEADER_BYTES) / 2) + BATCH_HEADER_BYTES;
    const reader = new RecordReader(this.bytes());
    reader.nextBatch();
    for (let index = 0; reader.nextRecord(); index++) {
      const [key, value, headers] = [reader.key(), reader.value(), reader.headers()];
      let part = parts[parts.length - 1];
      if (part === undefined || part.sizeBytes + recordSizeBound(key, value, headers) > bytesMax) {
        part = this.part(bytesMax);
        parts.push(part);
      }
      part.append(reader.timestamp, key, value, headers);
      this.passCallback(index, part);
    }
    this.passOn(parts);
    this.isSettled = true;
    return parts;
  }

  /** Whether it has a record with such a callback. */
  holds(matches: (callback: Delivery) => boolean): boolean {
    for (let index = 0; index < this.deliveries.count; index++) {
      const callback = this.deliveries.callback(index);
      if (callback !== null && matches(callback)) return true;
    }
    return false;
  }

  /**
   * The batch without the records of such callbacks, or null when none is left; it takes further records as this one did,
   * which must not be used afterwards. For a batch that was never sent. The callbacks that were taken out are not called.
   */
  without(matches: (callback: Delivery) => boolean): {
    readonly rest: ProducerBatch | null;
    readonly removed: readonly Delivery[];
  } {
    const rest = this.part(this.sizeBytes);
    const removed: Delivery[] = [];
    const reader = new RecordReader(this.bytes());
    reader.nextBatch();
    for (let index = 0; reader.nextRecord(); index++) {
      const callback = this.deliveries.callback(index);
      if (callback !== null && matches(callback)) {
        removed.push(callback);
        continue;
      }
      const [key, value, headers] = [reader.key(), reader.value(), reader.headers()];
      rest.append(reader.timestamp, key, value, headers);
      rest.memoryBytes += recordBytesMax({ topic: this.topic, key, value, headers });
      this.passCallback(index, rest);
    }
    this.isSettled = true;
    return { rest: rest.recordCount === 0 ? null : rest, removed };
  }

  private part(capacityBytes: number): ProducerBatch {
    const { topic, partition, order, createdMs, generation, setting } = this;
    return new ProducerBatch(topic, partition, order, createdMs, generation, setting, capacityBytes);
  }

  private passCallback(index: number, part: ProducerBatch): void {
    const { deliveries } = this;
    const callback = deliveries.callback(index);
    if (callback === null) return;
    part.keepCallback(callback, deliveries.timestamp(index), deliveries.keySize(index), deliveries.valueSize(index));
  }

  /** The parts share the memory, and the place in the order. */
  private passOn(parts: readonly ProducerBatch[]): void {
    const share = Math.floor(this.memoryBytes / parts.length);
    for (const [index, part] of parts.entries()) {
      part.order = this.order + (index / parts.length) * this.orderSpan;
      part.orderSpan = this.orderSpan / parts.length;
      part.memoryBytes = index === 0 ? this.memoryBytes - share * (parts.length - 1) : share;
      part.lastError = this.lastError;
      // Finished, so that it takes no later record: there may be later batches on their way.
      part.bytes();
    }
  }

  /**
   * Gives up its pooled space: to be called when the batch was answered and its callbacks were called. Undefined if it has
   * none, or if another attempt may be under way that still reads it.
   */
  takeSpace(): BatchSpace | undefined {
    const { pooled } = this;
    this.pooled = undefined;
    if (pooled === undefined || this.attempts !== 1) return undefined;
    this.deliveries = NO_DELIVERIES;
    return pooled;
  }

  /** Calls the callbacks: stored. `baseOffset` -1 if the broker did not tell; `logAppendTimeMs` -1 unless the broker stamped. */
  succeed(baseOffset: number, logAppendTimeMs: number): void {
    this.isSettled = true;
    const { deliveries, topic, partition } = this;
    for (let index = 0; index < deliveries.count; index++) {
      const callback = deliveries.callback(index);
      if (callback === null) continue;
      const timestamp = logAppendTimeMs === -1 ? deliveries.timestamp(index) : logAppendTimeMs;
      const offset = baseOffset === -1 ? -1 : baseOffset + index;
      const keySize = deliveries.keySize(index);
      const valueSize = deliveries.valueSize(index);
      const metadata = new RecordMetadata(topic, partition, offset, timestamp, keySize, valueSize);
      callSafely(callback, this.setting.logger, null, metadata);
    }
  }

  /** Calls the callbacks: failed. `errorOf` gives the error of a record by its place in the batch. */
  fail(errorOf: (index: number) => KafkaError): void {
    this.isSettled = true;
    for (let index = 0; index < this.deliveries.count; index++) {
      const callback = this.deliveries.callback(index);
      if (callback === null) continue;
      callSafely(callback, this.setting.logger, errorOf(index), null);
    }
  }
}
