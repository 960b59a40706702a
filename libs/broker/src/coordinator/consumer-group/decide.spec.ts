import { ErrorCode } from '@kafka-template/protocol';
import { ConsumerPlay, idOf, nameOf, rows, storedOf, topicImage, type Wish } from './consumer-play.fixture.js';
import { stateOf } from './consumer-group.js';
import type { HeartbeatAnswer } from './replies.js';

let play: ConsumerPlay;

beforeEach(() => {
  play = new ConsumerPlay();
});

function assigned(answer: HeartbeatAnswer): Record<string, readonly number[]> | null {
  if (!answer.assignment) return null;
  return Object.fromEntries(
    answer.assignment.topicPartitions.map(({ topicId, partitions }) => [nameOf(topicId), partitions]),
  );
}

/** Members `a` with 0 and 1 and `b` with 2 in epoch 3. */
function twoMembers(): void {
  play.join('a');
  play.join('b');
  play.heartbeat('a', 2, { topicPartitions: rows({ t: [0, 1, 2] }) });
  play.heartbeat('a', 2, { topicPartitions: rows({ t: [0, 1] }) });
  play.heartbeat('b', 3);
  expect(stateOf(play.group)).toBe('Stable');
}

describe('entering and staying', () => {
  it('gives the first member everything, in epoch 2, and stores it in the order of Kafka', () => {
    const answer = play.join('a');
    expect(answer).toMatchObject({ errorCode: 0, memberId: 'a', memberEpoch: 2, heartbeatIntervalMs: 5000 });
    expect(assigned(answer)).toEqual({ t: [0, 1, 2] });
    expect(play.lastTypes).toEqual(['member', 'group', 'target', 'targetEpoch', 'current']);
    expect(play.group.epoch).toBe(2);
  });

  it('stores nothing for a heartbeat without news, and leaves the assignment out of its answer', () => {
    play.join('a');
    expect(assigned(play.heartbeat('a', 2))).toBeNull();
    expect(play.lastTypes).toEqual([]);
  });

  it('repeats the assignment to a member that tells everything about itself', () => {
    play.join('a');
    const whole = { rebalanceTimeoutMs: 1, subscribedTopicNames: ['t'], topicPartitions: rows({ t: [0] }) };
    expect(assigned(play.heartbeat('a', 2, whole))).toEqual({ t: [0, 1, 2] });
    expect(assigned(play.join('a'))).toEqual({ t: [0, 1, 2] });
  });

  it('lets a partition go from one member to another only by way of nobody', () => {
    play.join('a');
    expect(assigned(play.join('b'))).toEqual({});
    expect(stateOf(play.group)).toBe('Reconciling');
    expect(assigned(play.heartbeat('a', 2, { topicPartitions: rows({ t: [0, 1, 2] }) }))).toEqual({ t: [0, 1] });
    // Silence about what it owns means that it owns everything.
    expect(play.heartbeat('a', 2)).toMatchObject({ memberEpoch: 2, assignment: null });
    expect(assigned(play.heartbeat('b', 3))).toBeNull();
    expect(play.heartbeat('a', 2, { topicPartitions: rows({ t: [0, 1] }) })).toMatchObject({ memberEpoch: 3 });
    expect(assigned(play.heartbeat('b', 3))).toEqual({ t: [2] });
    expect(stateOf(play.group)).toBe('Stable');
  });

  it('takes an epoch from before the last answer once, from a member that owns no more than it was given', () => {
    twoMembers();
    expect(play.heartbeat('a', 2, { topicPartitions: rows({ t: [0] }) })).toMatchObject({
      errorCode: 0,
      memberEpoch: 3,
    });
    expect(play.heartbeat('a', 2, { topicPartitions: rows({ t: [2] }) }).errorCode).toBe(ErrorCode.FENCED_MEMBER_EPOCH);
    expect(play.heartbeat('a', 2).errorCode).toBe(ErrorCode.FENCED_MEMBER_EPOCH);
    expect(play.heartbeat('a', 4).errorCode).toBe(ErrorCode.FENCED_MEMBER_EPOCH);
  });

  it('lets a fenced member in again with what is still its own', () => {
    twoMembers();
    expect(assigned(play.join('a'))).toEqual({ t: [0, 1] });
  });

  it('keeps the targets for the interval, also after a restart, and lets those who came meanwhile wait', () => {
    play = new ConsumerPlay({ assignmentIntervalMs: 1000 });
    expect(assigned(play.join('a'))).toEqual({ t: [0, 1, 2] });
    expect(play.join('b')).toMatchObject({ memberEpoch: 2 });
    expect(play.join('c')).toMatchObject({ memberEpoch: 2 });
    expect(stateOf(play.group)).toBe('Assigning');
    play.pass(999);
    play.group = play.reloaded() ?? play.group;
    expect(play.heartbeat('a', 2)).toMatchObject({ memberEpoch: 2, assignment: null });
    play.pass(1);
    expect(assigned(play.heartbeat('a', 2, { topicPartitions: rows({ t: [0, 1, 2] }) }))).toEqual({ t: [0] });
    expect(play.lastTypes.filter((type) => type === 'targetEpoch')).toHaveLength(1);
    expect(stateOf(play.group)).toBe('Reconciling');
  });

  it('uses the assignor most members ask for', () => {
    play.image = play.image.withTopics([topicImage('t', 2), topicImage('u', 2)]);
    const topics = { subscribedTopicNames: ['t', 'u'], serverAssignor: 'range' };
    play.join('a', topics);
    play.join('b', topics);
    expect(Object.fromEntries(play.group.targets)).toEqual({
      a: new Map([
        [idOf('t'), [0]],
        [idOf('u'), [0]],
      ]),
      b: new Map([
        [idOf('t'), [1]],
        [idOf('u'), [1]],
      ]),
    });
  });

  it('refuses more members than there may be, and keeps those there are', () => {
    play = new ConsumerPlay({ membersMax: 1 });
    play.join('a');
    expect(play.join('b')).toMatchObject({
      errorCode: ErrorCode.GROUP_MAX_SIZE_REACHED,
      errorMessage: 'The consumer group has reached its maximum capacity of 1 members.',
    });
    expect(play.join('a').errorCode).toBe(0);
  });
});

