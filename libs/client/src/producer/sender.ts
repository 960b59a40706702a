/**
 * Sends batches to the leaders of their partitions and gives every record its outcome.
 *
 * Guarantees: at most `maxInFlightRequestsPerConnection` requests per broker; one request joins a batch of each ready
 * partition of that broker; a batch is tried again until `deliveryTimeoutMs` unless its error will not pass, with the
 * same bytes, in order (see partition-queue.ts); a batch that took too long fails at once, even on its way.
 * Runs when something happened, at most once per turn of the event loop; never polls.
 */
import { Produce, type ProduceResponse } from '@kafka-template/protocol';
import { KafkaError, timeoutError } from '../errors.js';
import type { Timer } from '../io/clock.js';
import type { ClientIo } from '../io/io.js';
import { backoffMs } from '../network/backoff.js';
import type { Cluster } from '../network/cluster.js';
import type { Accumulator } from './accumulator.js';
import { type BatchOutcome, judge, judgeFailure } from './batch-outcome.js';
import type { Generations } from './generation.js';
import type { Identity } from './identity.js';
import type { PartitionQueue } from './partition-queue.js';
import { type BatchInFlight, type PartitionResponse, matchResponses, produceBody } from './produce-request.js';
import { PRODUCE_VERSION_MAX } from './limits.js';
import type { ProducerBatch } from './producer-batch.js';
import type { ProducerCounters } from './producer-metrics.js';
import type { ResolvedProducerOptions } from './producer-options.js';

/** What the sender works with; all of it belongs to one producer. */
export interface SenderParts {
  readonly options: ResolvedProducerOptions;
  readonly io: ClientIo;
  readonly cluster: Cluster;
  readonly accumulator: Accumulator;
  readonly generations: Generations;
  /** Null without idempotence. */
  readonly identity: Identity | null;
  readonly counters: ProducerCounters;
  /** Fails records that waited too long for metadata or memory; returns the monotonic time of the next such moment. */
  expireWaiting(nowMs: number): number;
}

/** The sender of one producer. */
export class Sender {
  /** Requests on their way, by broker id. */
  private readonly inFlightRequests = new Map<number, number>();
  /**
   * Requests on their way, each as its batches. A plain list, because every change of a Set may leave a dead table behind
   * that points to the next one: once one of them is old, all batches since live until the next full garbage collection.
   */
  private readonly requestsInFlight: (readonly BatchInFlight[])[] = [];
  /** Who waits for {@link idle}: the end of a transaction, at most. */
  private readonly onIdle: (() => void)[] = [];
  private nextExpiryMs = Infinity;
  private isScheduled = false;
  private isClosed = false;
  private timer: Timer | null = null;
  private timerDueMs = Infinity;
  private readonly run = (): void => this.work();

  constructor(private readonly parts: SenderParts) {}

  /** Something happened: looks at everything at the end of this turn of the event loop. */
  wake(): void {
    if (this.isScheduled || this.isClosed) return;
    this.isScheduled = true;
    this.parts.io.clock.defer(this.run);
  }

  /** Fails every batch that has no outcome yet. */
  failAll(error: KafkaError): void {
    for (const queue of this.parts.accumulator.active) {
      for (const batch of [...queue.batches]) {
        queue.abandon(batch);
        this.fail(batch, () => error);
        this.parts.accumulator.release(batch);
      }
    }
    this.parts.accumulator.active.clear();
    for (const request of [...this.requestsInFlight]) for (const { batch } of request) this.fail(batch, () => error);
  }

  /** A transaction is given up: fails what waits, but for batches that may be stored; of them it must be known. */
  dropUnsent(error: KafkaError): void {
    const { accumulator } = this.parts;
    for (const queue of accumulator.active) {
      for (const batch of [...queue.batches]) {
        if (!isDroppable(queue, batch)) continue;
        queue.abandon(batch);
        this.fail(batch, () => error);
        accumulator.release(batch);
      }
    }
    this.wake();
  }

