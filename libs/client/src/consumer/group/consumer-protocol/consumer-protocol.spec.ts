/**
 * The consumer protocol (KIP-848) from the member's side: joining, reconciliation, commits by epoch, fencing, leaving.
 */
import { ConsumerGroupHeartbeat, ErrorCode, JoinGroup, OffsetCommit } from '@kafka-template/protocol';
import { ConsumerWorld, gate } from '../../testing/consumer-world.js';
import { ScriptedConsumerGroup } from '../../testing/scripted-consumer-group.js';
import { brokerPattern } from './member-heartbeat.js';

const A0 = { topic: 'a', partition: 0 };

type Options = ConstructorParameters<typeof ConsumerWorld>[0];

function setUp(options: Options = {}): { world: ConsumerWorld; group: ScriptedConsumerGroup } {
  const world = new ConsumerWorld({ groupProtocol: 'consumer', ...options });
  world.cluster.setTopic('a', 4);
  return { world, group: new ScriptedConsumerGroup(world.cluster, world.group.log) };
}

/** A member that has a:0,1 and has told so. */
async function joined(options: Options = {}): Promise<{ world: ConsumerWorld; group: ScriptedConsumerGroup }> {
  const { world, group } = setUp(options);
  group.assign({ a: [0, 1] });
  world.consumer.subscribe('a', world.listener());
  await world.pollUntil(() => group.last?.topicPartitions?.length === 1);
  world.takeLog();
  return { world, group };
}

describe('joining', () => {
  it('names itself, states everything, gets its partitions and tells that it has them', async () => {
    const { world, group } = setUp({ groupRemoteAssignor: 'uniform', clientRack: 'r1', maxPollIntervalMs: 60_000 });
    group.assign({ a: [0, 2] });
    world.consumer.subscribe('a', world.listener());
    await world.pollUntil(() => group.requests.length === 2);
    expect(world.takeLog()).toEqual(['join', 'assigned a-0 a-2', 'owns a:0,2']);
    expect(group.requests[0]).toMatchObject({
      groupId: 'billing',
      memberId: expect.stringMatching(/^[\w-]{22}$/) as string,
      memberEpoch: 0,
      rackId: 'r1',
      rebalanceTimeoutMs: 60_000,
      subscribedTopicNames: ['a'],
      serverAssignor: 'uniform',
      topicPartitions: [],
    });
    expect(world.consumer.groupMetadata()).toMatchObject({ generationId: 1, memberId: group.last.memberId });
    expect(world.cluster.bodies(JoinGroup)).toEqual([]);
  });

  it('tells only what has changed, at the interval the coordinator names', async () => {
    const { world, group } = await joined();
    group.heartbeatIntervalMs = 1_000;
    await world.clock.advance(5_000);
    const before = group.requests.length;
    await world.clock.advance(3_000);
    expect(group.requests.length).toBe(before + 3);
    expect(group.last).toMatchObject({
      memberEpoch: 1,
      rebalanceTimeoutMs: -1,
      subscribedTopicNames: null,
      serverAssignor: null,
      topicPartitions: null,
    });
    world.cluster.setTopic('b', 1);
    world.consumer.subscribe(['a', 'b'], world.listener());
    await world.poll(10);
    expect(group.last).toMatchObject({ subscribedTopicNames: ['a', 'b'], topicPartitions: null });
  });

  it('hands a pattern to the broker; older brokers get the topics that match', async () => {
    const { world, group } = setUp();
    world.consumer.subscribe(/^a|b$/i);
    await world.pollUntil(() => group.requests.length > 0);
    expect(group.last).toMatchObject({ subscribedTopicNames: null, subscribedTopicRegex: '(?i).*(?:^a|b$).*' });
    const old = setUp();
    old.world.cluster.maxVersions.set('ConsumerGroupHeartbeat', 0);
    old.world.consumer.subscribe(/^a/);
    await old.world.pollUntil(() => old.group.requests.length > 0);
    expect(old.group.last.subscribedTopicNames).toEqual(['a']);
    expect(brokerPattern(/x/s)).toBe('(?s).*(?:x).*');
  });

  it('says what to do where the broker does not serve the protocol', async () => {
    const { world } = setUp();
    world.cluster.maxVersions.set('ConsumerGroupHeartbeat', -1);
    world.consumer.subscribe('a');
    const failure = world.pollUntil(() => false);
    await expect(failure).rejects.toMatchObject({
      code: 'UNSUPPORTED_VERSION',
      message: expect.stringContaining('Set "groupProtocol" to "classic"') as unknown,
    });
  });

  it.each([
    [ErrorCode.UNSUPPORTED_ASSIGNOR, 'UNSUPPORTED_ASSIGNOR'],
    [ErrorCode.UNRELEASED_INSTANCE_ID, 'UNRELEASED_INSTANCE_ID'],
    [ErrorCode.INVALID_REGULAR_EXPRESSION, 'INVALID_REGULAR_EXPRESSION'],
    [ErrorCode.UNSUPPORTED_VERSION, 'UNSUPPORTED_VERSION'],
    [ErrorCode.GROUP_AUTHORIZATION_FAILED, 'GROUP_AUTHORIZATION_FAILED'],
  ])('what will not pass (%i) is thrown by poll', async (code, name) => {
    const { world, group } = setUp();
    group.codes = [code];
    world.consumer.subscribe('a');
    await expect(world.pollUntil(() => false)).rejects.toMatchObject({ code: name });
    expect(group.requests).toHaveLength(1);
  });

  it('tries again, with everything, after a lost answer and at another coordinator', async () => {
    const { world, group } = await joined();
    group.codes = ['lost', ErrorCode.NOT_COORDINATOR, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS];
    const forgotten = world.cluster.forgotten;
    await world.clock.advance(8_000);
    const again = group.requests.slice(-3);
    expect(again.map((each) => each.memberEpoch)).toEqual([1, 1, 1]);
    expect(again.map((each) => each.subscribedTopicNames)).toEqual([['a'], ['a'], ['a']]);
    expect(again.map((each) => each.topicPartitions?.length)).toEqual([1, 1, 1]);
    expect(world.cluster.forgotten - forgotten).toBe(2);
    expect(world.consumer.assignment()).toHaveLength(2);
  });
});

