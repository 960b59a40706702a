/**
 * Records that were delivered and are not finished yet, per partition: what makes out-of-order completion safe to commit.
 *
 * A record that is finished before an earlier one of its partition waits for it; when the earliest is finished, it and
 * those after it that are done are released together, in order. Offsets need not be consecutive (compaction, transaction
 * markers). The bound is `limit` records per partition: the container pauses a partition that is full.
 */
import { type TopicPartition, partitionName } from '../drivers/driver.js';
import type { RecordRef } from './commit-strategy.js';

/** What was not finished in a partition: `count` records, the earliest at `offset`. */
export interface Unfinished extends TopicPartition {
  /** Of the first record that is not finished. */
  readonly offset: number;
  /** Records of the partition that are not finished. */
  readonly count: number;
}

interface Entry {
  readonly record: RecordRef;
  isDone: boolean;
}

interface Lane {
  /** By offset, in the order of delivery, which is that of offsets. */
  readonly entries: Map<number, Entry>;
  open: number;
}

const NONE: readonly RecordRef[] = [];

/** Keeps count of unfinished records. */
export class AckWindow {
  readonly #limit: number;
  readonly #lanes = new Map<string, Lane>();

  /** `limit` is the number of records per partition that may be delivered and not released. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The record is delivered. One that is delivered again keeps its place. */
  open(record: RecordRef): void {
    const name = partitionName(record);
    let lane = this.#lanes.get(name);
    if (lane === undefined) this.#lanes.set(name, (lane = { entries: new Map<number, Entry>(), open: 0 }));
    if (lane.entries.has(record.offset)) return;
    lane.entries.set(record.offset, { record, isDone: false });
    lane.open++;
  }

  /** The record is finished. Returns the records that may be committed now, in order; none while an earlier one is open. */
  close(record: RecordRef): readonly RecordRef[] {
    const lane = this.#lanes.get(partitionName(record));
    const entry = lane?.entries.get(record.offset);
    if (lane === undefined || entry === undefined || entry.isDone) return NONE;
    entry.isDone = true;
    lane.open--;
    const released: RecordRef[] = [];
    for (const [offset, { isDone, record: earliest }] of lane.entries) {
      if (!isDone) break;
      lane.entries.delete(offset);
      released.push(earliest);
    }
    return released;
  }

  /** Whether no further record of the partition may be delivered. */
  isFull(partition: TopicPartition): boolean {
    return this.sizeOf(partition) >= this.#limit;
  }

  /** Whether a partition that was full has room again: half of its window. */
  hasRoom(partition: TopicPartition): boolean {
    return this.sizeOf(partition) <= this.#limit / 2;
  }

  /** Records of the partition that are not released. */
  sizeOf(partition: TopicPartition): number {
    return this.#lanes.get(partitionName(partition))?.entries.size ?? 0;
  }

  /** Drops what is known of the partitions. Returns what was not finished in them. */
  forget(partitions: readonly TopicPartition[]): Unfinished[] {
    const unfinished: Unfinished[] = [];
    for (const partition of partitions) {
      const name = partitionName(partition);
      const lane = this.#lanes.get(name);
      if (lane === undefined) continue;
      unfinished.push(...unfinishedOf(lane));
      this.#lanes.delete(name);
    }
    return unfinished;
  }

  /** What is not finished, per partition. */
  unfinished(): Unfinished[] {
    return [...this.#lanes.values()].flatMap(unfinishedOf);
  }
}

function unfinishedOf(lane: Lane): Unfinished[] {
  for (const { record, isDone } of lane.entries.values()) {
    if (isDone) continue;
    return [{ topic: record.topic, partition: record.partition, offset: record.offset, count: lane.open }];
  }
  return [];
}
