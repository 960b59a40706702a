/**
 * The outcome of one send: can be awaited, asked with a deadline, given callbacks, observed, or ignored.
 *
 * Ignored, it costs one small object and can never become an unhandled rejection. Callbacks never run inside `send`, and
 * before the ProducerListener hears of the send.
 */
import { KafkaTemplateError, KafkaTemplateErrorCode } from '../errors.js';
import { milliseconds } from '../io/wording.js';
import { type KafkaSendError, describeTarget } from './kafka-send-error.js';
import { Outcome, type OutcomeHost } from './outcome.js';
import type { ProducerRecord } from './producer-record.js';
import type { SendResult } from './send-result.js';

/**
 * The future of one send. Completes once, with a {@link SendResult} or a {@link KafkaSendError}.
 *
 * `get(timeoutMs)` is the synchronous way to send: it rejects with code `SEND_TIMEOUT` when the broker has not answered by
 * then; the record may still arrive, and a later failure still reaches the ProducerListener. Without a time, the producer's
 * `deliveryTimeoutMs` is the limit.
 */
export class SendFuture<K = unknown, V = unknown> extends Outcome<SendResult<K, V>, KafkaSendError> {
  constructor(
    /** The record as it was given to the template. */
    readonly record: ProducerRecord<K, V>,
    host: OutcomeHost,
  ) {
    super(host);
  }

  protected override describe(): string {
    return `a send to ${describeTarget(this.record)}`;
  }

  protected override timeoutError(timeoutMs: number): Error {
    const message =
      `A record for ${describeTarget(this.record)} was not acknowledged within ${milliseconds(timeoutMs)}. ` +
      'It may still arrive: check before sending it again, or wait longer';
    return new KafkaTemplateError(KafkaTemplateErrorCode.SEND_TIMEOUT, message);
  }
}