describe('requests that make no sense', () => {
  it.each<[string, Wish & { memberEpoch: number }, number, string]>([
    ['no group', { memberEpoch: 0, groupId: '' }, 42, "GroupId can't be empty."],
    ['no member in a later request', { memberEpoch: 3, memberId: '' }, 42, "MemberId can't be empty."],
    ['a blank member', { memberEpoch: 3, memberId: ' ' }, 42, "MemberId can't be empty."],
    ['no member that leaves', { memberEpoch: -1, memberId: '' }, 42, "MemberId can't be empty."],
    ['an empty instance id', { memberEpoch: 0, instanceId: '' }, 42, "InstanceId can't be empty."],
    ['an empty rack', { memberEpoch: 0, rackId: '' }, 42, "RackId can't be empty."],
    ['no timeout', { memberEpoch: 0 }, 42, 'RebalanceTimeoutMs must be provided in first request.'],
    [
      'partitions at the start',
      { memberEpoch: 0, rebalanceTimeoutMs: 1, topicPartitions: rows({ t: [0] }) },
      42,
      'TopicPartitions must be empty when (re-)joining.',
    ],
    [
      'no subscription',
      { memberEpoch: 0, rebalanceTimeoutMs: 1, topicPartitions: [] },
      42,
      'Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.',
    ],
    ['a stranger that leaves for a while', { memberEpoch: -2 }, 42, "InstanceId can't be null."],
    ['an epoch that is none', { memberEpoch: -3 }, 42, 'MemberEpoch is invalid.'],
    [
      'an assignor that is none',
      { memberEpoch: 1, serverAssignor: 'x' },
      112,
      'ServerAssignor x is not supported. Supported assignors: uniform, range.',
    ],
    [
      'a pattern that is none',
      { memberEpoch: 0, rebalanceTimeoutMs: 1, topicPartitions: [], subscribedTopicRegex: '(' },
      128,
      'SubscribedTopicRegex `(` is not a valid regular expression: missing closing ).',
    ],
    ['a stranger', { memberEpoch: 1 }, 25, 'Member m is not a member of group g.'],
    ['a stranger that leaves', { memberEpoch: -1 }, 25, 'Member m is not a member of group g.'],
    ['a strange instance', { memberEpoch: 1, instanceId: 'i' }, 25, 'Instance id i is unknown.'],
  ])('%s', (_what, { memberEpoch, ...wish }, errorCode, errorMessage) => {
    expect(play.heartbeat('m', memberEpoch, wish)).toMatchObject({ errorCode, errorMessage, memberEpoch: 0 });
    expect(play.records).toEqual([]);
  });
});

