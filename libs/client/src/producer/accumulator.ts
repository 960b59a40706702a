/**
 * From `append` to the batches: validation, the choice of the partition, memory, and the waiting for it.
 *
 * Guarantees: a record is encoded at once, or copied and waits, in order, so that its owner may use its buffers again;
 * the bytes in batches never exceed `bufferMemory`, nor do those of the records that wait: what does not fit in either
 * fails at once. Nothing here throws, every failure goes to the record's callback in a later turn of the event loop.
 * The fast path makes no object, closure or promise per record.
 */
import { BATCH_HEADER_BYTES } from '@kafka-template/protocol';
import { ClientErrorCode, KafkaError, asKafkaError, timeoutError } from '../errors.js';
import type { ClientIo } from '../io/io.js';
import { ActivePartitions } from './active-partitions.js';
import { BatchSpaces } from './batch-spaces.js';
import { Fifo } from './fifo.js';
import type { Generation, Generations } from './generation.js';
import { BATCH_BYTES_MIN } from './limits.js';
import { partitionForKey } from './partitioner.js';
import type { PartitionQueue } from './partition-queue.js';
import { ProducerBatch } from './producer-batch.js';
import type { ResolvedProducerOptions } from './producer-options.js';
import { type Delivery, type ProducerRecord, callSafely, copyRecord } from './producer-record.js';
import { RECORD_OVERHEAD_BYTES_MAX, byteLength, headersBytesMax, recordBytesMax } from './record-size.js';
import type { TopicQueues, Waiter } from './topic-queues.js';

/** What the accumulator needs of its producer. */
export interface AccumulatorEvents {
  /** There is something to send, or a time to wake up at has come nearer. */
  onWork(): void;
  /** Why a topic is not there yet, in Kafka's words. */
  absentTopicError(topic: string): KafkaError;
  /** A record that is in no batch has failed. */
  onFailed(error: KafkaError): void;
}

/** The records on their way into batches, and the batches. */
export class Accumulator {
  /** Partitions with batches that wait to be sent. The sender takes a partition out when it has none left. */
  readonly active = new ActivePartitions();
  private readonly spaces: BatchSpaces;
  private readonly memoryWaiting = new Fifo<Waiter>();
  private waitingCount = 0;
  /** Bytes of the records that wait. */
  private waitingBytes = 0;
  /** Bytes of the records in batches. */
  private usedBytes = 0;

  constructor(
    private readonly options: ResolvedProducerOptions,
    private readonly io: ClientIo,
    private readonly generations: Generations,
    private readonly events: AccumulatorEvents,
  ) {
    this.spaces = new BatchSpaces(options.batchSize);
  }

  /** Whether records wait for memory: then lingering helps nobody. */
  get isOutOfMemory(): boolean {
    return this.memoryWaiting.length > 0;
  }

  /** Takes one record that {@link recordProblem} finds nothing wrong with. Never throws. */
  append(topic: TopicQueues, record: ProducerRecord, callback: Delivery | null): void {
    const generation = this.generations.current;
    generation.pending += 1;
    const timestamp = record.timestamp ?? this.io.clock.now();
    if (topic.mustWait(record.partition) || this.memoryWaiting.length > 0) {
      this.wait(topic, record, callback, timestamp, generation);
    } else if (!this.place(topic, record, callback, timestamp, generation)) {
      this.wait(topic, record, callback, timestamp, generation);
    }
  }

  /** The metadata of a topic changed: what waited for it goes on, in order. */
  onTopicKnown(topic: TopicQueues): void {
    const waiting = topic.waiting;
    topic.waiting = new Fifo();
    for (let waiter = waiting.shift(); waiter !== undefined; waiter = waiting.shift()) {
      if (topic.mustWait(waiter.record.partition)) topic.waiting.push(waiter);
      else if (this.memoryWaiting.length > 0 || !this.placeWaiter(waiter)) this.memoryWaiting.push(waiter);
      else this.stopsWaiting(waiter);
    }
  }

