/**
 * A member's life: joining, heartbeats, rebalances, losing the membership, leaving. Each rule answers a defect that was
 * found in another client.
 */
import {
  decodeAssignment,
  decodeSubscription,
  ErrorCode,
  Heartbeat,
  JoinGroup,
  LeaveGroup,
  SyncGroup,
} from '@kafka-template/protocol';
import { ConsumerWorld, gate } from '../testing/consumer-world.js';

const A0 = { topic: 'a', partition: 0 };

function world(options: ConstructorParameters<typeof ConsumerWorld>[0] = {}, partitions = 2): ConsumerWorld {
  const created = new ConsumerWorld(options);
  created.cluster.setTopic('a', partitions);
  return created;
}

async function joined(
  options: ConstructorParameters<typeof ConsumerWorld>[0] = {},
  partitions = 2,
): Promise<ConsumerWorld> {
  const created = world(options, partitions);
  created.consumer.subscribe('a', created.listener());
  await created.pollAssigned(partitions);
  created.takeLog();
  return created;
}

describe('joining', () => {
  it('takes two steps, states the subscription, and gets the assignment', async () => {
    const { consumer, cluster, group, pollAssigned } = bound(world());
    consumer.subscribe('a');
    await pollAssigned(2);
    expect(group.log).toEqual(['join', 'join member-1', 'sync']);
    const [first, second] = cluster.bodies(JoinGroup);
    expect(first).toMatchObject({
      groupId: 'billing',
      memberId: '',
      sessionTimeoutMs: 45_000,
      rebalanceTimeoutMs: 300_000,
    });
    expect(first?.protocolType).toBe('consumer');
    expect(second?.protocols.map((each) => each.name)).toEqual(['range']);
    expect(decodeSubscription(second?.protocols[0]?.metadata as Buffer)).toMatchObject({
      topics: ['a'],
      ownedPartitions: [],
      generationId: -1,
    });
    expect(consumer.groupMetadata()).toEqual({
      groupId: 'billing',
      generationId: 1,
      memberId: 'member-1',
      groupInstanceId: null,
    });
  });

  it('goes to the coordinator on a lane of its own', async () => {
    const { cluster } = await joined();
    const lanes = cluster.sent.filter((each) => ['JoinGroup', 'SyncGroup'].includes(each.api)).map((each) => each.lane);
    expect(new Set(lanes)).toEqual(new Set(['coordinator']));
  });

  it('states generation and no owned partitions when it rejoins: they have been given up', async () => {
    const created = await joined();
    created.group.heartbeatCode = ErrorCode.REBALANCE_IN_PROGRESS;
    await created.clock.advance(3_000);
    await created.pollGeneration(2);
    const metadata = created.cluster.bodies(JoinGroup).at(-1)?.protocols[0]?.metadata as Buffer;
    expect(decodeSubscription(metadata)).toMatchObject({ ownedPartitions: [], generationId: 1 });
  });

  it('as leader shares out for the subscriptions of all members, not only its own', async () => {
    const created = world();
    created.cluster.setTopic('b', 3);
    created.group.others = [{ memberId: 'member-0', topics: ['b'] }];
    created.consumer.subscribe('a');
    await created.pollAssigned(2);
    const assignments = created.cluster.bodies(SyncGroup).at(-1)?.assignments ?? [];
    const shares = assignments.map((each) => [each.memberId, decodeAssignment(each.assignment).assignedPartitions]);
    expect(Object.fromEntries(shares)).toEqual({
      'member-0': [{ topic: 'b', partitions: [0, 1, 2] }],
      'member-1': [{ topic: 'a', partitions: [0, 1] }],
    });
  });

  it.each([
    ['the coordinator loads', ErrorCode.COORDINATOR_LOAD_IN_PROGRESS],
    ['the coordinator has moved', ErrorCode.NOT_COORDINATOR],
    ['the group goes into another round', ErrorCode.REBALANCE_IN_PROGRESS],
    ['the member id is forgotten', ErrorCode.UNKNOWN_MEMBER_ID],
  ])('is repeated when %s', async (_name, code) => {
    const created = world();
    created.group.joinCodes = [code];
    created.consumer.subscribe('a');
    await created.pollAssigned(2);
    expect(created.consumer.assignment()).toHaveLength(2);
    expect(created.cluster.forgotten).toBe(code === ErrorCode.NOT_COORDINATOR ? 1 : 0);
  });

  it('is repeated when SyncGroup finds another round begun, without losing the member id', async () => {
    const created = world();
    created.group.syncCodes = [ErrorCode.REBALANCE_IN_PROGRESS];
    created.consumer.subscribe('a');
    await created.pollAssigned(2);
    expect(created.group.log).toEqual(['join', 'join member-1', 'sync', 'join member-1', 'sync']);
  });

  it.each([
    ['GROUP_AUTHORIZATION_FAILED', ErrorCode.GROUP_AUTHORIZATION_FAILED],
    ['INVALID_SESSION_TIMEOUT', ErrorCode.INVALID_SESSION_TIMEOUT],
    ['INCONSISTENT_GROUP_PROTOCOL', ErrorCode.INCONSISTENT_GROUP_PROTOCOL],
    ['GROUP_MAX_SIZE_REACHED', ErrorCode.GROUP_MAX_SIZE_REACHED],
  ])('fails the poll for %s', async (code, errorCode) => {
    const created = world();
    created.group.joinCodes = [errorCode];
    created.consumer.subscribe('a');
    await expect(created.poll()).rejects.toMatchObject({ code });
  });

  it('fails the poll for a topic that may not be read', async () => {
    const created = world();
    created.cluster.topicErrors.set('a', ErrorCode.TOPIC_AUTHORIZATION_FAILED);
    created.consumer.subscribe('a');
    await expect(created.poll()).rejects.toMatchObject({ code: 'TOPIC_AUTHORIZATION_FAILED' });
  });
});

