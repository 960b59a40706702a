import { ErrorCode } from '@kafka-template/protocol';
import { ConfigResourceType } from '../cluster/topic-request.js';
import { at, GroupWorld } from './group-world.fixture.js';

let world: GroupWorld;

beforeEach(async () => {
  world = await GroupWorld.start();
});
afterEach(() => world.stop());

const DAY_MS = 86_400_000;

async function enter(memberId: string, request: Parameters<GroupWorld['beat']>[2] = {}): Promise<number> {
  const joined = world.beat(memberId, 0, request);
  expect(joined.answer).toBeNull();
  await world.clock.settle();
  expect(joined.answer?.errorCode).toBe(ErrorCode.NONE);
  return joined.answer?.memberEpoch ?? -1;
}

const shown = (groupId = 'g') =>
  world.groups.describeConsumerGroups({ groupIds: [groupId], includeAuthorizedOperations: false }).groups[0];
const listed = (typesFilter: string[] = [], statesFilter: string[] = []) =>
  world.groups.list({ statesFilter, typesFilter }).groups.map(({ groupId, groupType }) => `${groupId} ${groupType}`);
const codeOf = (pending: ReturnType<GroupWorld['commit']>) => pending.answer?.topics[0]?.partitions[0]?.errorCode;

describe('groups of the new protocol', () => {
  it('answer after the log has what they say, and are there again after a restart', async () => {
    await enter('a', { instanceId: 'i' });
    await enter('b', { subscribedTopicNames: null, subscribedTopicRegex: 't|u' });
    const epoch = 2;
    world.commit({ 0: 7 }, { memberId: 'a', generationIdOrMemberEpoch: epoch });
    await world.clock.settle();
    const before = world.view('g');
    await world.restart();
    expect(world.view('g')).toEqual(before);
    expect(shown()).toMatchObject({ groupState: 'Reconciling', groupEpoch: 3, assignmentEpoch: 3 });
    const beaten = world.beat('a', epoch, { instanceId: 'i' });
    await world.clock.settle();
    expect(beaten.answer).toMatchObject({ errorCode: 0, memberEpoch: 2 });
  });

  it('drop whoever does not come back after a restart, once its session is over', async () => {
    await enter('a');
    await world.restart();
    await world.clock.advance(44_000);
    expect(shown()?.members).toHaveLength(1);
    await world.clock.advance(1_000);
    expect(shown()).toMatchObject({ groupState: 'Empty', members: [] });
    await world.restart();
    expect(shown()).toMatchObject({ groupState: 'Empty', groupEpoch: 3 });
  });

  it('have their own session and heartbeat where they are set, from the next heartbeat on, and after a restart', async () => {
    const set = async (name: string, value: string): Promise<void> => {
      const group = { resourceType: ConfigResourceType.GROUP, resourceName: 'g' };
      const changes = [{ name, value, configOperation: 0 }];
      expect(await world.controller.changeConfigs(group, changes, false)).toMatchObject({ errorCode: 0 });
    };
    const beat = async (groupId: string): Promise<number | undefined> => {
      const beaten = world.beat('a', groupId === 'g' ? epoch : other, { groupId });
      await world.clock.settle();
      return beaten.answer?.heartbeatIntervalMs;
    };
    const epoch = await enter('a');
    const other = await enter('a', { groupId: 'other' });
    expect(await beat('g')).toBe(5000);
    await set('consumer.heartbeat.interval.ms', '6000');
    await set('consumer.session.timeout.ms', '50000');
    expect([await beat('g'), await beat('other')]).toEqual([6000, 5000]);
    await world.clock.advance(45_000);
    expect(shown('other')?.members).toEqual([]);
    expect(shown('g')?.members).toHaveLength(1);
    await world.clock.advance(5_000);
    expect(shown('g')?.members).toEqual([]);
    await enter('b');
    await world.restart();
    await world.clock.advance(49_999);
    expect(shown()?.members).toHaveLength(1);
    await world.clock.advance(1);
    expect(shown()?.members).toEqual([]);
  });

  it('keep their targets for as long as is set for them alone', async () => {
    const group = { resourceType: ConfigResourceType.GROUP, resourceName: 'g' };
    const set = (value: string) =>
      world.controller.changeConfigs(
        group,
        [{ name: 'consumer.assignment.interval.ms', value, configOperation: 0 }],
        false,
      );
    expect(await set('15001')).toMatchObject({ errorCode: ErrorCode.INVALID_CONFIG });
    expect(await set('9000')).toMatchObject({ errorCode: ErrorCode.NONE });
    await enter('a');
    await enter('b');
    expect([shown('g')?.groupEpoch, shown('g')?.assignmentEpoch]).toEqual([3, 2]);
    await enter('a', { groupId: 'other' });
    await enter('b', { groupId: 'other' });
    expect([shown('other')?.groupEpoch, shown('other')?.assignmentEpoch]).toEqual([3, 3]);
  });

  it('see topics that are made, grow and go', async () => {
    await enter('a', { subscribedTopicNames: ['t', 'u'] });
    await world.controller.createTopic({ name: 'u', numPartitions: 2, replicationFactor: 1, configs: [] });
    const more = world.beat('a', 2);
    await world.clock.settle();
    expect(more.answer?.memberEpoch).toBe(3);
    expect(more.answer?.assignment?.topicPartitions.map(({ partitions }) => partitions.length).sort()).toEqual([2, 3]);
    await world.controller.deleteTopic('t');
    const less = world.beat('a', 3);
    await world.clock.settle();
    expect(less.answer?.assignment?.topicPartitions).toHaveLength(1);
  });

  it('take commits of members in their epochs only', async () => {
    const epoch = await enter('a');
    const commit = async (request: Parameters<GroupWorld['commit']>[1], version = 9): Promise<number | undefined> => {
      const pending = world.commit({ 0: 1 }, request, version);
      await world.clock.settle();
      return codeOf(pending);
    };
    expect(await commit({ memberId: 'a', generationIdOrMemberEpoch: epoch })).toBe(ErrorCode.NONE);
    expect(await commit({ memberId: 'a', generationIdOrMemberEpoch: epoch }, 8)).toBe(ErrorCode.UNSUPPORTED_VERSION);
    expect(await commit({ memberId: 'a', generationIdOrMemberEpoch: epoch + 1 })).toBe(ErrorCode.STALE_MEMBER_EPOCH);
    expect(await commit({ memberId: 'a', generationIdOrMemberEpoch: 0 })).toBe(ErrorCode.STALE_MEMBER_EPOCH);
    expect(await commit({ memberId: 'b', generationIdOrMemberEpoch: epoch })).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    expect(await commit({})).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    // Another member came and took something: the first one still commits what it keeps in its old epoch (KIP-1251).
    await enter('b');
    const keeps = [{ topicId: world.controller.image.topic('t')?.id ?? '', partitions: [0, 1] }];
    world.beat('a', epoch);
    world.beat('a', epoch, { topicPartitions: keeps });
    await world.clock.settle();
    expect(shown()?.members.map(({ memberEpoch }) => memberEpoch)).toEqual([3, 3]);
    expect(await commit({ memberId: 'a', generationIdOrMemberEpoch: epoch })).toBe(ErrorCode.NONE);
    const lost = world.commit({ 2: 1 }, { memberId: 'a', generationIdOrMemberEpoch: epoch });
    expect(codeOf(lost)).toBe(ErrorCode.STALE_MEMBER_EPOCH);
  });

  it('tell transactions of a wrong epoch as of a wrong generation', async () => {
    const epoch = await enter('a');
    const commit = async (memberId: string, generationId: number): Promise<number | undefined> => {
      const partitions = [{ partitionIndex: 0, committedOffset: 3, committedLeaderEpoch: -1, committedMetadata: '' }];
      const producer = { transactionalId: 'tx', producerId: 5, producerEpoch: 0 };
      const request = {
        groupId: 'g',
        generationId,
        memberId,
        groupInstanceId: null,
        topics: [{ name: 't', partitions }],
      };
      let code: number | undefined;
      world.groups.commitTransactionalOffsets({ ...producer, ...request }, at(3), ({ topics }) => {
        code = topics[0]?.partitions[0]?.errorCode;
      });
      await world.clock.settle();
      return code;
    };
    expect(await commit('a', epoch)).toBe(ErrorCode.NONE);
    expect(await commit('a', epoch + 1)).toBe(ErrorCode.ILLEGAL_GENERATION);
    expect(await commit('b', epoch)).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    world.groups.endTransaction(world.groups.coordinatorPartition('g'), 5, true);
    expect(world.offsets()).toEqual({ 't-0': 3 });
    expect(listed()).toEqual(['g consumer']);
  });

  it('tell members that fetch offsets when their epoch is over', async () => {
    await enter('a');
    const code = (memberId: string | null, memberEpoch: number) =>
      world.groups.fetchOffsets(
        {
          groupId: '',
          topics: null,
          groups: [{ groupId: 'g', memberId, memberEpoch, topics: null }],
          requireStable: false,
        },
        at(9),
      ).groups?.[0]?.errorCode;
    expect([code('a', 2), code(null, -1)]).toEqual([0, 0]);
    expect([code('a', 1), code('b', 2)]).toEqual([ErrorCode.STALE_MEMBER_EPOCH, ErrorCode.UNKNOWN_MEMBER_ID]);
  });

  it('are listed with the others, by type and state', async () => {
    await enter('a');
    await world.member('old');
    expect(listed().sort()).toEqual(['g consumer', 'old classic']);
    expect(listed(['Consumer'])).toEqual(['g consumer']);
    expect(listed([], ['stable']).sort()).toEqual(['g consumer', 'old classic']);
    expect(listed(['consumer'], ['empty'])).toEqual([]);
    const described = world.groups.describe({ groups: ['g'], includeAuthorizedOperations: false }, at(6)).groups[0];
    expect(described).toMatchObject({
      errorCode: 69,
      errorMessage: 'Group g is not a classic group.',
      groupState: 'Dead',
    });
    expect(shown('old')).toMatchObject({ errorCode: 69, errorMessage: 'Group old is not a consumer group.' });
  });

  it('are deleted when they are empty, and forgotten when nobody read their topics for a week', async () => {
    const remove = async () =>
      (await world.settled(world.groups.deleteGroups({ groupsNames: ['g'] }))).results[0]?.errorCode;
    await enter('a');
    expect(await remove()).toBe(ErrorCode.NON_EMPTY_GROUP);
    world.beat('a', -1);
    await world.clock.settle();
    expect(await remove()).toBe(ErrorCode.NONE);
    await world.restart();
    expect(shown()?.errorCode).toBe(ErrorCode.GROUP_ID_NOT_FOUND);

    const epoch = await enter('a');
    world.commit({ 0: 1 }, { memberId: 'a', generationIdOrMemberEpoch: epoch });
    world.beat('a', -1);
    await world.clock.advance(6 * DAY_MS);
    expect(world.offsets()).toEqual({ 't-0': 1 });
    await world.clock.advance(DAY_MS + 600_000);
    expect(world.offsets()).toEqual({});
    expect(shown()?.errorCode).toBe(ErrorCode.GROUP_ID_NOT_FOUND);
  });

  it('keep the offsets of topics that are read, and let tools delete others', async () => {
    const epoch = await enter('a');
    world.commit({ 0: 1 }, { memberId: 'a', generationIdOrMemberEpoch: epoch });
    await world.clock.settle();
    const forget = async () =>
      (
        await world.settled(
          world.groups.deleteOffsets({ groupId: 'g', topics: [{ name: 't', partitions: [{ partitionIndex: 0 }] }] }),
        )
      ).topics[0]?.partitions[0]?.errorCode;
    expect(await forget()).toBe(ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC);
    const left = world.leave({ members: [{ memberId: 'a', groupInstanceId: null, reason: null }] });
    await world.clock.settle();
    expect(left.answer?.members).toEqual([{ memberId: 'a', groupInstanceId: null, errorCode: 0 }]);
    expect(await forget()).toBe(ErrorCode.NONE);
    expect(world.offsets()).toEqual({});
  });

  it('are not served when the configuration leaves them out', async () => {
    await world.stop();
    world = await GroupWorld.start({ 'group.coordinator.rebalance.protocols': 'classic' });
    expect(world.beat('a', 0).answer?.errorCode).toBe(ErrorCode.UNSUPPORTED_VERSION);
    expect(shown()?.errorCode).toBe(ErrorCode.UNSUPPORTED_VERSION);
  });
});

