/**
 * Commits: who may, in which order, and what every answer means. The table is the one of Java's ConsumerCoordinator.
 */
import { ErrorCode, Metadata, OffsetCommit } from '@kafka-template/protocol';
import { KafkaError, networkError } from '../../errors.js';
import { ConsumerWorld, gate } from '../testing/consumer-world.js';

const A0 = { topic: 'a', partition: 0 };
const A1 = { topic: 'a', partition: 1 };

async function joined(options: ConstructorParameters<typeof ConsumerWorld>[0] = {}): Promise<ConsumerWorld> {
  const world = new ConsumerWorld(options);
  world.cluster.setTopic('a', 2);
  world.consumer.subscribe('a', world.listener());
  await world.pollAssigned(2);
  world.takeLog();
  return world;
}

/** The outcome of a synchronous commit: null, or the code. */
function outcome(world: ConsumerWorld, offset = 5): Promise<string | null> {
  const commit = world.consumer.commitSync([{ ...A0, offset }]);
  return world.drive(
    commit.then(
      () => null,
      (error: KafkaError) => error.code,
    ),
  );
}

interface Row {
  answer: keyof typeof ErrorCode;
  /** What commitSync comes to. */
  sync: string | null;
  /** Commits sent for it. */
  sent: number;
  /** What the member is afterwards: still in its generation, asked to rejoin, or out. */
  after: 'stays' | 'rejoins' | 'lost';
}

const TABLE: Row[] = [
  { answer: 'NONE', sync: null, sent: 1, after: 'stays' },
  { answer: 'COORDINATOR_LOAD_IN_PROGRESS', sync: null, sent: 2, after: 'stays' },
  { answer: 'COORDINATOR_NOT_AVAILABLE', sync: null, sent: 2, after: 'stays' },
  { answer: 'NOT_COORDINATOR', sync: null, sent: 2, after: 'stays' },
  { answer: 'UNKNOWN_TOPIC_OR_PARTITION', sync: null, sent: 2, after: 'stays' },
  { answer: 'REQUEST_TIMED_OUT', sync: null, sent: 2, after: 'stays' },
  { answer: 'OFFSET_METADATA_TOO_LARGE', sync: 'OFFSET_METADATA_TOO_LARGE', sent: 1, after: 'stays' },
  { answer: 'GROUP_AUTHORIZATION_FAILED', sync: 'GROUP_AUTHORIZATION_FAILED', sent: 1, after: 'stays' },
  { answer: 'TOPIC_AUTHORIZATION_FAILED', sync: 'TOPIC_AUTHORIZATION_FAILED', sent: 1, after: 'stays' },
  { answer: 'REBALANCE_IN_PROGRESS', sync: 'REBALANCE_IN_PROGRESS', sent: 1, after: 'rejoins' },
  { answer: 'ILLEGAL_GENERATION', sync: 'COMMIT_FAILED', sent: 1, after: 'lost' },
  { answer: 'UNKNOWN_MEMBER_ID', sync: 'COMMIT_FAILED', sent: 1, after: 'lost' },
  { answer: 'FENCED_INSTANCE_ID', sync: 'FENCED_INSTANCE_ID', sent: 1, after: 'lost' },
];

describe('a commit answered with', () => {
  it.each(TABLE)('$answer', async ({ answer, sync, sent, after }) => {
    const world = await joined();
    if (answer !== 'NONE') world.group.commitCodes = [ErrorCode[answer]];
    expect(await outcome(world)).toBe(sync);
    expect(world.cluster.bodies(OffsetCommit)).toHaveLength(sent);
    expect(world.consumer.groupMetadata().generationId).toBe(after === 'lost' ? -1 : 1);
    // Never a join inside a commit.
    expect(world.takeLog().filter((line) => line.startsWith('join'))).toEqual([]);
    if (answer === 'FENCED_INSTANCE_ID') return;
    await world.poll(50);
    const joins = world.takeLog().filter((line) => line.startsWith('join'));
    expect(joins.length > 0).toBe(after !== 'stays');
  });

  it.each(TABLE)('$answer, asynchronously: told once, never sent again', async ({ answer }) => {
    const world = await joined();
    if (answer !== 'NONE') world.group.commitCodes = [ErrorCode[answer]];
    const told: (string | null)[] = [];
    world.consumer.commitAsync([{ ...A0, offset: 5 }], (error) => told.push(error?.code ?? null));
    expect(told).toEqual([]);
    await world.clock.advance(1_000);
    const lost = answer === 'ILLEGAL_GENERATION' || answer === 'UNKNOWN_MEMBER_ID';
    expect(told).toEqual([answer === 'NONE' ? null : lost ? 'COMMIT_FAILED' : answer]);
    expect(world.cluster.bodies(OffsetCommit)).toHaveLength(1);
  });
});

