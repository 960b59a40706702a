import { ErrorCode } from '@kafka-template/protocol';
import { GroupPlay } from './group-play.fixture.js';

const {
  NONE,
  UNKNOWN_MEMBER_ID,
  REBALANCE_IN_PROGRESS,
  FENCED_INSTANCE_ID,
  INCONSISTENT_GROUP_PROTOCOL,
  GROUP_MAX_SIZE_REACHED,
} = ErrorCode;

describe('joining', () => {
  it('gives the generation to all at once, and the list of members to the leader only', () => {
    const play = new GroupPlay();
    const [a = ''] = play.stable(1, { protocols: ['range', 'sticky'] });
    const second = play.enter({ protocols: ['sticky', 'range'], topics: ['u'] });
    expect(play.joinAnswer(second.token)).toBeUndefined();
    const again = play.join({ memberId: a, protocols: ['range', 'sticky'] });
    const leader = play.joinAnswer(again);
    const follower = play.joinAnswer(second.token);
    expect(leader).toMatchObject({ errorCode: 0, generationId: 2, protocolType: 'consumer', leader: a, memberId: a });
    expect(leader?.members.map(({ memberId }) => memberId)).toEqual([a, second.id]);
    expect(follower).toMatchObject({
      generationId: 2,
      leader: a,
      memberId: second.id,
      members: [],
      skipAssignment: false,
    });
    expect(leader?.protocolName).toBe(follower?.protocolName);
    expect(play.group.subscribedTopics).toEqual(new Set(['t', 'u']));
  });

  it('chooses by votes among what all support', () => {
    const play = new GroupPlay();
    const a = play.enter({ protocols: ['x', 'y', 'z'] });
    const b = play.enter({ protocols: ['y', 'z'] });
    const c = play.enter({ protocols: ['z', 'y', 'q'] });
    play.join({ memberId: a.id, protocols: ['x', 'y', 'z'] });
    play.join({ memberId: b.id, protocols: ['y', 'z'] });
    expect(play.joinAnswer(c.token)).toMatchObject({ errorCode: 0, protocolName: 'y' });
  });

  it('waits a moment for those who announced themselves, and no longer', () => {
    const play = new GroupPlay();
    const ids = [play.join(), play.join()].map((token) => play.joinAnswer(token)?.memberId ?? '');
    const first = play.join({ memberId: ids[0]! });
    expect(play.joinAnswer(first)).toBeUndefined();
    const second = play.join({ memberId: ids[1]! });
    expect(play.joinAnswer(first)?.generationId).toBe(1);
    expect(play.joinAnswer(second)?.generationId).toBe(1);

    const lonely = new GroupPlay();
    lonely.join();
    const id = lonely.joinAnswer(lonely.join())?.memberId ?? '';
    const token = lonely.join({ memberId: id });
    lonely.pass(499);
    expect(lonely.joinAnswer(token)).toBeUndefined();
    lonely.pass(1);
    expect(lonely.joinAnswer(token)?.generationId).toBe(1);
  });

  it('lets a promised id expire with its session timeout, and lets the others go on', () => {
    const play = new GroupPlay();
    const [a = ''] = play.stable(1);
    const promised = play.joinAnswer(play.join({ sessionTimeoutMs: 7000 }))?.memberId ?? '';
    const again = play.join({ memberId: a });
    expect(play.joinAnswer(again)).toBeUndefined();
    play.pass(6999);
    expect(play.joinAnswer(again)).toBeUndefined();
    play.pass(1);
    expect(play.joinAnswer(again)).toMatchObject({ errorCode: 0, generationId: 2 });
    expect(play.joinAnswer(play.join({ memberId: promised }))?.errorCode).toBe(UNKNOWN_MEMBER_ID);
  });

  it('drops dynamic members that do not come before the rebalance timeout, and elects another leader', () => {
    const play = new GroupPlay();
    const [a = '', b = ''] = play.stable(2, { rebalanceTimeoutMs: 30_000, sessionTimeoutMs: 60_000 });
    const wish = { rebalanceTimeoutMs: 30_000, sessionTimeoutMs: 60_000, topics: ['u'] };
    const token = play.join({ ...wish, memberId: b });
    play.pass(29_999);
    expect(play.joinAnswer(token)).toBeUndefined();
    play.pass(1);
    expect(play.joinAnswer(token)).toMatchObject({ errorCode: 0, leader: b, generationId: 3 });
    expect([...play.group.members.keys()]).toEqual([b]);
    expect(play.heartbeat(a)).toBe(UNKNOWN_MEMBER_ID);
  });

  it('takes the longest rebalance timeout of the members', () => {
    const play = new GroupPlay();
    const wish = { sessionTimeoutMs: 600_000 };
    const [a = ''] = play.stable(1, { ...wish, rebalanceTimeoutMs: 100_000 });
    play.enter({ ...wish, rebalanceTimeoutMs: 20_000 });
    play.pass(99_999);
    expect(play.group.members.has(a)).toBe(true);
    play.pass(1);
    expect(play.group.members.has(a)).toBe(false);
  });

  it('drops a new member that waits in the join phase for five minutes', () => {
    const play = new GroupPlay();
    const wish = { sessionTimeoutMs: 1_800_000, rebalanceTimeoutMs: 1_800_000 };
    play.stable(1, wish);
    const { token } = play.enter(wish);
    play.pass(5 * 60_000);
    expect(play.joinAnswer(token)?.errorCode).toBe(UNKNOWN_MEMBER_ID);
    expect(play.group.members.size).toBe(1);
  });

  it('answers an old request of a member that asks again', () => {
    const play = new GroupPlay();
    const [, b = ''] = play.stable(2);
    const first = play.join({ memberId: b, topics: ['u'] });
    const second = play.join({ memberId: b, topics: ['u'] });
    expect(play.joinAnswer(first)?.errorCode).toBe(REBALANCE_IN_PROGRESS);
    expect(play.joinAnswer(second)).toBeUndefined();
  });

  it('has room for group.max.size members', () => {
    const play = new GroupPlay({ initialRebalanceDelayMs: 0, membersMax: 2 });
    const [a = '', b = ''] = play.stable(2);
    expect(play.joinAnswer(play.join({ apiVersion: 3 }))?.errorCode).toBe(GROUP_MAX_SIZE_REACHED);
    expect(play.joinAnswer(play.join())?.errorCode).toBe(GROUP_MAX_SIZE_REACHED);
    play.join({ memberId: b, topics: ['u'] });
    expect(play.joinAnswer(play.join({ memberId: a }))?.errorCode).toBe(NONE);
  });

  it('takes one timeout for both from version 0', () => {
    const play = new GroupPlay();
    play.join({ apiVersion: 0, sessionTimeoutMs: 9000, rebalanceTimeoutMs: -1 });
    expect([...play.group.members.values()][0]).toMatchObject({ sessionTimeoutMs: 9000, rebalanceTimeoutMs: 9000 });
  });
});

