/**
 * Hands polled records to a record listener several at a time: records with equal keys of a partition one after the other.
 *
 * The loop goes on polling meanwhile. A record that fails is tried again in memory, and only those with its key wait for it.
 * Commits never pass a record that is not finished. Bounds: `keyConcurrency` calls at once, `maxUnfinished` records of a
 * partition in memory. Records without a key have no order among themselves.
 */
import { Acknowledgment } from '../commit/acknowledgment.js';
import { type DriverRecord, type DriverRecords, type TopicPartition, partitionName } from '../drivers/driver.js';
import type { ErrorDecision } from '../error-handling/error-handler.js';
import { asError } from '../errors.js';
import { milliseconds } from '../io/wording.js';
import { ConsumerRecord } from '../record/consumer-record.js';
import { AckReceiver } from './ack-receiver.js';
import type { ContainerRuntime } from './container-runtime.js';
import type { RecordListener } from './message-listener.js';
import { type Dispatcher, isPromiseLike } from './record-dispatcher.js';

/** Records that have to wait for each other. */
interface Lane {
  readonly name: string;
  readonly partition: string;
  readonly records: ConsumerRecord[];
}

/** Dispatcher of record listeners with `keyConcurrency`. */
export class ParallelDispatcher implements Dispatcher {
  readonly #runtime: ContainerRuntime;
  readonly #listener: RecordListener;
  readonly #acks: AckReceiver;
  readonly #lanes = new Map<string, Lane>();
  readonly #ready: Lane[] = [];
  /** Calls that have not ended, and what their partitions are. */
  readonly #calls = new Map<Promise<void>, string>();
  /** Ends the waits of records that are to be tried again. */
  readonly #endWaits = new Set<() => void>();
  /** Partitions that are being given up: nothing more of them is begun. */
  readonly #leaving = new Set<string>();

  constructor(runtime: ContainerRuntime, listener: RecordListener) {
    this.#runtime = runtime;
    this.#listener = listener;
    this.#acks = new AckReceiver(runtime);
  }

  dispatch(polled: DriverRecords): Promise<void> {
    const { assignment } = this.#runtime.parts;
    for (const partition of polled.partitions()) {
      const epoch = assignment.epochOf(partition);
      if (epoch !== undefined) this.#queue(polled.records(partition), epoch);
    }
    this.#begin();
    return Promise.resolve();
  }