describe('leaving', () => {
  it('gives the partitions to the others at once, and nothing stays of the member', () => {
    twoMembers();
    expect(play.heartbeat('a', -1)).toMatchObject({ errorCode: 0, memberEpoch: -1, heartbeatIntervalMs: 0 });
    expect(play.lastTypes).toEqual(['current', 'target', 'member', 'group']);
    expect(stateOf(play.group)).toBe('Assigning');
    expect(assigned(play.heartbeat('b', 3))).toEqual({ t: [0, 1, 2] });
    play.heartbeat('b', -1);
    expect(stateOf(play.group)).toBe('Empty');
    expect(play.group).toMatchObject({ metadataHash: 0n, owners: new Map(), targets: new Map(), members: new Map() });
  });

  it('drops members that are silent for a session', () => {
    twoMembers();
    play.pass(44_999);
    play.heartbeat('b', 3);
    expect(play.pass(1)).toEqual(['a']);
    expect(assigned(play.heartbeat('b', 3))).toEqual({ t: [0, 1, 2] });
  });

  it('drops members that do not give up what they were told to in time', () => {
    play.join('a', { rebalanceTimeoutMs: 10_000 });
    play.join('b');
    play.heartbeat('a', 2, { topicPartitions: rows({ t: [0, 1, 2] }) });
    play.pass(9_999);
    play.heartbeat('a', 2);
    expect(play.pass(1)).toEqual(['a']);
    expect(play.heartbeat('a', 2).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    expect(assigned(play.heartbeat('b', 3))).toEqual({ t: [0, 1, 2] });
  });

  it('lets tools take members out, by id or instance', () => {
    play.join('a');
    play.join('b', { instanceId: 'i' });
    const gone = (memberId: string, groupInstanceId: string | null) => play.remove({ memberId, groupInstanceId });
    expect(gone('x', null)).toEqual([ErrorCode.UNKNOWN_MEMBER_ID]);
    expect(gone('', 'j')).toEqual([ErrorCode.UNKNOWN_MEMBER_ID]);
    expect(gone('a', 'i')).toEqual([ErrorCode.FENCED_INSTANCE_ID]);
    expect(gone('', 'i')).toEqual([0]);
    expect(gone('a', null)).toEqual([0]);
    expect(stateOf(play.group)).toBe('Empty');
  });
});

describe('static members', () => {
  const instance = { instanceId: 'i' };

  beforeEach(() => {
    play.join('s', instance);
  });

  it('come back under another id with what they had, and the others do not notice', () => {
    expect(play.heartbeat('s', -2, instance)).toMatchObject({ errorCode: 0, memberEpoch: -2 });
    expect(play.group.members.get('s')?.epoch).toBe(-2);
    const answer = play.join('r', instance);
    expect(answer).toMatchObject({ memberId: 'r', memberEpoch: 2 });
    expect(assigned(answer)).toEqual({ t: [0, 1, 2] });
    expect(play.group.epoch).toBe(2);
    expect([...play.group.members.keys()]).toEqual(['r']);
    expect(play.heartbeat('s', 2, instance)).toMatchObject({
      errorCode: ErrorCode.FENCED_INSTANCE_ID,
      errorMessage: 'Static member s with instance id i was fenced by member r.',
    });
    expect(play.heartbeat('s', -1, instance).errorCode).toBe(ErrorCode.FENCED_INSTANCE_ID);
  });

  it('are not replaced before they left', () => {
    expect(play.join('r', instance)).toMatchObject({
      errorCode: ErrorCode.UNRELEASED_INSTANCE_ID,
      errorMessage:
        'Static member r with instance id i cannot join the group because the instance id is owned by s member.',
    });
  });

  it('are not taken in twice, not even under their own id', () => {
    expect(play.join('s', instance).errorCode).toBe(ErrorCode.UNRELEASED_INSTANCE_ID);
  });

  it('are dropped when they do not come back in time', () => {
    play.heartbeat('s', -2, instance);
    expect(play.pass(45_000)).toEqual(['s']);
    expect(play.join('r', instance)).toMatchObject({ errorCode: 0 });
  });

  it('leave for good with -1', () => {
    play.heartbeat('s', -1, instance);
    expect(play.group.staticMembers.size).toBe(0);
  });
});

describe('topics that change', () => {
  it('raise the epoch when one grows, comes or goes', () => {
    play.join('a', { subscribedTopicNames: ['t', 'u'] });
    expect(play.group.epoch).toBe(2);
    play.image = play.image.withTopics([topicImage('other', 1)]);
    play.heartbeat('a', 2);
    expect(play.group.epoch).toBe(2);
    play.image = play.image.withTopics([topicImage('t', 4)]);
    expect(assigned(play.heartbeat('a', 2))).toEqual({ t: [0, 1, 2, 3] });
    play.image = play.image.withTopics([topicImage('u', 1)]);
    expect(assigned(play.heartbeat('a', 3))).toEqual({ t: [0, 1, 2, 3], u: [0] });
    play.image = play.image.withoutTopic('t');
    expect(assigned(play.heartbeat('a', 4))).toEqual({ u: [0] });
    expect(play.heartbeat('a', 4, { topicPartitions: rows({ u: [0] }) })).toMatchObject({ memberEpoch: 5 });
  });

  it('are seen by patterns', () => {
    play.join('a', { subscribedTopicNames: null, subscribedTopicRegex: 't.*' });
    expect(play.lastTypes).toEqual(['member', 'pattern', 'group', 'target', 'targetEpoch', 'current']);
    play.image = play.image.withTopics([topicImage('t2', 1), topicImage('xt', 1)]);
    expect(assigned(play.heartbeat('a', 2))).toEqual({ t: [0, 1, 2], t2: [0] });
    play.heartbeat('a', 3, { subscribedTopicRegex: '' });
    expect(play.group.patterns.size).toBe(0);
    play.heartbeat('a', 3, { topicPartitions: [] });
    expect(play.group.members.get('a')?.assigned.size).toBe(0);
  });
});

describe('a group that is loaded', () => {
  it('goes on with a pattern that is none here, and reads nothing by it', () => {
    play.join('a');
    const member = { ...play.group.members.get('a')!, subscribedTopicNames: [], subscribedTopicRegex: '(' };
    play.group = play.reloaded([...play.records, { type: 'member', groupId: 'g', memberId: 'a', value: member }])!;
    expect(play.heartbeat('a', 2)).toMatchObject({ errorCode: 0, memberEpoch: 2 });
    expect(play.group.targets.get('a')?.size).toBe(0);
    expect(play.pass(45_000)).toEqual(['a']);
  });

  it('reads records in the order compaction leaves', () => {
    twoMembers();
    const last = new Map(play.records.map((record) => [JSON.stringify({ ...record, value: undefined }), record]));
    const loaded = play.reloaded([...last.values()].sort((left, right) => (left.type < right.type ? -1 : 1)));
    expect(storedOf(loaded)).toEqual(storedOf(play.group));
    expect(stateOf(loaded!)).toBe('Stable');
  });

  it('is none when all that is left is what was deleted', () => {
    play.join('a');
    play.heartbeat('a', -1);
    expect(play.reloaded([...play.records, { type: 'group', groupId: 'g', value: null }])).toBeNull();
    expect(play.reloaded([{ type: 'current', groupId: 'g', memberId: 'a', value: null }])).toBeNull();
  });
});
