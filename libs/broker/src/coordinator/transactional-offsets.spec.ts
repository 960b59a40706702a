import { ErrorCode } from '@kafka-template/protocol';
import { at, GroupWorld } from './group-world.fixture.js';

let world: GroupWorld;

beforeEach(async () => {
  world = await GroupWorld.start();
});
afterEach(() => world.stop());

describe('offsets of transactions', () => {
  const commit = async (producerId: number, offset: number) => {
    let code: number | undefined;
    world.groups.commitTransactionalOffsets(
      {
        transactionalId: 'x',
        groupId: 'g',
        producerId,
        producerEpoch: 0,
        generationId: -1,
        memberId: '',
        groupInstanceId: null,
        topics: [
          {
            name: 't',
            partitions: [
              { partitionIndex: 0, committedOffset: offset, committedLeaderEpoch: -1, committedMetadata: '' },
            ],
          },
        ],
      },
      at(3),
      (response) => {
        code = response.topics[0]?.partitions[0]?.errorCode;
      },
    );
    await world.clock.settle();
    return code;
  };
  const end = (producerId: number, committed: boolean) =>
    world.groups.endTransaction(world.groups.coordinatorPartition('g'), producerId, committed);

  it('keep offsets to themselves until they are committed, also over a restart', async () => {
    expect(await commit(7, 10)).toBe(ErrorCode.NONE);
    expect(world.offsets()).toEqual({});
    const topics = [{ name: 't', topicId: '', partitionIndexes: [0] }];
    const groups = [{ groupId: 'g', memberId: null, memberEpoch: -1, topics }];
    const stable = world.groups.fetchOffsets({ groupId: '', topics: null, groups, requireStable: true }, at(8));
    expect(stable.groups?.[0]?.topics[0]?.partitions[0]?.errorCode).toBe(ErrorCode.UNSTABLE_OFFSET_COMMIT);
    await world.restart();
    expect(world.offsets()).toEqual({});
    end(7, true);
    expect(world.offsets()).toEqual({ 't-0': 10 });
  });

  it('leave nothing behind when they are aborted', async () => {
    await commit(7, 10);
    await commit(8, 11);
    end(7, false);
    expect(world.offsets()).toEqual({});
    end(8, true);
    expect(world.offsets()).toEqual({ 't-0': 11 });
  });

  it('do not move back what was committed after them, whenever they end', async () => {
    await commit(7, 5);
    world.commit({ 0: 10 });
    await world.clock.settle();
    expect(world.offsets()).toEqual({ 't-0': 10 });
    await world.restart();
    end(7, true);
    expect(world.offsets()).toEqual({ 't-0': 10 });
  });

  it.each<[what: string, remove: () => Promise<unknown>]>([
    ['the group', () => world.groups.deleteGroups({ groupsNames: ['g'] })],
    [
      'the offset',
      () => world.groups.deleteOffsets({ groupId: 'g', topics: [{ name: 't', partitions: [{ partitionIndex: 0 }] }] }),
    ],
    ['the topic', () => world.controller.deleteTopic('t')],
  ])('go with %s, and do not bring it back', async (_what, remove) => {
    world.commit({ 1: 1 });
    await commit(7, 5);
    await world.settled(remove());
    end(7, true);
    expect(world.offsets()['t-0']).toBeUndefined();
    await world.restart();
    end(7, true);
    expect(world.offsets()['t-0']).toBeUndefined();
  });

  it('keep a group of which everything else has expired', async () => {
    world.commit({ 1: 1 });
    await commit(7, 5);
    await world.clock.advance(9 * 86_400_000);
    expect(world.offsets()).toEqual({});
    const [group] = world.groups.describe({ groups: ['g'], includeAuthorizedOperations: false }, at(6)).groups;
    expect(group?.groupState).toBe('Empty');
    end(7, true);
    expect(world.offsets()).toEqual({ 't-0': 5 });
  });
});
