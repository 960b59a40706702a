import { ErrorCode, ZERO_UUID, type ShareGroupHeartbeatRequest } from '@kafka-template/protocol';
import { GroupWorld } from '../../group-world.fixture.js';
import { assignSimply, type ShareSubscriber } from './simple-assignor.js';

const SENDER = { clientId: 'c', clientHost: '/127.0.0.1' };
const CONFIG = { 'share.coordinator.state.topic.num.partitions': '2', 'group.share.max.size': '3' };

describe('a share group', () => {
  let world: GroupWorld;

  beforeEach(async () => {
    world = await GroupWorld.start(CONFIG);
  });
  afterEach(() => world.stop());

  async function beat(memberId: string, memberEpoch: number, wish: Partial<ShareGroupHeartbeatRequest> = {}) {
    const subscribedTopicNames = memberEpoch === 0 ? ['t'] : null;
    const request = { groupId: 'g', memberId, memberEpoch, rackId: null, subscribedTopicNames, ...wish };
    const answer = world.groups.shareGroups.heartbeat(request, SENDER);
    // Making the state takes some writes, one after the other.
    for (let step = 0; step < 8; step += 1) await world.clock.settle();
    const { errorCode, memberEpoch: epoch, assignment } = await answer;
    const partitions = assignment?.topicPartitions.flatMap((each) => each.partitions) ?? null;
    return { errorCode, epoch, partitions };
  }

  const described = () => world.groups.shareGroups.describe({ groupIds: ['g'], includeAuthorizedOperations: false });
  const offsets = (topics: { topicName: string; partitions: number[] }[] | null = null) =>
    world.groups.shareGroups.describeOffsets({ groupId: 'g', topics });

  it('gives the first member everything with the first answer, and later ones their part', async () => {
    expect(await beat('a', 0)).toEqual({ errorCode: 0, epoch: 3, partitions: [0, 1, 2] });
    expect(await beat('a', 3)).toEqual({ errorCode: 0, epoch: 3, partitions: null });
    expect(await beat('b', 0)).toMatchObject({ errorCode: 0, epoch: 4, partitions: [expect.any(Number)] });
    const rest = await beat('a', 3);
    expect([rest.epoch, rest.partitions?.length]).toEqual([4, 2]);
    expect(described().groups[0]).toMatchObject({ groupState: 'Stable', groupEpoch: 4, assignmentEpoch: 4 });
  });

  it.each([
    ['an epoch from the future', 'a', 9, {}, ErrorCode.FENCED_MEMBER_EPOCH],
    ['an epoch from long ago', 'a', 1, {}, ErrorCode.FENCED_MEMBER_EPOCH],
    ['somebody who never joined', 'z', 3, {}, ErrorCode.UNKNOWN_MEMBER_ID],
    ['a goodbye of somebody who never joined', 'z', -1, {}, ErrorCode.UNKNOWN_MEMBER_ID],
    ['another group', 'a', 3, { groupId: 'other' }, ErrorCode.GROUP_ID_NOT_FOUND],
    ['no name', '', 0, {}, ErrorCode.INVALID_REQUEST],
    ['no topics', 'b', 0, { subscribedTopicNames: [] }, ErrorCode.INVALID_REQUEST],
    ['an epoch that means nothing', 'a', -2, {}, ErrorCode.INVALID_REQUEST],
  ])('refuses %s', async (_name, memberId, epoch, wish, errorCode) => {
    await beat('a', 0);
    expect((await beat(memberId, epoch, wish)).errorCode).toBe(errorCode);
    // The epoch before is taken once more: the answer may have been lost.
    expect((await beat('a', 2)).errorCode).toBe(ErrorCode.NONE);
  });

  it('refuses more members than it may have, and groups of other kinds', async () => {
    for (const memberId of ['a', 'b', 'c']) expect((await beat(memberId, 0)).errorCode).toBe(ErrorCode.NONE);
    expect((await beat('d', 0)).errorCode).toBe(ErrorCode.GROUP_MAX_SIZE_REACHED);
    expect(world.join({ groupId: 'g' }).answer?.errorCode).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
    const listed = world.groups.list({ statesFilter: [], typesFilter: ['share'] });
    expect(listed.groups).toEqual([{ groupId: 'g', protocolType: 'share', groupState: 'Stable', groupType: 'share' }]);
  });

  it('drops who is silent, and frees what it had', async () => {
    const released: string[] = [];
    world.shares.release = (groupId, memberId) => void released.push(`${groupId}/${memberId}`);
    world.shares.forget = (groupId) => void released.push(groupId);
    await beat('a', 0);
    await beat('b', 0);
    await world.clock.advance(30_000);
    await beat('a', 3);
    await world.clock.advance(20_000);
    expect(described().groups[0]?.members.map(({ memberId }) => memberId)).toEqual(['a']);
    expect(released).toEqual(['g/b']);
    expect((await beat('a', -1)).epoch).toBe(-1);
    expect(released).toEqual(['g/b', 'g/a', 'g']);
    expect(described().groups[0]).toMatchObject({ groupState: 'Empty', members: [] });
  });

  it('is after a restart what it was', async () => {
    await beat('a', 0);
    await beat('b', 0);
    const before = { described: described(), offsets: offsets() };
    await world.restart();
    expect({ described: described(), offsets: offsets() }).toEqual(before);
    expect((await beat('b', 4)).errorCode).toBe(ErrorCode.NONE);
  });

  it('gives out the partitions that are added to a topic', async () => {
    await beat('a', 0);
    await world.controller.createPartitions({ name: 't', count: 4 });
    expect((await beat('a', 3)).partitions).toEqual([0, 1, 2, 3]);
    // A topic that was deleted and made anew is another one: nothing of the old one is left.
    await world.controller.deleteTopic('t');
    await world.clock.settle();
    expect(offsets().topics).toEqual([]);
  });

  it('is moved and forgotten only while it is empty', async () => {
    const settled = async <T>(answer: Promise<T>): Promise<T> => {
      for (let step = 0; step < 12; step += 1) await world.clock.settle();
      return answer;
    };
    const alter = () => {
      const topics = [
        { topicName: 't', partitions: [0, 9].map((partitionIndex) => ({ partitionIndex, startOffset: 7 })) },
        { topicName: 'nope', partitions: [{ partitionIndex: 0, startOffset: 7 }] },
      ];
      return settled(world.groups.shareGroups.alterOffsets({ groupId: 'g', topics }));
    };
    const forget = () =>
      settled(
        world.groups.shareGroups.deleteOffsets({ groupId: 'g', topics: [{ topicName: 't' }, { topicName: 'nope' }] }),
      );
    const remove = async () => (await settled(world.groups.deleteGroups({ groupsNames: ['g'] }))).results[0]?.errorCode;
    await beat('a', 0);
    expect((await alter()).errorCode).toBe(ErrorCode.NON_EMPTY_GROUP);
    expect((await forget()).errorCode).toBe(ErrorCode.NON_EMPTY_GROUP);
    expect(await remove()).toBe(ErrorCode.NON_EMPTY_GROUP);
    await beat('a', -1);
    const moved = await alter();
    expect(moved.responses.map(({ partitions }) => partitions.map(({ errorCode }) => errorCode))).toEqual([
      [0, 3],
      [3],
    ]);
    const [topic] = offsets().topics;
    expect(topic?.partitions.map(({ startOffset }) => startOffset)).toEqual([7, -1, -1]);
    expect((await forget()).responses.map(({ errorCode }) => errorCode)).toEqual([0, 3]);
    expect(offsets().topics).toEqual([]);
    expect(await remove()).toBe(ErrorCode.NONE);
    expect(await remove()).toBe(ErrorCode.GROUP_ID_NOT_FOUND);
    await world.restart();
    expect(world.groups.list({ statesFilter: [], typesFilter: ['share'] }).groups).toEqual([]);
  });

  it('of which nobody has heard stands nowhere', () => {
    const topics = [
      { topicName: 't', partitions: [0] },
      { topicName: 'nope', partitions: [0] },
    ];
    const none = { partitionIndex: 0, startOffset: -1, leaderEpoch: 0, lag: -1, errorCode: 0 };
    const topicId = world.controller.image.topic('t')?.id;
    expect(offsets(topics)).toMatchObject({
      errorCode: 0,
      topics: [
        { topicId, partitions: [none] },
        { topicId: ZERO_UUID, partitions: [none] },
      ],
    });
  });
});

