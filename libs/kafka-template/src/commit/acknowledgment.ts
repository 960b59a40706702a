/**
 * What a listener holds in the manual modes: says that a record, or a batch, is done, or that it should come again.
 *
 * A class, so that Nest can recognise the parameter by its type. Guarantees that acknowledging twice is the same as once,
 * that one cannot both acknowledge and reject, and that an ignored answer never becomes an unhandled rejection.
 */
import { KafkaTemplateError, KafkaTemplateErrorCode } from '../errors.js';
import type { OffsetCommit } from '../drivers/driver.js';
import type { RecordRef } from './commit-strategy.js';

/** What the container does with an acknowledgement. */
export interface AcknowledgmentTarget {
  /** These records, in order, are done. Resolves when that is committed (MANUAL_IMMEDIATE) or noted (MANUAL). */
  acknowledged(records: readonly RecordRef[]): PromiseLike<void>;
  /** Commits these offsets now, or without any what has been acknowledged so far, and waits for the answer. */
  commitSync(offsets: readonly OffsetCommit[] | undefined): Promise<void>;
  /** The same without waiting. */
  commitAsync(offsets: readonly OffsetCommit[] | undefined, callback: CommitAnswer | undefined): void;
}

/** Hears how a commit ended: null and the offsets, or the error. */
export type CommitAnswer = (error: Error | null, offsets: readonly OffsetCommit[]) => void;

/** A wish to see records again. */
export interface Rejection {
  /** Index of the first record to see again, within what the listener was given. */
  readonly index: number;
  /** How long to wait before it is delivered again. */
  readonly sleepMs: number;
}

const DONE: PromiseLike<void> = Promise.resolve();

/** Given to listeners whose ack mode is MANUAL or MANUAL_IMMEDIATE. */
export class Acknowledgment {
  readonly #target: AcknowledgmentTarget;
  readonly #records: readonly RecordRef[];
  readonly #isOutOfOrder: boolean;
  #acknowledged = 0;
  #rejection: Rejection | undefined;
  #isOver = false;

  /** @internal `isOutOfOrder`: later records may be done already, so that going back is not possible. */
  constructor(target: AcknowledgmentTarget, records: readonly RecordRef[], isOutOfOrder = false) {
    this.#target = target;
    this.#records = records;
    this.#isOutOfOrder = isOutOfOrder;
  }

  /**
   * The record, or the whole batch, is done. In a batch, `index` says up to which record; a later call without it covers
   * the rest. Can be called after the listener has returned. With MANUAL_IMMEDIATE the result can be awaited: it rejects
   * when the commit fails; not awaited, the container reports the failure.
   */
  acknowledge(index?: number): PromiseLike<void> {
    if (this.#rejection !== undefined) throw illegal('acknowledge() after nack(): a record cannot be both');
    const end = index === undefined ? this.#records.length : this.#checkIndex(index) + 1;
    if (end <= this.#acknowledged) return DONE;
    const isAll = this.#acknowledged === 0 && end === this.#records.length;
    const records = isAll ? this.#records : this.#records.slice(this.#acknowledged, end);
    this.#acknowledged = end;
    return this.#target.acknowledged(records);
  }

  /** The record is to be delivered again after `sleepMs`, and whatever was polled after it. Record listeners. */
  nack(sleepMs: number): void;
  /** What comes before `index` in the batch is done; it and the rest are to be delivered again. Batch listeners. */
  nack(index: number, sleepMs: number): void;
  nack(first: number, second?: number): void {
    const index = second === undefined ? 0 : this.#checkIndex(first);
    const sleepMs = second ?? first;
    if (this.#isOutOfOrder) {
      throw illegal('nack() with asyncAcks or keyConcurrency: later records may be done. Throw an error instead');
    }
    if (this.#isOver) throw illegal('nack() after the listener has returned: call it before');
    if (this.#acknowledged > index) throw illegal('nack() after acknowledge(): a record cannot be both');
    if (!(Number.isFinite(sleepMs) && sleepMs >= 0)) {
      throw illegal(`nack(sleepMs) takes milliseconds from 0, not ${String(sleepMs)}`);
    }
    this.#rejection = { index, sleepMs };
  }

  /**
   * Commits now, whatever the ack mode, and waits for the broker's answer. Without offsets: what the listener was given is
   * acknowledged, and all that has been is committed. With offsets: those, each that of the next record to read, with
   * `metadata` if you like; one behind what was committed before is left out, so that positions never go back.
   */
  commitSync(offsets?: readonly OffsetCommit[]): Promise<void> {
    if (offsets === undefined) ignore(this.acknowledge());
    return this.#target.commitSync(offsets);
  }

  /** The same without waiting: the answer comes to the callback, or to the listener's `commitCallback` alone. */
  commitAsync(offsets?: readonly OffsetCommit[], callback?: CommitAnswer): void {
    if (offsets === undefined) ignore(this.acknowledge());
    this.#target.commitAsync(offsets, callback);
  }

  /** Whether everything was acknowledged. */
  get isAcknowledged(): boolean {
    return this.#acknowledged >= this.#records.length;
  }

  /**
   * The container asks when the listener has returned; from then on nack is refused.
   * @internal
   */
  finish(): Rejection | undefined {
    this.#isOver = true;
    return this.#rejection;
  }

  #checkIndex(index: number): number {
    if (Number.isInteger(index) && index >= 0 && index < this.#records.length) return index;
    throw illegal(`index ${String(index)} is not one of the ${this.#records.length} records the listener was given`);
  }
}

/** The commit that follows tells of a failure. */
function ignore(outcome: PromiseLike<void>): void {
  outcome.then(undefined, () => undefined);
}

function illegal(message: string): KafkaTemplateError {
  return new KafkaTemplateError(KafkaTemplateErrorCode.ILLEGAL_STATE, message);
}
