/**
 * What a successful send leaves behind: the record that was sent and what the broker answered. Spring's SendResult.
 */
import type { RecordMetadata } from '../drivers/driver.js';
import type { ProducerRecord } from './producer-record.js';

/** The record sent and the broker's answer to it. */
export class SendResult<K = unknown, V = unknown> {
  constructor(
    /** The record as it was given to the template. */
    readonly record: ProducerRecord<K, V>,
    /** Topic, partition, offset, timestamp and sizes as the broker has them. */
    readonly metadata: RecordMetadata,
  ) {}

  /** Topic the record went to. */
  get topic(): string {
    return this.metadata.topic;
  }

  /** Partition the record went to. */
  get partition(): number {
    return this.metadata.partition;
  }

  /** Offset the broker gave it; -1 with `acks` 0, when no broker answers. */
  get offset(): number {
    return this.metadata.offset;
  }

  /** Timestamp of the record in the log, in epoch milliseconds. */
  get timestamp(): number {
    return this.metadata.timestamp;
  }
}