describe('a rebalance', () => {
  it('stops handing out, awaits the listener, commits with the old generation, and only then joins', async () => {
    const created = world({ enableAutoCommit: true, autoCommitIntervalMs: 3_600_000, maxPollRecords: 2 });
    const { group, consumer } = created;
    const { closed, open } = gate();
    const onPartitionsRevoked = async (): Promise<void> => {
      group.log.push('revoking');
      await closed;
      group.log.push('revoked');
    };
    consumer.subscribe('a', { onPartitionsRevoked });
    await created.pollAssigned(2);
    created.logs.append('a', 0, ['v0', 'v1', 'v2', 'v3']);
    expect(await created.values()).toEqual(['v0', 'v1']);
    created.takeLog();
    group.heartbeatCode = ErrorCode.REBALANCE_IN_PROGRESS;
    await created.clock.advance(3_000);
    expect(await created.values(50)).toEqual([]);
    expect(group.log).toEqual(['revoking']);
    open();
    const first = await created.pollGeneration(2);
    expect(created.takeLog()).toEqual(['revoking', 'revoked', 'commit a-0@2 a-1@0 gen 1', 'join member-1', 'sync']);
    const second = first.length > 0 ? [] : await created.values();
    expect([...first, ...second]).toEqual(['v2', 'v3']);
  });

  it('is noticed by a heartbeat, but joined only from poll', async () => {
    const { group, clock, takeLog } = bound(await joined());
    group.heartbeatCode = ErrorCode.REBALANCE_IN_PROGRESS;
    await clock.advance(30_000);
    expect(group.heartbeats).toBeGreaterThan(5);
    expect(takeLog()).toEqual([]);
  });

  it('lets the listener of new partitions seek and pause before anything is read', async () => {
    const created = world();
    const { consumer } = created;
    created.logs.append('a', 0, ['v0', 'v1', 'v2']);
    created.logs.append('a', 1, ['w0']);
    const onPartitionsAssigned = (): void => {
      consumer.seek(A0, 2);
      consumer.pause([{ topic: 'a', partition: 1 }]);
    };
    consumer.subscribe('a', { onPartitionsAssigned });
    const values = await created.pollAssigned(2);
    expect([...values, ...(await created.values()), ...(await created.values())]).toEqual(['v2']);
  });

  it('lets the listener commit while the partitions are still owned', async () => {
    const created = world();
    const { consumer, group } = created;
    consumer.subscribe('a', { onPartitionsRevoked: () => consumer.commitSync([{ ...A0, offset: 7 }]) });
    await created.pollAssigned(2);
    created.takeLog();
    group.heartbeatCode = ErrorCode.REBALANCE_IN_PROGRESS;
    await created.clock.advance(3_000);
    await created.pollGeneration(2);
    expect(created.takeLog()).toEqual(['commit a-0@7 gen 1', 'join member-1', 'sync']);
  });

  it('goes on after a listener that throws, which fails one poll', async () => {
    const created = world();
    created.consumer.subscribe('a', {
      onPartitionsAssigned: () => {
        throw new Error('broken');
      },
    });
    const errors: unknown[] = [];
    for (let turn = 0; turn < 20; turn++) await created.poll(10).catch((error: unknown) => errors.push(error));
    expect(errors).toEqual([
      expect.objectContaining({ code: 'LISTENER_FAILED', message: expect.stringContaining('broken') }),
    ]);
    expect(created.consumer.assignment()).toHaveLength(2);
  });

  it('is asked for by the leader when a topic of the group grows, also one it does not read itself', async () => {
    const created = world();
    created.cluster.setTopic('b', 1);
    created.group.others = [{ memberId: 'member-0', topics: ['b'] }];
    created.consumer.subscribe('a', created.listener());
    await created.pollAssigned(2);
    created.takeLog();
    created.cluster.setTopic('b', 2);
    await created.drive(created.cluster.metadata.refresh());
    await created.poll(50);
    expect(created.takeLog()).toEqual(['revoked a-0 a-1', 'join member-1', 'sync', 'assigned a-0 a-1']);
    expect(created.cluster.bodies(JoinGroup).at(-1)?.reason).toContain('topic b has 2 partitions');
  });

  it('is not asked for by a member that does not lead', async () => {
    const created = world();
    created.group.leads = false;
    created.group.assignment = [{ topic: 'a', partitions: [0] }];
    created.consumer.subscribe('a');
    await created.pollAssigned(1);
    created.takeLog();
    created.cluster.setTopic('a', 5);
    await created.drive(created.cluster.metadata.refresh());
    await created.poll(50);
    expect(created.takeLog()).toEqual([]);
  });

  it('follows from another subscription', async () => {
    const created = await joined();
    created.cluster.setTopic('b', 1);
    created.consumer.subscribe(['a', 'b'], created.listener());
    await created.pollAssigned(3);
    expect(created.takeLog()).toEqual(['revoked a-0 a-1', 'join member-1', 'sync', 'assigned a-0 a-1 b-0']);
  });

  it('evaluates a pattern after each answer, without internal topics, whatever its flags', async () => {
    const created = world();
    created.cluster.setTopic('__consumer_offsets', 1);
    created.consumer.subscribe(/^(a|b|__)/g);
    await created.pollAssigned(2);
    expect(created.consumer.subscription()).toEqual(['a']);
    // One join, not one without topics before.
    expect(created.takeLog()).toEqual(['join', 'join member-1', 'sync']);
    created.cluster.setTopic('b', 1);
    await created.drive(created.cluster.metadata.refresh());
    await created.pollAssigned(3);
    expect(created.consumer.subscription()).toEqual(['a', 'b']);
  });
});

