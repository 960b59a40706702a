/**
 * The outcome of a request: the reply, or why there is none.
 */
import { KafkaTemplateError, KafkaTemplateErrorCode } from '../errors.js';
import { milliseconds } from '../io/wording.js';
import type { ConsumerRecord } from '../record/consumer-record.js';
import { Outcome, type OutcomeHost } from './outcome.js';

/** No reply came in time. The request may have been handled all the same. */
export class KafkaReplyTimeoutError extends KafkaTemplateError {
  override name = 'KafkaReplyTimeoutError';

  constructor(topic: string, timeoutMs: number) {
    super(
      KafkaTemplateErrorCode.REPLY_TIMEOUT,
      `No reply to a request to topic ${topic} came within ${milliseconds(timeoutMs)}. It may have been handled all the same: ` +
        'check that somebody listens and answers (@SendTo), or wait longer',
    );
  }
}

/** Completes with the reply; or with the error of the send, a {@link KafkaReplyTimeoutError}, CLOSED, ABORTED. */
export class ReplyFuture<R = unknown> extends Outcome<ConsumerRecord<unknown, R>, Error> {
  constructor(
    /** Where the request goes. */
    readonly topic: string,
    /** The value of `kafka_correlationId`. */
    readonly correlationId: string,
    host: OutcomeHost,
  ) {
    super(host);
  }

  protected override describe(): string {
    return `a request to topic ${this.topic}`;
  }

  protected override timeoutError(timeoutMs: number): Error {
    return new KafkaReplyTimeoutError(this.topic, timeoutMs);
  }
}
