/**
 * Share groups (KIP-932) with Apache Kafka's own Java client and ours as members, and Kafka's own tools looking at them.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBroker } from '@kafka-template/broker';
import { createAdmin, createProducer, createShareConsumer, silentLogger, type Admin } from '@kafka-template/client';
import { startTarget, type Target } from '../support/target.js';
import { dumpLog } from '../support/member-process.js';
import { kafkaConsoleShareConsumer, kafkaShareGroups, Sharers } from './sharers.js';

const ROUND = 40;
/** Heartbeats every half second, so that nothing takes long. */
const CONFIG = {
  'group.share.min.heartbeat.interval.ms': '500',
  'group.share.heartbeat.interval.ms': '500',
};

describe('share groups', () => {
  let target: Target;
  let sharers: Sharers;
  let admin: Admin;

  beforeAll(async () => {
    target = await startTarget(CONFIG);
    sharers = Sharers.start(target.bootstrapServers);
    admin = createAdmin({ bootstrapServers: target.bootstrapServers, logger: silentLogger });
  });
  afterAll(async () => {
    await sharers?.end();
    await admin?.close();
    await target?.stop();
  });

  /** A topic of one partition, and a group of the same name that begins at its beginning. */
  async function prepare(name: string, values: readonly string[]): Promise<void> {
    await admin.createTopics([{ name, numPartitions: 1, replicationFactor: 1 }]);
    const changes = [{ name: 'share.auto.offset.reset', value: 'earliest' }];
    const [outcome] = await admin.alterConfigs([{ type: 'group', name, changes }]);
    if (outcome?.error != null) throw outcome.error;
    await send(name, values);
  }

  /** Sends the values; resolves with their number. */
  async function send(topic: string, values: readonly string[]): Promise<number> {
    const producer = createProducer({ bootstrapServers: target.bootstrapServers, logger: silentLogger });
    for (const value of values) producer.append({ topic, value });
    await producer.flush();
    await producer.close();
    return values.length;
  }

  const numbered = (count: number): string[] => Array.from({ length: count }, (_, at) => `v${at}`);

  it('have Java members and ours share one partition without gap or double', async () => {
    await prepare('queue', []);
    sharers.enter('a', 'queue', 'queue');
    sharers.enter('b', 'queue', 'queue', 'implicit');
    const ours = createShareConsumer({
      bootstrapServers: target.bootstrapServers,
      groupId: 'queue',
      shareAcquireMode: 'record_limit',
      maxPollRecords: 10,
      logger: silentLogger,
    });
    ours.subscribe('queue');
    const offsets: number[] = [];
    const all = (): number[] => [...offsets, ...sharers.taken('a', 'b').map(({ offset }) => offset)];
    const everybodyHas = (): boolean =>
      offsets.length > 0 && sharers.taken('a').length > 0 && sharers.taken('b').length > 0;
    const deadline = Date.now() + 100_000;
    let sent = 0;
    while ((!everybodyHas() || all().length < sent) && Date.now() < deadline) {
      // Until all three have had some, there is always more.
      if (!everybodyHas()) sent += await send('queue', numbered(ROUND));
      for (const { offset } of await ours.poll(200)) offsets.push(offset);
    }
    expect(everybodyHas()).toBe(true);
    expect(all().sort((left, right) => left - right)).toEqual(Array.from({ length: sent }, (_, at) => at));
    await ours.commitSync();
    await ours.close();
    await sharers.leave('a');
    await sharers.leave('b');
    expect(sharers.failures()).toEqual([]);
  }, 200_000);

  it('follow what a Java member says of each record', async () => {
    await prepare('words', ['good', 'again', 'bad', 'slow', 'end']);
    sharers.enter('c', 'words', 'words');
    const deliveries = (value: string): number[] =>
      sharers
        .taken('c')
        .filter((each) => each.value === value)
        .map(({ deliveryCount }) => deliveryCount);
    await sharers.wait(() => deliveries('again').length >= 5, 'the record that is released is given out five times');
    await sharers.leave('c');
    expect(deliveries('again')).toEqual([1, 2, 3, 4, 5]);
    for (const value of ['good', 'bad', 'end']) expect([value, deliveries(value)]).toEqual([value, [1]]);
    // Java's client gives a renewed record to the application a second time: it is still the first delivery.
    expect(deliveries('slow')).toEqual([1, 1]);
    const states = await kafkaShareGroups(target.bootstrapServers, '--describe', '--group', 'words');
    // Where it starts is stored by Apache Kafka with the next change only; what is left to do is right at once.
    const [group, topic, partition, , lag] = states.at(-1) ?? [];
    expect([group, topic, partition, lag]).toEqual(['words', 'words', '0', '0']);
  }, 200_000);

  it("are listed, described, moved, read and deleted by Kafka's own tools", async () => {
    const { bootstrapServers } = target;
    await prepare('tools', numbered(7));
    const read = ['--group', 'tools', '--topic', 'tools', '--max-messages', '7', '--timeout-ms', '60000'];
    const values = await kafkaConsoleShareConsumer(bootstrapServers, ...read);
    expect(values.filter((line) => /^v\d+$/.test(line))).toEqual(numbered(7));
    const rows = await kafkaShareGroups(bootstrapServers, '--list', '--state');
    expect(rows).toContainEqual(['tools', 'Empty']);
    const of = ['--group', 'tools', '--topic', 'tools'];
    const moved = await kafkaShareGroups(bootstrapServers, '--reset-offsets', ...of, '--to-earliest', '--execute');
    expect(moved.at(-1)).toEqual(['tools', 'tools', '0', '0']);
    const shown = await kafkaShareGroups(bootstrapServers, '--describe', '--group', 'tools');
    expect(shown.at(-1)).toEqual(['tools', 'tools', '0', '0', '7']);
    const forgotten = await kafkaShareGroups(bootstrapServers, '--delete-offsets', ...of);
    expect(forgotten.at(-1)).toEqual(['tools', 'Successful']);
    await kafkaShareGroups(bootstrapServers, '--delete', '--group', 'tools');
    expect(await kafkaShareGroups(bootstrapServers, '--list')).not.toContainEqual(['tools']);
  }, 300_000);
});