describe('reconciliation', () => {
  it('gives up, commits, takes over and only then tells the coordinator; what stays keeps its position', async () => {
    const { world, group } = await joined({ enableAutoCommit: true });
    world.logs.append('a', 0, ['1', '2']);
    world.logs.append('a', 1, ['1', '2', '3']);
    const values = await world.pollUntil(() => world.consumer.metrics().recordsConsumedTotal === 5);
    expect(values).toHaveLength(5);
    group.assign({ a: [1, 3] });
    await world.clock.advance(5_000);
    await world.pollUntil(() => world.group.log.some((line) => line.startsWith('owns')));
    expect(world.takeLog()).toEqual([
      expect.stringMatching(/^revoked a-0$/),
      expect.stringMatching(/^commit .*a-0@2.* gen 2$/),
      'assigned a-3',
      'owns a:1,3',
    ]);
    expect(await world.drive(world.consumer.position({ topic: 'a', partition: 1 }))).toBe(3);
  });

  it('keeps heartbeats going while the listener is at work, without a word of what is not done', async () => {
    const { world, group } = await joined();
    const { closed, open } = gate();
    world.consumer.subscribe('a', { ...world.listener(), onPartitionsRevoked: () => closed });
    group.assign({ a: [1] });
    await world.clock.advance(5_000);
    await world.poll(10);
    const before = group.requests.length;
    await world.clock.advance(15_000);
    expect(group.requests.length).toBe(before + 3);
    expect(group.last.topicPartitions).toBeNull();
    expect(world.consumer.assignment()).toHaveLength(2);
    open();
    await world.pollUntil(() => group.last.topicPartitions !== null);
    expect(group.last.topicPartitions?.[0]?.partitions).toEqual([1]);
  });

  it('takes a topic over when its id is known', async () => {
    const { world, group } = setUp();
    group.assign({ a: [0], BBBBBBBBBBBBBBBBBBBBBA: [0] });
    world.consumer.subscribe(['a', 'b'], world.listener());
    await world.pollAssigned(1);
    world.cluster.setTopic('b', 1, 'BBBBBBBBBBBBBBBBBBBBBA');
    await world.pollAssigned(2);
    expect(world.takeLog()).toEqual(['join', 'assigned a-0', 'owns a:0', 'assigned b-0', 'owns a:0 b:0']);
  });

  it('takes a topic that was created anew for another one', async () => {
    const { world, group } = await joined();
    world.cluster.setTopic('a', 4, 'aaaaaaaaaaaaaaaaaaaaaA');
    await world.drive(world.cluster.metadata.refresh());
    group.assign({ a: [0, 1] });
    await world.clock.advance(5_000);
    await world.pollUntil(() => world.group.log.length >= 3);
    expect(world.takeLog()).toEqual(['revoked a-0 a-1', 'assigned a-0 a-1', 'owns a:0,1']);
  });
});

