/**
 * Partitions named one by one, and where reading begins in each.
 *
 * Offsets given here apply at every start, as Spring's do, not only when the group has no committed offset. Several
 * consumers share the partitions evenly (5 over 3 is 2, 2, 1). Partitions added to a topic later are not noticed.
 */
import type { DriverConsumer, TopicPartition } from '../drivers/driver.js';
import { partitionName } from '../drivers/driver.js';

/** Where reading begins in some partitions. Spring's @PartitionOffset. */
export interface PartitionOffsetOption {
  /** A number, a list such as `0-5,7`, or `*` for all that are not named. */
  readonly partition: number | string;
  /** From 0: that offset, or that many after the beginning, end or position. Below 0: that many before the end. */
  readonly initialOffset?: number;
  /** Whether `initialOffset` counts from the current position. Default false. */
  readonly relativeToCurrent?: boolean;
  /** BEGINNING or END, from which `initialOffset` counts; TIMESTAMP: `initialOffset` is epoch milliseconds. */
  readonly seekPosition?: 'BEGINNING' | 'END' | 'TIMESTAMP';
}

/** Some partitions of a topic. Spring's @TopicPartition. */
export interface TopicPartitionsOption {
  /** The topic. */
  readonly topic: string;
  /** A number, several, a list such as `0-5,7`, or `*` for all. */
  readonly partitions?: number | readonly number[] | string;
  /** Partitions with the offsets at which reading begins, at every start. */
  readonly partitionOffsets?: readonly PartitionOffsetOption[];
}

/** A partition to read and where to begin; without `start`, at the committed offset or as `autoOffsetReset` says. */
export interface AssignedPartition extends TopicPartition {
  readonly start?: Omit<PartitionOffsetOption, 'partition'>;
}

/** Partition numbers of a list such as `0-5,7`; undefined when it is not such a list. */
export function parsePartitions(text: string): number[] | undefined {
  const numbers: number[] = [];
  for (const part of text.split(',')) {
    const match = /^\s*(\d+)(?:\s*-\s*(\d+))?\s*$/.exec(part);
    if (match === null) return undefined;
    const first = Number(match[1]);
    const last = match[2] === undefined ? first : Number(match[2]);
    if (last < first) return undefined;
    for (let partition = first; partition <= last; partition++) numbers.push(partition);
  }
  return numbers;
}

/** The partitions that options name. Asks the broker only where there is a `*`. */
export async function resolvePartitions(
  options: readonly TopicPartitionsOption[],
  consumer: DriverConsumer,
): Promise<AssignedPartition[]> {
  const resolved = new Map<string, AssignedPartition>();
  for (const option of options) {
    const { topic } = option;
    const all = async () => (await consumer.partitionsFor(topic)).map((info) => info.partition);
    for (const partition of await numbersOf(option.partitions, all)) {
      resolved.set(partitionName({ topic, partition }), { topic, partition });
    }
    // The wildcard first, so that partitions named by number keep their own offset.
    const offsets = [...(option.partitionOffsets ?? [])].sort((a) => (a.partition === '*' ? -1 : 1));
    for (const { partition: named, ...start } of offsets) {
      const wildcard = async () => (option.partitions === undefined ? all() : numbersOf(option.partitions, all));
      for (const partition of await numbersOf(named, wildcard)) {
        resolved.set(partitionName({ topic, partition }), { topic, partition, start });
      }
    }
  }
  return [...resolved.values()];
}

async function numbersOf(
  named: TopicPartitionsOption['partitions'],
  all: () => Promise<readonly number[]>,
): Promise<readonly number[]> {
  if (named === undefined) return [];
  if (named === '*') return all();
  if (typeof named === 'number') return [named];
  return typeof named === 'string' ? (parsePartitions(named) ?? []) : named;
}

/** The share of one of several consumers: neighbours stay together, the first ones get one more. */
export function shareOf<T>(partitions: readonly T[], index: number, count: number): T[] {
  const base = Math.floor(partitions.length / count);
  const extra = partitions.length % count;
  const start = index * base + Math.min(index, extra);
  return partitions.slice(start, start + base + (index < extra ? 1 : 0));
}

/** Moves a consumer that has these partitions assigned to where reading begins. */
export async function seekToStarts(consumer: DriverConsumer, partitions: readonly AssignedPartition[]): Promise<void> {
  for (const { topic, partition, start } of partitions) {
    if (start === undefined) continue;
    const target = { topic, partition };
    const offset = start.initialOffset ?? 0;
    if (start.seekPosition === 'TIMESTAMP') {
      const [found] = await consumer.offsetsForTimes([{ ...target, timestamp: offset }]);
      if (typeof found?.offset === 'number' && found.offset >= 0) consumer.seek(target, found.offset);
      else consumer.seekToEnd([target]);
    } else if (start.relativeToCurrent === true) {
      consumer.seek(target, Math.max(0, (await consumer.position(target)) + offset));
    } else if (start.seekPosition === 'END' || (start.seekPosition === undefined && offset < 0)) {
      const [end] = await consumer.endOffsets([target]);
      consumer.seek(target, Math.max(0, (end?.offset ?? 0) - Math.abs(offset)));
    } else if (start.seekPosition === 'BEGINNING') {
      const [beginning] = await consumer.beginningOffsets([target]);
      consumer.seek(target, (beginning?.offset ?? 0) + offset);
    } else {
      consumer.seek(target, offset);
    }
  }
}