describe('the state of share groups on disk', () => {
  it("is read by Kafka's own dump tool", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'share-state-'));
    try {
      const config = { 'share.coordinator.state.topic.num.partitions': '1', 'offsets.topic.num.partitions': '1' };
      const broker = await createBroker({ dataDir, config });
      const { bootstrapServers } = broker;
      const admin = createAdmin({ bootstrapServers, logger: silentLogger });
      await admin.createTopics([{ name: 't', numPartitions: 1, replicationFactor: 1 }]);
      const changes = [{ name: 'share.auto.offset.reset', value: 'earliest' }];
      await admin.alterConfigs([{ type: 'group', name: 'g', changes }]);
      const producer = createProducer({ bootstrapServers, logger: silentLogger });
      for (let at = 0; at < 5; at += 1) producer.append({ topic: 't', value: `v${at}` });
      await producer.close();
      const explicit = { groupId: 'g', shareAcknowledgementMode: 'explicit' } as const;
      const member = createShareConsumer({ bootstrapServers, logger: silentLogger, ...explicit });
      member.subscribe('t');
      let taken = 0;
      while (taken < 5) {
        for (const record of await member.poll(1000)) {
          taken += 1;
          member.acknowledge(record, record.offset === 3 ? 'reject' : 'accept');
          if (record.offset === 3) await member.commitSync();
        }
      }
      await member.close();
      await admin.close();
      await broker.close();
      const dump = async (topic: string, decoder: string): Promise<string> => {
        const folder = join(dataDir, `${topic}-0`);
        const logs = readdirSync(folder).filter((name) => name.endsWith('.log'));
        return (await dumpLog(join(folder, logs[0]!), decoder)).join('\n');
      };
      const state = await dump('__share_group_state', '--share-group-state-decoder');
      expect(state).toContain('"groupId":"g"');
      expect(state).toContain('"startOffset":5');
      const groups = await dump('__consumer_offsets', '--offsets-decoder');
      expect(groups).toContain('"subscribedTopicNames":["t"]');
      expect(groups).toContain('"initializedTopics":[{"topicId":');
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  }, 200_000);
});
