import { decodeRecords, ErrorCode, javaStringHash } from '@kafka-template/protocol';
import { at, GroupWorld } from './group-world.fixture.js';
import { OFFSETS_TOPIC } from './group-coordinator.js';
import { DiskError } from '../io/disk.js';
import { DISK_FULL_RETRY_MS } from '../limits.js';

let world: GroupWorld;

beforeEach(async () => {
  world = await GroupWorld.start();
});
afterEach(() => world.stop());

const describeOne = (groupId: string, version = 6) =>
  world.groups.describe({ groups: [groupId], includeAuthorizedOperations: false }, at(version)).groups[0];

describe('where a group lives', () => {
  it('is a matter of its name, as in Java', () => {
    expect(world.groups.coordinatorPartition('')).toBe(0);
    expect(world.groups.coordinatorPartition('g')).toBe(javaStringHash('g') % 4);
    // Hash -2147483648: has no positive counterpart. Hash below zero: its absolute value counts.
    expect(javaStringHash('polygenelubricants')).toBe(-2147483648);
    expect(world.groups.coordinatorPartition('polygenelubricants')).toBe(0);
    expect(javaStringHash('billing')).toBeLessThan(0);
    expect(world.groups.coordinatorPartition('billing')).toBe(Math.abs(javaStringHash('billing')) % 4);
  });

  it('is known at once, the topic being made on the way', async () => {
    await world.controller.deleteTopic(OFFSETS_TOPIC);
    expect(world.heartbeat({ memberId: 'm' }).answer?.errorCode).toBe(ErrorCode.NOT_COORDINATOR);
    const found = await Promise.all(['a', 'b', 'c'].map((groupId) => world.groups.findCoordinator(groupId)));
    expect(found).toEqual(found.map(() => ({ errorCode: 0, errorMessage: null, nodeId: 0 })));
    expect(world.controller.image.topic(OFFSETS_TOPIC)?.partitions).toHaveLength(4);
    expect(world.commit({ 0: 1 }).answer).toBeNull();
    await world.clock.settle();
    expect(world.offsets()).toEqual({ 't-0': 1 });
  });
});

