/**
 * librdkafka of today (2.16, by its Python wheel): groups of both protocols, also together with Java members, transactions
 * with offsets, and groups as its admin client sees them.
 */
import { join } from 'node:path';
import { createAdmin, createProducer, silentLogger, type Admin } from '@kafka-template/client';
import { Members } from '../consumer-groups/members.js';
import { kcat } from '../support/kcat.js';
import { startTarget, type Target } from '../support/target.js';
import { installPython, python } from './python.js';

const RECORDS = 300;
const PARTITIONS = 6;
/** Heartbeats every half second, so that nothing takes long. */
const CONFIG = {
  'group.consumer.min.heartbeat.interval.ms': '500',
  'group.consumer.heartbeat.interval.ms': '500',
  'group.consumer.min.session.timeout.ms': '5000',
  'group.consumer.session.timeout.ms': '15000',
};
const JAVA_COOPERATIVE = 'org.apache.kafka.clients.consumer.CooperativeStickyAssignor';

describe('librdkafka', () => {
  let target: Target;
  let admin: Admin;
  const processes: Members[] = [];

  beforeAll(async () => {
    target = await startTarget(CONFIG);
    admin = createAdmin({ bootstrapServers: target.bootstrapServers, logger: silentLogger });
  });
  afterEach(async () => {
    for (const each of processes.splice(0)) await each.end();
  });
  afterAll(async () => {
    await admin?.close();
    await target?.stop();
  });

  function keep(members: Members): Members {
    processes.push(members);
    return members;
  }
  const librdkafka = (protocol: 'classic' | 'consumer'): Members =>
    keep(Members.run(installPython(), [join(import.meta.dirname, 'members.py'), target.bootstrapServers, protocol]));
  const java = (protocol: 'classic' | 'consumer'): Members => keep(Members.start(target.bootstrapServers, protocol));

  const createTopic = (name: string) => admin.createTopics([{ name, numPartitions: PARTITIONS, replicationFactor: 1 }]);

  async function produce(topic: string): Promise<void> {
    const producer = createProducer({ bootstrapServers: target.bootstrapServers, logger: silentLogger });
    for (let at = 0; at < RECORDS; at += 1) producer.append({ topic, partition: at % PARTITIONS, value: `v${at}` });
    await producer.close();
  }

  function untilRead(members: Members, count: number, ...names: string[]): Promise<void> {
    const sum = (): number => names.reduce((total, name) => total + members.read(name), 0);
    return members.wait(() => sum() === count, `${count} records are read by ${names.join(', ')}`);
  }

  it.each(['range', 'roundrobin', 'cooperative-sticky'])(
    'shares partitions of a classic group by %s as members come and go, and reads every record once',
    async (assignor) => {
      const topic = `rd-${assignor}`;
      const members = librdkafka('classic');
      const wish = { group: topic, topic, assignor };
      await createTopic(topic);
      await produce(topic);
      members.enter('a', wish);
      await members.untilShared({ a: 6 });
      await untilRead(members, RECORDS, 'a');
      members.enter('b', wish);
      await members.untilShared({ a: 3, b: 3 });
      await produce(topic);
      await untilRead(members, 2 * RECORDS, 'a', 'b');
      await members.leave('a');
      await members.untilShared({ b: 6 });
      await produce(topic);
      await untilRead(members, 3 * RECORDS, 'a', 'b');
    },
  );

  it.each(['uniform', 'range'])(
    'shares partitions of a group of the new protocol by %s, with a pattern, and reads every record once',
    async (assignor) => {
      const topic = `rd-new-${assignor}`;
      const members = librdkafka('consumer');
      const wish = { group: topic, assignor };
      await createTopic(topic);
      await produce(topic);
      members.enter('a', { ...wish, pattern: `rd-new-${assignor}.*` });
      await members.untilShared({ a: 6 });
      await untilRead(members, RECORDS, 'a');
      members.enter('b', { ...wish, topic });
      await members.untilShared({ a: 3, b: 3 });
      await produce(topic);
      await untilRead(members, 2 * RECORDS, 'a', 'b');
      await members.leave('a');
      await members.untilShared({ b: 6 });
    },
  );

  it('has static members that come back to their partitions, in the new protocol', async () => {
    await createTopic('rd-static');
    const members = librdkafka('consumer');
    const wish = { group: 'rd-static', topic: 'rd-static' };
    members.enter('a', { ...wish, instanceId: 'one' });
    members.enter('b', { ...wish, instanceId: 'two' });
    const before = await members.untilShared({ a: 3, b: 3 });
    await members.leave('a');
    members.enter('c', { ...wish, instanceId: 'one' });
    expect(await members.untilShared({ c: 3, b: 3 })).toEqual({ c: before.a, b: before.b });
  });

  it.each(['classic', 'consumer'] as const)('shares a %s group with a Java member', async (protocol) => {
    const topic = `rd-java-${protocol}`;
    const [ours, theirs] = [librdkafka(protocol), java(protocol)];
    const wish = { group: topic, topic };
    await createTopic(topic);
    await produce(topic);
    ours.enter('a', protocol === 'classic' ? { ...wish, assignor: 'cooperative-sticky' } : wish);
    await ours.untilShared({ a: 6 });
    await untilRead(ours, RECORDS, 'a');
    theirs.enter('b', protocol === 'classic' ? { ...wish, assignor: JAVA_COOPERATIVE } : wish);
    await theirs.untilShared({ b: 3 });
    await ours.untilShared({ a: 3 });
    expect(new Set([...ours.assigned('a'), ...theirs.assigned('b')]).size).toBe(PARTITIONS);
    await produce(topic);
    await ours.wait(() => ours.read('a') + theirs.read('b') === 2 * RECORDS, 'both have read everything once');
    await ours.leave('a');
    await theirs.untilShared({ b: 6 });
  });

  it.each(['classic', 'consumer'])(
    'moves records exactly once with send_offsets_to_transaction, from a %s group',
    async (protocol) => {
      const [from, to] = [`rd-from-${protocol}`, `rd-to-${protocol}`] as const;
      await createTopic(from);
      await createTopic(to);
      await produce(from);
      const parameters = [from, to, `rd-mover-${protocol}`, `rd-id-${protocol}`, String(RECORDS), protocol];
      const lines = await python('transfer.py', 'move', target.bootstrapServers, ...parameters);
      expect(lines).toEqual([`moved ${RECORDS}`, 'aborted True']);
      const read = async (isolation: string): Promise<string[]> => {
        const level = ['-X', `isolation.level=${isolation}`];
        const text = await kcat(target.bootstrapServers, ['-C', '-q', '-e', '-o', 'beginning', '-t', to, ...level]);
        return text.toString().split('\n').filter(Boolean).sort();
      };
      expect(await read('read_committed')).toEqual(Array.from({ length: RECORDS }, (_, at) => `V${at}`).sort());
      expect((await read('read_uncommitted')).length).toBeGreaterThan(RECORDS);
    },
  );

  it('fences the producer that had the transactional id before', async () => {
    await createTopic('rd-zombies');
    const [line = ''] = await python('transfer.py', 'zombie', target.bootstrapServers, 'rd-zombies', 'rd-zombie');
    expect(line).toMatch(/^first (_FENCED|PRODUCER_FENCED|INVALID_PRODUCER_EPOCH) fatal$/);
  });

  it('lists, describes and deletes a group, and changes its offsets', async () => {
    await createTopic('rd-admin');
    await produce('rd-admin');
    const members = librdkafka('classic');
    members.enter('a', { group: 'rd-admin', topic: 'rd-admin' });
    await untilRead(members, RECORDS, 'a');
    await members.leave('a');
    const lines = await python('groups.py', target.bootstrapServers, 'rd-admin', 'rd-admin');
    expect(lines).toEqual([
      'listed EMPTY CLASSIC',
      'described EMPTY 0',
      'offsets 0:50 1:50 2:50 3:50 4:50 5:50',
      'altered 0:7 1:50 2:50 3:50 4:50 5:50',
      'deleted True',
    ]);
  });
});
