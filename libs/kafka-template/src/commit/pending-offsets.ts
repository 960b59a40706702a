/**
 * What may be committed but has not been handed out yet, one offset per partition.
 *
 * Guarantees that per partition the offsets it hands out only grow, until the partition is forgotten. One entry per
 * assigned partition: the partition count is its bound. Records come in runs of one partition, so the last entry is kept at
 * hand and the usual record costs two comparisons.
 */
import type { OffsetCommit, TopicPartition } from '../drivers/driver.js';
import { partitionName } from '../drivers/driver.js';
import type { Offsets, RecordRef } from './commit-strategy.js';

const NONE = -1;

interface Entry {
  readonly topic: string;
  readonly partition: number;
  /** Offset to commit next, or NONE. */
  next: number;
  /** Highest offset handed out so far, or NONE. */
  floor: number;
}

/** Offsets waiting to be committed. */
export class PendingOffsets {
  readonly #entries = new Map<string, Entry>();
  #last: Entry | undefined;
  #waiting = 0;

  /** Whether nothing waits. */
  get isEmpty(): boolean {
    return this.#waiting === 0;
  }

  /** This record, and all before it in its partition, are done. Returns false when that was known already. */
  add(record: RecordRef): boolean {
    const entry = this.#entryOf(record);
    const next = record.offset + 1;
    if (next <= entry.next || next <= entry.floor) return false;
    if (entry.next === NONE) this.#waiting++;
    entry.next = next;
    return true;
  }

  /** This record is not done: nothing past it may wait. */
  capAt(record: RecordRef): void {
    const entry = this.#entryOf(record);
    if (entry.next <= record.offset) return;
    // The records before the failed one are done; whether that is news, the floor tells.
    if (record.offset > entry.floor && record.offset > 0) entry.next = record.offset;
    else this.#clear(entry);
  }

  /** This offset is committed by other means: nothing at or behind it is handed out. False when it is behind itself. */
  advance(commit: OffsetCommit): boolean {
    const entry = this.#entryOf(commit);
    if (commit.offset < entry.floor) return false;
    entry.floor = commit.offset;
    if (entry.next <= commit.offset) this.#clear(entry);
    return true;
  }

  /** Hands out everything that waits. */
  take(): Offsets | undefined {
    if (this.#waiting === 0) return undefined;
    const offsets: OffsetCommit[] = [];
    for (const entry of this.#entries.values()) this.#takeEntry(entry, offsets);
    return offsets;
  }

  /** Hands out what waits for these partitions. */
  takeOf(partitions: readonly TopicPartition[]): Offsets | undefined {
    const offsets: OffsetCommit[] = [];
    for (const partition of partitions) {
      const entry = this.#entries.get(partitionName(partition));
      if (entry !== undefined) this.#takeEntry(entry, offsets);
    }
    return offsets.length === 0 ? undefined : offsets;
  }

  /** Drops all that is known of a partition: it is no longer ours, or its position was moved by hand. */
  forget(partition: TopicPartition): void {
    const name = partitionName(partition);
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.#clear(entry);
    this.#entries.delete(name);
    if (this.#last === entry) this.#last = undefined;
  }

  #takeEntry(entry: Entry, offsets: OffsetCommit[]): void {
    if (entry.next === NONE) return;
    offsets.push({ topic: entry.topic, partition: entry.partition, offset: entry.next });
    entry.floor = entry.next;
    this.#clear(entry);
  }

  #clear(entry: Entry): void {
    if (entry.next === NONE) return;
    entry.next = NONE;
    this.#waiting--;
  }

  #entryOf(record: RecordRef): Entry {
    const last = this.#last;
    if (last !== undefined && last.partition === record.partition && last.topic === record.topic) return last;
    const name = partitionName(record);
    let entry = this.#entries.get(name);
    if (entry === undefined) {
      entry = { topic: record.topic, partition: record.partition, next: NONE, floor: NONE };
      this.#entries.set(name, entry);
    }
    this.#last = entry;
    return entry;
  }
}