describe('the end of a membership', () => {
  it.each([ErrorCode.UNKNOWN_MEMBER_ID, ErrorCode.FENCED_MEMBER_EPOCH])(
    'fenced (%i): partitions are lost, nothing is committed, and it joins again with the same id',
    async (code) => {
      const { world, group } = await joined({ enableAutoCommit: true });
      world.logs.append('a', 0, ['1']);
      await world.pollUntil(() => world.consumer.metrics().recordsConsumedTotal === 1);
      const { memberId } = group.last;
      group.codes = [code];
      await world.clock.advance(5_000);
      await expect(world.drive(world.consumer.commitSync([{ ...A0, offset: 1 }]))).rejects.toMatchObject({
        code: 'COMMIT_FAILED',
      });
      group.assign({ a: [2] });
      await world.pollUntil(() => world.consumer.assignment()[0]?.partition === 2);
      await world.poll(10);
      expect(world.takeLog()).toEqual(['lost a-0 a-1', 'join', 'assigned a-2', 'owns a:2']);
      expect(group.last.memberId).toBe(memberId);
    },
  );

  it('an application that does not poll leaves, and joins again with the next poll', async () => {
    const { world, group } = await joined({ maxPollIntervalMs: 10_000 });
    await world.clock.advance(10_100);
    expect(world.takeLog()).toEqual(['leave -1']);
    const beats = group.requests.length;
    await world.clock.advance(60_000);
    expect(group.requests).toHaveLength(beats);
    await world.pollUntil(() => world.group.log.includes('join'));
    expect(world.takeLog()).toEqual(['lost a-0 a-1', 'join']);
  });

  it('unsubscribe and close revoke, commit and leave; a static member for a while only', async () => {
    const { world } = await joined({ enableAutoCommit: true });
    world.logs.append('a', 0, ['1']);
    await world.pollUntil(() => world.consumer.metrics().recordsConsumedTotal === 1);
    await world.drive(world.consumer.unsubscribe());
    expect(world.takeLog()).toEqual(['revoked a-0 a-1', expect.stringContaining('commit'), 'leave -1']);
    const other = await joined({ groupInstanceId: 'one' });
    await other.world.drive(other.world.consumer.close());
    expect(other.world.takeLog()).toEqual(['revoked a-0 a-1', 'leave -2']);
    expect(other.group.last.instanceId).toBe('one');
  });
});

describe('commits', () => {
  it('carry the epoch in a version that knows it; a stale one is sent again with the new epoch', async () => {
    const { world, group } = await joined();
    group.assign({ a: [0, 1] });
    world.group.commitCodes = [ErrorCode.STALE_MEMBER_EPOCH];
    await world.drive(world.consumer.commitSync([{ ...A0, offset: 7 }]));
    expect(world.takeLog().filter((line) => line.startsWith('commit'))).toEqual([
      'commit a-0@7 gen 1',
      'commit a-0@7 gen 2',
    ]);
    expect(world.cluster.sent.filter(({ api }) => api === OffsetCommit.name).map(({ version }) => version)).toEqual([
      9, 9,
    ]);
    expect(world.group.committed.get('a-0')).toBe(7);
  });

  it('of a membership that is over are never sent under the next one', async () => {
    const { world, group } = await joined();
    const { closed, open } = gate();
    world.group.commitGate = closed;
    world.group.commitCodes = [ErrorCode.STALE_MEMBER_EPOCH];
    const commit = world.consumer.commitSync([{ ...A0, offset: 7 }]);
    commit.catch(() => undefined);
    await world.clock.run();
    group.codes = [ErrorCode.FENCED_MEMBER_EPOCH];
    await world.clock.advance(5_000);
    open();
    await expect(world.drive(commit)).rejects.toMatchObject({ code: 'COMMIT_FAILED' });
    expect(world.group.committed.size).toBe(0);
  });

  it('asynchronous ones are not sent again', async () => {
    const { world } = await joined();
    world.group.commitCodes = [ErrorCode.STALE_MEMBER_EPOCH];
    const errors: (string | undefined)[] = [];
    world.consumer.commitAsync([{ ...A0, offset: 7 }], (error) => errors.push(error?.code));
    await world.clock.advance(1_000);
    expect(errors).toEqual(['STALE_MEMBER_EPOCH']);
  });
});

describe('options', () => {
  it.each([
    [{ groupProtocol: 'consumer', sessionTimeoutMs: 10_000 }, '"sessionTimeoutMs"'],
    [{ groupProtocol: 'consumer', heartbeatIntervalMs: 1_000 }, '"heartbeatIntervalMs"'],
    [{ groupProtocol: 'consumer', partitionAssignmentStrategy: 'range' }, 'groupRemoteAssignor'],
    [{ groupProtocol: 'classic', groupRemoteAssignor: 'range' }, '"groupRemoteAssignor"'],
    [{ groupProtocol: 'next' as never }, '"groupProtocol"'],
  ] satisfies [Options, string][])('that contradict each other are an error: %j', (options, named) => {
    expect(() => new ConsumerWorld(options)).toThrow(named);
  });

  it('the classic protocol sends no request of the other one', async () => {
    const world = new ConsumerWorld();
    world.cluster.setTopic('a', 1);
    world.consumer.subscribe('a');
    await world.pollAssigned(1);
    expect(world.cluster.bodies(ConsumerGroupHeartbeat)).toEqual([]);
  });
});