describe('the initial delay', () => {
  const rules = { initialRebalanceDelayMs: 3000, membersMax: 1000 };

  it('collects members, and grows while they come, up to the rebalance timeout', () => {
    const play = new GroupPlay(rules);
    const tokens = [play.join({ apiVersion: 3, rebalanceTimeoutMs: 7000 })];
    for (let second = 0; second < 6; second += 1) {
      play.pass(1000);
      tokens.push(play.join({ apiVersion: 3, rebalanceTimeoutMs: 7000 }));
    }
    expect(tokens.map((token) => play.joinAnswer(token))).toEqual(tokens.map(() => undefined));
    play.pass(1000);
    expect(tokens.map((token) => play.joinAnswer(token)?.generationId)).toEqual(tokens.map(() => 1));
  });

  it('ends when nobody came in it', () => {
    const play = new GroupPlay(rules);
    const token = play.join({ apiVersion: 3 });
    play.pass(2999);
    expect(play.joinAnswer(token)).toBeUndefined();
    play.pass(1);
    expect(play.joinAnswer(token)?.generationId).toBe(1);
  });
});

describe('syncing', () => {
  it('answers nobody before the leader, then everybody, and stores what it answers', () => {
    const play = new GroupPlay();
    const [a = '', b = ''] = play.stable(2);
    play.join({ memberId: b, topics: ['u'] });
    play.join({ memberId: a });
    const stored = play.records.length;
    const follower = play.sync(b);
    expect(play.syncAnswer(follower)).toBeUndefined();
    expect(play.records).toHaveLength(stored);
    const leader = play.sync(a, { assignments: { [a]: 'for a' } });
    expect(play.syncAnswer(leader)?.assignment.toString()).toBe('for a');
    // The leader forgot b: no bytes, as Kafka passes on.
    expect(play.syncAnswer(follower)).toMatchObject({ errorCode: 0, protocolName: 'range', protocolType: 'consumer' });
    expect(play.syncAnswer(follower)?.assignment).toHaveLength(0);
    expect(play.records).toHaveLength(stored + 1);
    const late = play.sync(b);
    expect(play.syncAnswer(late)?.errorCode).toBe(NONE);
  });

  it('sends those who wait back to joining when the round starts again', () => {
    const play = new GroupPlay();
    const [a = '', b = ''] = play.stable(2);
    play.join({ memberId: b, topics: ['u'] });
    play.join({ memberId: a });
    const waiting = play.sync(b);
    play.join({ apiVersion: 3 });
    expect(play.syncAnswer(waiting)?.errorCode).toBe(REBALANCE_IN_PROGRESS);
  });

  it('drops members that do not sync within the rebalance timeout', () => {
    const play = new GroupPlay();
    const wish = { rebalanceTimeoutMs: 20_000, sessionTimeoutMs: 600_000 };
    const [a = '', b = ''] = play.stable(2, wish);
    play.join({ ...wish, memberId: b, topics: ['u'] });
    play.join({ ...wish, memberId: a });
    const waiting = play.sync(b);
    play.pass(20_000);
    expect(play.syncAnswer(waiting)?.errorCode).toBe(REBALANCE_IN_PROGRESS);
    expect([...play.group.members.keys()]).toEqual([b]);
    expect(play.group.state).toBe('PreparingRebalance');
  });

  it('refuses a member that thinks the group does something else', () => {
    const play = new GroupPlay();
    const [a = ''] = play.stable(1);
    play.group.protocolName = 'sticky';
    const token = play.sync(a);
    expect(play.syncAnswer(token)?.errorCode).toBe(NONE);
    play.group.protocolType = 'connect';
    expect(play.syncAnswer(play.sync(a))?.errorCode).toBe(INCONSISTENT_GROUP_PROTOCOL);
  });
});

