/**
 * The admin client: topics, configs, groups, offsets and records, with one outcome per item.
 */
import { OffsetSpec } from '@kafka-template/client';
import { uniqueName } from '../support/broker.js';
import { Consuming, pollAssigned, values } from '../support/consuming.js';
import { until } from '../support/until.js';

let kafka: Consuming;

beforeAll(async () => {
  kafka = await Consuming.start();
});

afterAll(async () => {
  await kafka.close();
});

/** The codes of outcomes; null for those that were done. */
function codes(outcomes: readonly { error: { code: string } | null }[]): (string | null)[] {
  return outcomes.map(({ error }) => error?.code ?? null);
}

describe('topics', () => {
  it('are created, listed, described, grown and deleted, each with an outcome of its own', async () => {
    const { admin } = kafka;
    const [name, absent] = [uniqueName('topic'), uniqueName('absent')];
    const created = await admin.createTopics([
      { name, numPartitions: 2, replicationFactor: 1 },
      { name: 'not a name' },
    ]);
    expect(codes(created)).toEqual([null, 'INVALID_TOPIC_EXCEPTION']);
    expect(created[0]).toMatchObject({ name, numPartitions: 2, replicationFactor: 1 });
    expect(codes(await admin.createTopics([{ name }]))).toEqual(['TOPIC_ALREADY_EXISTS']);
    expect((await admin.listTopics()).map((topic) => topic.name)).toContain(name);
    const described = await admin.describeTopics([absent, name]);
    expect(codes(described)).toEqual(['UNKNOWN_TOPIC_OR_PARTITION', null]);
    expect(described[1]?.topicId).toBe(created[0]?.topicId);
    expect(described[1]?.partitions.map(({ partition, leader }) => [partition, leader >= 0])).toEqual([
      [0, true],
      [1, true],
    ]);
    const grown = await admin.createPartitions([
      { topic: name, totalCount: 3 },
      { topic: absent, totalCount: 3 },
    ]);
    expect(codes(grown)).toEqual([null, 'UNKNOWN_TOPIC_OR_PARTITION']);
    expect(codes(await admin.createPartitions([{ topic: name, totalCount: 1 }]))).toEqual(['INVALID_PARTITIONS']);
    await until(async () => (await admin.describeTopics([name]))[0]?.partitions.length === 3, 'the topic has grown');
    expect(codes(await admin.deleteTopics([name, absent]))).toEqual([null, 'UNKNOWN_TOPIC_OR_PARTITION']);
    await until(async () => codes(await admin.describeTopics([name]))[0] !== null, 'the topic is gone');
  });

  it('are not created by looking at them', async () => {
    const name = uniqueName('absent');
    await kafka.admin.describeTopics([name]);
    await kafka.admin.listOffsets([{ topic: name, partition: 0, timestamp: OffsetSpec.LATEST }], { timeoutMs: 300 });
    expect((await kafka.admin.listTopics()).map((topic) => topic.name)).not.toContain(name);
  });

  it('are only checked with validateOnly', async () => {
    const name = uniqueName('topic');
    const outcomes = await kafka.admin.createTopics([{ name, numPartitions: 1, replicationFactor: 1 }], {
      validateOnly: true,
    });
    expect(codes(outcomes)).toEqual([null]);
    expect(codes(await kafka.admin.describeTopics([name]))).toEqual(['UNKNOWN_TOPIC_OR_PARTITION']);
  });
});

describe('cluster and configs', () => {
  it('names the brokers and the controller', async () => {
    const { brokers, controllerId, clusterId } = await kafka.admin.describeCluster();
    expect(brokers.map((broker) => broker.id)).toContain(controllerId);
    expect(clusterId).not.toBe('');
  });

  it('reads and changes the configs of a topic', async () => {
    const topic = await kafka.topic();
    const { admin } = kafka;
    const read = async (): Promise<(string | boolean | null)[]> => {
      const [described] = await admin.describeConfigs([{ type: 'topic', name: topic, keys: ['retention.ms'] }]);
      return [described?.configs[0]?.value ?? null, described?.configs[0]?.isDefault ?? null];
    };
    const changed = await admin.alterConfigs([
      { type: 'topic', name: topic, changes: [{ name: 'retention.ms', value: '12345' }] },
      { type: 'topic', name: uniqueName('absent'), changes: [{ name: 'retention.ms', value: '1' }] },
    ]);
    expect(codes(changed)).toEqual([null, 'UNKNOWN_TOPIC_OR_PARTITION']);
    await until(async () => (await read()).join() === '12345,false', 'the config is set');
    await admin.alterConfigs([
      { type: 'topic', name: topic, changes: [{ name: 'retention.ms', operation: 'delete' }] },
    ]);
    await until(async () => (await read())[1] === true, 'the config is the default again');
  });

  it('asks a broker about itself', async () => {
    const [broker] = (await kafka.admin.describeCluster()).brokers;
    const [described] = await kafka.admin.describeConfigs([{ type: 'broker', name: String(broker?.id) }]);
    expect(described?.error).toBeNull();
    expect(described?.configs.map((config) => config.name)).toContain('num.partitions');
  });
});

