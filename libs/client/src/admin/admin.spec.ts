/**
 * What the admin client does when not everything works at once: retries item by item, several brokers, old brokers.
 * What it does when all goes well is tested on real brokers (test/e2e/client-admin.e2e-spec.ts).
 */
import {
  ConsumerGroupDescribe,
  CreateTopics,
  DeleteGroups,
  DeleteRecords,
  DeleteTopics,
  DescribeCluster,
  DescribeConfigs,
  DescribeGroups,
  ErrorCode,
  IncrementalAlterConfigs,
  ListGroups,
  ListOffsets,
  OffsetCommit,
  OffsetDelete,
  OffsetFetch,
  ZERO_UUID,
} from '@kafka-template/protocol';
import { networkError } from '../errors.js';
import type { ClientIo } from '../io/io.js';
import { silentLogger } from '../io/logger.js';
import { seededRandom } from '../io/random.js';
import { FakeClock } from '../testing/fake-clock.js';
import { ScriptedCluster } from '../consumer/testing/scripted-cluster.js';
import type { AdminContext } from './admin-context.js';
import { resolveAdminOptions } from './admin-options.js';
import { ConfigAdmin } from './config-admin.js';
import { GroupAdmin } from './group-admin.js';
import { OffsetAdmin } from './offset-admin.js';
import { TopicAdmin } from './topic-admin.js';

function setUp() {
  const clock = new FakeClock();
  const network: ClientIo['network'] = {
    connect: () => {
      throw new Error('a scripted cluster opens no connections');
    },
  };
  const io = { clock, network, random: seededRandom(1) };
  const cluster = new ScriptedCluster(io);
  const options = resolveAdminOptions({
    bootstrapServers: 'broker-1:9092',
    logger: silentLogger,
    defaultApiTimeoutMs: 5_000,
  });
  const context: AdminContext = { options, cluster, io };
  const drive = async <T>(promise: Promise<T>): Promise<T> => {
    let settled = false;
    promise.finally(() => (settled = true)).catch(() => undefined);
    for (let turn = 0; turn < 10_000 && !settled; turn++) await clock.advance(10);
    return promise;
  };
  return {
    clock,
    cluster,
    drive,
    topics: new TopicAdmin(context),
    configs: new ConfigAdmin(context),
    groups: new GroupAdmin(context),
    offsets: new OffsetAdmin(context),
  };
}

const codes = (outcomes: readonly { error: { code: string } | null }[]): (string | null)[] =>
  outcomes.map(({ error }) => error?.code ?? null);

