/**
 * Hands polled records to a record listener, one after the other, and deals with how each ends.
 *
 * Guarantees that the next record of a partition is not delivered before the one before it is finished, given up, or put
 * back to be polled again, and that an exception from anywhere puts back everything that was not finished. Replies of the records
 * of one poll may be on their way together: such records are finished in their order, all before the poll is done.
 */
import { Acknowledgment, type Rejection } from '../commit/acknowledgment.js';
import { type DriverRecord, type DriverRecords, type TopicPartition, partitionName } from '../drivers/driver.js';
import type { ErrorDecision } from '../error-handling/error-handler.js';
import { asError } from '../errors.js';
import { ConsumerRecord } from '../record/consumer-record.js';
import { AckReceiver } from './ack-receiver.js';
import type { ContainerRuntime } from './container-runtime.js';
import type { RecordListener } from './message-listener.js';
import { ReplyInFlight } from './reply-in-flight.js';

/** Retries from memory in a row; after these the record is polled again, which keeps the group content. */
const IMMEDIATE_RETRIES_MAX = 20;

/** Hands polled records to a listener. */
export interface Dispatcher {
  /** Resolves when all records are finished or put back. Rejects when the container has to look at an error. */
  dispatch(polled: DriverRecords): Promise<void>;
  /** Waits for records that are still being handled: of these partitions, or of all, when the container stops. */
  drain?(partitions?: readonly TopicPartition[]): Promise<void>;
}

/** What comes after a record: the next one, the same again, another partition (this one waits, or is put back), another poll. */
type Step = 'next-record' | 'same-record' | 'put-back' | 'next-partition' | 'next-poll';

/** One call of the listener. */
interface Call {
  readonly record: ConsumerRecord;
  readonly acknowledgment: Acknowledgment | undefined;
  /** State of the assignment when the call began. */
  readonly changes: number;
}

interface Failure {
  readonly thrown: unknown;
}

/** A record that was handled, and how it ends; never rejects. Bound: the records of one poll. */
interface Handled {
  readonly call: Call;
  readonly outcome: Promise<Failure | undefined>;
}

const goOn = (): Step => 'next-record';

const NO_FAILURE: Promise<Failure | undefined> = Promise.resolve(undefined);

/** Dispatcher of record listeners. */
export class RecordDispatcher implements Dispatcher {
  readonly #runtime: ContainerRuntime;
  readonly #listener: RecordListener;
  readonly #acks: AckReceiver;
  /** By partition, the records of this poll that wait for replies to be acknowledged, or for such records, in their order. */
  readonly #handled = new Map<string, Handled[]>();

  constructor(runtime: ContainerRuntime, listener: RecordListener) {
    this.#runtime = runtime;
    this.#listener = listener;
    this.#acks = new AckReceiver(runtime);
  }

