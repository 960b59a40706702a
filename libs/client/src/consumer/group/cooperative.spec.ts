/**
 * A member under the cooperative protocol (KIP-429): what it keeps, what it gives up and when, and what it is told.
 */
import { decodeSubscription, ErrorCode, JoinGroup } from '@kafka-template/protocol';
import { ConsumerWorld, gate } from '../testing/consumer-world.js';

const A0 = { topic: 'a', partition: 0 };
const A1 = { topic: 'a', partition: 1 };
const COOPERATIVE = { partitionAssignmentStrategy: 'cooperative-sticky', maxPollRecords: 2 } as const;
const AUTO_COMMIT = { enableAutoCommit: true, autoCommitIntervalMs: 3_600_000 };

/** A member that has joined and owns both partitions of topic `a`; what it is given next is up to `assignment`. */
async function joined(options: ConstructorParameters<typeof ConsumerWorld>[0] = {}): Promise<ConsumerWorld> {
  const created = new ConsumerWorld({ ...COOPERATIVE, ...options });
  created.cluster.setTopic('a', 2);
  created.group.leads = false;
  give(created, 0, 1);
  created.consumer.subscribe('a', created.listener());
  await created.pollAssigned(2);
  created.takeLog();
  return created;
}

function give({ group }: ConsumerWorld, ...partitions: number[]): void {
  group.assignment = [{ topic: 'a', partitions }];
}

/** The coordinator begins a round, and a heartbeat tells the member. */
async function rebalance({ group, clock }: ConsumerWorld): Promise<void> {
  group.heartbeatCode = ErrorCode.REBALANCE_IN_PROGRESS;
  await clock.advance(3_000);
}

/** Polls until the rounds are over. */
async function pollRounds(created: ConsumerWorld, generationId: number): Promise<string[]> {
  const { group } = created;
  return created.pollUntil(
    () => group.generationId === generationId && group.log.at(-1)?.startsWith('assigned') === true,
  );
}