  /** A topic will not become usable: everything that waits for it fails. */
  failTopic(topic: TopicQueues, error: KafkaError): void {
    const waiting = topic.waiting;
    topic.waiting = new Fifo();
    for (let waiter = waiting.shift(); waiter !== undefined; waiter = waiting.shift()) this.failWaiter(waiter, error);
  }

  /** The broker has answered that it has the batch, so nobody reads its bytes any more: its space is for later ones. */
  recycle(batch: ProducerBatch): void {
    const space = batch.takeSpace();
    if (space !== undefined) this.spaces.giveBack(space);
  }

  /** A batch has its outcome: its memory is free for what waits. */
  release(batch: ProducerBatch): void {
    this.usedBytes -= batch.memoryBytes;
    batch.memoryBytes = 0;
    for (let waiter = this.memoryWaiting.first; waiter !== undefined; waiter = this.memoryWaiting.first) {
      if (!this.placeWaiter(waiter)) break;
      this.memoryWaiting.shift();
      this.stopsWaiting(waiter);
    }
  }

  /** Fails what waited longer than `maxBlockMs`; returns the monotonic time at which the next one will have. */
  expire(topics: Iterable<TopicQueues>, nowMs: number): number {
    let nextMs = this.expireQueue(this.memoryWaiting, nowMs);
    if (this.waitingCount === this.memoryWaiting.length) return nextMs;
    for (const topic of topics) {
      if (topic.waiting.length > 0) nextMs = Math.min(nextMs, this.expireQueue(topic.waiting, nowMs));
    }
    return nextMs;
  }

  /** The producer is closed by force: everything that waits fails. */
  failAll(topics: Iterable<TopicQueues>, error: KafkaError): void {
    for (const topic of topics) this.failTopic(topic, error);
    for (let waiter = this.memoryWaiting.shift(); waiter !== undefined; waiter = this.memoryWaiting.shift()) {
      this.failWaiter(waiter, error);
    }
  }

  /** Records that wait now, and the bytes in batches. */
  get usage(): { readonly recordsWaiting: number; readonly usedBytes: number } {
    return { recordsWaiting: this.waitingCount, usedBytes: this.usedBytes };
  }

  /** Takes records out by their callbacks, which get the error; those that were sent already stay. */
  abort(topics: Iterable<TopicQueues>, aborted: ReadonlyMap<Delivery, KafkaError>): void {
    const errorOf = (callback: Delivery | null): KafkaError | undefined =>
      callback === null ? undefined : aborted.get(callback);
    const waits = (waiter: Waiter): boolean => errorOf(waiter.callback) !== undefined;
    for (const waiter of this.memoryWaiting.take(waits))
      this.failWaiter(waiter, errorOf(waiter.callback) as KafkaError);
    for (const topic of topics) {
      for (const waiter of topic.waiting.take(waits)) this.failWaiter(waiter, errorOf(waiter.callback) as KafkaError);
      for (const queue of topic.partitions) this.abortIn(queue, errorOf);
    }
  }

  private abortIn(queue: PartitionQueue, errorOf: (callback: Delivery | null) => KafkaError | undefined): void {
    for (const batch of [...queue.batches]) {
      if (batch.isFinished || !batch.holds((callback) => errorOf(callback) !== undefined)) continue;
      const { rest, removed } = batch.without((callback) => errorOf(callback) !== undefined);
      queue.exchange(batch, rest);
      for (const callback of removed) this.refuse(callback, batch.generation, errorOf(callback) as KafkaError);
      // What the rest does not take is free for what waits.
      batch.memoryBytes -= rest?.memoryBytes ?? 0;
      this.release(batch);
    }
  }

