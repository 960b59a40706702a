/**
 * What one `poll` returns: records of one or more partitions, in order within each.
 *
 * Guarantees that iterating and counting copy nothing. Immutable once returned, and independent of the consumer: it can
 * be kept, or handled after the next `poll`.
 */
import type { ConsumerRecord } from './consumer-record.js';
import { partitionKey, type TopicPartition } from './topic-partition.js';

/** The records of one partition. */
export interface PartitionRecords {
  readonly topicPartition: TopicPartition;
  /** In the order of their offsets; offsets may have gaps (transactions, compaction). Never empty. */
  readonly records: ConsumerRecord[];
  /** The offset to commit once all of these records are done: one past the last. */
  readonly nextOffset: number;
  /** Leader epoch to commit with `nextOffset`, -1 when unknown. */
  readonly nextOffsetEpoch: number;
}

/** The records of one `poll`. */
export class ConsumerRecords implements Iterable<ConsumerRecord> {
  /** Number of records. */
  readonly count: number;
  private readonly parts: readonly PartitionRecords[];

  constructor(parts: readonly PartitionRecords[]) {
    this.parts = parts;
    let count = 0;
    for (const part of parts) count += part.records.length;
    this.count = count;
  }

  /** No records: the time ran out, or the position moved over transaction markers only. */
  get isEmpty(): boolean {
    return this.count === 0;
  }

  /** The partitions that have records here. */
  partitions(): TopicPartition[] {
    return this.parts.map((part) => part.topicPartition);
  }

  /** The records of one partition; an empty array when it has none here. */
  records(topicPartition: TopicPartition): ConsumerRecord[] {
    const key = partitionKey(topicPartition);
    return this.parts.find((part) => partitionKey(part.topicPartition) === key)?.records ?? [];
  }

  /** The records by partition, with the offset that follows each partition's last one. */
  byPartition(): readonly PartitionRecords[] {
    return this.parts;
  }

  /** All records: partition after partition, in order within each. */
  [Symbol.iterator](): Iterator<ConsumerRecord> {
    return new RecordsIterator(this.parts);
  }
}

/** An iterator without a generator's cost per record. */
class RecordsIterator implements Iterator<ConsumerRecord> {
  private part = 0;
  private index = 0;

  constructor(private readonly parts: readonly PartitionRecords[]) {}

  next(): IteratorResult<ConsumerRecord> {
    for (let current = this.parts[this.part]; current !== undefined; current = this.parts[++this.part]) {
      const value = current.records[this.index];
      if (value !== undefined) {
        this.index++;
        return { done: false, value };
      }
      this.index = 0;
    }
    return { done: true, value: undefined };
  }
}

/** The result of a `poll` that found nothing. */
export const NO_RECORDS = new ConsumerRecords([]);