describe('groups and offsets', () => {
  it('lists, describes and deletes groups', async () => {
    const topic = await kafka.topic(2);
    const [groupId, absent] = [uniqueName('group'), uniqueName('absent')];
    const consumer = kafka.consumer({ groupId, clientId: 'reader' });
    consumer.subscribe(topic);
    await pollAssigned(consumer, 2);
    const { admin } = kafka;
    expect((await admin.listGroups()).find((group) => group.groupId === groupId)?.protocolType).toBe('consumer');
    const [described, missing] = await admin.describeGroups([groupId, absent]);
    expect(described).toMatchObject({ groupId, state: 'Stable', protocol: 'range', error: null });
    expect(described?.members).toEqual([
      expect.objectContaining({ clientId: 'reader', assignment: [0, 1].map((partition) => ({ topic, partition })) }),
    ]);
    expect(missing).toMatchObject({ groupId: absent, state: 'Dead', error: { code: 'GROUP_ID_NOT_FOUND' } });
    expect(codes(await admin.deleteGroups([groupId, absent]))).toEqual(['NON_EMPTY_GROUP', 'GROUP_ID_NOT_FOUND']);
    await consumer.close();
    expect(codes(await admin.deleteGroups([groupId]))).toEqual([null]);
  });

  it('reads, sets and deletes the offsets of a group', async () => {
    const topic = await kafka.topic(2);
    const groupId = uniqueName('group');
    const { admin } = kafka;
    const partition0 = { topic, partition: 0 };
    const partition1 = { topic, partition: 1 };
    const offsets = [
      { ...partition0, offset: 3, metadata: 'm' },
      { ...partition1, offset: 5 },
    ];
    expect(codes(await admin.alterConsumerGroupOffsets(groupId, offsets))).toEqual([null, null]);
    expect(await admin.listConsumerGroupOffsets(groupId)).toMatchObject(offsets);
    expect(await admin.listConsumerGroupOffsets(groupId, { partitions: [partition1] })).toMatchObject([offsets[1]]);
    expect(codes(await admin.deleteConsumerGroupOffsets(groupId, [partition0]))).toEqual([null]);
    expect(await admin.listConsumerGroupOffsets(groupId)).toMatchObject([offsets[1]]);
  });

  it('lists offsets by time and deletes records', async () => {
    const topic = await kafka.topic(1);
    const tp = { topic, partition: 0 };
    await kafka.send(topic, values('a', 10));
    const { admin } = kafka;
    const ends = [OffsetSpec.EARLIEST, OffsetSpec.LATEST].map((timestamp) => ({ ...tp, timestamp }));
    expect((await admin.listOffsets(ends)).map((each) => each.offset)).toEqual([0, 10]);
    const deleted = await admin.deleteRecords([
      { ...tp, beforeOffset: 4 },
      { topic, partition: 7, beforeOffset: 1 },
    ]);
    expect(codes(deleted)).toEqual([null, 'UNKNOWN_TOPIC_OR_PARTITION']);
    expect(deleted[0]?.lowWatermark).toBe(4);
    expect((await admin.listOffsets(ends)).map((each) => each.offset)).toEqual([4, 10]);
    expect(codes(await admin.deleteRecords([{ ...tp, beforeOffset: 1_000 }]))).toEqual(['OFFSET_OUT_OF_RANGE']);
  });

  it('rejects calls under way and later ones when it is closed', async () => {
    const { createAdmin } = await import('@kafka-template/client');
    const admin = createAdmin({ bootstrapServers: kafka.broker.bootstrapServers });
    await admin.listTopics();
    const call = admin.listGroups();
    await admin.close();
    await expect(call).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(admin.listTopics()).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