  /** Puts a record into a batch; false when there is no memory for it now. Its own faults count as done: they fail it. */
  private place(
    topic: TopicQueues,
    record: ProducerRecord,
    callback: Delivery | null,
    timestamp: number,
    generation: Generation,
  ): boolean {
    const key = record.key ?? null;
    const value = record.value ?? null;
    const headers = record.headers ?? null;
    const keySize = key === null ? -1 : byteLength(key);
    const valueSize = value === null ? -1 : byteLength(value);
    const bytes = RECORD_OVERHEAD_BYTES_MAX + keySize + valueSize + (headers === null ? 0 : headersBytesMax(headers));
    if (bytes > this.options.maxRequestSize || bytes > this.options.bufferMemory) {
      this.refuse(callback, generation, this.tooLarge(bytes));
      return true;
    }
    if (this.usedBytes + bytes > this.options.bufferMemory) return false;
    try {
      const queue = this.queueFor(topic, record, bytes);
      const batch = this.batchFor(topic, queue, generation, bytes);
      batch.append(timestamp, key, value, headers);
      batch.memoryBytes += bytes;
      this.usedBytes += bytes;
      if (callback !== null) batch.keepCallback(callback, timestamp, keySize, valueSize);
      // Only now, so that a batch whose first record cannot be encoded is never seen by the sender.
      if (batch.recordCount === 1) this.enqueue(queue, batch);
    } catch (thrown) {
      const context = `The record for topic ${topic.name} could not be encoded`;
      this.refuse(callback, generation, asKafkaError(thrown, ClientErrorCode.INVALID_ARGUMENT, context));
    }
    return true;
  }

  private queueFor(topic: TopicQueues, record: ProducerRecord, bytes: number): PartitionQueue {
    const count = topic.partitions.length;
    let partition = record.partition ?? null;
    if (partition === null && this.options.partitioner !== null) {
      partition = this.options.partitioner.partition(record, count);
    }
    if (partition === null) {
      const key = record.key ?? null;
      partition = key === null ? this.stickyPartition(topic, bytes) : partitionForKey(key, count);
    }
    const queue = topic.partitions[partition];
    if (queue !== undefined) return queue;
    throw new KafkaError(
      ClientErrorCode.INVALID_ARGUMENT,
      `The partitioner chose partition ${partition} for topic ${topic.name}, which has ${count} partitions. ` +
        `It must return 0 to ${count - 1}, or null.`,
    );
  }

  private stickyPartition(topic: TopicQueues, bytes: number): number {
    const { sticky } = topic;
    if (sticky.isDue) {
      const open = topic.partitions[sticky.current]?.open ?? null;
      if (open === null || open.sizeBytes + bytes > this.options.batchSize) sticky.moveOn();
    }
    const partition = sticky.choose(topic.partitions);
    sticky.add(bytes);
    return partition;
  }

  /** The open batch if the record fits in, else a new one. */
  private batchFor(topic: TopicQueues, queue: PartitionQueue, generation: Generation, bytes: number): ProducerBatch {
    const { open } = queue;
    if (open !== null && open.generation === generation && open.sizeBytes + bytes <= this.options.batchSize)
      return open;
    if (open !== null) queue.expectedBytes = open.sizeBytes;
    const nowMs = this.io.clock.monotonic();
    topic.lastUsedMs = nowMs;
    // The buffer starts at the size the last batch needed: full batches allocate once, lone records little.
    const expected = Math.max(BATCH_BYTES_MIN, queue.expectedBytes, BATCH_HEADER_BYTES + bytes);
    const capacity = Math.max(Math.min(expected, this.options.batchSize), BATCH_HEADER_BYTES + bytes);
    const { partition, nextOrder } = queue;
    const space = this.spaces.take(capacity);
    return new ProducerBatch(queue.topic, partition, nextOrder, nowMs, generation, this.options, capacity, space);
  }

  private enqueue(queue: PartitionQueue, batch: ProducerBatch): void {
    queue.nextOrder += 1;
    queue.batches.push(batch);
    this.active.add(queue);
    this.events.onWork();
  }