describe('topics', () => {
  it('asks again only for the items that met an error which passes', async () => {
    const { cluster, topics, drive } = setUp();
    const answers: number[][] = [
      [ErrorCode.NONE, ErrorCode.NOT_CONTROLLER, ErrorCode.TOPIC_ALREADY_EXISTS],
      [ErrorCode.NONE],
    ];
    cluster.on(CreateTopics, (body) => {
      const round = answers.shift() ?? [];
      return {
        topics: body.topics.map(({ name }, index) => ({
          name,
          errorCode: round[index] ?? 0,
          errorMessage: null,
          topicId: ZERO_UUID,
        })),
      };
    });
    const outcomes = await drive(topics.createTopics([{ name: 'a' }, { name: 'b', numPartitions: 3 }, { name: 'c' }]));
    expect(outcomes.map((each) => each.name)).toEqual(['a', 'b', 'c']);
    expect(codes(outcomes)).toEqual([null, null, 'TOPIC_ALREADY_EXISTS']);
    expect(cluster.bodies(CreateTopics).map((body) => body.topics.map((each) => each.name))).toEqual([
      ['a', 'b', 'c'],
      ['b'],
    ]);
  });

  it('goes to the controller, with the defaults as -1, and gives it less time than it waits', async () => {
    const { cluster, topics, drive } = setUp();
    cluster.on(CreateTopics, () => ({
      topics: [{ name: 'a', errorCode: 0, errorMessage: null, topicId: ZERO_UUID }],
    }));
    await drive(topics.createTopics([{ name: 'a', configs: { 'retention.ms': '1' } }], { validateOnly: true }));
    expect(cluster.sent.at(-1)).toMatchObject({ target: 'controller', api: 'CreateTopics' });
    const [body] = cluster.bodies(CreateTopics);
    expect(body?.topics[0]).toMatchObject({
      numPartitions: -1,
      replicationFactor: -1,
      configs: [{ name: 'retention.ms', value: '1' }],
    });
    expect(body?.validateOnly).toBe(true);
    expect(body?.timeoutMs).toBeLessThan(5_000);
  });

  it('tries again over lost connections, and gives up when the time is over, with the reason', async () => {
    const { cluster, topics, drive } = setUp();
    let left = 3;
    cluster.on(DeleteTopics, (body) =>
      left-- > 0
        ? networkError('reset')
        : { responses: body.topics.map(({ name }) => ({ name, topicId: ZERO_UUID, errorCode: 0 })) },
    );
    expect(codes(await drive(topics.deleteTopics(['a'])))).toEqual([null]);
    left = Infinity;
    await expect(drive(topics.deleteTopics(['a']))).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringContaining('reset') as unknown,
    });
  });

  it('deletes by name on brokers before Kafka 2.8', async () => {
    const { cluster, topics, drive } = setUp();
    cluster.maxVersions.set('DeleteTopics', 5);
    cluster.on(DeleteTopics, (body) => ({ responses: body.topicNames.map((name) => ({ name, errorCode: 0 })) }));
    expect(codes(await drive(topics.deleteTopics(['a', 'b'])))).toEqual([null, null]);
  });

  it('asks for numbers where the broker has no defaults (before Kafka 2.4)', async () => {
    const { cluster, topics, drive } = setUp();
    cluster.maxVersions.set('CreateTopics', 3);
    cluster.on(CreateTopics, (body) => ({
      topics: body.topics.map(({ name }) => ({ name, errorCode: 0, errorMessage: null, topicId: ZERO_UUID })),
    }));
    await expect(drive(topics.createTopics([{ name: 'a', numPartitions: 1 }]))).rejects.toMatchObject({
      code: 'UNSUPPORTED_VERSION',
    });
    const full = { numPartitions: 1, replicationFactor: 1 };
    expect(codes(await drive(topics.createTopics([{ name: 'a', ...full }])))).toEqual([null]);
    expect(codes(await drive(topics.createTopics([{ name: 'a', replicaAssignments: [[1]] }])))).toEqual([null]);
  });

  it('describes without creating, and orders what the broker mixed up', async () => {
    const { cluster, topics, drive } = setUp();
    cluster.setTopic('a', 2);
    const described = await drive(topics.describeTopics(['nope', 'a']));
    expect(codes(described)).toEqual(['UNKNOWN_TOPIC_OR_PARTITION', null]);
    expect(described[1]?.partitions.map((each) => each.partition)).toEqual([0, 1]);
    expect(cluster.sent.at(-1)?.body).toMatchObject({ allowAutoTopicCreation: false });
  });

  it('describes the cluster by metadata where DescribeCluster is not known', async () => {
    const { cluster, topics, drive } = setUp();
    cluster.maxVersions.set('DescribeCluster', -1);
    await expect(drive(topics.describeCluster())).resolves.toEqual({
      clusterId: 'scripted',
      controllerId: 1,
      brokers: [{ id: 1, host: 'broker-1', port: 9092, rack: null }],
    });
    expect(cluster.bodies(DescribeCluster)).toEqual([]);
  });
});

