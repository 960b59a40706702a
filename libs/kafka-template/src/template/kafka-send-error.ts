/**
 * A send that failed, with the record that was not sent. Spring's KafkaProducerException.
 */
import { KafkaTemplateError, KafkaTemplateErrorCode, errorCodeOf, messageOf } from '../errors.js';
import type { ProducerRecord } from './producer-record.js';

/** A record could not be sent. `cause` says why, `code` is the cause's: `TIMEOUT`, `SERIALIZATION`, Kafka's names. */
export class KafkaSendError extends KafkaTemplateError {
  override name = 'KafkaSendError';

  constructor(
    /** The record as it was given to the template. */
    readonly record: ProducerRecord,
    cause: unknown,
  ) {
    super(
      errorCodeOf(cause) ?? KafkaTemplateErrorCode.SEND_FAILED,
      `A record for ${describeTarget(record)} was not sent: ${messageOf(cause)}`,
      cause,
    );
  }
}

/** `topic orders, partition 1`: where a record was to go. Says it of whatever was given as a record. */
export function describeTarget(record: ProducerRecord): string {
  try {
    const { topic, partition } = record;
    const name = typeof topic === 'string' && topic !== '' ? `topic ${topic}` : 'no topic';
    return typeof partition === 'number' ? `${name}, partition ${partition}` : name;
  } catch {
    return 'no topic';
  }
}
