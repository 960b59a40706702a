/**
 * The contract of an error handler: told what failed, it answers what is to become of the record.
 *
 * A handler decides and, when it gives a record up, recovers it; seeking, pausing and committing are the container's
 * business. A handler that throws means: deliver the record again.
 */
import type { ConsumerRecord } from '../record/consumer-record.js';

/** One record a listener could not handle. */
export interface RecordFailure {
  /** What the listener was called with. */
  readonly record: ConsumerRecord;
  /** What the listener threw, unchanged. */
  readonly error: Error;
  /** Id of the listener, as in the registry. */
  readonly listenerId: string;
  /** Its group; undefined without one. */
  readonly groupId: string | undefined;
}

/** A batch that failed without saying at which record. */
export interface BatchFailure {
  /** What the listener was called with. */
  readonly records: readonly ConsumerRecord[];
  /** What it threw. */
  readonly error: Error;
  /** Id of the listener. */
  readonly listenerId: string;
  /** Its group; undefined without one. */
  readonly groupId: string | undefined;
  /** How often this batch has been delivered, this time included. */
  readonly attempt: number;
}

/** What is to become of a failed record or batch. */
export type ErrorDecision =
  /** Deliver it again after so many milliseconds. Its partition waits; others go on. */
  | { readonly action: 'retry'; readonly delayMs: number }
  /** It has been dealt with: go on after it. `commit` says whether its offset counts as done. */
  | { readonly action: 'recovered'; readonly commit: boolean }
  /** Stop the container; the record is not committed and comes first after the next start. */
  | { readonly action: 'stop' };

/** Decides about failures. One handler may serve many containers. */
export interface ErrorHandler {
  /** A record has failed, alone or named by a {@link BatchListenerFailedError}. */
  handleOne(failure: RecordFailure): ErrorDecision | Promise<ErrorDecision>;
  /** A batch has failed as a whole. */
  handleBatch(failure: BatchFailure): ErrorDecision | Promise<ErrorDecision>;
  /** How often this record has been delivered before, plus 1. */
  deliveryAttempt?(record: ConsumerRecord, listenerId: string): number;
  /** The record was handled after all: what was remembered about it can go. */
  onSuccess?(record: ConsumerRecord, listenerId: string): void;
  /** The container no longer has these partitions, or stops. */
  forget?(listenerId: string, partitions: readonly { readonly topic: string; readonly partition: number }[]): void;
}
