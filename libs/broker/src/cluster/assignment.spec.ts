import { assignReplicas, rackAlternating } from './assignment.js';
import { electLeader } from './elections.js';
import { ClusterSnapshot, type BrokerInfo, type PartitionImage, type TopicImage } from './image.js';
import { DEFAULT_TOPIC_CONFIG } from '../log/log-config.js';

const brokers = (...racks: (string | null)[]): BrokerInfo[] =>
  racks.map((rack, id) => ({ id, host: 'h', port: 1, rack, epoch: 1 }));
const place = (partitions: number, replicationFactor: number, start = 0, shift = 0) => ({
  partitions,
  replicationFactor,
  firstPartition: 0,
  start,
  shift,
});

describe('assignReplicas', () => {
  it('goes round the brokers, followers with a gap that grows each round', () => {
    const five = brokers(null, null, null, null, null);
    expect(assignReplicas(five, place(10, 3))).toEqual([
      [0, 1, 2],
      [1, 2, 3],
      [2, 3, 4],
      [3, 4, 0],
      [4, 0, 1],
      [0, 2, 3],
      [1, 3, 4],
      [2, 4, 0],
      [3, 0, 1],
      [4, 1, 2],
    ]);
  });

  it('puts everything on the only broker, always the same way', () => {
    expect(assignReplicas(brokers(null), place(3, 1))).toEqual([[0], [0], [0]]);
  });

  it('goes on where the topic ends when it grows', () => {
    const three = brokers(null, null, null);
    const added = assignReplicas(three, { ...place(2, 1), firstPartition: 4 });
    expect(added).toEqual([[1], [2]]);
  });

  it('takes turns of racks and puts replicas on different ones', () => {
    const racked = brokers('a', 'a', 'b', 'b', 'c', 'c');
    expect(rackAlternating(racked).map(({ id }) => id)).toEqual([0, 2, 4, 1, 3, 5]);
    const rackOf = (id: number) => racked[id]?.rack;
    for (let start = 0; start < 6; start += 1) {
      for (const replicas of assignReplicas(racked, place(12, 3, start, start))) {
        expect(new Set(replicas.map(rackOf)).size).toBe(3);
      }
    }
  });

  it('never puts two replicas on one broker, and spreads leaders evenly', () => {
    for (const count of [2, 3, 4, 7]) {
      for (let factor = 1; factor <= count; factor += 1) {
        const assignments = assignReplicas(
          brokers(...Array.from({ length: count }, () => null)),
          place(count * 4, factor, 1, 1),
        );
        const leaders = new Map<number, number>();
        for (const replicas of assignments) {
          expect(new Set(replicas).size).toBe(factor);
          leaders.set(replicas[0] ?? -1, (leaders.get(replicas[0] ?? -1) ?? 0) + 1);
        }
        expect([...leaders.values()]).toEqual(Array.from({ length: count }, () => 4));
      }
    }
  });
});

describe('electLeader', () => {
  const partition: PartitionImage = {
    partition: 0,
    leader: 0,
    leaderEpoch: 5,
    partitionEpoch: 9,
    replicas: [0, 1, 2],
    isr: [0, 2],
  };
  const topic = (unclean: boolean): TopicImage => ({
    name: 't',
    id: 'x',
    internal: false,
    partitions: [partition],
    config: { ...DEFAULT_TOPIC_CONFIG, uncleanLeaderElectionEnable: unclean },
    overrides: {},
  });
  const elect = (live: number[], options: { isNew?: boolean; unclean?: boolean; from?: PartitionImage } = {}) =>
    electLeader(options.from ?? partition, topic(options.unclean === true), {
      brokers: live.map((id) => ({ id, host: 'h', port: 1, rack: null, epoch: 1 })),
      leaderIsNew: options.isNew === true,
    });

  it('keeps a leader that lives, as the very same object', () => {
    expect(elect([0, 1, 2])).toBe(partition);
  });

  it('takes the first live replica that is in sync, and raises the epoch', () => {
    expect(elect([1, 2])).toMatchObject({ leader: 2, leaderEpoch: 6, isr: [2] });
  });

  it('lets a leader that was away lead again under a new epoch', () => {
    expect(elect([0, 1, 2], { isNew: true })).toMatchObject({ leader: 0, leaderEpoch: 6, isr: [0, 2] });
  });

  it('takes nobody out of sync unless the topic allows it', () => {
    const orphan = elect([1]);
    expect(orphan).toMatchObject({ leader: -1, leaderEpoch: 6, isr: [0, 2] });
    expect(elect([1], { from: orphan })).toBe(orphan);
    expect(elect([1], { unclean: true })).toMatchObject({ leader: 1, leaderEpoch: 6, isr: [1] });
    expect(elect([0], { from: orphan })).toMatchObject({ leader: 0, leaderEpoch: 7 });
  });
});

describe('ClusterSnapshot', () => {
  it('never changes: every change is another image', () => {
    const empty = ClusterSnapshot.empty('id');
    const topic: TopicImage = {
      name: 'b',
      id: '1',
      internal: false,
      partitions: [],
      config: DEFAULT_TOPIC_CONFIG,
      overrides: {},
    };
    const one = empty.withTopics([topic]);
    const two = one.withTopics([{ ...topic, name: 'a', id: '2' }]);
    expect(empty.topicCount).toBe(0);
    expect([...two.topics()].map(({ name }) => name)).toEqual(['a', 'b']);
    expect(two.withTopics([{ ...topic, id: '3' }]).topicById('1')).toBeUndefined();
    expect(two.withoutTopic('b').topicById('1')).toBeUndefined();
    expect(one.topic('b')).toBe(topic);
  });

  it('names a controller only while it is alive', () => {
    const live = brokers(null, null);
    expect(ClusterSnapshot.empty('id').withBrokers(live, 1).controllerId).toBe(1);
    expect(ClusterSnapshot.empty('id').withBrokers(live, 7).controllerId).toBe(-1);
  });
});
