/**
 * Groups of the new protocol (KIP-848) with Apache Kafka's own Java client as members and Kafka's own tool looking at them.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBroker } from '@kafka-template/broker';
import { createAdmin, createProducer, silentLogger, type Admin } from '@kafka-template/client';
import { startTarget, type Target } from '../support/target.js';
import { dumpLog } from '../support/member-process.js';
import { kafkaConsumerGroups, Members } from './members.js';

const RECORDS = 300;
/** Heartbeats every half second, so that nothing takes long. */
const CONFIG = {
  'group.consumer.min.heartbeat.interval.ms': '500',
  'group.consumer.heartbeat.interval.ms': '500',
  'group.consumer.min.session.timeout.ms': '5000',
  'group.consumer.session.timeout.ms': '15000',
};

describe('groups of the new protocol', () => {
  let target: Target;
  let members: Members;
  let admin: Admin;

  beforeAll(async () => {
    target = await startTarget(CONFIG);
    members = Members.start(target.bootstrapServers);
    admin = createAdmin({ bootstrapServers: target.bootstrapServers, logger: silentLogger });
  });
  afterAll(async () => {
    await members?.end();
    await admin?.close();
    await target?.stop();
  });

  async function fill(topic: string, numPartitions: number): Promise<void> {
    await admin.createTopics([{ name: topic, numPartitions, replicationFactor: 1 }]);
    await produce(topic, numPartitions);
  }

  async function produce(topic: string, numPartitions: number): Promise<void> {
    const producer = createProducer({ bootstrapServers: target.bootstrapServers, logger: silentLogger });
    for (let at = 0; at < RECORDS; at += 1) producer.append({ topic, partition: at % numPartitions, value: `v${at}` });
    await producer.flush();
    await producer.close();
  }

  const untilRead = (count: number, ...names: string[]): Promise<void> => {
    const sum = (): number => names.reduce((total, name) => total + members.read(name), 0);
    return members.wait(() => sum() === count, `${count} records are read by ${names.join(', ')}`);
  };

  it('shares partitions uniformly as members come and go, and reads every record once', async () => {
    await fill('uniform', 6);
    members.enter('a', { group: 'u', topic: 'uniform' });
    await members.untilShared({ a: 6 });
    await untilRead(RECORDS, 'a');
    members.enter('b', { group: 'u', topic: 'uniform' });
    members.enter('c', { group: 'u', topic: 'uniform' });
    await members.untilShared({ a: 2, b: 2, c: 2 });
    await produce('uniform', 6);
    await untilRead(2 * RECORDS, 'a', 'b', 'c');
    await members.leave('b');
    await members.untilShared({ a: 3, c: 3 });

    const group = ['--group', 'u', '--describe'];
    const states = await kafkaConsumerGroups(target.bootstrapServers, ...group, '--state');
    expect(states[0]).toEqual(expect.arrayContaining(['u', 'uniform', 'Stable', '2']));
    const shown = await kafkaConsumerGroups(target.bootstrapServers, ...group, '--members', '--verbose');
    expect(shown.map((row) => row[3]).sort()).toEqual(['a', 'c']);
    const offsets = await kafkaConsumerGroups(target.bootstrapServers, ...group);
    // Group, topic, partition, committed, end, lag.
    expect(offsets.map((row) => row.slice(0, 6)).sort()).toEqual(
      Array.from({ length: 6 }, (_, at) => ['u', 'uniform', String(at), '100', '100', '0']),
    );
    await members.leave('a');
    await members.leave('c');
    const listed = await kafkaConsumerGroups(target.bootstrapServers, '--list', '--state', '--type', 'consumer');
    expect(listed).toContainEqual(['u', 'Consumer', 'Empty']);
    await kafkaConsumerGroups(target.bootstrapServers, '--group', 'u', '--delete');
    expect(await kafkaConsumerGroups(target.bootstrapServers, '--list')).not.toContainEqual(['u']);
  });

  it('cuts topics into ranges', async () => {
    await fill('range-x', 4);
    await fill('range-y', 4);
    const wish = { group: 'r', pattern: 'range-[xy]', assignor: 'range' };
    members.enter('d', wish);
    members.enter('e', wish);
    const owned = await members.untilShared({ d: 4, e: 4 });
    const halves = [
      ['range-x-0', 'range-x-1', 'range-y-0', 'range-y-1'],
      ['range-x-2', 'range-x-3', 'range-y-2', 'range-y-3'],
    ];
    expect(Object.values(owned).sort()).toEqual(halves);
    await members.leave('d');
    await members.leave('e');
  });

  it('lets a static member come back to its partitions, and nobody else notices', async () => {
    await fill('static', 4);
    members.enter('f', { group: 's', topic: 'static', instanceId: 'one' });
    members.enter('g', { group: 's', topic: 'static', instanceId: 'two' });
    const before = await members.untilShared({ f: 2, g: 2 });
    await members.leave('f');
    expect(members.assigned('g')).toEqual(before.g);
    members.enter('h', { group: 's', topic: 'static', instanceId: 'one' });
    const after = await members.untilShared({ h: 2, g: 2 });
    expect(after).toEqual({ h: before.f, g: before.g });
    await members.leave('g');
    await members.leave('h');
  });

  it('goes on after the broker was ended in the middle of it', async () => {
    await fill('restart', 4);
    members.enter('i', { group: 'x', topic: 'restart' });
    members.enter('j', { group: 'x', topic: 'restart' });
    const before = await members.untilShared({ i: 2, j: 2 });
    await untilRead(RECORDS, 'i', 'j');
    await target.crash();
    await produce('restart', 4);
    await untilRead(2 * RECORDS, 'i', 'j');
    expect({ i: members.assigned('i'), j: members.assigned('j') }).toEqual(before);
    await members.leave('j');
    await members.untilShared({ i: 4 });
    await members.leave('i');
  });

  it('are kept in a log that the dump tool of Apache Kafka reads', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'offsets-log-'));
    try {
      const broker = await createBroker({ dataDir, config: { 'offsets.topic.num.partitions': 1 } });
      const dumped = Members.start(broker.bootstrapServers);
      try {
        dumped.enter('k', { group: 'dumped', pattern: 'dump.*', instanceId: 'one' });
        const maker = createAdmin({ bootstrapServers: broker.bootstrapServers, logger: silentLogger });
        await maker.createTopics([{ name: 'dump', numPartitions: 2, replicationFactor: 1 }]);
        await maker.close();
        await dumped.untilShared({ k: 2 });
      } finally {
        await dumped.end();
        await broker.close();
      }
      const lines = await dumpLog(
        join(dataDir, '__consumer_offsets-0', '00000000000000000000.log'),
        '--offsets-decoder',
      );
      const types = new Set(lines.flatMap((line) => /key: \{"type":"(\d+)"/.exec(line)?.[1] ?? []));
      // Offsets (1) are there, too, when the member lived long enough to commit by itself.
      types.delete('1');
      expect([...types].sort()).toEqual(['16', '3', '5', '6', '7', '8']);
      const patterns = lines.filter((line) => line.includes('"regularExpression":"dump.*"'));
      expect(patterns.at(-1)).toContain('"topics":["dump"]');
      expect(lines.filter((line) => line.includes('"type":"8"')).at(-1)).toContain('"memberEpoch":-2');
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});