describe('requests of members', () => {
  it('are refused in Kafka’s order of reasons', () => {
    expect(world.join({ groupId: '' }).answer).toMatchObject({
      errorCode: ErrorCode.INVALID_GROUP_ID,
      protocolName: null,
    });
    expect(world.join({ groupId: '' }, 5).answer?.protocolName).toBe('');
    expect(world.join({ sessionTimeoutMs: 5999 }).answer?.errorCode).toBe(ErrorCode.INVALID_SESSION_TIMEOUT);
    expect(world.join({ sessionTimeoutMs: 1_800_001 }).answer?.errorCode).toBe(ErrorCode.INVALID_SESSION_TIMEOUT);
    expect(world.join({ memberId: 'who' }).answer).toMatchObject({
      errorCode: ErrorCode.UNKNOWN_MEMBER_ID,
      memberId: 'who',
    });
    expect(describeOne('g')?.errorCode).toBe(ErrorCode.GROUP_ID_NOT_FOUND);
    expect(world.join({ protocolType: '' }).answer?.errorCode).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
    expect(describeOne('g')?.groupState).toBe('Empty');
    expect(world.sync({ groupId: 'none', protocolName: null }).answer?.errorCode).toBe(
      ErrorCode.INCONSISTENT_GROUP_PROTOCOL,
    );
    expect(world.sync({ groupId: 'none' }).answer?.errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    expect(world.heartbeat({ groupId: 'none' }).answer?.errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    expect(world.heartbeat({ groupId: '' }).answer?.errorCode).toBe(ErrorCode.INVALID_GROUP_ID);
    expect(world.leave({ groupId: 'none', memberId: 'who' }, 2).answer).toEqual({
      errorCode: ErrorCode.UNKNOWN_MEMBER_ID,
      members: [],
    });
    const members = [{ memberId: 'who', groupInstanceId: null, reason: null }];
    expect(world.leave({ groupId: 'none', members }).answer).toEqual({
      errorCode: 0,
      members: [{ memberId: 'who', groupInstanceId: null, errorCode: ErrorCode.UNKNOWN_MEMBER_ID }],
    });
  });

  it('lead through a whole life of a group', async () => {
    const first = world.join({ groupId: 'other' });
    expect(first.answer?.errorCode).toBe(ErrorCode.MEMBER_ID_REQUIRED);
    expect(first.answer?.memberId).toMatch(
      /^client-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    const memberId = await world.member();
    expect(describeOne('g')).toMatchObject({
      groupState: 'Stable',
      protocolType: 'consumer',
      protocolData: 'range',
      members: [{ memberId, groupInstanceId: null, clientId: 'client', clientHost: '/127.0.0.1' }],
    });
    expect(world.heartbeat({ memberId }).answer?.errorCode).toBe(ErrorCode.NONE);
    const left = world.leave({ memberId }, 1);
    await world.clock.settle();
    expect(left.answer?.errorCode).toBe(ErrorCode.NONE);
    expect(describeOne('g')).toMatchObject({
      groupState: 'Empty',
      protocolType: 'consumer',
      protocolData: '',
      members: [],
    });
  });

  it('name static members after their instance', () => {
    expect(world.join({ groupInstanceId: 'inst' }).answer?.memberId).toMatch(/^inst-/);
  });

  it('end sessions by the clock, not by the wall', async () => {
    const memberId = await world.member();
    world.clock.jump(3_600_000);
    await world.clock.advance(9000);
    expect(world.heartbeat({ memberId }).answer?.errorCode).toBe(ErrorCode.NONE);
    await world.clock.advance(9999);
    expect(world.heartbeat({ memberId }).answer?.errorCode).toBe(ErrorCode.NONE);
    await world.clock.advance(10_000);
    expect(world.heartbeat({ memberId }).answer?.errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    expect(describeOne('g')?.groupState).toBe('Empty');
  });
});

describe('committed offsets', () => {
  it('come back with everything that was committed with them', async () => {
    const committed = world.commit({ 0: 5, 2: 7 }, { metadata: 'note' });
    expect(committed.answer).toBeNull();
    await world.clock.settle();
    expect(committed.answer).toEqual({
      topics: [
        {
          name: 't',
          topicId: 'some-id',
          partitions: [
            { partitionIndex: 0, errorCode: 0 },
            { partitionIndex: 2, errorCode: 0 },
          ],
        },
      ],
    });
    const topics = [{ name: 't', topicId: 'id', partitionIndexes: [0, 1] }];
    const groups = [{ groupId: 'g', memberId: null, memberEpoch: -1, topics }];
    expect(world.groups.fetchOffsets({ groupId: '', topics: null, groups, requireStable: false }, at(9))).toEqual({
      groups: [
        {
          groupId: 'g',
          errorCode: 0,
          topics: [
            {
              name: 't',
              topicId: 'id',
              partitions: [
                { partitionIndex: 0, committedOffset: 5, committedLeaderEpoch: 3, metadata: 'note', errorCode: 0 },
                { partitionIndex: 1, committedOffset: -1, committedLeaderEpoch: -1, metadata: '', errorCode: 0 },
              ],
            },
          ],
        },
      ],
    });
    const old = world.groups.fetchOffsets(
      { groupId: 'g', topics: [{ name: 't', partitionIndexes: [2] }], groups: [], requireStable: false },
      at(5),
    );
    expect(old).toMatchObject({
      errorCode: 0,
      topics: [{ name: 't', partitions: [{ partitionIndex: 2, committedOffset: 7 }] }],
    });
  });

  it('are all there is when nobody names topics, and nothing for a group nobody knows', async () => {
    world.commit({ 0: 1, 1: 2 });
    await world.clock.settle();
    expect(world.offsets()).toEqual({ 't-0': 1, 't-1': 2 });
    expect(world.fetch('nobody')).toEqual({ groups: [{ groupId: 'nobody', errorCode: 0, topics: [] }] });
    const old = world.groups.fetchOffsets({ groupId: 'g', topics: null, groups: [], requireStable: false }, at(2));
    expect(old.topics?.[0]?.partitions).toHaveLength(2);
  });

  it('are refused one by one: an unknown topic or partition, a long text', async () => {
    const long = world.commit({ 0: 1 }, { metadata: 'x'.repeat(4097) });
    expect(long.answer?.topics[0]?.partitions).toEqual([
      { partitionIndex: 0, errorCode: ErrorCode.OFFSET_METADATA_TOO_LARGE },
    ]);
    const unknown = world.commit({ 0: 1 }, { topic: 'none' });
    expect(unknown.answer?.topics[0]?.partitions).toEqual([
      { partitionIndex: 0, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION },
    ]);
    const mixed = world.commit({ 0: 1, 6: 1 });
    await world.clock.settle();
    expect(mixed.answer?.topics[0]?.partitions.map(({ errorCode }) => errorCode)).toEqual([0, 3]);
    expect(world.offsets()).toEqual({ 't-0': 1 });
    expect(world.commit({}, { topics: [] }).answer).toEqual({ topics: [] });
  });

  it('may come from anybody while the group is empty, and from its members only while it is not', async () => {
    const code = async (request: Parameters<GroupWorld['commit']>[1], version = 9) => {
      const pending = world.commit({ 0: 9 }, request, version);
      await world.clock.settle();
      return pending.answer?.topics[0]?.partitions[0]?.errorCode;
    };
    expect(await code({ groupId: '' })).toBe(ErrorCode.NONE);
    expect(await code({ generationIdOrMemberEpoch: 3, memberId: 'm' }, 8)).toBe(ErrorCode.ILLEGAL_GENERATION);
    expect(await code({ generationIdOrMemberEpoch: 3, memberId: 'm' }, 9)).toBe(ErrorCode.GROUP_ID_NOT_FOUND);
    expect(await code({ memberId: 'given-nobody' })).toBe(ErrorCode.NONE);
    const memberId = await world.member();
    expect(await code({})).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    expect(await code({ memberId: 'who', generationIdOrMemberEpoch: 1 })).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    expect(await code({ memberId, generationIdOrMemberEpoch: 0 })).toBe(ErrorCode.ILLEGAL_GENERATION);
    expect(await code({ memberId, generationIdOrMemberEpoch: 1 })).toBe(ErrorCode.NONE);
    world.join({ memberId });
    expect(await code({ memberId, generationIdOrMemberEpoch: 2 })).toBe(ErrorCode.REBALANCE_IN_PROGRESS);
  });

  it('count as a sign of life', async () => {
    const memberId = await world.member();
    for (let round = 0; round < 3; round += 1) {
      await world.clock.advance(9000);
      world.commit({ 0: round }, { memberId, generationIdOrMemberEpoch: 1 });
      await world.clock.settle();
    }
    expect(world.heartbeat({ memberId }).answer?.errorCode).toBe(ErrorCode.NONE);
  });

  it('go with their topic', async () => {
    await world.controller.createTopic({ name: 'u', numPartitions: 1, replicationFactor: 1, configs: [] });
    world.commit({ 0: 1 });
    world.commit({ 0: 1 }, { topic: 'u' });
    await world.clock.settle();
    await world.controller.deleteTopic('u');
    await world.clock.settle();
    expect(world.offsets()).toEqual({ 't-0': 1 });
    await world.restart();
    expect(world.offsets()).toEqual({ 't-0': 1 });
  });
});

describe('administration', () => {
  const remove = async (...groupsNames: string[]) =>
    (await world.settled(world.groups.deleteGroups({ groupsNames }))).results.map(({ errorCode }) => errorCode);
  const forget = (groupId: string, name = 't') =>
    world.settled(world.groups.deleteOffsets({ groupId, topics: [{ name, partitions: [{ partitionIndex: 0 }] }] }));

  it('deletes only groups that are empty, with their offsets, for good', async () => {
    world.commit({ 0: 1, 1: 1 }, { groupId: 'idle' });
    await world.member('busy');
    expect(await remove('idle', 'busy', 'none')).toEqual([0, ErrorCode.NON_EMPTY_GROUP, ErrorCode.GROUP_ID_NOT_FOUND]);
    expect(describeOne('idle')?.errorCode).toBe(ErrorCode.GROUP_ID_NOT_FOUND);
    expect(describeOne('idle', 5)).toMatchObject({ errorCode: 0, groupState: 'Dead' });
    await world.restart();
    expect(world.offsets('idle')).toEqual({});
    expect(describeOne('busy')?.groupState).toBe('Stable');
  });

  it('deletes offsets of topics that no member reads', async () => {
    world.commit({ 0: 4 });
    await world.clock.settle();
    const memberId = await world.member();
    expect(await forget('g')).toEqual({
      errorCode: 0,
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, errorCode: ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC }] }],
    });
    expect(await forget('none')).toEqual({ errorCode: ErrorCode.GROUP_ID_NOT_FOUND, topics: [] });
    expect((await forget('g', 'none')).topics[0]?.partitions[0]?.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    world.leave({ memberId }, 1);
    await world.clock.settle();
    expect((await forget('g')).topics[0]?.partitions[0]?.errorCode).toBe(ErrorCode.NONE);
    expect(world.offsets()).toEqual({});
  });

  it('lists by state and type, whatever the case', async () => {
    await world.member('busy');
    world.commit({ 0: 1 }, { groupId: 'idle' });
    await world.clock.settle();
    const list = (statesFilter: string[], typesFilter: string[] = []) =>
      world.groups.list({ statesFilter, typesFilter }).groups.map(({ groupId }) => groupId);
    expect(list([]).sort()).toEqual(['busy', 'idle']);
    expect(list(['stable'])).toEqual(['busy']);
    expect(list(['Empty'])).toEqual(['idle']);
    expect(list([], ['CLASSIC']).sort()).toEqual(['busy', 'idle']);
    expect(list([], ['consumer'])).toEqual([]);
  });
});

describe('expiry', () => {
  const DAY_MS = 86_400_000;

  it('keeps what members read, and forgets what nobody has read for a week, and the group after it', async () => {
    const memberId = await world.member('busy', { sessionTimeoutMs: 1_800_000 });
    world.commit({ 0: 1 }, { groupId: 'busy', memberId, generationIdOrMemberEpoch: 1 });
    world.commit({ 0: 1 }, { groupId: 'idle' });
    for (let halfHour = 0; halfHour < 48 * 8; halfHour += 1) {
      await world.clock.advance(1_700_000);
      world.heartbeat({ groupId: 'busy', memberId });
    }
    expect(world.offsets('idle')).toEqual({});
    expect(describeOne('idle')?.errorCode).toBe(ErrorCode.GROUP_ID_NOT_FOUND);
    expect(world.offsets('busy')).toEqual({ 't-0': 1 });
    world.leave({ groupId: 'busy', memberId }, 1);
    await world.clock.advance(6 * DAY_MS);
    expect(world.offsets('busy')).toEqual({ 't-0': 1 });
    await world.clock.advance(2 * DAY_MS);
    expect(world.offsets('busy')).toEqual({});
    await world.restart();
    expect(world.offsets('busy')).toEqual({});
  });

  it('honours the time a committer chose', async () => {
    world.commit({ 0: 1 }, { retentionTimeMs: 3_600_000 }, 4);
    world.commit({ 1: 1 }, { retentionTimeMs: -1 }, 4);
    await world.clock.advance(3_000_000);
    expect(world.offsets()).toEqual({ 't-0': 1, 't-1': 1 });
    await world.restart();
    await world.clock.advance(1_300_000);
    expect(world.offsets()).toEqual({ 't-1': 1 });
  });
});

describe('the log', () => {
  it('has every answer before it is given', async () => {
    const memberId = await world.member();
    world.disk.hold();
    const committed = world.commit({ 0: 1 }, { memberId, generationIdOrMemberEpoch: 1 });
    const heartbeat = world.heartbeat({ memberId });
    const fetched = world.offsets();
    await world.clock.settle();
    expect(committed.answer).toBeNull();
    expect(heartbeat.answer).toBeNull();
    expect(fetched).toEqual({ 't-0': 1 });
    world.disk.letGo();
    await world.clock.settle();
    expect(committed.answer?.topics[0]?.partitions[0]?.errorCode).toBe(ErrorCode.NONE);
    expect(heartbeat.answer?.errorCode).toBe(ErrorCode.NONE);
  });

  it('gives the same groups and offsets back after a restart', async () => {
    const memberId = await world.member('busy', { groupInstanceId: 'inst' });
    world.commit({ 0: 1, 1: 22 }, { groupId: 'busy', memberId, groupInstanceId: 'inst', generationIdOrMemberEpoch: 1 });
    world.commit({ 2: 9 }, { groupId: 'idle', metadata: 'x' });
    const gone = await world.member('left');
    world.leave({ groupId: 'left', memberId: gone }, 1);
    await world.clock.settle();
    const before = world.view('busy', 'idle', 'left');
    await world.restart();
    expect(world.view('busy', 'idle', 'left')).toEqual(before);
    // Members are as alive as if they had just beaten.
    await world.clock.advance(9999);
    expect(world.heartbeat({ groupId: 'busy', memberId }).answer?.errorCode).toBe(ErrorCode.NONE);
    await world.clock.advance(10_000);
    expect(world.heartbeat({ groupId: 'busy', memberId }).answer?.errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
  });

  it('holds Kafka’s records: key 1 with value 3 for offsets, key 2 with value 3 for groups', async () => {
    await world.member();
    world.commit({ 1: 42 }, { groupId: 'h', metadata: 'm' });
    world.commit({ 1: 42 }, { groupId: 'h', retentionTimeMs: 1000 }, 3);
    await world.clock.settle();
    const records = (await world.stored()).flatMap((bytes) => decodeRecords(bytes));
    const versions = records.map(({ key, value }) => [key?.readInt16BE(0), value?.readInt16BE(0)].join());
    expect(versions.sort()).toEqual(['1,1', '1,3', '2,3']);
    const offset = records.find(({ key, value }) => key?.readInt16BE(0) === 1 && value?.readInt16BE(0) === 3);
    // int16 1, group "h", topic "t", partition 1; int16 3, offset 42, epoch 3, "m", time of the commit.
    expect(offset?.key?.toString('hex')).toBe('00010001680001740000' + '0001');
    const time = BigInt(world.clock.now()).toString(16).padStart(16, '0');
    expect(offset?.value?.toString('hex')).toBe(`0003000000000000002a0000000300016d${time}`);
  });

  it('tells clients to look elsewhere when it fails, and serves nothing half', async () => {
    const memberId = await world.member();
    world.disk.intercept = (operation, path) => {
      if (operation === 'write' && path.includes(OFFSETS_TOPIC)) throw new DiskError('The device fails', 'EIO');
    };
    const committed = world.commit({ 0: 1 }, { memberId, generationIdOrMemberEpoch: 1 });
    const joined = world.join({ memberId }, 3);
    await world.clock.settle();
    expect(committed.answer?.topics[0]?.partitions[0]?.errorCode).toBe(ErrorCode.NOT_COORDINATOR);
    expect(joined.answer?.errorCode).toBe(ErrorCode.NOT_COORDINATOR);
    expect(world.heartbeat({ memberId }).answer?.errorCode).toBe(ErrorCode.NOT_COORDINATOR);
    expect(world.fetch().groups?.[0]?.errorCode).toBe(ErrorCode.NOT_COORDINATOR);
    world.disk.intercept = null;
  });

  it('refuses what it cannot store while the disk is full, reads on, and goes on when there is room', async () => {
    const memberId = await world.member();
    const generation = { memberId, generationIdOrMemberEpoch: 1 };
    world.commit({ 0: 1 }, generation);
    await world.clock.settle();
    world.disk.intercept = (operation, path) => {
      if (operation === 'write' && path.includes(OFFSETS_TOPIC)) throw new DiskError('The disk is full', 'ENOSPC');
    };
    for (const wait of [0, DISK_FULL_RETRY_MS]) {
      const refused = world.commit({ 0: 2 }, generation);
      await world.clock.advance(wait);
      await world.clock.settle();
      expect(refused.answer?.topics[0]?.partitions[0]?.errorCode).toBe(ErrorCode.NOT_COORDINATOR);
      expect(world.heartbeat({ memberId }).answer?.errorCode).toBe(ErrorCode.NONE);
      expect(world.offsets()).toEqual({ 't-0': 1 });
    }
    world.disk.intercept = null;
    await world.clock.advance(DISK_FULL_RETRY_MS);
    await world.clock.settle();
    const stored = world.commit({ 0: 3 }, generation);
    await world.clock.settle();
    expect(stored.answer?.topics[0]?.partitions[0]?.errorCode).toBe(ErrorCode.NONE);
    expect(world.offsets()).toEqual({ 't-0': 3 });
  });

  it('refuses a commit that is too large, and goes on', async () => {
    await world.controller.createPartitions({ name: 't', count: 300 });
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, partition) => [partition, 1]));
    const committed = world.commit(many, { metadata: 'x'.repeat(4096) });
    await world.clock.settle();
    expect(committed.answer?.topics[0]?.partitions[0]?.errorCode).toBe(ErrorCode.INVALID_COMMIT_OFFSET_SIZE);
    expect(world.offsets()).toEqual({});
    world.commit({ 0: 1 });
    await world.clock.settle();
    expect(world.offsets()).toEqual({ 't-0': 1 });
  });
});

