/**
 * Options of a listener about each record on its way to the method: filter and interceptor.
 *
 * Part of ListenerOptions, so that each can be a default of the module.
 */
import type { OptionChecks } from '../option-check.js';
import type { ConsumerRecord } from '../record/consumer-record.js';
import type { Consumer } from './consumer.js';

/** Tells which records a listener does not want: true discards. Spring's RecordFilterStrategy. */
export type RecordFilterStrategy = (record: ConsumerRecord) => boolean;

/** Sees records of a record listener before and after it. Spring's RecordInterceptor. What it throws fails the record. */
export interface RecordInterceptor {
  /** Before filter and listener. Null leaves the record out; it then counts as done. Nothing returned: the record as it is. */
  intercept?(record: ConsumerRecord, consumer: Consumer): ConsumerRecord | null | undefined | void;
  /** The listener has returned, or its promise has resolved. */
  success?(record: ConsumerRecord, consumer: Consumer): void;
  /** The listener has failed; the error handler is asked next. */
  failure?(record: ConsumerRecord, error: unknown, consumer: Consumer): void;
}

/** Options about each record on its way to the method. */
export interface HandlingOptions {
  /** Discards records before the method, its pipes and guards see them. They count as done. */
  filter?: RecordFilterStrategy;
  /** In the manual ack modes: acknowledge what the filter discards. Default false: the next acknowledgement covers it. */
  ackDiscarded?: boolean;
  /** Sees records before and after the method. Record listeners only. */
  interceptor?: RecordInterceptor;
}

/** How these options are checked. */
export const HANDLING_CHECKS: OptionChecks & Record<keyof HandlingOptions, OptionChecks[string]> = {
  filter: { kind: 'function' },
  ackDiscarded: { kind: 'boolean' },
  interceptor: { kind: 'object' },
};
