/**
 * How often the record a partition is stuck at has failed.
 *
 * One entry per partition and listener: a partition is stuck at one record at a time. A different record, or another class of
 * error, starts anew. Entries go when the record succeeds or is recovered, and with the partition.
 */
import type { RecordRef } from '../commit/commit-strategy.js';
import { type TopicPartition, partitionName } from '../drivers/driver.js';

interface Entry {
  offset: number;
  errorName: string;
  failures: number;
}

/** Counts failures. */
export class Attempts {
  readonly #entries = new Map<string, Entry>();
  readonly #resetOnErrorChange: boolean;

  constructor(options: { readonly resetOnErrorChange: boolean }) {
    this.#resetOnErrorChange = options.resetOnErrorChange;
  }

  /** Counts one failure of this record; returns how many there are now. */
  failed(listenerId: string, record: RecordRef, error: Error): number {
    const name = keyOf(listenerId, record);
    const entry = this.#entries.get(name);
    const errorName = error.constructor.name;
    const isSame =
      entry !== undefined &&
      entry.offset === record.offset &&
      (!this.#resetOnErrorChange || entry.errorName === errorName);
    if (isSame) return ++entry.failures;
    this.#entries.set(name, { offset: record.offset, errorName, failures: 1 });
    return 1;
  }

  /** Failures of this record so far. */
  failuresOf(listenerId: string, record: RecordRef): number {
    if (this.#entries.size === 0) return 0;
    const entry = this.#entries.get(keyOf(listenerId, record));
    return entry?.offset === record.offset ? entry.failures : 0;
  }

  /** The partition is no longer stuck, or no longer here. */
  clear(listenerId: string, partition: TopicPartition): void {
    if (this.#entries.size > 0) this.#entries.delete(keyOf(listenerId, partition));
  }
}

function keyOf(listenerId: string, partition: TopicPartition): string {
  return `${listenerId}:${partitionName(partition)}`;
}
