/**
 * Truncation: a new leader has to confirm positions before anything is read from it.
 */
import { ErrorCode, Fetch, OffsetForLeaderEpoch, type ResponseInput } from '@kafka-template/protocol';
import { ConsumerWorld } from '../testing/consumer-world.js';

const A0 = { topic: 'a', partition: 0 };

/** A consumer that has read v0 to v2 in epoch 0, and what the next leader says about the end of that epoch. */
async function world(
  answers: { errorCode?: number; endOffset?: number; leaderEpoch?: number }[],
  options: ConstructorParameters<typeof ConsumerWorld>[0] = {},
): Promise<ConsumerWorld> {
  const created = new ConsumerWorld({ groupId: undefined, ...options });
  created.cluster.setTopic('a', 1);
  created.cluster.on(OffsetForLeaderEpoch, (body): ResponseInput<typeof OffsetForLeaderEpoch> => {
    const answer = answers.shift() ?? {};
    return {
      topics: body.topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ partition, leaderEpoch }) => ({
          partition,
          errorCode: 0,
          leaderEpoch,
          ...answer,
        })),
      })),
    };
  });
  created.logs.append('a', 0, ['v0', 'v1', 'v2']);
  created.consumer.assign([A0]);
  created.consumer.seek(A0, 0);
  expect(await created.values()).toEqual(['v0', 'v1', 'v2']);
  return created;
}

async function elect(created: ConsumerWorld): Promise<void> {
  const topic = created.cluster.topics.get('a');
  if (topic !== undefined) topic.leaderEpoch++;
  await created.drive(created.cluster.metadata.refresh());
}

describe('after a change of leaders', () => {
  it('a position the new leader confirms is read on from', async () => {
    const created = await world([{ endOffset: 3 }]);
    await elect(created);
    created.logs.append('a', 0, ['v3']);
    expect(await created.values()).toEqual(['v3']);
    expect(created.cluster.bodies(OffsetForLeaderEpoch)).toMatchObject([
      {
        replicaId: -1,
        topics: [{ topic: 'a', partitions: [{ partition: 0, currentLeaderEpoch: 1, leaderEpoch: 0 }] }],
      },
    ]);
    await created.poll(2_000);
    expect(created.cluster.bodies(OffsetForLeaderEpoch)).toHaveLength(1);
  });

  it('a position beyond the end of its epoch goes back to where the logs parted', async () => {
    const created = await world([{ endOffset: 1, leaderEpoch: 0 }]);
    await elect(created);
    expect(await created.values()).toEqual(['v1', 'v2']);
  });

  it('it is an error with none, until the application seeks', async () => {
    const created = await world([{ endOffset: 1 }, { endOffset: 1 }], { autoOffsetReset: 'none' });
    await elect(created);
    await expect(created.poll()).rejects.toMatchObject({
      code: 'LOG_TRUNCATION',
      message: expect.stringContaining('parted at offset 1') as unknown,
    });
    created.consumer.seek(A0, 1);
    expect(await created.values()).toEqual(['v1', 'v2']);
  });

  it('a leader that knows nothing of the epoch leaves it to autoOffsetReset', async () => {
    const created = await world([{ endOffset: -1, leaderEpoch: -1 }], { autoOffsetReset: 'earliest' });
    await elect(created);
    expect(await created.values()).toEqual(['v0', 'v1', 'v2']);
  });

  it.each(['FENCED_LEADER_EPOCH', 'NOT_LEADER_OR_FOLLOWER', 'UNKNOWN_LEADER_EPOCH'] as const)(
    'the question is repeated for %s, and nothing is read meanwhile',
    async (code) => {
      const created = await world([{ errorCode: ErrorCode[code] }, { endOffset: 3 }]);
      const before = created.cluster.bodies(Fetch).length;
      await elect(created);
      created.logs.append('a', 0, ['v3']);
      expect(await created.values()).toEqual(['v3']);
      expect(created.cluster.bodies(OffsetForLeaderEpoch)).toHaveLength(2);
      expect(created.cluster.bodies(Fetch).length).toBeGreaterThan(before);
    },
  );

  it('nothing is asked where the broker cannot be, or where the position has no epoch', async () => {
    const old = await world([]);
    old.cluster.maxVersions.set('OffsetForLeaderEpoch', 2);
    await elect(old);
    old.logs.append('a', 0, ['v3']);
    expect(await old.values()).toEqual(['v3']);
    const sought = await world([]);
    sought.consumer.seek(A0, 3);
    await elect(sought);
    sought.logs.append('a', 0, ['v3']);
    expect(await sought.values()).toEqual(['v3']);
    expect(sought.cluster.bodies(OffsetForLeaderEpoch)).toEqual([]);
  });

  it('a committed offset with an older epoch is confirmed before the first fetch', async () => {
    const created = new ConsumerWorld();
    created.cluster.setTopic('a', 1);
    const topic = created.cluster.topics.get('a');
    if (topic !== undefined) topic.leaderEpoch = 4;
    created.group.committed.set('a-0', 3);
    created.logs.append('a', 0, ['v0', 'v1', 'v2']);
    created.cluster.on(OffsetForLeaderEpoch, () => ({
      topics: [{ topic: 'a', partitions: [{ partition: 0, errorCode: 0, leaderEpoch: 0, endOffset: 2 }] }],
    }));
    created.consumer.assign([A0]);
    expect(await created.values()).toEqual(['v2']);
  });
});