describe('sessions', () => {
  it('end without a heartbeat, and not while the member waits for us', () => {
    const play = new GroupPlay();
    const [a = '', b = ''] = play.stable(2);
    play.join({ memberId: b, topics: ['u'], rebalanceTimeoutMs: 60_000 });
    for (let beat = 0; beat < 5; beat += 1) {
      play.pass(9000);
      expect(play.heartbeat(a)).toBe(REBALANCE_IN_PROGRESS);
    }
    // b has been silent for 45 s, but it waits in its join.
    expect(play.group.members.has(b)).toBe(true);
    play.pass(10_000);
    expect(play.group.members.has(a)).toBe(false);
  });

  it('make the group empty when the last member goes, and store that', () => {
    const play = new GroupPlay();
    play.stable(1);
    play.pass(10_000);
    expect(play.group).toMatchObject({ state: 'Empty', generationId: 2, protocolName: null, leaderId: null });
    expect(play.records.at(-1)).toMatchObject({ value: { generation: 2, protocol: null, members: [] } });
  });
});

describe('leaving', () => {
  it('answers each member for itself', () => {
    const play = new GroupPlay();
    const [a = '', b = ''] = play.stable(2);
    const answers = play.leave({ memberId: 'who' }, { memberId: b });
    expect(answers.map(({ errorCode }) => errorCode)).toEqual([UNKNOWN_MEMBER_ID, NONE]);
    expect([...play.group.members.keys()]).toEqual([a]);
  });

  it('takes back a promised id', () => {
    const play = new GroupPlay();
    const promised = play.joinAnswer(play.join())?.memberId ?? '';
    expect(play.leave({ memberId: promised })[0]?.errorCode).toBe(NONE);
    expect(play.group.pendingMembers.size).toBe(0);
  });

  it('lets a waiting rebalance end', () => {
    const play = new GroupPlay();
    const [a = '', b = ''] = play.stable(2);
    const token = play.join({ memberId: b, topics: ['u'] });
    play.leave({ memberId: a });
    expect(play.joinAnswer(token)).toMatchObject({ errorCode: NONE, leader: b });
  });
});

