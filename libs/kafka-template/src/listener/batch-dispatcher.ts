/**
 * Hands everything a poll returned to a batch listener in one call, and deals with how it ends.
 *
 * A failure that names a record commits what came before it and treats that record as a record listener's. Any other
 * failure delivers the same batch again from memory, the consumer paused but polling so that it stays a member of its group; a
 * rebalance or a stop meanwhile puts everything back.
 */
import { Acknowledgment, type Rejection } from '../commit/acknowledgment.js';
import { type DriverRecords, partitionName } from '../drivers/driver.js';
import type { ErrorDecision } from '../error-handling/error-handler.js';
import { BatchListenerFailedError, UnreadableRecordError, asError, errorCodeOf } from '../errors.js';
import { ConsumerRecord } from '../record/consumer-record.js';
import { AckReceiver, lastOfEach } from './ack-receiver.js';
import type { ContainerRuntime } from './container-runtime.js';
import type { BatchListener } from './message-listener.js';
import { type Dispatcher, isPromiseLike } from './record-dispatcher.js';

type Records = readonly ConsumerRecord[];

/** Dispatcher of batch listeners. */
export class BatchDispatcher implements Dispatcher {
  readonly #runtime: ContainerRuntime;
  readonly #listener: BatchListener;
  readonly #acks: AckReceiver;

  constructor(runtime: ContainerRuntime, listener: BatchListener) {
    this.#runtime = runtime;
    this.#listener = listener;
    this.#acks = new AckReceiver(runtime);
  }

  async dispatch(polled: DriverRecords): Promise<void> {
    let records: Records = this.#recordsOf(polled);
    let attempt = 1;
    try {
      while (records.length > 0) {
        const remaining = await this.#deliver(records, attempt);
        attempt = remaining === records ? attempt + 1 : 1;
        records = remaining;
      }
    } catch (error) {
      this.#runtime.rewindAll(records);
      throw error;
    } finally {
      this.#runtime.sought.clear();
    }
  }