  async dispatch(polled: DriverRecords): Promise<void> {
    const partitions = polled.partitions();
    let index = 0;
    try {
      for (; index < partitions.length; index++) {
        const partition = partitions[index] as TopicPartition;
        const isOver = await this.#dispatchPartition(partition, polled.records(partition));
        if (!isOver) continue;
        this.#putBack(polled, partitions.slice(index + 1));
        break;
      }
      for (const name of [...this.#handled.keys()]) await this.#finish(name);
    } catch (error) {
      this.#putBack(polled, partitions.slice(index + 1));
      for (const [handled] of this.#handled.values()) this.#runtime.rewind(handled?.call.record);
      throw error;
    } finally {
      this.#handled.clear();
      this.#runtime.sought.clear();
    }
  }

  /** Waits for the replies of a partition, and ends its records in their order. What comes after one that is put back is too. */
  async #finish(name: string): Promise<Step> {
    const waiting = this.#handled.get(name);
    if (waiting === undefined) return 'next-record';
    let step: Step = 'next-record';
    // Those that are not ended yet stay in the list, from where they are put back should this throw.
    for (let head = waiting[0]; head !== undefined; head = waiting[0]) {
      const { call, outcome } = head;
      step = await this.#ended(call, await outcome, undefined);
      if (step === 'same-record') step = await this.#retryAtOnce(call.record);
      if (step === 'put-back') this.#runtime.rewind(call.record);
      if (step !== 'next-record') break;
      waiting.shift();
    }
    this.#handled.delete(name);
    return step === 'put-back' ? 'next-partition' : step;
  }

  /** Returns true when the rest of the poll is to be put back. */
  async #dispatchPartition(partition: TopicPartition, records: readonly DriverRecord[]): Promise<boolean> {
    const { assignment, stopping, settings, window, strategy } = this.#runtime.parts;
    const { sought } = this.#runtime;
    const { topic, partition: number } = partition;
    const epoch = assignment.epochOf(partition);
    const name = partitionName(partition);
    if (epoch === undefined || sought.has(name)) return false;
    const { changes } = assignment;
    let index = 0;
    try {
      for (; index < records.length; index++) {
        if (stopping() === 'now') {
          this.#runtime.rewind(records[index]);
          return true;
        }
        // Only a poll beside a busy listener can take partitions away here.
        if (assignment.changes !== changes && assignment.epochOf(partition) !== epoch) return false;
        if (
          window !== undefined &&
          !this.#runtime.admit({ topic, partition: number, offset: (records[index] as DriverRecord).offset, epoch })
        ) {
          this.#runtime.rewind(records[index]);
          return false;
        }
        const record = new ConsumerRecord(records[index] as DriverRecord, settings.serdes, epoch);
        const outcome = this.#dispatchRecord(record, !strategy.manual);
        let step = typeof outcome === 'string' ? outcome : await outcome;
        if (step === 'same-record') step = await this.#retryAtOnce(record);
        if (step === 'put-back') this.#runtime.rewind(record);
        if (step === 'next-poll') return true;
        if (step !== 'next-record' || (sought.size > 0 && sought.has(name))) return false;
      }
      return false;
    } catch (error) {
      // Records that wait for replies come before this one; they are put back with the others.
      if (!this.#handled.has(name)) this.#runtime.rewind(records[index]);
      throw error;
    }
  }

  /** A retry without a delay needs no new fetch, as long as there are not so many that a poll is due. */
  async #retryAtOnce(record: ConsumerRecord): Promise<Step> {
    const { stopping, clock } = this.#runtime.parts;
    for (let retries = 0; retries < IMMEDIATE_RETRIES_MAX && stopping() === 'no'; retries++) {
      await clock.nextTurn();
      const step = await this.#dispatchRecord(record, false);
      if (step !== 'same-record') return step;
    }
    return 'put-back';
  }

  /**
   * A listener that returns at once, and has nothing committed, costs no promise. `mayWait`: the record may be left to wait for its
   * reply.
   */
  #dispatchRecord(record: ConsumerRecord, mayWait: boolean): Step | Promise<Step> {
    const { strategy, window, assignment } = this.#runtime.parts;
    const { changes } = assignment;
    const acknowledgment = strategy.manual ? new Acknowledgment(this.#acks, [record], window !== undefined) : undefined;
    const call: Call = { record, acknowledgment, changes };
    let returned: unknown;
    this.#acks.begin();
    try {
      returned = this.#listener(record, acknowledgment, this.#runtime.handle);
    } catch (thrown) {
      return this.#returned(call, { thrown }, mayWait);
    }
    if (mayWait && returned instanceof ReplyInFlight) return this.#answered(call, returned);
    if (isPromiseLike(returned)) return this.#settled(call, returned, mayWait);
    return this.#returned(call, undefined, mayWait);
  }

  /** A record whose reply is on its way waits for it; the next one need not. */
  async #answered(call: Call, reply: ReplyInFlight): Promise<Step> {
    if (!(await reply.handled)) return this.#settled(call, reply, true);
    // Without an acknowledgment nothing was committed by the call.
    void this.#acks.end();
    this.#wait(call, failureOf(reply));
    return 'next-record';
  }