  /** Nothing more is begun; waits for the calls that have been, up to the time a stop waits for a listener. */
  async drain(partitions?: readonly TopicPartition[]): Promise<void> {
    const { settings, clock, log, containerId, stopping } = this.#runtime.parts;
    const names = partitions === undefined ? undefined : new Set(partitions.map(partitionName));
    const isMeant = (name: string): boolean => names === undefined || names.has(name);
    // What was polled before an orderly stop is finished; what is given up, or stopped at once, is not begun.
    const isFinishing = names === undefined && stopping() === 'after-poll';
    if (!isFinishing)
      for (const { partition } of this.#lanes.values()) if (isMeant(partition)) this.#leaving.add(partition);
    for (const end of this.#endWaits) end();
    const work = this.#settled(isMeant);
    let isLate = false;
    await new Promise<void>((resolve) => {
      const timer = clock.setTimer(settings.shutdownTimeoutMs, () => {
        isLate = true;
        resolve();
      });
      void work.then(() => {
        timer.cancel();
        resolve();
      });
    });
    if (isLate) {
      log.warn(
        `${containerId}: records are still being handled after ${milliseconds(settings.shutdownTimeoutMs)}; not waiting any longer`,
      );
    }
    for (const [name, lane] of this.#lanes) if (isMeant(lane.partition)) this.#lanes.delete(name);
    for (const name of [...this.#leaving]) if (isMeant(name)) this.#leaving.delete(name);
  }

  async #settled(isMeant: (partition: string) => boolean): Promise<void> {
    for (;;) {
      const calls = [...this.#calls].filter(([, partition]) => isMeant(partition)).map(([call]) => call);
      if (calls.length === 0) return;
      await Promise.all(calls);
    }
  }

  #queue(records: readonly DriverRecord[], epoch: number): void {
    const { settings } = this.#runtime.parts;
    for (const polled of records) {
      const record = new ConsumerRecord(polled, settings.serdes, epoch);
      if (!this.#runtime.admit(record)) {
        this.#runtime.rewind(record);
        return;
      }
      const partition = partitionName(record);
      const key = polled.key === null ? `@${polled.offset}` : `=${polled.key.toString('latin1')}`;
      const name = `${partition}:${epoch}${key}`;
      const lane = this.#lanes.get(name);
      if (lane !== undefined) lane.records.push(record);
      else {
        const created: Lane = { name, partition, records: [record] };
        this.#lanes.set(name, created);
        this.#ready.push(created);
      }
    }
  }

  #begin(): void {
    const limit = this.#runtime.parts.settings.keyConcurrency;
    while (this.#calls.size < limit) {
      const lane = this.#ready.shift();
      if (lane === undefined) return;
      if (this.#lanes.get(lane.name) !== lane) continue;
      const call = this.#runHead(lane).catch((error: unknown) => this.#runtime.raise(asError(error)));
      this.#calls.set(call, lane.partition);
      void call.then(() => this.#ended(call, lane));
    }
  }

  #ended(call: Promise<void>, lane: Lane): void {
    this.#calls.delete(call);
    if (lane.records.length > 0) this.#ready.push(lane);
    else if (this.#lanes.get(lane.name) === lane) this.#lanes.delete(lane.name);
    this.#begin();
    if (this.#calls.size > 0) return;
    // All that was polled is done: the end of a poll, as far as committing is concerned.
    const { strategy, clock } = this.#runtime.parts;
    void this.#runtime
      .commit(strategy.onPollDone(1, clock.now()))
      .catch((error: unknown) => this.#runtime.raise(asError(error)));
  }

  async #runHead(lane: Lane): Promise<void> {
    const record = lane.records.shift() as ConsumerRecord;
    for (;;) {
      if (!this.#mayBegin(record)) return;
      const error = await this.#call(record);
      if (!this.#isCurrent(record)) return;
      if (error === undefined) {
        this.#runtime.handled(record);
        if (!this.#runtime.parts.strategy.manual) await this.#runtime.commit(this.#runtime.earn(record));
        return;
      }
      if (!(await this.#failed(record, error))) return;
    }
  }

  #mayBegin(record: ConsumerRecord): boolean {
    const { stopping } = this.#runtime.parts;
    return stopping() !== 'now' && !this.#leaving.has(partitionName(record)) && this.#isCurrent(record);
  }

  /** Resolves with what the listener threw. */
  async #call(record: ConsumerRecord): Promise<Error | undefined> {
    const { strategy } = this.#runtime.parts;
    const acknowledgment = strategy.manual ? new Acknowledgment(this.#acks, [record], true) : undefined;
    try {
      const returned = this.#listener(record, acknowledgment, this.#runtime.handle);
      if (isPromiseLike(returned)) await returned;
      return undefined;
    } catch (thrown) {
      return asError(thrown);
    } finally {
      acknowledgment?.finish();
    }
  }

  /** Returns true when the record is to be tried again now. */
  async #failed(record: ConsumerRecord, error: Error): Promise<boolean> {
    const { publish, stopAbnormally, stopping } = this.#runtime.parts;
    publish({ type: 'record-failed', record, error });
    const decision = await this.#decide(record, error);
    switch (decision.action) {
      case 'retry':
        await this.#wait(decision.delayMs);
        return stopping() === 'no';
      case 'recovered':
        publish({ type: 'record-recovered', record, error });
        await this.#runtime.commit(this.#runtime.earn(record));
        return false;
      case 'stop':
        stopAbnormally(error);
        return false;
    }
  }

  async #decide(record: ConsumerRecord, error: Error): Promise<ErrorDecision> {
    const { settings, log, containerId } = this.#runtime.parts;
    const { errorHandler, id: listenerId, groupId } = settings;
    try {
      return await errorHandler.handleOne({ record, error, listenerId, groupId });
    } catch (thrown) {
      log.error(`${containerId}: the error handler failed; the record is delivered again`, thrown);
      return { action: 'retry', delayMs: settings.pollTimeoutWhilePausedMs };
    }
  }

  async #wait(delayMs: number): Promise<void> {
    const { clock } = this.#runtime.parts;
    if (delayMs === 0) return clock.nextTurn();
    await new Promise<void>((resolve) => {
      const end = (): void => {
        timer.cancel();
        this.#endWaits.delete(end);
        resolve();
      };
      const timer = clock.setTimer(delayMs, end);
      this.#endWaits.add(end);
    });
  }

  #isCurrent(record: ConsumerRecord): boolean {
    return this.#runtime.parts.assignment.epochOf(record) === record.epoch;
  }
}
