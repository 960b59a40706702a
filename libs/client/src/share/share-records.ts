/**
 * What one `poll` of a share consumer returns.
 *
 * Guarantees: records of one partition are in the order of their offsets; offsets may have gaps, because others have the rest.
 */
import type { ShareRecord } from './share-record.js';

/** See the file comment. */
export class ShareRecords implements Iterable<ShareRecord> {
  constructor(private readonly records: readonly ShareRecord[]) {}

  /** Number of records. */
  get count(): number {
    return this.records.length;
  }

  /** The time ran out. */
  get isEmpty(): boolean {
    return this.records.length === 0;
  }

  /** All records, as an array that is the caller's. */
  toArray(): ShareRecord[] {
    return [...this.records];
  }

  [Symbol.iterator](): Iterator<ShareRecord> {
    return this.records[Symbol.iterator]();
  }
}
