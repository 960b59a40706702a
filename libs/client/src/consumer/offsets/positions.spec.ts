/**
 * Where reading begins: committed offsets, resets, and that neither a reset nor a seek ever commits anything.
 */
import { ErrorCode, ListOffsets, OffsetCommit, OffsetFetch } from '@kafka-template/protocol';
import { ConsumerWorld } from '../testing/consumer-world.js';

const A0 = { topic: 'a', partition: 0 };
const A1 = { topic: 'a', partition: 1 };

function world(options: ConstructorParameters<typeof ConsumerWorld>[0] = {}): ConsumerWorld {
  const created = new ConsumerWorld({ maxPollRecords: 1, ...options });
  created.cluster.setTopic('a', 2);
  created.logs.append('a', 0, ['v0', 'v1', 'v2', 'v3']);
  return created;
}

interface Row {
  policy: 'earliest' | 'latest' | 'none';
  committed?: number;
  position?: number;
  error?: string;
}

const TABLE: Row[] = [
  { policy: 'earliest', position: 0 },
  { policy: 'latest', position: 4 },
  { policy: 'none', error: 'NO_OFFSET_FOR_PARTITION' },
  { policy: 'earliest', committed: 2, position: 2 },
  { policy: 'latest', committed: 2, position: 2 },
  { policy: 'none', committed: 2, position: 2 },
  { policy: 'earliest', committed: 99, position: 0 },
  { policy: 'latest', committed: 99, position: 4 },
  { policy: 'none', committed: 99, error: 'NO_OFFSET_FOR_PARTITION' },
];

describe('autoOffsetReset', () => {
  it.each(TABLE)('$policy with $committed committed', async ({ policy, committed, position, error }) => {
    const created = world({ autoOffsetReset: policy });
    if (committed !== undefined) created.group.committed.set('a-0', committed);
    created.consumer.assign([A0]);
    if (error !== undefined) {
      await expect(created.poll()).rejects.toMatchObject({ code: error, retriable: false });
      await expect(created.poll()).rejects.toMatchObject({ message: expect.stringContaining('a-0') as unknown });
    } else {
      await created.poll(200);
      const read = policy === 'latest' && position === 4 ? 0 : 1;
      await expect(created.drive(created.consumer.position(A0))).resolves.toBe((position as number) + read);
    }
    expect(created.cluster.bodies(OffsetCommit)).toEqual([]);
  });

  it('names every partition that has no offset, and reads on after a seek', async () => {
    const created = world({ autoOffsetReset: 'none' });
    created.consumer.assign([A0, A1]);
    await expect(created.poll()).rejects.toThrow(/a-0, a-1/);
    created.consumer.seek(A0, 3);
    created.consumer.seek(A1, 0);
    expect(await created.values()).toEqual(['v3']);
  });

  it('does not drop records that were fetched before the position went out of range', async () => {
    const created = world({ autoOffsetReset: 'latest', maxPollRecords: 1 });
    created.logs.batchesPerFetch = 1;
    created.consumer.assign([A0]);
    created.consumer.seek(A0, 0);
    expect(await created.values()).toEqual(['v0']);
    // Deleted behind the back of the prefetch: offset 4 is out of range now.
    created.logs.append('a', 0, ['w4']);
    created.logs.append('a', 0, ['w5']);
    created.logs.truncateBefore('a', 0, 5);
    const rest = [...(await created.values()), ...(await created.values()), ...(await created.values())];
    expect(rest).toEqual(['v1', 'v2', 'v3']);
  });
});

describe('looking up positions', () => {
  it('asks for the committed offsets of all partitions at once', async () => {
    const created = world();
    created.consumer.subscribe('a');
    await created.pollAssigned(2);
    await created.poll(100);
    const [request, ...more] = created.cluster.bodies(OffsetFetch);
    expect(more).toEqual([]);
    expect(request).toMatchObject({
      requireStable: true,
      groups: [{ groupId: 'billing', topics: [{ name: 'a', partitionIndexes: [0, 1] }] }],
    });
  });

  it.each([ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, ErrorCode.NOT_COORDINATOR, ErrorCode.UNSTABLE_OFFSET_COMMIT])(
    'is repeated for the error %i',
    async (code) => {
      const created = world();
      created.group.fetchCodes = [code, code];
      created.group.committed.set('a-0', 2);
      created.consumer.assign([A0]);
      expect(await created.values()).toEqual(['v2']);
      expect(created.cluster.bodies(OffsetFetch)).toHaveLength(3);
    },
  );

  it('fails the poll for an error that will not pass', async () => {
    const created = world();
    created.group.fetchCodes = [ErrorCode.GROUP_AUTHORIZATION_FAILED];
    created.consumer.assign([A0]);
    await expect(created.poll()).rejects.toMatchObject({ code: 'GROUP_AUTHORIZATION_FAILED' });
  });

  it.each([ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.FENCED_LEADER_EPOCH, ErrorCode.OFFSET_NOT_AVAILABLE])(
    'repeats a reset for the error %i',
    async (code) => {
      const created = world();
      created.logs.lookupErrors.set('a-0', [code]);
      created.consumer.assign([A0]);
      expect(await created.values()).toEqual(['v0']);
      expect(created.cluster.bodies(ListOffsets)).toHaveLength(2);
    },
  );

  it('lets a seek win over an answer that is under way', async () => {
    const created = world();
    created.consumer.assign([A0]);
    const poll = created.consumer.poll(1_000);
    await Promise.resolve();
    created.consumer.seek(A0, 3);
    const records = await created.drive(poll);
    expect(Array.from(records, (record) => record.offset)).toEqual([3]);
  });

  it('needs no group: the policy decides', async () => {
    const created = world({ groupId: undefined });
    created.consumer.assign([A0]);
    expect(await created.values()).toEqual(['v0']);
    expect(created.cluster.bodies(OffsetFetch)).toEqual([]);
  });

  it('position() looks up by itself, without poll', async () => {
    const created = world();
    created.group.committed.set('a-0', 3);
    created.consumer.assign([A0]);
    await expect(created.drive(created.consumer.position(A0))).resolves.toBe(3);
  });

  it('position() gives up after defaultApiTimeoutMs', async () => {
    const created = world({ defaultApiTimeoutMs: 2_000 });
    created.cluster.topics.delete('a');
    created.consumer.assign([A0]);
    await expect(created.drive(created.consumer.position(A0))).rejects.toMatchObject({ code: 'TIMEOUT' });
  });
});

describe('offsets of logs', () => {
  it('are asked of each leader, and repeated only where it failed', async () => {
    const created = world();
    created.cluster.brokers.add(2);
    created.cluster.topics.get('a')?.leaders.splice(1, 1, 2);
    created.logs.lookupErrors.set('a-1', [ErrorCode.NOT_LEADER_OR_FOLLOWER]);
    const ends = await created.drive(created.consumer.endOffsets([A1, A0]));
    expect(ends).toEqual([
      { ...A1, offset: 0 },
      { ...A0, offset: 4 },
    ]);
    const targets = created.cluster.sent.filter((each) => each.api === 'ListOffsets').map((each) => each.target);
    expect(targets.sort()).toEqual([1, 2, 2]);
  });

  it('time out for a topic that does not exist, saying so', async () => {
    const created = world({ defaultApiTimeoutMs: 1_000 });
    const call = created.consumer.beginningOffsets([{ topic: 'nope', partition: 0 }]);
    await expect(created.drive(call)).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringContaining('UNKNOWN_TOPIC_OR_PARTITION') as unknown,
    });
  });
});