  /** Resolves when nothing waits and nothing is on its way, of which the records may have had their outcome long ago. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.onIdle.push(resolve);
      this.wake();
    });
  }

  /** Sends nothing any more. */
  close(): void {
    this.isClosed = true;
    if (this.timer !== null) this.parts.io.clock.clearTimer(this.timer);
  }

  private work(): void {
    this.isScheduled = false;
    if (this.isClosed) return;
    const { io, accumulator, identity, cluster } = this.parts;
    const nowMs = io.clock.monotonic();
    if (nowMs >= this.nextExpiryMs) this.expire(nowMs);
    let wakeMs = this.parts.expireWaiting(nowMs);
    // Records that wait for metadata will need it too: asked for now, both answers come in one round trip.
    if (!accumulator.active.isEmpty || accumulator.usage.recordsWaiting > 0) identity?.obtain();
    const byLeader = new Map<number, PartitionQueue[]>();
    for (const queue of accumulator.active) {
      const readyMs = this.readyAt(queue);
      if (readyMs > nowMs) wakeMs = Math.min(wakeMs, readyMs);
      else if (queue.leader === -1) cluster.metadata.requestUpdate();
      else if (byLeader.has(queue.leader)) byLeader.get(queue.leader)?.push(queue);
      else byLeader.set(queue.leader, [queue]);
    }
    for (const [leader, queues] of byLeader) this.sendTo(leader, queues, nowMs);
    this.armTimer(Math.min(wakeMs, this.nextExpiryMs));
    if (this.onIdle.length === 0 || !accumulator.active.isEmpty || this.requestsInFlight.length > 0) return;
    for (const resolve of this.onIdle.splice(0)) resolve();
  }

  /** Monotonic time at which the first batch of a partition may be sent; -Infinity for now. */
  private readyAt(queue: PartitionQueue): number {
    const { options, accumulator } = this.parts;
    const first = queue.batches[0];
    if (first === undefined) {
      accumulator.active.delete(queue);
      return Infinity;
    }
    this.nextExpiryMs = Math.min(this.nextExpiryMs, first.createdMs + options.deliveryTimeoutMs);
    if (first.attempts > 0) return first.retryAtMs;
    const mayLinger = options.lingerMs > 0 && queue.batches.length === 1 && !first.generation.isEnded;
    return mayLinger && !accumulator.isOutOfMemory ? first.createdMs + options.lingerMs : -Infinity;
  }

  private sendTo(node: number, queues: readonly PartitionQueue[], nowMs: number): void {
    const { maxInFlightRequestsPerConnection } = this.parts.options;
    let ready = queues;
    while (ready.length > 0 && (this.inFlightRequests.get(node) ?? 0) < maxInFlightRequestsPerConnection) {
      const left: PartitionQueue[] = [];
      const request = this.collect(node, ready, left, nowMs);
      if (request.length === 0) return;
      this.transmit(node, request);
      ready = left;
    }
  }

  /** One batch of each partition that may be sent, up to `maxRequestSize`; the rest for a further request goes to `left`. */
  private collect(
    node: number,
    ready: readonly PartitionQueue[],
    left: PartitionQueue[],
    nowMs: number,
  ): BatchInFlight[] {
    const { accumulator, options } = this.parts;
    const request: BatchInFlight[] = [];
    let requestBytes = 0;
    for (const queue of ready) {
      if (!queue.maySend(node)) continue;
      if (request.length > 0 && requestBytes + queue.firstBytes > options.maxRequestSize) {
        left.push(queue);
        continue;
      }
      const { batch, bytes } = queue.take(node);
      requestBytes += bytes.length;
      this.parts.counters.bytes += bytes.length;
      request.push({ queue, batch, bytes });
      // To the end of the line: when there is more than fits, partitions take turns.
      accumulator.active.delete(queue);
      if (queue.batches.length === 0) continue;
      accumulator.active.add(queue);
      if (this.readyAt(queue) <= nowMs) left.push(queue);
    }
    return request;
  }