describe('who may commit', () => {
  it('nobody before the first join, without asking the broker', async () => {
    const world = new ConsumerWorld();
    world.consumer.subscribe('a');
    expect(await outcome(world)).toBe('COMMIT_FAILED');
    expect(world.cluster.bodies(OffsetCommit)).toEqual([]);
  });

  it('nobody while joining: retriable, and not sent behind the join', async () => {
    const world = await joined();
    const { closed, open } = gate();
    world.group.joinGate = closed;
    world.group.heartbeatCode = ErrorCode.REBALANCE_IN_PROGRESS;
    await world.clock.advance(3_000);
    await world.poll(50);
    const error = await world.drive(
      world.consumer.commitSync([{ ...A0, offset: 1 }]).catch((each: KafkaError) => each),
    );
    expect(error).toMatchObject({ code: 'REBALANCE_IN_PROGRESS', retriable: true });
    expect(world.cluster.bodies(OffsetCommit)).toEqual([]);
    open();
    await world.pollAssigned(2);
    expect(await outcome(world)).toBeNull();
  });

  it('a member, while its listener runs, with the old and with the new generation', async () => {
    const world = new ConsumerWorld();
    world.cluster.setTopic('a', 1);
    const { consumer } = world;
    const commit = (): Promise<void> => consumer.commitSync([{ ...A0, offset: 1 }]);
    consumer.subscribe('a', { onPartitionsAssigned: commit, onPartitionsRevoked: commit });
    await world.pollAssigned(1);
    await world.poll(50);
    world.cluster.setTopic('a', 2);
    await world.drive(world.cluster.metadata.refresh());
    await world.pollAssigned(2);
    await world.poll(50);
    const generations = world.cluster.bodies(OffsetCommit).map((body) => body.generationIdOrMemberEpoch);
    expect(generations).toEqual([1, 1, 2]);
  });

  it('a consumer that assigns its partitions, as nobody in particular', async () => {
    const world = new ConsumerWorld();
    world.cluster.setTopic('a', 1);
    world.consumer.assign([A0]);
    expect(await outcome(world)).toBeNull();
    expect(world.cluster.bodies(OffsetCommit)[0]).toMatchObject({ generationIdOrMemberEpoch: -1, memberId: '' });
    world.group.commitCodes = [ErrorCode.UNKNOWN_MEMBER_ID];
    const error = await world.drive(
      world.consumer.commitSync([{ ...A0, offset: 1 }]).catch((each: KafkaError) => each),
    );
    expect(error).toMatchObject({ code: 'COMMIT_FAILED', message: expect.stringContaining('has members') as unknown });
  });

  it('nothing below 0, nothing without a group', async () => {
    const world = await joined();
    expect(await outcome(world, -1)).toBe('INVALID_ARGUMENT');
    expect(await outcome(new ConsumerWorld({ groupId: undefined }))).toBe('INVALID_GROUP_ID');
  });
});