  #recordsOf(polled: DriverRecords): Records {
    const { assignment, settings } = this.#runtime.parts;
    const records: ConsumerRecord[] = [];
    for (const partition of polled.partitions()) {
      const epoch = assignment.epochOf(partition);
      if (epoch === undefined) continue;
      for (const polledRecord of polled.records(partition)) {
        const record = new ConsumerRecord(polledRecord, settings.serdes, epoch);
        if (!this.#runtime.admit(record)) {
          this.#runtime.rewind(record);
          break;
        }
        records.push(record);
      }
    }
    return records;
  }

  /** One call of the listener. Returns what is to be delivered next: the same records, the rest of them, or none. */
  async #deliver(records: Records, attempt: number): Promise<Records> {
    const { strategy, clock, window, assignment } = this.#runtime.parts;
    const { changes } = assignment;
    const acknowledgment = strategy.manual ? new Acknowledgment(this.#acks, records, window !== undefined) : undefined;
    let failure: { readonly thrown: unknown } | undefined;
    this.#acks.begin();
    try {
      const returned = this.#listener(records, acknowledgment, this.#runtime.handle);
      if (isPromiseLike(returned)) await returned;
    } catch (thrown) {
      failure = { thrown };
    }
    const rejection = acknowledgment?.finish();
    if (acknowledgment !== undefined) await this.#acks.end();
    if (assignment.changes !== changes) return this.#afterRebalance(records, failure?.thrown);
    if (failure !== undefined) return this.#failed(records, asError(failure.thrown), attempt);
    if (rejection !== undefined) return this.#rejected(records, rejection);
    const done = records.filter((record) => !this.#runtime.sought.has(partitionName(record)));
    await this.#runtime.commit(strategy.onBatchProcessed(done, clock.now()));
    return [];
  }

  /** Partitions were taken away, or came, in a poll beside the busy listener. What is still here goes on, or comes again. */
  async #afterRebalance(records: Records, thrown: unknown): Promise<Records> {
    const { strategy, clock } = this.#runtime.parts;
    const current = records.filter((record) => this.#isCurrent(record));
    if (thrown === undefined) await this.#runtime.commit(strategy.onBatchProcessed(current, clock.now()));
    else this.#runtime.rewindAll(current);
    return [];
  }

  async #rejected(records: Records, { index, sleepMs }: Rejection): Promise<Records> {
    const { pauses, assignment, clock } = this.#runtime.parts;
    await this.#commitBefore(records, index);
    this.#runtime.rewindAll(records.slice(index));
    if (sleepMs > 0) pauses.pauseUntil(assignment.list(), clock.now() + sleepMs);
    return [];
  }

  async #failed(records: Records, error: Error, attempt: number): Promise<Records> {
    if (error instanceof UnreadableRecordError && error.index > 0) {
      // What comes before it goes to the listener first; it and the rest come again with the next poll.
      this.#runtime.rewindAll(records.slice(error.index));
      return records.slice(0, error.index);
    }
    const failed = error instanceof BatchListenerFailedError ? records[error.index] : undefined;
    if (failed !== undefined && error instanceof BatchListenerFailedError) {
      return this.#failedAt(records, error.index, error.cause === undefined ? error : asError(error.cause));
    }
    const { settings, pauses, publish, stopAbnormally, clock } = this.#runtime.parts;
    for (const record of records) publish({ type: 'record-failed', record, error });
    const { errorHandler, id: listenerId, groupId } = settings;
    const decision = await this.#decide(() =>
      errorHandler.handleBatch({ records, error, listenerId, groupId, attempt }),
    );
    switch (decision.action) {
      case 'retry': {
        if (await this.#waitPaused(decision.delayMs, records)) return records;
        this.#runtime.rewindAll(records);
        pauses.apply(clock.now());
        return [];
      }
      case 'recovered':
        for (const record of records) publish({ type: 'record-recovered', record, error });
        if (decision.commit) await this.#commitBefore(records, records.length);
        return [];
      case 'stop':
        this.#runtime.rewindAll(records);
        stopAbnormally(error);
        return [];
    }
  }

  async #failedAt(records: Records, index: number, error: Error): Promise<Records> {
    const { settings, pauses, publish, stopAbnormally, clock } = this.#runtime.parts;
    const record = records[index] as ConsumerRecord;
    publish({ type: 'record-failed', record, error });
    await this.#commitBefore(records, index);
    const { errorHandler, id: listenerId, groupId } = settings;
    const decision = await this.#decide(() => errorHandler.handleOne({ record, error, listenerId, groupId }));
    switch (decision.action) {
      case 'retry':
        this.#runtime.rewindAll(records.slice(index));
        if (decision.delayMs > 0) pauses.pauseUntil([record], clock.now() + decision.delayMs);
        return [];
      case 'recovered':
        publish({ type: 'record-recovered', record, error });
        if (decision.commit) await this.#commitBefore(records, index + 1);
        return records.slice(index + 1);
      case 'stop':
        this.#runtime.rewindAll(records.slice(index));
        stopAbnormally(error);
        return [];
    }
  }

  /** The records before `index` are done, and what all of them have earned is committed. */
  async #commitBefore(records: Records, index: number): Promise<void> {
    const { strategy, clock } = this.#runtime.parts;
    const now = clock.now();
    const done = records.slice(0, index);
    if (strategy.manual) {
      const marks = this.#runtime.parts.window === undefined ? lastOfEach(done) : done;
      for (const record of marks) await this.#runtime.commit(this.#runtime.earn(record));
    } else await this.#runtime.commit(strategy.onBatchProcessed(done, now));
    const next = records[index];
    await this.#runtime.commit(next === undefined ? strategy.onPollDone(done.length, now) : strategy.onFailed(next));
  }

  async #decide(ask: () => ErrorDecision | Promise<ErrorDecision>): Promise<ErrorDecision> {
    const { settings, log, containerId } = this.#runtime.parts;
    try {
      return await ask();
    } catch (thrown) {
      log.error(`${containerId}: the error handler failed; the batch is delivered again`, thrown);
      return { action: 'retry', delayMs: settings.pollTimeoutWhilePausedMs };
    }
  }

  /** Waits, polling with everything paused. False when the batch is no longer ours or the container stops. */
  async #waitPaused(delayMs: number, records: Records): Promise<boolean> {
    const { pauses, clock, settings, stopping } = this.#runtime.parts;
    const end = clock.now() + delayMs;
    pauses.hold();
    try {
      for (;;) {
        if (stopping() !== 'no') return false;
        const now = clock.now();
        pauses.apply(now);
        if (now >= end) return records.every((record) => this.#isCurrent(record));
        const timeoutMs = Math.min(end - now, settings.pollTimeoutWhilePausedMs);
        await this.#runtime.pollHeld(timeoutMs).catch(ignoreWakeup);
      }
    } finally {
      pauses.release();
    }
  }

  #isCurrent(record: ConsumerRecord): boolean {
    return this.#runtime.parts.assignment.epochOf(record) === record.epoch;
  }
}

function ignoreWakeup(error: unknown): undefined {
  if (errorCodeOf(error) === 'WAKEUP') return undefined;
  throw error;
}
