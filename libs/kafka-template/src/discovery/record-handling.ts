/**
 * Filter and interceptor around what a container calls. Knows nothing of Nest.
 *
 * A record that is left out counts as done. In a batch, places that a listener names are those of the whole batch again when
 * the error leaves here.
 */
import type { Acknowledgment } from '../commit/acknowledgment.js';
import { BatchListenerFailedError, UnreadableRecordError } from '../errors.js';
import type { Consumer } from '../listener/consumer.js';
import type { HandlingOptions } from '../listener/handling-options.js';
import type { BatchListener, MessageListener, RecordListener } from '../listener/message-listener.js';
import type { ConsumerRecord } from '../record/consumer-record.js';
import type { ListenerEndpoint } from './listener.endpoint.js';

/** The listener with filter and interceptor around it. */
export function withHandling(listener: MessageListener, options: HandlingOptions): MessageListener {
  if (options.filter === undefined && options.interceptor === undefined) return listener;
  return listener.batch
    ? { ...listener, onBatch: filteredBatch(listener.onBatch, options) }
    : { ...listener, onRecord: handledRecord(listener.onRecord, options) };
}

/** What contradicts what about methods, replies and filters, as sentences. */
export function handlingProblems(
  { methods, plan }: Pick<ListenerEndpoint, 'methods' | 'plan'>,
  isBatch: boolean,
  options: HandlingOptions,
): string[] {
  if (!isBatch) return [];
  const problems: string[] = [];
  if (methods.some(({ condition }) => condition !== undefined)) {
    problems.push('a class with @KafkaHandler gets records one by one: take batch away');
  }
  if (methods.some(({ sendTo }) => sendTo !== undefined && sendTo.target === undefined)) {
    problems.push('@SendTo of a batch listener needs a topic: its records may want different ones');
  }
  if (options.filter !== undefined && plan.wantsAcknowledgment) {
    problems.push(
      'filter and a batch listener with an Acknowledgment: its indexes would not fit, filter in the method',
    );
  }
  if (methods.some(({ isIdempotent }) => isIdempotent)) {
    problems.push('@Idempotent is for record listeners, a batch is one call for many records: take it or batch away');
  }
  if (options.interceptor !== undefined) problems.push('interceptor is for record listeners: take it or batch away');
  return problems;
}

function handledRecord(
  onRecord: RecordListener,
  { filter, ackDiscarded, interceptor }: HandlingOptions,
): RecordListener {
  return async (given, acknowledgment, consumer) => {
    const seen = interceptor?.intercept?.(given, consumer);
    if (seen === null) return;
    const record = seen ?? given;
    if (filter?.(record) === true) {
      if (ackDiscarded === true) await acknowledgment?.acknowledge();
      return;
    }
    if (interceptor === undefined) {
      await onRecord(record, acknowledgment, consumer);
      return;
    }
    try {
      await onRecord(record, acknowledgment, consumer);
    } catch (error) {
      interceptor.failure?.(record, error, consumer);
      throw error;
    }
    interceptor.success?.(record, consumer);
  };
}

function filteredBatch(onBatch: BatchListener, { filter, ackDiscarded }: HandlingOptions): BatchListener {
  return async (records: readonly ConsumerRecord[], acknowledgment: Acknowledgment | undefined, consumer: Consumer) => {
    const places: number[] = [];
    const kept = records.filter((record, index) => {
      if (filter?.(record) === true) return false;
      places.push(index);
      return true;
    });
    if (kept.length === 0) {
      if (ackDiscarded === true) await acknowledgment?.acknowledge();
      return;
    }
    try {
      await onBatch(kept, acknowledgment, consumer);
    } catch (error) {
      throw atPlace(error, places);
    }
  };
}

function atPlace(error: unknown, places: readonly number[]): unknown {
  if (!(error instanceof BatchListenerFailedError)) return error;
  const index = places[error.index];
  if (index === undefined || index === error.index) return error;
  const { message, cause } = error;
  return error instanceof UnreadableRecordError
    ? new UnreadableRecordError(message, index, cause)
    : new BatchListenerFailedError(message, index, cause);
}
