import { DriverFake } from '../testing/driver-fake.js';
import { FakeClock } from '../testing/fake-clock.js';
import {
  type PartitionOffsetOption,
  type TopicPartitionsOption,
  parsePartitions,
  resolvePartitions,
  seekToStarts,
  shareOf,
} from './manual-assignment.js';

function consumerOf(records = 10) {
  const driver = new DriverFake(new FakeClock());
  driver.cluster.createTopic('t', 4);
  for (let index = 0; index < records; index++) driver.cluster.append({ topic: 't', value: '', timestamp: index * 10 });
  return driver.createConsumer({});
}

describe('listener: manual assignment', () => {
  it.each<[string, number[] | undefined]>([
    ['3', [3]],
    ['0-2,7', [0, 1, 2, 7]],
    [' 1 , 2 ', [1, 2]],
    ['2-1', undefined],
    ['x', undefined],
    ['', undefined],
  ])("parses '%s'", (text, expected) => expect(parsePartitions(text)).toEqual(expected));

  it.each<[string, TopicPartitionsOption[], number[]]>([
    ['a number', [{ topic: 't', partitions: 2 }], [2]],
    ['a list', [{ topic: 't', partitions: [1, 3] }], [1, 3]],
    ['a text', [{ topic: 't', partitions: '0-1' }], [0, 1]],
    ['all', [{ topic: 't', partitions: '*' }], [0, 1, 2, 3]],
    ['offsets only', [{ topic: 't', partitionOffsets: [{ partition: 3, initialOffset: 1 }] }], [3]],
    ['offsets for all', [{ topic: 't', partitionOffsets: [{ partition: '*' }] }], [0, 1, 2, 3]],
  ])('resolves %s', async (_name, options, expected) => {
    const resolved = await resolvePartitions(options, consumerOf());
    expect(resolved.map((partition) => partition.partition)).toEqual(expected);
  });

  it('a partition that is named keeps its own offset beside a wildcard', async () => {
    const partitionOffsets = [
      { partition: 1, initialOffset: 7 },
      { partition: '*', initialOffset: 0 },
    ];
    const resolved = await resolvePartitions([{ topic: 't', partitions: '0-2', partitionOffsets }], consumerOf());
    expect(resolved.map(({ partition, start }) => [partition, start?.initialOffset])).toEqual([
      [0, 0],
      [1, 7],
      [2, 0],
    ]);
  });

  it('deals partitions out evenly, the first consumers get one more', () => {
    const all = [0, 1, 2, 3, 4];
    expect([0, 1, 2].map((index) => shareOf(all, index, 3))).toEqual([[0, 1], [2, 3], [4]]);
    expect([0, 1, 2].map((index) => shareOf([0], index, 3))).toEqual([[0], [], []]);
  });

  it.each<[string, Omit<PartitionOffsetOption, 'partition'>, string]>([
    ['an absolute offset', { initialOffset: 4 }, 'seek t-0@4'],
    ['that many before the end', { initialOffset: -3 }, 'seek t-0@7'],
    ['never before the beginning', { initialOffset: -30 }, 'seek t-0@0'],
    ['from the current position', { initialOffset: -2, relativeToCurrent: true }, 'seek t-0@8'],
    ['the end', { seekPosition: 'END' }, 'seek t-0@10'],
    ['before the end', { seekPosition: 'END', initialOffset: 2 }, 'seek t-0@8'],
    ['after the beginning', { seekPosition: 'BEGINNING', initialOffset: 2 }, 'seek t-0@2'],
    ['a time', { seekPosition: 'TIMESTAMP', initialOffset: 35 }, 'seek t-0@4'],
    ['a time that is still to come', { seekPosition: 'TIMESTAMP', initialOffset: 999 }, 'seek t-0@10'],
  ])('begins at %s', async (_name, start, expected) => {
    const consumer = consumerOf();
    consumer.assign([{ topic: 't', partition: 0 }]);
    await seekToStarts(consumer, [{ topic: 't', partition: 0, start }]);
    expect(consumer.calls.at(-1)).toBe(expected);
  });
});