  private transmit(node: number, request: BatchInFlight[]): void {
    const { cluster, options, counters, io } = this.parts;
    const sentMs = io.clock.monotonic();
    counters.requests += 1;
    this.inFlightRequests.set(node, (this.inFlightRequests.get(node) ?? 0) + 1);
    this.requestsInFlight.push(request);
    for (const each of request) {
      this.nextExpiryMs = Math.min(this.nextExpiryMs, each.batch.createdMs + options.deliveryTimeoutMs);
    }
    const { acks, requestTimeoutMs: timeoutMs, transactionalId = null } = options;
    const body = produceBody(request, { acks, timeoutMs, transactionalId });
    const bounds = this.parts.identity?.produceBounds ?? { maxVersion: PRODUCE_VERSION_MAX };
    const sendOptions = { ...bounds, expectResponse: acks !== 0 };
    cluster.send(node, Produce, body, sendOptions, (error, response) => {
      counters.answered(io.clock.monotonic() - sentMs);
      this.onAnswer(node, request, error, response);
    });
  }

  private onAnswer(
    node: number,
    request: readonly BatchInFlight[],
    error: KafkaError | null,
    response: ProduceResponse | null,
  ): void {
    this.inFlightRequests.set(node, (this.inFlightRequests.get(node) ?? 1) - 1);
    this.requestsInFlight.splice(this.requestsInFlight.indexOf(request), 1);
    for (const each of request) each.queue.arrived();
    if (error !== null) for (const each of request) this.conclude(each, judgeFailure(error));
    else if (response === null)
      for (const each of request) this.conclude(each, { kind: 'stored', baseOffset: -1, logAppendTimeMs: -1 });
    else matchResponses(request, response, (each, answer) => this.onPartitionAnswer(each, answer));
    this.wake();
  }

  private onPartitionAnswer(each: BatchInFlight, answer: PartitionResponse | undefined): void {
    const { metadata } = this.parts.cluster;
    const outcome = judge(each, answer, this.parts.identity !== null);
    const leader = answer?.currentLeader;
    if (leader !== undefined && leader.leaderId !== -1) {
      const { topic, partition } = each.queue;
      metadata.learnLeader(topic, partition, { leader: leader.leaderId, leaderEpoch: leader.leaderEpoch });
      each.queue.leader = metadata.partition(topic, partition)?.leader ?? each.queue.leader;
    }
    if (outcome.kind !== 'stored' && outcome.needsMetadata) metadata.requestUpdate();
    this.conclude(each, outcome);
  }

  private conclude({ queue, batch }: BatchInFlight, outcome: BatchOutcome): void {
    const { accumulator, generations, counters } = this.parts;
    if (outcome.kind === 'stored') {
      queue.resolve(batch);
      if (!batch.isSettled) {
        batch.succeed(outcome.baseOffset, outcome.logAppendTimeMs);
        generations.settle(batch.generation, batch.recordCount);
        counters.recordsSent += batch.recordCount;
        counters.batches += 1;
      }
      accumulator.recycle(batch);
      accumulator.release(batch);
      return;
    }
    batch.mayBeStored ||= outcome.mayBeStored;
    if (outcome.sequence === 'out-of-order') queue.outOfOrder(batch);
    else if (outcome.sequence === 'forgotten') queue.forgotten(batch);
    if (outcome.kind === 'again' && this.mayRetry(queue, batch)) {
      this.retryLater(queue, batch, outcome.error);
      return;
    }
    if (outcome.kind === 'too-large' && !batch.isSettled && this.parts.identity?.isGivingUp !== true) {
      counters.splits += 1;
      // The parts take over its memory and its records.
      queue.replace(batch, batch.split());
      accumulator.active.add(queue);
      return;
    }
    queue.abandon(batch);
    this.fail(batch, outcome.errorOf);
    accumulator.release(batch);
  }