describe('losing the membership', () => {
  it.each([
    ['UNKNOWN_MEMBER_ID', ErrorCode.UNKNOWN_MEMBER_ID, 'join'],
    ['ILLEGAL_GENERATION', ErrorCode.ILLEGAL_GENERATION, 'join member-1'],
  ])('by %s: partitions are lost, not revoked; nothing is committed', async (_name, code, join) => {
    const created = world({ enableAutoCommit: true, autoCommitIntervalMs: 3_600_000 });
    created.consumer.subscribe('a', created.listener());
    await created.pollAssigned(2);
    created.logs.append('a', 0, ['v0']);
    await created.values();
    created.takeLog();
    created.group.heartbeatCode = code;
    await created.clock.advance(3_000);
    created.group.heartbeatCode = ErrorCode.NONE;
    await created.pollGeneration(2);
    expect(created.takeLog().slice(0, 2)).toEqual(['lost a-0 a-1', join]);
    expect(created.group.committed.size).toBe(0);
  });

  it('calls onPartitionsRevoked of a listener without onPartitionsLost, as Java does', async () => {
    const created = world();
    const { onPartitionsRevoked } = created.listener();
    created.consumer.subscribe('a', { onPartitionsRevoked });
    await created.pollAssigned(2);
    created.takeLog();
    created.group.heartbeatCode = ErrorCode.UNKNOWN_MEMBER_ID;
    await created.clock.advance(3_000);
    await created.poll(50);
    expect(created.takeLog()[0]).toBe('revoked a-0 a-1');
  });

  it('by not polling for maxPollIntervalMs: leaves, loses the partitions, and joins again with the next poll', async () => {
    const created = await joined({ maxPollIntervalMs: 10_000 });
    await created.clock.advance(9_900);
    expect(created.takeLog()).toEqual([]);
    await created.clock.advance(200);
    expect(created.takeLog()).toEqual(['leave']);
    await expect(created.drive(created.consumer.commitSync())).rejects.toMatchObject({ code: 'COMMIT_FAILED' });
    await created.clock.advance(100_000);
    expect(created.takeLog()).toEqual([]);
    await created.pollGeneration(2);
    expect(created.takeLog()).toEqual(['lost a-0 a-1', 'join', 'join member-1', 'sync', 'assigned a-0 a-1']);
  });

  it('by another consumer with the same instance id: every poll says so', async () => {
    const created = await joined({ groupInstanceId: 'one' });
    created.group.heartbeatCode = ErrorCode.FENCED_INSTANCE_ID;
    await created.clock.advance(3_000);
    for (let turn = 0; turn < 2; turn++) {
      await expect(created.poll()).rejects.toMatchObject({ code: 'FENCED_INSTANCE_ID', fatal: true });
    }
    expect(created.takeLog()).toEqual([]);
  });

  it('ignores a heartbeat answer for a generation that is over', async () => {
    const created = await joined();
    const { closed, open } = gate();
    created.cluster.on(Heartbeat, () => closed.then(() => ({ errorCode: ErrorCode.UNKNOWN_MEMBER_ID })));
    await created.clock.advance(3_000);
    created.cluster.setTopic('a', 3);
    await created.drive(created.cluster.metadata.refresh());
    await created.pollAssigned(3);
    open();
    await created.clock.advance(10);
    expect(created.consumer.groupMetadata()).toMatchObject({ generationId: 2, memberId: 'member-1' });
  });
});

