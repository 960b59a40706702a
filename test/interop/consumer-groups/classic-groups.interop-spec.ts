/**
 * Classic groups with Apache Kafka's own Java client as members, for each of its strategies: partitions are shared as
 * members come and go, every record is read once, and a static member comes back to what it had.
 */
import { createAdmin, createProducer, silentLogger, type Admin } from '@kafka-template/client';
import { startTarget, type Target } from '../support/target.js';
import { kafkaConsumerGroups, Members } from './members.js';

const RECORDS = 300;
const PARTITIONS = 6;

describe('classic groups of Java members', () => {
  let target: Target;
  let members: Members;
  let admin: Admin;

  beforeAll(async () => {
    target = await startTarget();
    members = Members.start(target.bootstrapServers, 'classic');
    admin = createAdmin({ bootstrapServers: target.bootstrapServers, logger: silentLogger });
  });
  afterAll(async () => {
    await members?.end();
    await admin?.close();
    await target?.stop();
  });

  async function produce(topic: string): Promise<void> {
    const producer = createProducer({ bootstrapServers: target.bootstrapServers, logger: silentLogger });
    for (let at = 0; at < RECORDS; at += 1) producer.append({ topic, partition: at % PARTITIONS, value: `v${at}` });
    await producer.close();
  }

  const untilRead = (count: number, ...names: string[]): Promise<void> => {
    const sum = (): number => names.reduce((total, name) => total + members.read(name), 0);
    return members.wait(() => sum() === count, `${count} records are read by ${names.join(', ')}`);
  };

  const places = (topic: string, ...partitions: number[]): string[] => partitions.map((each) => `${topic}-${each}`);

  it.each([
    [
      'range',
      'RangeAssignor',
      [
        [0, 1, 2],
        [3, 4, 5],
      ],
    ],
    [
      'roundrobin',
      'RoundRobinAssignor',
      [
        [0, 2, 4],
        [1, 3, 5],
      ],
    ],
    ['sticky', 'StickyAssignor', null],
    ['cooperative-sticky', 'CooperativeStickyAssignor', null],
  ])('share partitions by %s as members come and go, and read every record once', async (name, assignor, shares) => {
    const topic = `classic-${name}`;
    const wish = { group: topic, topic, assignor: `org.apache.kafka.clients.consumer.${assignor}` };
    const [a, b, c] = ['a', 'b', 'c'].map((member) => `${member}-${name}`) as [string, string, string];
    await admin.createTopics([{ name: topic, numPartitions: PARTITIONS, replicationFactor: 1 }]);
    await produce(topic);
    members.enter(a, wish);
    await members.untilShared({ [a]: 6 });
    await untilRead(RECORDS, a);
    members.enter(b, wish);
    const owned = await members.untilShared({ [a]: 3, [b]: 3 });
    if (shares) expect(Object.values(owned).sort()).toEqual(shares.map((share) => places(topic, ...share)));
    members.enter(c, wish);
    await members.untilShared({ [a]: 2, [b]: 2, [c]: 2 });
    await produce(topic);
    await untilRead(2 * RECORDS, a, b, c);
    const [state] = await kafkaConsumerGroups(target.bootstrapServers, '--describe', '--group', topic, '--state');
    expect(state).toEqual(expect.arrayContaining([name, 'Stable', '3']));
    await members.leave(b);
    await members.untilShared({ [a]: 3, [c]: 3 });
    await produce(topic);
    await untilRead(3 * RECORDS, a, b, c);
    await members.leave(a);
    await members.leave(c);
  });

  it('let a static member come back to its partitions, and nobody else notices', async () => {
    await admin.createTopics([{ name: 'classic-static', numPartitions: PARTITIONS, replicationFactor: 1 }]);
    const wish = { group: 'classic-static', topic: 'classic-static' };
    members.enter('f', { ...wish, instanceId: 'one' });
    members.enter('g', { ...wish, instanceId: 'two' });
    const before = await members.untilShared({ f: 3, g: 3 });
    const described = ['--describe', '--group', 'classic-static', '--members'];
    const rows = await kafkaConsumerGroups(target.bootstrapServers, ...described);
    expect(rows.map((row) => row[2]).sort()).toEqual(['one', 'two']);
    const changes = members.changes('g');
    await members.leave('f');
    members.enter('h', { ...wish, instanceId: 'one' });
    const after = await members.untilShared({ h: 3, g: 3 });
    expect(after).toEqual({ h: before.f, g: before.g });
    // A rebalance would have shown: every eager member gives everything up for it.
    expect(members.changes('g')).toBe(changes);
    await members.leave('g');
    await members.leave('h');
  });
});
