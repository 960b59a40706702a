import { ErrorCode, errorMessage } from '@kafka-template/protocol';
import { assigned, newCluster, open, topic } from './controller.fixture.js';
import type { CreateTopic } from './topic-request.js';

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