describe('a group that changes its protocol', () => {
  it('becomes one of the new protocol when it is empty, and keeps its offsets', async () => {
    const memberId = await world.member('g');
    world.commit({ 0: 5 }, { memberId, generationIdOrMemberEpoch: 1 });
    expect(world.beat('a', 0).answer).toMatchObject({
      errorCode: 69,
      errorMessage: 'Group g is not a consumer group.',
    });
    world.leave({ memberId }, 1);
    await world.clock.settle();
    await enter('a');
    expect(listed()).toEqual(['g consumer']);
    expect(world.offsets()).toEqual({ 't-0': 5 });
    await world.restart();
    expect(listed()).toEqual(['g consumer']);
    expect(world.offsets()).toEqual({ 't-0': 5 });
  });

  it('becomes a classic one when it is empty, and not before', async () => {
    const epoch = await enter('a');
    world.commit({ 0: 5 }, { memberId: 'a', generationIdOrMemberEpoch: epoch });
    await world.clock.settle();
    expect(world.join({}, 3).answer?.errorCode).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
    world.beat('a', -1);
    await world.clock.settle();
    expect(world.join({ memberId: 'x' }).answer?.errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    const joined = world.join({}, 3);
    await world.clock.settle();
    expect(joined.answer).toMatchObject({ errorCode: 0, generationId: 1 });
    world.sync({ memberId: joined.answer?.memberId ?? '', assignments: [] });
    await world.clock.settle();
    expect(listed()).toEqual(['g classic']);
    await world.restart();
    expect(listed()).toEqual(['g classic']);
    expect(world.offsets()).toEqual({ 't-0': 5 });
  });
});