describe('leaving', () => {
  it('close: the listener, the last commit, LeaveGroup', async () => {
    const created = world({ enableAutoCommit: true, autoCommitIntervalMs: 3_600_000 });
    created.consumer.subscribe('a', created.listener());
    await created.pollAssigned(2);
    created.logs.append('a', 0, ['v0']);
    await created.values();
    created.takeLog();
    await created.drive(created.consumer.close());
    expect(created.takeLog()).toEqual(['revoked a-0 a-1', 'commit a-0@1 a-1@0 gen 1', 'leave']);
    expect(created.cluster.bodies(LeaveGroup).at(-1)?.members[0]).toMatchObject({ memberId: 'member-1' });
    await created.clock.advance(1_000);
    expect(created.clock.timerCount).toBe(0);
  });

  it('close lets the listener commit', async () => {
    const created = world();
    const { consumer } = created;
    consumer.subscribe('a', { onPartitionsRevoked: () => consumer.commitSync([{ ...A0, offset: 7 }]) });
    await created.pollAssigned(2);
    created.takeLog();
    await created.drive(consumer.close());
    expect(created.takeLog()).toEqual(['commit a-0@7 gen 1', 'leave']);
    await expect(consumer.commitSync()).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('close of a static member tells the coordinator nothing', async () => {
    const created = await joined({ groupInstanceId: 'one' });
    await created.drive(created.consumer.close());
    expect(created.takeLog()).toEqual(['revoked a-0 a-1']);
    expect(created.cluster.bodies(JoinGroup)[0]).toMatchObject({ groupInstanceId: 'one' });
  });

  it('close during a join does not wait behind it', async () => {
    const created = world();
    const { closed, open } = gate();
    created.consumer.subscribe('a');
    created.group.joinCodes = [ErrorCode.MEMBER_ID_REQUIRED];
    await created.poll(0);
    created.group.joinGate = closed;
    await created.poll(50);
    await created.drive(created.consumer.close());
    expect(created.takeLog().at(-1)).toBe('leave by main');
    open();
  });

  it('close gives up after its limit when a listener never ends', async () => {
    const created = world();
    created.consumer.subscribe('a', { onPartitionsRevoked: () => new Promise(() => undefined) });
    await created.pollAssigned(2);
    const before = created.clock.monotonic();
    await created.drive(created.consumer.close(2_000));
    expect(created.clock.monotonic() - before).toBeLessThan(2_100);
    expect(created.cluster.closed).toBe(true);
  });

  it('close rejects with what the listener threw, after everything is done', async () => {
    const created = world();
    created.consumer.subscribe('a', { onPartitionsRevoked: () => Promise.reject(new Error('broken')) });
    await created.pollAssigned(2);
    await expect(created.drive(created.consumer.close())).rejects.toMatchObject({ code: 'LISTENER_FAILED' });
    expect(created.takeLog().at(-1)).toBe('leave');
    expect(created.cluster.closed).toBe(true);
  });

  it('unsubscribe and another subscription begin a new membership', async () => {
    const created = await joined();
    await created.drive(created.consumer.unsubscribe());
    expect(created.takeLog()).toEqual(['revoked a-0 a-1', 'leave']);
    created.consumer.subscribe('a', created.listener());
    await created.pollAssigned(2);
    expect(created.takeLog()).toEqual(['join', 'join member-1', 'sync', 'assigned a-0 a-1']);
  });
});

describe('old brokers', () => {
  it('joins with the versions of Kafka 2.1', async () => {
    const created = world();
    const max = { JoinGroup: 3, SyncGroup: 2, Heartbeat: 2, LeaveGroup: 2, OffsetFetch: 5, OffsetCommit: 6, Fetch: 10 };
    for (const [api, version] of Object.entries({ ...max, ListOffsets: 4, Metadata: 7 })) {
      created.cluster.maxVersions.set(api, version);
    }
    created.group.joinCodes = [ErrorCode.NONE];
    created.consumer.subscribe('a');
    await created.pollAssigned(2);
    created.logs.append('a', 1, ['v0']);
    expect(await created.values()).toEqual(['v0']);
    await created.drive(created.consumer.commitSync());
    await created.drive(created.consumer.close());
    expect(created.takeLog()).toEqual(['join', 'sync', 'commit a-0@0 a-1@1 gen 1', 'leave']);
  });

  it('refuses static membership where the broker does not know it, instead of joining without', async () => {
    const created = world({ groupInstanceId: 'one' });
    created.cluster.maxVersions.set('JoinGroup', 4);
    created.consumer.subscribe('a');
    await expect(created.poll()).rejects.toMatchObject({ code: 'UNSUPPORTED_VERSION' });
  });
});

/** The world with its methods bound, for destructuring. */
function bound(created: ConsumerWorld) {
  return {
    ...created,
    pollAssigned: (count: number) => created.pollAssigned(count),
    drive: <T>(promise: Promise<T>) => created.drive(promise),
    takeLog: () => created.takeLog(),
  };
}