  private mayRetry(queue: PartitionQueue, batch: ProducerBatch): boolean {
    const { options, io, identity } = this.parts;
    if (identity?.isGivingUp === true && isDroppable(queue, batch)) return false;
    if (batch.isSettled || batch.attempts > options.retries) return false;
    return io.clock.monotonic() < batch.createdMs + options.deliveryTimeoutMs;
  }

  private retryLater(queue: PartitionQueue, batch: ProducerBatch, error: KafkaError): void {
    const { options, io, accumulator, counters } = this.parts;
    counters.recordsRetried += batch.recordCount;
    const limits = { initialMs: options.retryBackoffMs, maxMs: options.retryBackoffMaxMs };
    batch.lastError = error;
    batch.retryAtMs = io.clock.monotonic() + backoffMs(limits, batch.attempts, io.random);
    queue.putBack(batch);
    accumulator.active.add(queue);
    options.logger.debug('A batch will be sent again.', {
      topic: queue.topic,
      partition: queue.partition,
      attempts: batch.attempts,
      error: error.message,
    });
  }

  private fail(batch: ProducerBatch, errorOf: (index: number) => KafkaError): void {
    if (batch.isSettled) return;
    batch.fail(errorOf);
    this.parts.counters.recordsFailed += batch.recordCount;
    this.parts.generations.settle(batch.generation, batch.recordCount);
    this.parts.identity?.onFailed(errorOf(0), batch.identity !== null);
  }

  /** Fails what is older than `deliveryTimeoutMs`, waiting or on its way, and finds out when to look again. */
  private expire(nowMs: number): void {
    const { accumulator, options } = this.parts;
    this.nextExpiryMs = Infinity;
    for (const queue of accumulator.active) {
      for (let first = queue.batches[0]; first !== undefined; first = queue.batches[0]) {
        if (first.createdMs + options.deliveryTimeoutMs > nowMs) break;
        const error = this.expiredError(first);
        queue.abandon(first);
        this.fail(first, () => error);
        accumulator.release(first);
      }
    }
    for (const { batch } of [...this.requestsInFlight].flat()) {
      const dueMs = batch.createdMs + options.deliveryTimeoutMs;
      if (batch.isSettled) continue;
      if (dueMs > nowMs) {
        this.nextExpiryMs = Math.min(this.nextExpiryMs, dueMs);
        continue;
      }
      const error = this.expiredError(batch);
      this.fail(batch, () => error);
    }
  }

  private expiredError(batch: ProducerBatch): KafkaError {
    const { topic, partition, recordCount } = batch;
    const { cluster, identity } = this.parts;
    const cause = batch.lastError ?? identity?.lastError ?? cluster.metadata.error;
    const reason = cause === null ? '' : ` Last reason: ${cause.message}`;
    return timeoutError(
      `Expiring ${recordCount} record(s) for ${topic}-${partition}: ${this.parts.options.deliveryTimeoutMs} ms has passed ` +
        `since batch creation (deliveryTimeoutMs).${reason}`,
      cause ?? undefined,
    );
  }

  private armTimer(dueMs: number): void {
    if (dueMs >= this.timerDueMs || dueMs === Infinity) return;
    const { clock } = this.parts.io;
    if (this.timer !== null) clock.clearTimer(this.timer);
    this.timerDueMs = dueMs;
    this.timer = clock.setTimer(Math.ceil(dueMs - clock.monotonic()), () => {
      this.timer = null;
      this.timerDueMs = Infinity;
      this.work();
    });
  }
}

/** Whether the broker is known not to have the batch, or will never take it in this epoch. */
function isDroppable(queue: PartitionQueue, batch: ProducerBatch): boolean {
  return !batch.mayBeStored || queue.isBehindGap(batch);
}