describe('the simple assignor', () => {
  const member = (memberId: string, topics: string[], target: [string, number[]][] = []): ShareSubscriber => ({
    memberId,
    topicIds: new Set(topics),
    target: new Map(target),
  });
  const shown = (members: ShareSubscriber[], partitions: Record<string, number[]>): Record<string, string> =>
    Object.fromEntries(
      [...assignSimply(members, new Map(Object.entries(partitions)))].map(([memberId, target]) => [
        memberId,
        [...target].map(([topic, numbers]) => topic + numbers.join()).join(' '),
      ]),
    );

  const cases: [
    name: string,
    members: ShareSubscriber[],
    partitions: Record<string, number[]>,
    Record<string, string>,
  ][] = [
    ['one member has everything', [member('a', ['t'])], { t: [0, 1, 2] }, { a: 't0,1,2' }],
    ['partitions are divided', [member('a', ['t']), member('b', ['t'])], { t: [0, 1, 2, 3] }, { a: 't0,2', b: 't1,3' }],
    [
      'members share a partition when there are more of them',
      ['a', 'b', 'c', 'd'].map((name) => member(name, ['t'])),
      { t: [0, 1] },
      { a: 't0', b: 't1', c: 't0', d: 't1' },
    ],
    [
      'who has something keeps it',
      [member('a', ['t']), member('b', ['t'], [['t', [0, 1]]])],
      { t: [0, 1] },
      { a: 't1', b: 't0' },
    ],
    [
      'nobody gets what it does not read',
      [member('a', ['t']), member('b', ['u'])],
      { t: [0, 1], u: [0] },
      { a: 't0,1', b: 'u0' },
    ],
    ['who reads nothing that exists has nothing', [member('a', [])], { t: [0] }, { a: '' }],
    ['what is gone is given up', [member('a', ['t'], [['t', [0, 5]]])], { t: [0, 1] }, { a: 't0,1' }],
  ];
  it.each(cases)('%s', (_name, members, partitions, expected) => {
    expect(shown(members, partitions)).toEqual(expected);
  });
});