describe('a cooperative rebalance', () => {
  it('that changes nothing revokes nothing, and tells of no new partitions', async () => {
    const created = await joined();
    await rebalance(created);
    await pollRounds(created, 2);
    expect(created.takeLog()).toEqual(['join member-1', 'sync', 'assigned ']);
    expect(created.consumer.assignment()).toEqual([A0, A1]);
  });

  it('states what is owned, in which generation, also in the user data of the strategy', async () => {
    const created = await joined();
    await rebalance(created);
    await pollRounds(created, 2);
    const { name, metadata } = created.cluster.bodies(JoinGroup).at(-1)?.protocols[0] ?? {};
    expect(name).toBe('cooperative-sticky');
    expect(decodeSubscription(metadata as Buffer)).toMatchObject({
      ownedPartitions: [{ topic: 'a', partitions: [0, 1] }],
      generationId: 1,
      userData: Buffer.from([0, 0, 0, 1]),
    });
  });

  it('goes on reading while the others are waited for, and keeps position, buffer and pause of what stays', async () => {
    const created = await joined();
    created.logs.append('a', 0, ['v0', 'v1', 'v2', 'v3', 'v4', 'v5']);
    created.logs.append('a', 1, ['w0']);
    created.consumer.pause([A1]);
    expect(await created.values()).toEqual(['v0', 'v1']);
    const { closed, open } = gate();
    created.group.joinGate = closed;
    await rebalance(created);
    const during = [...(await created.values()), ...(await created.values(50))];
    expect(created.group.log).toEqual(['join member-1']);
    expect(during).toEqual(['v2', 'v3', 'v4', 'v5']);
    open();
    expect(await pollRounds(created, 2)).toEqual([]);
    expect(created.consumer.paused()).toEqual([A1]);
    created.logs.append('a', 0, ['v6']);
    expect(await created.values()).toEqual(['v6']);
  });

  it('gives up only what the assignment lacks: listener, commit as the new generation, and joins again at once', async () => {
    const created = await joined(AUTO_COMMIT);
    created.logs.append('a', 1, ['w0', 'w1', 'w2']);
    expect(await created.values()).toEqual(['w0', 'w1']);
    const { closed, open } = gate();
    created.group.joinGate = closed;
    give(created, 0);
    await rebalance(created);
    // Read while the join waits, so that there is something new to commit at the revocation.
    expect(await created.values()).toEqual(['w2']);
    open();
    await pollRounds(created, 3);
    expect(created.takeLog()).toEqual([
      'commit a-0@0 a-1@2 gen 1',
      'join member-1',
      'sync',
      'revoked a-1',
      'commit a-1@3 gen 2',
      'assigned ',
      'join member-1',
      'sync',
      'assigned ',
    ]);
    expect(created.consumer.assignment()).toEqual([A0]);
  });

  it('awaits the listener of what is revoked before anything else moves, and hands nothing of it out any more', async () => {
    const created = new ConsumerWorld(COOPERATIVE);
    const { group, consumer } = created;
    const { closed, open } = gate();
    created.cluster.setTopic('a', 2);
    group.leads = false;
    give(created, 0, 1);
    const onPartitionsRevoked = async (): Promise<void> => {
      group.log.push('revoking');
      await closed;
      await consumer.commitSync([{ ...A1, offset: 1 }]);
    };
    consumer.subscribe('a', { onPartitionsRevoked });
    await created.pollAssigned(2);
    created.takeLog();
    give(created, 0);
    await rebalance(created);
    for (let turn = 0; turn < 5; turn++) await created.poll(10);
    created.logs.append('a', 1, ['w0']);
    expect(await created.values(50)).toEqual([]);
    expect(created.takeLog()).toEqual(['join member-1', 'sync', 'revoking']);
    open();
    await created.pollUntil(() => group.generationId === 3);
    expect(created.takeLog().slice(0, 2)).toEqual(['commit a-1@1 gen 2', 'join member-1']);
    expect(await created.values(50)).toEqual([]);
  });

  it('tells of new partitions alone, which begin at the committed offset', async () => {
    const created = new ConsumerWorld(COOPERATIVE);
    created.cluster.setTopic('a', 2);
    created.group.leads = false;
    give(created, 0);
    created.consumer.subscribe('a', created.listener());
    await created.pollAssigned(1);
    created.takeLog();
    created.logs.append('a', 1, ['w0', 'w1']);
    created.group.committed.set('a-1', 1);
    give(created, 0, 1);
    await rebalance(created);
    const values = await created.pollAssigned(2);
    expect(created.takeLog()).toEqual(['join member-1', 'sync', 'assigned a-1']);
    expect([...values, ...(await created.values())]).toEqual(['w1']);
  });

  it('gives up topics that are not subscribed to any more before it joins', async () => {
    const created = await joined();
    created.cluster.setTopic('b', 1);
    created.group.assignment = [{ topic: 'b', partitions: [0] }];
    created.consumer.subscribe('b', created.listener());
    await created.pollUntil(() => created.consumer.assignment()[0]?.topic === 'b');
    expect(created.takeLog()).toEqual(['revoked a-0 a-1', 'join member-1', 'sync', 'assigned b-0']);
  });

  it('as leader withholds what another member still has', async () => {
    const created = new ConsumerWorld(COOPERATIVE);
    created.cluster.setTopic('a', 2);
    created.group.others = [{ memberId: 'member-0', topics: ['a'], owned: [{ topic: 'a', partitions: [0, 1] }] }];
    created.consumer.subscribe('a', created.listener());
    await created.pollUntil(() => created.group.log.at(-1) === 'assigned ');
    created.group.others = [{ memberId: 'member-0', topics: ['a'], owned: [{ topic: 'a', partitions: [0] }] }];
    await rebalance(created);
    await created.pollAssigned(1);
    expect(created.consumer.assignment()).toEqual([A1]);
  });

  it('goes on after a listener that throws at the revocation: one poll fails, the new partitions are there', async () => {
    const created = await joined();
    const broken = { ...created.listener(), onPartitionsRevoked: () => Promise.reject(new Error('broken')) };
    created.consumer.subscribe('a', broken);
    give(created, 0);
    await rebalance(created);
    const errors: unknown[] = [];
    for (let turn = 0; turn < 20; turn++) await created.poll(10).catch((error: unknown) => errors.push(error));
    expect(errors).toEqual([expect.objectContaining({ code: 'LISTENER_FAILED' })]);
    expect(created.consumer.assignment()).toEqual([A0]);
    expect(created.group.generationId).toBe(3);
  });
});