  private wait(
    topic: TopicQueues,
    record: ProducerRecord,
    callback: Delivery | null,
    timestamp: number,
    generation: Generation,
  ): void {
    const bytes = recordBytesMax(record);
    if (bytes > this.options.maxRequestSize || bytes > this.options.bufferMemory) {
      this.refuse(callback, generation, this.tooLarge(bytes));
      return;
    }
    if (this.waitingBytes + bytes > this.options.bufferMemory) {
      this.refuse(callback, generation, this.tooManyWait(topic));
      return;
    }
    const deadlineMs = this.io.clock.monotonic() + this.options.maxBlockMs;
    topic.lastUsedMs = this.io.clock.monotonic();
    const queue = topic.mustWait(record.partition) ? topic.waiting : this.memoryWaiting;
    queue.push({ topic, record: copyRecord(record), callback, timestamp, generation, deadlineMs, bytes });
    this.waitingCount += 1;
    this.waitingBytes += bytes;
    if (queue.length === 1) this.events.onWork();
  }

  private placeWaiter({ topic, record, callback, timestamp, generation }: Waiter): boolean {
    return this.place(topic, record, callback, timestamp, generation);
  }

  private expireQueue(queue: Fifo<Waiter>, nowMs: number): number {
    for (let waiter = queue.first; waiter !== undefined; waiter = queue.first) {
      if (waiter.deadlineMs > nowMs) return waiter.deadlineMs;
      queue.shift();
      this.failWaiter(waiter, this.waitedTooLong(waiter));
    }
    return Infinity;
  }

  private waitedTooLong({ topic, record }: Waiter): KafkaError {
    const { maxBlockMs, bufferMemory } = this.options;
    if (!topic.isKnown) return this.events.absentTopicError(topic.name);
    if (topic.mustWait(record.partition)) {
      const count = topic.partitions.length;
      const all = count === 1 ? '0' : `0 to ${count - 1}`;
      return timeoutError(
        `Topic ${topic.name} has no partition ${record.partition}: it has ${count} (${all}), still after ${maxBlockMs} ms ` +
          '(maxBlockMs). Name one of these, or add partitions to the topic.',
      );
    }
    return new KafkaError(
      ClientErrorCode.BUFFER_EXHAUSTED,
      `No memory for a record of topic ${topic.name} within ${maxBlockMs} ms (maxBlockMs): the brokers take records more ` +
        `slowly than they are appended. Total memory: ${bufferMemory} bytes (bufferMemory), used: ${this.usedBytes} bytes. ` +
        'Append more slowly, or raise bufferMemory.',
      { retriable: true },
    );
  }

  private stopsWaiting({ bytes }: Waiter): void {
    this.waitingCount -= 1;
    this.waitingBytes -= bytes;
  }

  private failWaiter(waiter: Waiter, error: KafkaError): void {
    this.stopsWaiting(waiter);
    this.refuse(waiter.callback, waiter.generation, error);
  }

  /** The outcome of a record that is in no batch. */
  private refuse(callback: Delivery | null, generation: Generation, error: KafkaError): void {
    this.events.onFailed(error);
    this.io.clock.defer(() => {
      if (callback !== null) callSafely(callback, this.options.logger, error, null);
      this.generations.settle(generation, 1);
    });
  }

  private tooManyWait(topic: TopicQueues): KafkaError {
    const reason = topic.isKnown ? 'memory' : `the metadata of topic ${topic.name}`;
    return new KafkaError(
      ClientErrorCode.BUFFER_EXHAUSTED,
      `Records of ${this.waitingBytes} bytes already wait, this one for ${reason}; no more than ` +
        `${this.options.bufferMemory} bytes (bufferMemory) may. Await send() or flush() now and then, or raise bufferMemory.`,
      { retriable: true },
    );
  }

  private tooLarge(bytes: number): KafkaError {
    const { maxRequestSize, bufferMemory } = this.options;
    const [limit, option] =
      bytes > maxRequestSize ? [maxRequestSize, 'maxRequestSize'] : [bufferMemory, 'bufferMemory'];
    return new KafkaError(
      ClientErrorCode.RECORD_TOO_LARGE,
      `The record is ${bytes} bytes when serialized, which is larger than ${limit}, the value of option "${option}".`,
    );
  }
}