  #wait(call: Call, outcome: Promise<Failure | undefined>): void {
    const name = partitionName(call.record);
    const waiting = this.#handled.get(name);
    if (waiting === undefined) this.#handled.set(name, [{ call, outcome }]);
    else waiting.push({ call, outcome });
  }

  async #settled(call: Call, returned: PromiseLike<unknown>, mayWait: boolean): Promise<Step> {
    return this.#returned(call, await failureOf(returned), mayWait);
  }

  #returned(call: Call, failure: Failure | undefined, mayWait: boolean): Step | Promise<Step> {
    const rejection = call.acknowledgment?.finish();
    const commits = this.#acks.end();
    if (mayWait && this.#handled.size > 0) {
      const name = partitionName(call.record);
      if (this.#handled.has(name)) return this.#afterReplies(name, call, failure);
    }
    return commits === undefined
      ? this.#ended(call, failure, rejection)
      : commits.then(() => this.#ended(call, failure, rejection));
  }

  /** Records before this one wait for replies: it ends after them. One that has failed is not kept waiting. */
  async #afterReplies(name: string, call: Call, failure: Failure | undefined): Promise<Step> {
    if (failure === undefined) {
      this.#wait(call, NO_FAILURE);
      return 'next-record';
    }
    const step = await this.#finish(name);
    return step === 'next-record' ? this.#ended(call, failure, undefined) : step;
  }

  #ended(
    { record, changes }: Call,
    failure: Failure | undefined,
    rejection: Rejection | undefined,
  ): Step | Promise<Step> {
    const { strategy, clock, assignment } = this.#runtime.parts;
    const { sought } = this.#runtime;
    // Taken away by a poll beside the busy listener: the record is its new owner's.
    if (assignment.changes !== changes && assignment.epochOf(record) !== record.epoch) return 'next-record';
    if (failure !== undefined) return this.#failed(record, asError(failure.thrown));
    this.#runtime.handled(record);
    if (rejection !== undefined) return this.#rejected(record, rejection);
    if (sought.size > 0 && sought.has(partitionName(record))) return 'next-record';
    const offsets = strategy.onProcessed(record, clock.now());
    return offsets === undefined ? 'next-record' : this.#runtime.commit(offsets).then(goOn);
  }

  /** nack: what was earned is committed, this record and all later ones come again, everything waits. */
  async #rejected(record: ConsumerRecord, { sleepMs }: Rejection): Promise<Step> {
    const { strategy, pauses, assignment, clock } = this.#runtime.parts;
    await this.#runtime.commit(strategy.onFailed(record));
    this.#runtime.rewind(record);
    if (sleepMs > 0) pauses.pauseUntil(assignment.list(), clock.now() + sleepMs);
    return 'next-poll';
  }

  async #failed(record: ConsumerRecord, error: Error): Promise<Step> {
    const { strategy, pauses, clock, publish, stopAbnormally } = this.#runtime.parts;
    publish({ type: 'record-failed', record, error });
    await this.#runtime.commit(strategy.onFailed(record));
    const decision = await this.#decide(record, error);
    switch (decision.action) {
      case 'retry':
        if (decision.delayMs === 0) return this.#runtime.sought.has(partitionName(record)) ? 'put-back' : 'same-record';
        pauses.pauseUntil([record], clock.now() + decision.delayMs);
        return 'put-back';
      case 'recovered':
        publish({ type: 'record-recovered', record, error });
        if (decision.commit) await this.#settle(record);
        return 'next-record';
      case 'stop':
        this.#runtime.rewind(record);
        stopAbnormally(error);
        return 'next-poll';
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

  /** A recovered record is done, whoever would have had to say so. */
  async #settle(record: ConsumerRecord): Promise<void> {
    await this.#runtime.commit(this.#runtime.earn(record));
  }

  #putBack(polled: DriverRecords, partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#runtime.rewind(polled.records(partition)[0]);
  }
}

/** Resolves with what a listener failed with. */
async function failureOf(returned: PromiseLike<unknown>): Promise<Failure | undefined> {
  try {
    await returned;
    return undefined;
  } catch (thrown) {
    return { thrown };
  }
}

/** Whether a listener has returned something to wait for. */
export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