describe('losing a cooperative membership', () => {
  it('by a heartbeat loses everything, and begins anew', async () => {
    const created = await joined();
    created.group.heartbeatCode = ErrorCode.UNKNOWN_MEMBER_ID;
    await created.clock.advance(3_000);
    await pollRounds(created, 2);
    expect(created.takeLog()).toEqual(['lost a-0 a-1', 'join', 'join member-1', 'sync', 'assigned a-0 a-1']);
  });

  it('by the answer to a join loses what was kept, before the next attempt states to own it', async () => {
    const created = await joined();
    created.group.joinCodes = [ErrorCode.UNKNOWN_MEMBER_ID];
    await rebalance(created);
    await pollRounds(created, 2);
    expect(created.takeLog()).toEqual([
      'join member-1',
      'lost a-0 a-1',
      'join',
      'join member-1',
      'sync',
      'assigned a-0 a-1',
    ]);
    const metadata = created.cluster.bodies(JoinGroup).at(-1)?.protocols[0]?.metadata as Buffer;
    expect(decodeSubscription(metadata).ownedPartitions).toEqual([]);
  });

  it('does not happen when a round is broken off: what is owned is stated again', async () => {
    const created = await joined();
    created.group.syncCodes = [ErrorCode.REBALANCE_IN_PROGRESS];
    await rebalance(created);
    await pollRounds(created, 3);
    expect(created.takeLog()).toEqual(['join member-1', 'sync', 'join member-1', 'sync', 'assigned ']);
    expect(created.consumer.assignment()).toEqual([A0, A1]);
  });
});

describe('commits of a cooperative member', () => {
  it('are refused while it joins, for the application to repeat', async () => {
    const created = await joined();
    created.group.joinGate = gate().closed;
    await rebalance(created);
    await created.poll(50);
    await expect(created.drive(created.consumer.commitSync([{ ...A0, offset: 1 }]))).rejects.toMatchObject({
      code: 'REBALANCE_IN_PROGRESS',
      retriable: true,
    });
  });

  it('of close reach the coordinator even in the middle of a join, as the generation it still knows', async () => {
    const created = await joined(AUTO_COMMIT);
    created.group.joinGate = gate().closed;
    await rebalance(created);
    await created.poll(50);
    created.logs.append('a', 0, ['v0', 'v1']);
    expect(await created.values()).toEqual(['v0', 'v1']);
    created.takeLog();
    await created.drive(created.consumer.close());
    expect(created.takeLog()).toEqual(['revoked a-0 a-1', 'commit a-0@2 gen 1', 'leave by main']);
  });
});

describe('a list of strategies', () => {
  it('with an eager one among them is eager, whichever the group chooses', async () => {
    const created = await joined({ partitionAssignmentStrategy: ['cooperative-sticky', 'range'] });
    await rebalance(created);
    await pollRounds(created, 2);
    expect(created.takeLog()).toEqual(['revoked a-0 a-1', 'join member-1', 'sync', 'assigned a-0 a-1']);
    expect(
      created.cluster
        .bodies(JoinGroup)
        .at(-1)
        ?.protocols.map((each) => each.name),
    ).toEqual(['cooperative-sticky', 'range']);
  });
});