describe('the order of commits', () => {
  it('is that of the calls; what waits goes out together, and a synchronous one comes last', async () => {
    const world = await joined();
    const { closed, open } = gate();
    world.group.commitGate = closed;
    const told: string[] = [];
    const note = (name: string) => (error: KafkaError | null) => void told.push(error?.code ?? name);
    world.consumer.commitAsync([{ ...A0, offset: 1 }], note('first'));
    await world.clock.run();
    world.consumer.commitAsync([{ ...A0, offset: 2 }], note('second'));
    world.consumer.commitAsync([{ ...A1, offset: 9 }], note('third'));
    world.consumer.commitAsync([{ ...A0, offset: 3 }], note('fourth'));
    const sync = world.consumer.commitSync([{ ...A0, offset: 4 }]).then(() => told.push('sync'));
    expect(told).toEqual([]);
    open();
    await world.drive(sync);
    expect(told).toEqual(['first', 'second', 'third', 'fourth', 'sync']);
    expect(world.takeLog()).toEqual(['commit a-0@1 gen 1', 'commit a-0@4 a-1@9 gen 1']);
  });

  it('holds also for one that is refused at once', async () => {
    const world = await joined();
    const told: string[] = [];
    const note = (name: string) => (error: KafkaError | null) => void told.push(error?.code ?? name);
    world.consumer.commitAsync([{ ...A0, offset: 1 }], note('first'));
    world.consumer.commitAsync([{ ...A0, offset: -1 }], note('second'));
    world.consumer.commitAsync([{ ...A0, offset: 3 }], note('third'));
    await world.clock.advance(100);
    expect(told).toEqual(['first', 'INVALID_ARGUMENT', 'third']);
  });

  it('holds while a synchronous one is tried again', async () => {
    const world = await joined();
    world.group.commitCodes = [ErrorCode.COORDINATOR_LOAD_IN_PROGRESS];
    const told: string[] = [];
    const sync = world.consumer.commitSync([{ ...A0, offset: 1 }]).then(() => told.push('sync'));
    await world.clock.run();
    world.consumer.commitAsync([{ ...A0, offset: 2 }], () => told.push('async'));
    await world.drive(sync);
    await world.clock.advance(1_000);
    expect(told.sort()).toEqual(['async', 'sync']);
    expect(world.group.committed.get('a-0')).toBe(2);
  });

  it('keeps a commit in the generation in which it was asked for', async () => {
    const world = await joined();
    const { closed, open } = gate();
    world.group.commitGate = closed;
    world.consumer.commitAsync([{ ...A0, offset: 1 }], () => undefined);
    await world.clock.run();
    const late = outcome(world, 2);
    world.group.heartbeatCode = ErrorCode.UNKNOWN_MEMBER_ID;
    await world.clock.advance(3_000);
    world.group.commitCodes = [ErrorCode.NONE, ErrorCode.ILLEGAL_GENERATION];
    open();
    expect(await late).toBe('COMMIT_FAILED');
    expect(world.takeLog().filter((line) => line.startsWith('commit'))).toEqual([
      'commit a-0@1 gen 1',
      'commit a-0@2 gen 1',
    ]);
  });
});

describe('failures around commits', () => {
  it('a lost connection: the coordinator is looked up again, a synchronous commit repeated', async () => {
    const world = await joined();
    world.group.commitFailures = [networkError('reset')];
    expect(await outcome(world)).toBeNull();
    expect(world.cluster.forgotten).toBe(1);
    world.group.commitFailures = [networkError('reset')];
    const error = await world.drive(
      new Promise((resolve) => world.consumer.commitAsync([{ ...A0, offset: 1 }], resolve)),
    );
    expect(error).toMatchObject({ code: 'NETWORK', retriable: true });
  });

  it('a heartbeat that is fenced while the commit is under way: the commit says the same', async () => {
    const world = await joined({ groupInstanceId: 'one' });
    const { closed, open } = gate();
    world.group.commitGate = closed;
    world.group.commitCodes = [ErrorCode.FENCED_INSTANCE_ID];
    const late = outcome(world);
    world.group.heartbeatCode = ErrorCode.FENCED_INSTANCE_ID;
    await world.clock.advance(3_000);
    open();
    expect(await late).toBe('FENCED_INSTANCE_ID');
  });

  it('a coordinator that stays away: TIMEOUT after defaultApiTimeoutMs, with the reason', async () => {
    const world = await joined({ defaultApiTimeoutMs: 5_000 });
    world.group.commitCodes = new Array<number>(1_000).fill(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    const error = await world.drive(
      world.consumer.commitSync([{ ...A0, offset: 1 }]).catch((each: KafkaError) => each),
    );
    expect(error).toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringContaining('COORDINATOR_NOT_AVAILABLE') as unknown,
    });
  });

  it('a topic that stays unknown was deleted: refused after a few seconds, not after a minute', async () => {
    const world = await joined();
    world.group.commitCodes = new Array<number>(1_000).fill(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    const before = world.clock.monotonic();
    expect(await outcome(world)).toBe('UNKNOWN_TOPIC_OR_PARTITION');
    const took = world.clock.monotonic() - before;
    expect(took).toBeGreaterThanOrEqual(5_000);
    expect(took).toBeLessThan(10_000);
  });

  it('a deleted topic: refused after a second look, the rest is committed once and at once, and later commits do not wait', async () => {
    const world = await joined();
    const { cluster } = world;
    const answer = cluster.handlerOf(OffsetCommit);
    cluster.on(OffsetCommit, async (body, sent) => {
      const response = await answer(body, sent);
      if (response instanceof KafkaError) return response;
      const errorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
      const refuse = (topic: (typeof response.topics)[number]): typeof topic => ({
        ...topic,
        partitions: topic.partitions.map((each) => ({ ...each, errorCode })),
      });
      return { topics: response.topics.map((topic) => (topic.name === 'deleted' ? refuse(topic) : topic)) };
    });
    const before = world.clock.monotonic();
    const both = world.consumer
      .commitSync([
        { ...A0, offset: 5 },
        { topic: 'deleted', partition: 0, offset: 7 },
      ])
      .catch((error: KafkaError) => error);
    await world.clock.run();
    expect(world.takeLog()).toEqual(['commit a-0@5 deleted-0@7 gen 1']);
    // While the first one waits to be tried again.
    const other = outcome(world, 6);
    await world.clock.run();
    expect(await other).toBeNull();
    expect(world.takeLog()).toEqual(['commit a-0@6 gen 1']);
    expect(world.clock.monotonic()).toBe(before);
    const error = await world.drive(both);
    expect(error).toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
    expect((error as KafkaError).message).toContain('Not committed: deleted-0; everything else was.');
    expect(world.clock.monotonic() - before).toBeLessThan(1_000);
    expect(world.takeLog()).toEqual(['commit deleted-0@7 gen 1']);
    const looks = cluster.bodies(Metadata).filter((body) => body.topics?.some(({ name }) => name === 'deleted'));
    expect(looks.every((body) => !body.allowAutoTopicCreation)).toBe(true);
  });

  it('a callback that throws fails the next poll, and no other callback', async () => {
    const world = await joined();
    const told: string[] = [];
    world.consumer.commitAsync([{ ...A0, offset: 1 }], () => {
      throw new Error('broken');
    });
    world.consumer.commitAsync([{ ...A0, offset: 2 }], () => void told.push('second'));
    await expect(world.poll(50)).rejects.toMatchObject({ code: 'LISTENER_FAILED' });
    expect(told).toEqual(['second']);
    await expect(world.poll(50)).resolves.toBeDefined();
  });

  it('too many waiting commits are refused, not gathered without end', async () => {
    const world = await joined();
    const { closed, open } = gate();
    world.group.commitGate = closed;
    const codes: (string | null)[] = [];
    for (let index = 0; index < 10_050; index++) {
      world.consumer.commitAsync([{ ...A0, offset: index }], (error) => codes.push(error?.code ?? null));
    }
    open();
    for (let turn = 0; turn < 200 && codes.length < 10_050; turn++) await world.clock.advance(10);
    expect(codes).toHaveLength(10_050);
    expect(codes.filter((code) => code === 'BUFFER_EXHAUSTED').length).toBeGreaterThan(0);
    expect(codes[0]).toBeNull();
  });
});

