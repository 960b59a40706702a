import { describe, expect, it } from '@jest/globals';
import { ActivePartitions } from './active-partitions.js';
import { PartitionQueue } from './partition-queue.js';

const [a, b, c] = [0, 1, 2].map((partition) => new PartitionQueue('t', partition, null)) as [
  PartitionQueue,
  PartitionQueue,
  PartitionQueue,
];

function listOf(...queues: PartitionQueue[]): ActivePartitions {
  for (const queue of [a, b, c]) expect(queue.isActive).toBe(false);
  const list = new ActivePartitions();
  for (const queue of queues) list.add(queue);
  return list;
}

/** Partition numbers in order; `during` is called with each while walking. Empties the list. */
function walk(list: ActivePartitions, during: (queue: PartitionQueue) => void = () => undefined): number[] {
  const seen: number[] = [];
  for (const queue of list) {
    seen.push(queue.partition);
    during(queue);
  }
  list.clear();
  return seen;
}

describe('ActivePartitions', () => {
  it('has each partition once, the newest last', () => {
    const list = listOf(a, b, a, c);
    list.add(b);
    expect(walk(list)).toEqual([0, 1, 2]);
  });

  it('moves a partition that is taken out and added to the end', () => {
    const list = listOf(a, b, c);
    list.delete(a);
    list.add(a);
    expect(walk(list)).toEqual([1, 2, 0]);
  });

  it.each([
    ['first', a, [1, 2]],
    ['middle', b, [0, 2]],
    ['last', c, [0, 1]],
  ])('lets the %s be taken out, twice too', (_, queue, rest) => {
    const list = listOf(a, b, c);
    list.delete(queue);
    list.delete(queue);
    expect(walk(list)).toEqual(rest);
  });

  it('can be emptied, by clear and one by one, and filled again', () => {
    const list = listOf(a, b);
    list.clear();
    expect(list.isEmpty).toBe(true);
    list.add(b);
    list.delete(b);
    expect(list.isEmpty).toBe(true);
    list.add(c);
    expect(list.isEmpty).toBe(false);
    expect(walk(list)).toEqual([2]);
  });

  it('may lose the partition that was just visited while it is walked through', () => {
    const list = listOf(a, b, c);
    expect(walk(list, (queue) => list.delete(queue))).toEqual([0, 1, 2]);
    expect(list.isEmpty).toBe(true);
  });

  it('visits what is added while it is walked through', () => {
    const list = listOf(a);
    expect(walk(list, (queue) => queue === a && list.add(c))).toEqual([0, 2]);
  });
});
