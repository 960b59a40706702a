/**
 * What a container calls: a function for one record, or one for a whole poll.
 *
 * The container waits for what it returns. Knows nothing of Nest: the adapter in this folder turns a decorated method
 * into one of these, and a program without Nest writes its own.
 */
import type { Acknowledgment } from '../commit/acknowledgment.js';
import type { ConsumerRecord } from '../record/consumer-record.js';
import type { Consumer } from './consumer.js';
import type { KafkaSeekAware } from './seek-aware.js';

/** Called with one record. `acknowledgment` is there in the manual modes only. */
export type RecordListener = (
  record: ConsumerRecord,
  acknowledgment: Acknowledgment | undefined,
  consumer: Consumer,
) => unknown;

/** Called with the records of one poll, by partition and in order inside each. */
export type BatchListener = (
  records: readonly ConsumerRecord[],
  acknowledgment: Acknowledgment | undefined,
  consumer: Consumer,
) => unknown;

/** One of the two, and what the class it is of wants to hear besides. */
export type MessageListener = (
  | { readonly batch: false; readonly onRecord: RecordListener }
  | { readonly batch: true; readonly onBatch: BatchListener }
) & { readonly seekAware?: KafkaSeekAware | undefined };
