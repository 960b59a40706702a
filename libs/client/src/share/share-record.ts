/**
 * A record out of a share group: as any record, and how often it was given out.
 */
import { ConsumerRecord } from '../consumer/consumer-record.js';

/** See the file comment. */
export class ShareRecord extends ConsumerRecord {
  /** 1 for the first time. Set where the record is made. */
  deliveryCount = 1;

  override toJSON(): Record<string, unknown> {
    return { ...super.toJSON(), deliveryCount: this.deliveryCount };
  }
}
