import { ErrorCode, errorMessage } from '@kafka-template/protocol';
import { FakeClock } from '../testing/fake-clock.js';
import { silentLogger } from '../io/logger.js';
import { MemoryDisk } from '../io/memory-disk.js';
import { seededRandom } from '../io/random.js';
import { BrokerConfig } from './broker-config.js';
import { Controller, type ControllerOptions } from './controller.js';
import { COORDINATION_LOG, EmbeddedStore } from './embedded-store.js';
import { ConfigOperation, ConfigResourceType, type CreateTopic, type TopicChange } from './topic-request.js';

const DIR = '/data';
const everything = { keys: null, includeSynonyms: true, includeDocumentation: false };

interface Cluster {
  disk: MemoryDisk;
  store: EmbeddedStore;
}

async function newCluster(disk = new MemoryDisk()): Promise<Cluster> {
  await disk.mkdir(DIR);
  return { disk, store: await EmbeddedStore.open({ disk, dataDir: DIR, logger: silentLogger }) };
}

async function open(
  cluster: Cluster,
  options: { id?: number; config?: Record<string, string>; onTopic?: ControllerOptions['hooks']['onTopic'] } = {},
): Promise<{ controller: Controller; changes: TopicChange[] }> {
  const changes: TopicChange[] = [];
  const controller = await Controller.open({
    store: cluster.store,
    broker: { id: options.id ?? 0, host: 'localhost', port: 9092, rack: null },
    config: BrokerConfig.of(options.config ?? {}),
    clock: new FakeClock(),
    logger: silentLogger,
    random: seededRandom(7),
    hooks: {
      onTopic: async (change) => {
        changes.push(change);
        await options.onTopic?.(change);
      },
    },
  });
  return { controller, changes };
}

const topic = (name: string, more: Partial<CreateTopic> = {}): CreateTopic => ({
  name,
  numPartitions: 1,
  replicationFactor: 1,
  configs: [],
  ...more,
});
const assigned = (...brokerIds: number[][]): Partial<CreateTopic> => ({
  numPartitions: -1,
  replicationFactor: -1,
  assignments: brokerIds.map((ids, partitionIndex) => ({ partitionIndex, brokerIds: ids })),
});

