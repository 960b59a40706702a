/**
 * Sees and changes records on their way out, before they are serialised. Spring's ProducerInterceptor beans.
 *
 * For what every record needs: trace headers, tenant, schema version. What it throws is logged and the record goes on as it
 * was, as in Kafka: an observer must not lose records.
 */
import type { RecordMetadata } from '../drivers/driver.js';
import type { ProducerRecord } from './producer-record.js';

/** One or both of two hooks; called in the order of the list. */
export interface ProducerInterceptor {
  /** Called inside `send`. Returns the record to send instead, or nothing: then the given one is sent. */
  onSend?(record: ProducerRecord): ProducerRecord | undefined | void;
  /** Called when the outcome is known, before the future completes. `metadata` is null when the record was not sent. */
  onAcknowledgement?(metadata: RecordMetadata | null, error: Error | null, record: ProducerRecord): void;
}