describe('leadership', () => {
  it('that ends answers whoever waits, and that is announced again changes nothing', async () => {
    const memberId = await world.member();
    const partition = world.groups.coordinatorPartition('g');
    const newcomer = world.join({}, 3);
    await world.groups.load(partition);
    expect(newcomer.answer).toBeNull();
    world.groups.unload(partition);
    expect(newcomer.answer?.errorCode).toBe(ErrorCode.NOT_COORDINATOR);
    expect(world.commit({ 0: 1 }).answer?.topics[0]?.partitions[0]?.errorCode).toBe(ErrorCode.NOT_COORDINATOR);
    const loading = world.groups.load(partition);
    expect(world.heartbeat({ memberId }).answer?.errorCode).toBe(ErrorCode.NONE);
    expect(world.sync({ memberId }).answer?.errorCode).toBe(ErrorCode.REBALANCE_IN_PROGRESS);
    expect(world.join({ memberId }).answer?.errorCode).toBe(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
    expect(world.groups.list({ statesFilter: [], typesFilter: [] }).errorCode).toBe(
      ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
    );
    await loading;
    expect(world.heartbeat({ memberId }).answer?.errorCode).toBe(ErrorCode.NONE);
  });

  it('ends for good with the broker, which leaves no timers behind', async () => {
    await world.member();
    const waiting = world.join({}, 3);
    world.groups.close();
    expect(waiting.answer?.errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    expect(world.heartbeat({}).answer?.errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    expect((await world.groups.findCoordinator('g')).errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    await world.partitions.close();
    expect(world.clock.pendingTimers).toBe(0);
  });
});