describe('Controller: creating topics', () => {
  const cases: [title: string, request: CreateTopic, code: number, message: string | RegExp][] = [
    ['an empty name', topic(''), 17, 'Topic name is invalid: the empty string is not allowed'],
    ['a dot', topic('.'), 17, "Topic name is invalid: '.' is not allowed"],
    ['two dots', topic('..'), 17, "Topic name is invalid: '..' is not allowed"],
    ['a long name', topic('x'.repeat(250)), 17, /longer than the max allowed length 249$/],
    ['a name with a blank', topic('bad name!'), 17, /'bad name!' contains one or more characters other than ASCII/],
    ['a name that collides', topic('a_b'), 17, "Topic 'a_b' collides with existing topic: a.b"],
    ['a name that exists', topic('a.b'), 36, "Topic 'a.b' already exists."],
    ["Raft's topic", topic('__cluster_metadata'), 42, 'Creation of internal topic __cluster_metadata is prohibited.'],
    [
      'no partitions',
      topic('x', { numPartitions: 0 }),
      37,
      'Number of partitions was set to an invalid non-positive value.',
    ],
    [
      '-2 partitions',
      topic('x', { numPartitions: -2 }),
      37,
      'Number of partitions was set to an invalid non-positive value.',
    ],
    [
      'too many partitions',
      topic('x', { numPartitions: 20_000 }),
      44,
      'Excessively large number of partitions per request.',
    ],
    [
      'no replicas',
      topic('x', { replicationFactor: 0 }),
      38,
      'Replication factor must be larger than 0, or -1 to use the default value.',
    ],
    [
      'too many replicas',
      topic('x', { replicationFactor: 30 }),
      38,
      /^Unable to replicate the partition 30 time\(s\): The target replication factor of 30 cannot be reached because only 1 broker\(s\) are registered/,
    ],
    [
      'an unknown broker',
      topic('x', assigned([55])),
      39,
      'The manual partition assignment includes broker 55, but no such broker is registered.',
    ],
    [
      'a broker twice',
      topic('x', assigned([0, 0])),
      39,
      'The manual partition assignment includes the broker 0 more than once.',
    ],
    ['an empty list', topic('x', assigned([])), 39, 'The manual partition assignment includes an empty replica list.'],
    [
      'a gap',
      topic('x', { ...assigned(), assignments: [0, 2].map((partitionIndex) => ({ partitionIndex, brokerIds: [0] })) }),
      39,
      'partitions should be a consecutive 0-based integer sequence',
    ],
    [
      'a partition twice',
      topic('x', { ...assigned(), assignments: [0, 0].map((partitionIndex) => ({ partitionIndex, brokerIds: [0] })) }),
      39,
      'Found multiple manual partition assignments for partition 0',
    ],
    [
      'assignment and factor',
      topic('x', { ...assigned([0]), replicationFactor: 1 }),
      42,
      'A manual partition assignment was specified, but replication factor was not set to -1.',
    ],
    [
      'assignment and count',
      topic('x', { ...assigned([0]), numPartitions: 1 }),
      42,
      'A manual partition assignment was specified, but numPartitions was not set to -1.',
    ],
    [
      'an unknown config',
      topic('x', { configs: [{ name: 'no.such', value: '1' }] }),
      40,
      'Unknown topic config name: no.such',
    ],
    [
      'a config without value',
      topic('x', { configs: [{ name: 'retention.ms', value: null }] }),
      40,
      'Null value not supported for topic configs: retention.ms',
    ],
    [
      'a wrong policy',
      topic('x', { configs: [{ name: 'cleanup.policy', value: 'shred' }] }),
      40,
      'Invalid value shred for configuration cleanup.policy: String must be one of: compact, delete',
    ],
    [
      'a wrong number',
      topic('x', { configs: [{ name: 'retention.ms', value: 'abc' }] }),
      40,
      'Invalid value abc for configuration retention.ms: Not a number of type LONG',
    ],
  ];

  it.each(cases)('refuses %s', async (_title, request, errorCode, message) => {
    const { controller, changes } = await open(await newCluster());
    await controller.createTopic(topic('a.b'));
    const validated = await controller.createTopic({ ...request, validateOnly: true });
    const outcome = await controller.createTopic(request);
    expect(outcome).toEqual(validated);
    expect(outcome.errorCode).toBe(errorCode);
    if (typeof message === 'string') expect(outcome.errorMessage).toBe(message);
    else expect(outcome.errorMessage).toMatch(message);
    expect([...controller.image.topics()].map(({ name }) => name)).toEqual(['a.b']);
    expect(changes).toHaveLength(1);
  });

  it('opens the partitions before the image shows the topic and before it answers', async () => {
    const cluster = await newCluster();
    let seen: unknown = 'not called';
    const opened = await open(cluster, {
      onTopic: async () => {
        await new Promise((resolve) => setImmediate(resolve));
        seen = opened.controller.image.topic('t');
      },
    });
    const outcome = await opened.controller.createTopic(topic('t', { numPartitions: 3 }));
    expect(outcome).toMatchObject({ errorCode: 0, errorMessage: null });
    expect(seen).toBeUndefined();
    const image = opened.controller.image.topic('t');
    expect(image).toEqual(outcome.topic);
    expect(image?.id).toMatch(/^[A-Za-z0-9_-]{22}$/);
    expect(opened.controller.image.topicById(image?.id ?? '')).toBe(image);
    expect(image?.partitions).toEqual(
      [0, 1, 2].map((partition) => ({
        partition,
        leader: 0,
        leaderEpoch: 0,
        partitionEpoch: 0,
        replicas: [0],
        isr: [0],
      })),
    );
  });

  it('leaves nothing behind when the partitions cannot be opened', async () => {
    const cluster = await newCluster();
    const { controller, changes } = await open(cluster, {
      onTopic: async ({ type }) => {
        if (type === 'created') throw new Error('the disk is full');
      },
    });
    const outcome = await controller.createTopic(topic('t'));
    expect(outcome.errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
    expect(outcome.errorMessage).toContain('the disk is full');
    expect(changes.map(({ type }) => type)).toEqual(['created', 'deleted']);
    const session = await cluster.store.openSession();
    expect(await session.children('/brokers/topics')).toEqual([]);
    expect(await session.children('/config/topics')).toEqual([]);
  });

  it('says what a topic would be without creating it', async () => {
    const { controller } = await open(await newCluster(), { config: { 'num.partitions': '4' } });
    const outcome = await controller.createTopic(
      topic('t', { numPartitions: -1, replicationFactor: -1, validateOnly: true }),
    );
    expect(outcome.topic?.partitions).toHaveLength(4);
    expect(controller.image.topicCount).toBe(0);
  });

  it('creates a topic once, however many ask for it at the same time', async () => {
    const { controller, changes } = await open(await newCluster());
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => controller.autoCreate('t')));
    expect(new Set(outcomes.map((outcome) => outcome.topic?.id)).size).toBe(1);
    expect(outcomes.every((outcome) => outcome.errorCode === 0)).toBe(true);
    expect(changes).toHaveLength(1);
    expect((await controller.autoCreate('bad name')).errorCode).toBe(17);
  });

  it('gives the offsets topic what its coordinator needs', async () => {
    const { controller } = await open(await newCluster());
    const { topic: offsets } = await controller.autoCreate('__consumer_offsets');
    expect(offsets).toMatchObject({
      internal: true,
      config: { cleanupPolicy: ['compact'], segmentBytes: 104_857_600, compressionType: 'producer' },
    });
    expect(offsets?.partitions).toHaveLength(50);
    expect(offsets?.partitions[7]?.replicas).toEqual([0]);
  });
});