describe('automatic commits', () => {
  it('are made from poll at the interval, of the positions behind an earlier poll, only where they moved', async () => {
    const world = await joined({ enableAutoCommit: true, autoCommitIntervalMs: 1_000, maxPollRecords: 2 });
    await world.clock.advance(2_000);
    await world.poll(0);
    world.takeLog();
    world.logs.append('a', 0, ['v0', 'v1', 'v2']);
    await world.clock.advance(2_000);
    expect(world.takeLog()).toEqual([]);
    expect(await world.values()).toEqual(['v0', 'v1']);
    expect(world.takeLog()).toEqual([]);
    await world.clock.advance(2_000);
    await world.poll(0);
    expect(world.takeLog()).toEqual(['commit a-0@2 gen 1']);
  });

  it('happen while a poll waits', async () => {
    const world = await joined({ enableAutoCommit: true, autoCommitIntervalMs: 1_000 });
    world.logs.append('a', 0, ['v0']);
    await world.values();
    world.takeLog();
    await world.poll(5_000);
    expect(world.takeLog().filter((line) => line.includes('a-0@1'))).toHaveLength(1);
  });

  it('are tried again soon after a failure that passes', async () => {
    const world = await joined({ enableAutoCommit: true, autoCommitIntervalMs: 10_000 });
    world.logs.append('a', 0, ['v0']);
    await world.values();
    world.takeLog();
    world.group.commitCodes = [ErrorCode.COORDINATOR_LOAD_IN_PROGRESS];
    await world.clock.advance(10_000);
    await world.poll(1_000);
    expect(world.takeLog().filter((line) => line.startsWith('commit'))).toHaveLength(2);
  });

  it('do not happen without the option', async () => {
    const world = await joined({ enableAutoCommit: false, autoCommitIntervalMs: 10 });
    world.logs.append('a', 0, ['v0']);
    await world.values();
    await world.poll(5_000);
    await world.drive(world.consumer.close());
    expect(world.cluster.bodies(OffsetCommit)).toEqual([]);
  });
});