describe('configs', () => {
  it('asks each broker about itself and any broker about the rest, and keeps the order', async () => {
    const { cluster, configs, drive } = setUp();
    cluster.brokers.add(2);
    cluster.on(DescribeConfigs, (body) => ({
      results: body.resources.map(({ resourceType, resourceName }) => ({
        errorCode: 0,
        errorMessage: null,
        resourceType,
        resourceName,
        configs: [],
      })),
    }));
    const described = await drive(
      configs.describeConfigs([
        { type: 'broker', name: '2' },
        { type: 'topic', name: 'a' },
        { type: 'broker', name: '1' },
      ]),
    );
    expect(described.map((each) => each.name)).toEqual(['2', 'a', '1']);
    const asked = cluster.sent.filter((each) => each.api === 'DescribeConfigs').map((each) => each.target);
    expect(asked).toEqual([2, 'any', 1]);
  });

  it('refuses a broker that is not a number', async () => {
    const { configs, drive } = setUp();
    await expect(drive(configs.describeConfigs([{ type: 'broker', name: 'one' }]))).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('sends changes as operations', async () => {
    const { cluster, configs, drive } = setUp();
    cluster.on(IncrementalAlterConfigs, () => ({
      responses: [{ errorCode: ErrorCode.INVALID_CONFIG, errorMessage: 'no', resourceType: 2, resourceName: 'a' }],
    }));
    const changes = [
      { name: 'x', value: '1' },
      { name: 'y', operation: 'delete' as const },
    ];
    const outcomes = await drive(configs.alterConfigs([{ type: 'topic', name: 'a', changes }]));
    expect(codes(outcomes)).toEqual(['INVALID_CONFIG']);
    expect(cluster.bodies(IncrementalAlterConfigs)[0]?.resources[0]?.configs).toEqual([
      { name: 'x', configOperation: 0, value: '1' },
      { name: 'y', configOperation: 1, value: null },
    ]);
  });
});

describe('groups', () => {
  it('lists the groups of every broker', async () => {
    const { cluster, groups, drive } = setUp();
    cluster.brokers.add(2);
    cluster.on(ListGroups, (_body, { target }) => ({
      errorCode: 0,
      groups: [
        { groupId: `group-of-${String(target)}`, protocolType: 'consumer', groupState: 'Stable', groupType: 'Classic' },
      ],
    }));
    expect((await drive(groups.listGroups())).map((group) => group.groupId)).toEqual(['group-of-1', 'group-of-2']);
  });

  it('refuses a filter by state where the broker would ignore it', async () => {
    const { cluster, groups, drive } = setUp();
    cluster.maxVersions.set('ListGroups', 3);
    await expect(drive(groups.listGroups({ states: ['Empty'] }))).rejects.toMatchObject({
      code: 'UNSUPPORTED_VERSION',
    });
  });

  it('finds a coordinator again that has moved', async () => {
    const { cluster, groups, drive } = setUp();
    const answers: number[] = [ErrorCode.NOT_COORDINATOR, ErrorCode.NONE];
    cluster.on(DeleteGroups, (body) => ({
      results: body.groupsNames.map((groupId) => ({ groupId, errorCode: answers.shift() ?? 0 })),
    }));
    expect(codes(await drive(groups.deleteGroups(['g'])))).toEqual([null]);
    expect(cluster.forgotten).toBe(1);
  });

  it('calls a dead group one that does not exist, and describes groups of the newer protocol', async () => {
    const { cluster, groups, drive } = setUp();
    const nothing = { protocolType: '', protocolData: '', members: [] };
    cluster.on(DescribeGroups, (body) => ({
      groups: body.groups.map((groupId) =>
        groupId === 'dead'
          ? { errorCode: 0, groupId, groupState: 'Dead', ...nothing }
          : { errorCode: ErrorCode.GROUP_ID_NOT_FOUND, groupId, groupState: '', ...nothing },
      ),
    }));
    cluster.on(ConsumerGroupDescribe, (body) => ({
      groups: body.groupIds.map((groupId) => ({
        errorCode: groupId === 'new' ? 0 : ErrorCode.GROUP_ID_NOT_FOUND,
        groupId,
        groupState: groupId === 'new' ? 'Stable' : '',
        groupEpoch: 1,
        assignmentEpoch: 1,
        assignorName: 'uniform',
        members: [],
      })),
    }));
    const described = await drive(groups.describeGroups(['dead', 'new']));
    expect(codes(described)).toEqual(['GROUP_ID_NOT_FOUND', null]);
    expect(described[1]).toMatchObject({ state: 'Stable', protocol: 'uniform' });
  });
});

describe('offsets', () => {
  const A0 = { topic: 'a', partition: 0 };

  it('answers the same partition twice, in two requests: brokers refuse to hear it twice in one', async () => {
    const { cluster, offsets, drive } = setUp();
    cluster.setTopic('a', 1);
    cluster.on(ListOffsets, (body) => ({
      topics: body.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, timestamp }) => ({
          partitionIndex,
          errorCode: 0,
          offset: timestamp === -1 ? 9 : 2,
        })),
      })),
    }));
    const listed = await drive(
      offsets.listOffsets([
        { ...A0, timestamp: -1 },
        { ...A0, timestamp: -2 },
      ]),
    );
    expect(listed.map((each) => each.offset)).toEqual([9, 2]);
    expect(cluster.bodies(ListOffsets).every((body) => body.topics[0]?.partitions.length === 1)).toBe(true);
  });

  it('reads everything a group has committed, from version 2 on', async () => {
    const { cluster, offsets, drive } = setUp();
    cluster.maxVersions.set('OffsetFetch', 5);
    cluster.on(OffsetFetch, (body) => {
      expect(body.topics).toBeNull();
      const partition = { committedOffset: 4, metadata: 'm', errorCode: 0 };
      return {
        topics: [
          {
            name: 'a',
            partitions: [
              { partitionIndex: 1, ...partition },
              { partitionIndex: 0, ...partition },
            ],
          },
        ],
      };
    });
    const committed = await drive(offsets.listConsumerGroupOffsets('g'));
    expect(committed.map((each) => [each.partition, each.offset])).toEqual([
      [0, 4],
      [1, 4],
    ]);
    cluster.maxVersions.set('OffsetFetch', 1);
    await expect(drive(offsets.listConsumerGroupOffsets('g'))).rejects.toMatchObject({ code: 'UNSUPPORTED_VERSION' });
  });

  it('sets and deletes offsets as nobody in particular, and reports what the group refuses', async () => {
    const { cluster, offsets, drive } = setUp();
    cluster.on(OffsetCommit, (body) => ({
      topics: body.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => ({
          partitionIndex,
          errorCode: ErrorCode.UNKNOWN_MEMBER_ID,
        })),
      })),
    }));
    expect(codes(await drive(offsets.alterConsumerGroupOffsets('g', [{ ...A0, offset: 1 }])))).toEqual([
      'UNKNOWN_MEMBER_ID',
    ]);
    expect(cluster.bodies(OffsetCommit)[0]).toMatchObject({ generationIdOrMemberEpoch: -1, memberId: '' });
    cluster.on(OffsetDelete, () => ({ errorCode: ErrorCode.GROUP_ID_NOT_FOUND, topics: [] }));
    expect(codes(await drive(offsets.deleteConsumerGroupOffsets('g', [A0])))).toEqual(['GROUP_ID_NOT_FOUND']);
  });

  it('deletes records at the leader of each partition', async () => {
    const { cluster, offsets, drive } = setUp();
    cluster.brokers.add(2);
    cluster.setTopic('a', 2);
    cluster.topics.get('a')?.leaders.splice(1, 1, 2);
    cluster.on(DeleteRecords, (body) => ({
      topics: body.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, offset }) => ({
          partitionIndex,
          lowWatermark: offset,
          errorCode: 0,
        })),
      })),
    }));
    const call = offsets.deleteRecords([
      { topic: 'a', partition: 1, beforeOffset: 3 },
      { topic: 'a', partition: 0, beforeOffset: 5 },
      { topic: 'nope', partition: 0, beforeOffset: 1 },
    ]);
    const deleted = await drive(call);
    expect(deleted.map((each) => each.lowWatermark)).toEqual([3, 5, -1]);
    expect(codes(deleted)).toEqual([null, null, 'UNKNOWN_TOPIC_OR_PARTITION']);
    const targets = cluster.sent.filter((each) => each.api === 'DeleteRecords').map((each) => each.target);
    expect(targets.sort()).toEqual([1, 2]);
  });
});

describe('options', () => {
  it('names an unknown option and the nearest valid one', () => {
    expect(() => resolveAdminOptions({ bootstrapServers: 'a:1', defaultApiTimeoutMS: 1 } as never)).toThrow(
      /defaultApiTimeoutMs/,
    );
  });
});