describe('static members', () => {
  function stableStatic(): { play: GroupPlay; leader: string; follower: string } {
    const play = new GroupPlay();
    const leader = play.joinAnswer(play.join({ instanceId: 'one' }))?.memberId ?? '';
    const second = play.join({ instanceId: 'two' });
    play.join({ memberId: leader, instanceId: 'one' });
    const follower = play.joinAnswer(second)?.memberId ?? '';
    play.syncAll([leader, follower]);
    return { play, leader, follower };
  }

  it('come back into their place without a rebalance, under a new id', () => {
    const { play, follower } = stableStatic();
    const stored = play.records.length;
    const answer = play.joinAnswer(play.join({ instanceId: 'two' }));
    expect(answer).toMatchObject({ errorCode: NONE, generationId: 2, members: [], skipAssignment: false });
    expect(answer?.memberId).not.toBe(follower);
    expect(play.group.state).toBe('Stable');
    expect(play.records).toHaveLength(stored + 1);
    const token = play.sync(answer?.memberId ?? '', { instanceId: 'two' });
    expect(play.syncAnswer(token)?.assignment.toString()).toBe(follower);
    // The one before it is out, with a code that tells it so.
    expect(play.syncAnswer(play.sync(follower, { instanceId: 'two' }))?.errorCode).toBe(FENCED_INSTANCE_ID);
    expect(play.joinAnswer(play.join({ memberId: follower, instanceId: 'two' }))?.errorCode).toBe(FENCED_INSTANCE_ID);
    expect(play.leave({ memberId: follower, groupInstanceId: 'two' })[0]?.errorCode).toBe(FENCED_INSTANCE_ID);
  });

  it('tell a leader that came back to skip assigning, from version 9 on', () => {
    const { play } = stableStatic();
    const answer = play.joinAnswer(play.join({ instanceId: 'one', apiVersion: 9 }));
    expect(answer).toMatchObject({ skipAssignment: true, leader: answer?.memberId });
    expect(answer?.members).toHaveLength(2);
  });

  it('do not tell an old leader that it leads', () => {
    const { play, leader } = stableStatic();
    const answer = play.joinAnswer(play.join({ instanceId: 'one', apiVersion: 8 }));
    expect(answer).toMatchObject({ skipAssignment: false, leader, members: [] });
    expect(answer?.memberId).not.toBe(leader);
  });

  it('start a rebalance when they come back with other protocols', () => {
    const { play } = stableStatic();
    play.join({ memberId: '', instanceId: 'two', protocols: ['roundrobin', 'range'] });
    expect(play.group.state).toBe('Stable');
    const solo = new GroupPlay();
    const id = solo.joinAnswer(solo.join({ instanceId: 'one' }))?.memberId ?? '';
    solo.sync(id, { assignments: { [id]: 'x' } });
    const token = solo.join({ instanceId: 'one', protocols: ['range', 'roundrobin'] });
    expect(solo.joinAnswer(token)?.generationId).toBe(1);
    const changed = solo.join({ instanceId: 'one', protocols: ['roundrobin', 'range'] });
    expect(solo.joinAnswer(changed)).toMatchObject({ errorCode: NONE, generationId: 2, protocolName: 'roundrobin' });
  });

  it('fence the one before them while it waits', () => {
    const { play, follower } = stableStatic();
    const waiting = play.join({ memberId: follower, instanceId: 'two', topics: ['u'] });
    play.join({ instanceId: 'two' });
    expect(play.joinAnswer(waiting)?.errorCode).toBe(FENCED_INSTANCE_ID);
  });

  it('stay when they miss a rebalance, until their session ends', () => {
    const { play, leader, follower } = stableStatic();
    play.join({ memberId: leader, instanceId: 'one', sessionTimeoutMs: 70_000 });
    for (let beat = 0; beat < 12; beat += 1) {
      play.pass(5000);
      play.heartbeat(follower);
    }
    // The join phase ended by its timeout: the follower did not come and is still a member.
    expect(play.group.state).toBe('CompletingRebalance');
    expect(play.group.members.has(follower)).toBe(true);
    play.pass(10_000);
    expect(play.group.members.has(follower)).toBe(false);
  });

  it('can be taken out by their name alone', () => {
    const { play } = stableStatic();
    expect(play.leave({ memberId: '', groupInstanceId: 'two' })[0]?.errorCode).toBe(NONE);
    expect(play.leave({ memberId: '', groupInstanceId: 'two' })[0]?.errorCode).toBe(UNKNOWN_MEMBER_ID);
    expect(play.group.staticMembers.has('two')).toBe(false);
  });

  it('are unknown under a name nobody has', () => {
    const { play, follower } = stableStatic();
    expect(play.joinAnswer(play.join({ memberId: follower, instanceId: 'three' }))?.errorCode).toBe(UNKNOWN_MEMBER_ID);
  });
});

describe('what is stored', () => {
  it('gives the same group back, but for what only lives here', () => {
    const play = new GroupPlay();
    play.stable(3, { protocols: ['range', 'sticky'] });
    const { pendingMembers, syncDeadlineMs, ...kept } = play.group;
    const again = play.reloaded();
    expect(pendingMembers.size).toBe(0);
    expect(syncDeadlineMs).not.toBeNull();
    expect(again).toMatchObject({
      ...kept,
      syncDeadlineMs: null,
      members: new Map(
        [...kept.members].map(([id, member]) => [id, { ...member, protocols: member.protocols.slice(0, 1) }]),
      ),
    });
  });
});
