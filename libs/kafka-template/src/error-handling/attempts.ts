/**
 * How often records have failed that are being tried again.
 *
 * Usually a partition is stuck at one record; with `keyConcurrency` at several. Another class of error starts anew. Entries go
 * when the record succeeds or is recovered, and with the partition; of more than a bound per partition the oldest go.
 */
import type { RecordRef } from '../commit/commit-strategy.js';
import { type TopicPartition, partitionName } from '../drivers/driver.js';

/** Records of a partition that are remembered: those that were moved away from by a seek are never heard of again. */
const RECORDS_PER_PARTITION = 1000;

interface Entry {
  errorName: string;
  failures: number;
}

/** Counts failures. */
export class Attempts {
  /** By partition, then by offset. */
  readonly #entries = new Map<string, Map<number, Entry>>();
  readonly #resetOnErrorChange: boolean;

  constructor(options: { readonly resetOnErrorChange: boolean }) {
    this.#resetOnErrorChange = options.resetOnErrorChange;
  }

  /** Counts one failure of this record; returns how many there are now. */
  failed(listenerId: string, record: RecordRef, error: Error): number {
    const name = keyOf(listenerId, record);
    let entries = this.#entries.get(name);
    if (entries === undefined) this.#entries.set(name, (entries = new Map<number, Entry>()));
    const entry = entries.get(record.offset);
    const errorName = error.constructor.name;
    if (entry !== undefined && (!this.#resetOnErrorChange || entry.errorName === errorName)) return ++entry.failures;
    entries.set(record.offset, { errorName, failures: 1 });
    if (entries.size > RECORDS_PER_PARTITION) entries.delete(entries.keys().next().value as number);
    return 1;
  }

  /** Failures of this record so far. */
  failuresOf(listenerId: string, record: RecordRef): number {
    if (this.#entries.size === 0) return 0;
    return this.#entries.get(keyOf(listenerId, record))?.get(record.offset)?.failures ?? 0;
  }

  /** The record is dealt with. */
  clear(listenerId: string, record: RecordRef): void {
    if (this.#entries.size === 0) return;
    const name = keyOf(listenerId, record);
    const entries = this.#entries.get(name);
    if (entries?.delete(record.offset) === true && entries.size === 0) this.#entries.delete(name);
  }

  /** The partition is no longer here. */
  forget(listenerId: string, partition: TopicPartition): void {
    this.#entries.delete(keyOf(listenerId, partition));
  }
}

function keyOf(listenerId: string, partition: TopicPartition): string {
  return `${listenerId}:${partitionName(partition)}`;
}