describe('Controller: growing and deleting topics', () => {
  it('adds partitions, and refuses what is no increase', async () => {
    const { controller, changes } = await open(await newCluster());
    await controller.createTopic(topic('t', { numPartitions: 2 }));
    const grow = (count: number, more = {}) => controller.createPartitions({ name: 't', count, ...more });
    expect(await grow(2)).toEqual({ errorCode: 37, errorMessage: 'Topic already has 2 partition(s).' });
    expect(await grow(1)).toEqual({
      errorCode: 37,
      errorMessage: 'The topic t currently has 2 partition(s); 1 would not be an increase.',
    });
    expect(await controller.createPartitions({ name: 'none', count: 3 })).toEqual({ errorCode: 3, errorMessage: null });
    expect(await grow(4, { assignments: [{ brokerIds: [0] }] })).toMatchObject({
      errorCode: 39,
      errorMessage: 'Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified.',
    });
    expect((await grow(4, { validateOnly: true })).topic?.partitions).toHaveLength(4);
    expect(controller.image.topic('t')?.partitions).toHaveLength(2);
    expect((await grow(4)).errorCode).toBe(0);
    expect(controller.image.topic('t')?.partitions.map(({ partition }) => partition)).toEqual([0, 1, 2, 3]);
    expect(changes.at(-1)).toMatchObject({ type: 'grown', firstNewPartition: 2 });
  });

  it('deletes a topic with all its nodes, and can create it again under another id', async () => {
    const cluster = await newCluster();
    const { controller, changes } = await open(cluster);
    const { topic: first } = await controller.createTopic(topic('t', { numPartitions: 3 }));
    expect(await controller.deleteTopic('t')).toEqual({ errorCode: 0, errorMessage: null });
    expect(controller.image.topic('t')).toBeUndefined();
    expect(controller.image.topicById(first?.id ?? '')).toBeUndefined();
    expect(await (await cluster.store.openSession()).children('/brokers/topics')).toEqual([]);
    expect(changes.at(-1)).toMatchObject({ type: 'deleted', topic: { id: first?.id } });
    expect(await controller.deleteTopic('t')).toEqual({
      errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      errorMessage: errorMessage(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
    });
    const { topic: second } = await controller.createTopic(topic('t'));
    expect(second?.id).not.toBe(first?.id);
  });

  it('obeys delete.topic.enable', async () => {
    const { controller } = await open(await newCluster(), { config: { 'delete.topic.enable': 'false' } });
    await controller.createTopic(topic('t'));
    expect((await controller.deleteTopic('t')).errorCode).toBe(ErrorCode.TOPIC_DELETION_DISABLED);
  });
});

describe('Controller: configs', () => {
  const resource = (resourceName: string, resourceType: number = ConfigResourceType.TOPIC) => ({
    resourceType,
    resourceName,
  });
  const change = (name: string, value: string | null, configOperation: number = ConfigOperation.SET) => [
    { name, value, configOperation },
  ];

  async function withTopic(config: Record<string, string> = {}) {
    const opened = await open(await newCluster(), { config });
    await opened.controller.createTopic(topic('t', { configs: [{ name: 'retention.ms', value: '5000' }] }));
    return opened;
  }

  const refusals: [string, ReturnType<typeof resource>, ReturnType<typeof change>, number, string | null][] = [
    ['an unknown key', resource('t'), change('no.such', '1'), 40, 'Unknown topic config name: no.such'],
    ['an unknown topic', resource('no'), change('retention.ms', '1'), 3, "The topic 'no' does not exist."],
    ['an unknown operation', resource('t'), change('retention.ms', '1', 9), -1, null],
    [
      'append to a number',
      resource('t'),
      change('retention.ms', '1', 2),
      40,
      "Can't APPEND to key retention.ms because its type is not LIST.",
    ],
    ['no value', resource('t'), change('retention.ms', null), 42, 'Null value not supported for : retention.ms'],
    [
      'a static broker config',
      resource('0', 4),
      change('broker.id', '5'),
      42,
      'Cannot update these configs dynamically: [broker.id]',
    ],
    [
      'another broker',
      resource('99', 4),
      change('log.retention.ms', '1'),
      42,
      'Unexpected broker id, expected 0, but received 99',
    ],
    [
      'a broker that is no number',
      resource('zero', 4),
      change('log.retention.ms', '1'),
      42,
      'Broker id must be an integer, but it is: zero',
    ],
    [
      'a short group session',
      resource('g', 32),
      change('consumer.session.timeout.ms', '1'),
      40,
      'consumer.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms',
    ],
    [
      'a conflict',
      resource('t'),
      [...change('min.compaction.lag.ms', '9'), ...change('max.compaction.lag.ms', '5')],
      40,
      'conflict topic config setting min.compaction.lag.ms (9) > max.compaction.lag.ms (5)',
    ],
    [
      'a key twice',
      resource('t'),
      [...change('flush.ms', '9'), ...change('flush.ms', '5')],
      42,
      'Error due to duplicate config keys',
    ],
  ];

  it.each(refusals)('refuses %s', async (_title, target, changes, errorCode, errorMessage) => {
    const { controller } = await withTopic();
    const before = controller.image;
    expect(await controller.changeConfigs(target, changes, false)).toEqual({ errorCode, errorMessage });
    expect(controller.image).toBe(before);
  });

  it('changes single configs and leaves the others', async () => {
    const { controller, changes } = await withTopic();
    const apply = (...steps: ReturnType<typeof change>) => controller.changeConfigs(resource('t'), steps, false);
    expect((await apply(...change('cleanup.policy', 'compact', ConfigOperation.APPEND))).errorCode).toBe(0);
    expect(controller.image.topic('t')?.config.cleanupPolicy).toEqual(['delete', 'compact']);
    await apply(...change('cleanup.policy', 'delete', ConfigOperation.SUBTRACT), ...change('segment.ms', '60000'));
    expect(controller.image.topic('t')).toMatchObject({
      overrides: { 'retention.ms': '5000', 'cleanup.policy': 'compact', 'segment.ms': '60000' },
      config: { cleanupPolicy: ['compact'], segmentMs: 60_000, retentionMs: 5000 },
    });
    await apply(...change('retention.ms', null, ConfigOperation.DELETE));
    expect(controller.image.topic('t')?.config.retentionMs).toBe(604_800_000);
    expect(changes.filter(({ type }) => type === 'configured')).toHaveLength(3);
  });

  it('replaces the whole set with AlterConfigs, and changes nothing when it only validates', async () => {
    const { controller } = await withTopic();
    const configs = [{ name: 'flush.messages', value: '10' }];
    expect((await controller.replaceConfigs(resource('t'), configs, true)).errorCode).toBe(0);
    expect(controller.image.topic('t')?.overrides).toEqual({ 'retention.ms': '5000' });
    expect((await controller.replaceConfigs(resource('t'), configs, false)).errorCode).toBe(0);
    expect(controller.image.topic('t')?.overrides).toEqual({ 'flush.messages': '10' });
    const unset = await controller.replaceConfigs(resource('t'), [{ name: 'flush.ms', value: null }], false);
    expect(unset.errorCode).toBe(42);
  });

  it('changes broker configs at run time, and the topics that take their default from them', async () => {
    const { controller, changes } = await withTopic();
    await controller.createTopic(topic('plain'));
    const set = (name: string) =>
      controller.changeConfigs(resource(name, 4), change('log.retention.ms', '7777'), false);
    expect((await set('')).errorCode).toBe(0);
    expect(controller.image.topic('plain')?.config.retentionMs).toBe(7777);
    expect(controller.image.topic('t')?.config.retentionMs).toBe(5000);
    expect(controller.config.number('log.retention.ms')).toBe(7777);
    expect(changes.filter(({ type }) => type === 'configured').map((told) => told.topic.name)).toEqual(['plain']);
    expect(controller.describeConfigs(resource('', 4), everything).configs).toMatchObject([
      { name: 'log.retention.ms', value: '7777', configSource: 3 },
    ]);
    const [entry] = controller.describeConfigs(resource('plain'), { ...everything, keys: ['retention.ms'] }).configs;
    expect(entry).toMatchObject({
      value: '7777',
      configSource: 3,
      synonyms: [
        { name: 'log.retention.ms', source: 3 },
        { name: 'log.retention.hours', source: 5 },
      ],
    });
  });
});

describe('Controller: restart and other brokers', () => {
  it('comes back with topics, configs, ids and a new leader epoch', async () => {
    const cluster = await newCluster();
    const first = await open(cluster);
    await first.controller.createTopic(topic('t', { numPartitions: 2, configs: [{ name: 'flush.ms', value: '9' }] }));
    await first.controller.changeConfigs(
      { resourceType: ConfigResourceType.BROKER, resourceName: '' },
      [{ name: 'log.segment.bytes', value: '2000000', configOperation: 0 }],
      false,
    );
    const before = first.controller.image;
    const epochBefore = before.broker(0)?.epoch ?? 0;
    await first.controller.close();
    await cluster.store.close();

    const again = await open(await newCluster(cluster.disk));
    const { image } = again.controller;
    expect(image.clusterId).toBe(before.clusterId);
    expect(image.controllerId).toBe(0);
    expect(image.broker(0)?.epoch).toBeGreaterThan(epochBefore);
    expect(image.topic('t')).toMatchObject({
      id: before.topic('t')?.id,
      overrides: { 'flush.ms': '9' },
      config: { flushMs: 9, segmentBytes: 2_000_000 },
      partitions: [
        { leader: 0, leaderEpoch: 1, partitionEpoch: 1, isr: [0] },
        { leader: 0, leaderEpoch: 1, partitionEpoch: 1, isr: [0] },
      ],
    });
    expect(again.changes).toEqual([]);
  });

  it('keeps what Kafka keeps in ZooKeeper', async () => {
    const cluster = await newCluster();
    const { controller } = await open(cluster);
    const { topic: created } = await controller.createTopic(topic('t'));
    const session = await cluster.store.openSession();
    const json = async (path: string): Promise<unknown> => JSON.parse((await session.get(path)).data.toString());
    expect(await json('/cluster/id')).toEqual({ version: '1', id: controller.image.clusterId });
    expect(await json('/brokers/ids/0')).toMatchObject({
      version: 5,
      host: 'localhost',
      port: 9092,
      endpoints: ['PLAINTEXT://localhost:9092'],
    });
    expect(await json('/brokers/topics/t')).toMatchObject({
      version: 3,
      topic_id: created?.id,
      partitions: { '0': [0] },
    });
    expect(await json('/brokers/topics/t/partitions/0/state')).toEqual({
      controller_epoch: 1,
      leader: 0,
      version: 1,
      leader_epoch: 0,
      isr: [0],
    });
    expect(await json('/config/topics/t')).toEqual({ version: 1, config: {} });
    expect(await json('/controller')).toMatchObject({ version: 2, brokerid: 0 });
    expect((await session.get('/controller_epoch')).data.toString()).toBe('1');
    expect((await session.get('/brokers/ids/0')).stat.ephemeralOwner).not.toBeNull();
  });

  it('finishes a deletion that a crash cut short, and gives states to partitions that never got one', async () => {
    const cluster = await newCluster();
    const first = await open(cluster);
    await first.controller.createTopic(topic('half', { numPartitions: 2 }));
    await first.controller.createTopic(topic('fresh'));
    await first.controller.close();
    const session = await cluster.store.openSession();
    await session.create('/admin/delete_topics/half', Buffer.alloc(0), 'persistent');
    await session.delete('/brokers/topics/half/partitions/1/state', -1);
    await session.delete('/brokers/topics/fresh/partitions/0/state', -1);
    await session.delete('/brokers/topics/fresh/partitions/0', -1);
    const { controller } = await open(cluster);
    expect([...controller.image.topics()].map(({ name }) => name)).toEqual(['fresh']);
    expect(controller.image.topic('fresh')?.partitions[0]).toMatchObject({ leader: 0, leaderEpoch: 0 });
    expect(await session.children('/admin/delete_topics')).toEqual([]);
    expect(await session.children('/brokers/topics')).toEqual(['fresh']);
  });

  it('gives producer ids in blocks, never one twice, also across restarts', async () => {
    const cluster = await newCluster();
    const first = await open(cluster);
    const ids = await Promise.all(Array.from({ length: 1500 }, () => first.controller.allocateProducerId()));
    await first.controller.close();
    const second = await open(cluster);
    ids.push(await second.controller.allocateProducerId());
    expect(new Set(ids).size).toBe(1501);
    expect(Math.max(...ids)).toBe(2000);
  });

  it('writes nothing any more once another controller was elected', async () => {
    const cluster = await newCluster();
    const { controller } = await open(cluster);
    await controller.createTopic(topic('t'));
    const session = await cluster.store.openSession();
    await session.set('/controller_epoch', Buffer.from('2'), -1);
    expect((await controller.createTopic(topic('late'))).errorCode).toBe(ErrorCode.NOT_CONTROLLER);
    expect(await session.exists('/brokers/topics/late')).toBeNull();
    expect(controller.image.controllerId).toBe(-1);
    expect((await controller.deleteTopic('t')).errorCode).toBe(ErrorCode.NOT_CONTROLLER);
  });

  it('spreads over brokers, follows the controller, and takes over when it goes', async () => {
    const cluster = await newCluster();
    const brokers = [await open(cluster, { id: 0 }), await open(cluster, { id: 1 }), await open(cluster, { id: 2 })];
    const [zero, one] = brokers.map(({ controller }) => controller);
    if (!zero || !one) throw new Error('no brokers');
    const until = async (condition: () => boolean): Promise<void> => {
      for (let turn = 0; !condition(); turn += 1) {
        if (turn > 2000) throw new Error('The condition did not come true.');
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await until(() => zero.image.brokers.length === 3);
    const { topic: created } = await zero.createTopic(topic('t', { numPartitions: 6, replicationFactor: 2 }));
    expect(new Set(created?.partitions.map(({ leader }) => leader))).toEqual(new Set([0, 1, 2]));
    expect((await one.createTopic(topic('u'))).errorCode).toBe(ErrorCode.NOT_CONTROLLER);
    await until(() => one.image.topic('t')?.partitions.length === 6);
    expect(one.image.controllerId).toBe(0);
    expect(brokers[1]?.changes).toMatchObject([{ type: 'created' }]);

    await zero.close();
    await until(() => one.image.controllerId === 1 || brokers[2]?.controller.image.controllerId === 2);
    const leader = brokers.slice(1).find(({ controller }) => controller.image.controllerId !== 0)?.controller;
    await until(() => leader?.image.topic('t')?.partitions.every((partition) => partition.leader !== 0) === true);
    for (const partition of leader?.image.topic('t')?.partitions ?? []) {
      const before = created?.partitions[partition.partition];
      expect(partition.isr).toContain(partition.leader);
      expect(partition.leaderEpoch).toBe(before?.leader === 0 ? 1 : 0);
    }
    expect((await leader?.createTopic(topic('v')))?.errorCode).toBe(0);
  });

  it('refuses a broker whose id is taken', async () => {
    const cluster = await newCluster();
    await open(cluster);
    const clock = new FakeClock();
    const second = Controller.open({
      store: cluster.store,
      broker: { id: 0, host: 'other', port: 9093, rack: null },
      config: BrokerConfig.of({}),
      clock,
      logger: silentLogger,
      random: seededRandom(1),
      hooks: { onTopic: async () => undefined },
    });
    const refused = expect(second).rejects.toThrow('Broker id 0 is in use by localhost:9092');
    await clock.advance(1);
    await refused;
    expect(await cluster.disk.stat(`${DIR}/${COORDINATION_LOG}`)).not.toBeNull();
  });
});
