/**
 * What a listener holds in the manual modes: says that a record, or a batch, is done, or that it should come again.
 *
 * A class, so that Nest can recognise the parameter by its type. Guarantees that acknowledging twice is the same as once,
 * that one cannot both acknowledge and reject, and that an ignored answer never becomes an unhandled rejection.
 */
import { KafkaTemplateError, KafkaTemplateErrorCode } from '../errors.js';
import type { RecordRef } from './commit-strategy.js';

/** What the container does with an acknowledgement. */
export interface AcknowledgmentTarget {
  /** These records, in order, are done. Resolves when that is committed (MANUAL_IMMEDIATE) or noted (MANUAL). */
  acknowledged(records: readonly RecordRef[]): PromiseLike<void>;
}

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
  #acknowledged = 0;
  #rejection: Rejection | undefined;
  #isOver = false;

  constructor(target: AcknowledgmentTarget, records: readonly RecordRef[]) {
    this.#target = target;
    this.#records = records;
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
    const records = this.#records.slice(this.#acknowledged, end);
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
    if (this.#isOver) throw illegal('nack() after the listener has returned: call it before');
    if (this.#acknowledged > index) throw illegal('nack() after acknowledge(): a record cannot be both');
    if (!(Number.isFinite(sleepMs) && sleepMs >= 0)) {
      throw illegal(`nack(sleepMs) takes milliseconds from 0, not ${String(sleepMs)}`);
    }
    this.#rejection = { index, sleepMs };
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

function illegal(message: string): KafkaTemplateError {
  return new KafkaTemplateError(KafkaTemplateErrorCode.ILLEGAL_STATE, message);
}
