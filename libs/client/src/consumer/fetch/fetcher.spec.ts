/**
 * Fetching: one request per broker, ahead of the application but within bounds; moved leaders, seeks, pauses, bad bytes.
 */
import { BatchBuilder, ErrorCode, Fetch } from '@kafka-template/protocol';
import { networkError } from '../../errors.js';
import { ConsumerWorld } from '../testing/consumer-world.js';

const A0 = { topic: 'a', partition: 0 };
const A1 = { topic: 'a', partition: 1 };

function world(options: ConstructorParameters<typeof ConsumerWorld>[0] = {}): ConsumerWorld {
  const created = new ConsumerWorld({ groupId: undefined, ...options });
  created.cluster.setTopic('a', 2);
  return created;
}

function fetches(created: ConsumerWorld): { target: unknown; partitions: number[] }[] {
  return created.cluster.sent
    .filter((each) => each.api === 'Fetch')
    .map(({ target, body }) => ({
      target,
      partitions: (body as { topics: { partitions: { partition: number }[] }[] }).topics.flatMap((topic) =>
        topic.partitions.map((each) => each.partition),
      ),
    }));
}

async function drain(created: ConsumerWorld, count: number): Promise<string[]> {
  const all: string[] = [];
  for (let turn = 0; turn < 100 && all.length < count; turn++) all.push(...(await created.values(100)));
  return all;
}

describe('fetching', () => {
  it('hands out at most maxPollRecords, in order, and fetches ahead meanwhile', async () => {
    const created = world({ maxPollRecords: 2 });
    created.logs.batchesPerFetch = 1;
    created.logs.append('a', 0, ['v0', 'v1', 'v2']);
    created.logs.append('a', 0, ['v3', 'v4']);
    created.consumer.assign([A0]);
    expect(await created.values()).toEqual(['v0', 'v1']);
    await created.clock.run();
    const offsets = created.cluster.bodies(Fetch).map((body) => body.topics[0]?.partitions[0]?.fetchOffset);
    expect(offsets).toEqual([0, 3]);
    expect(await created.values()).toEqual(['v2', 'v3']);
    expect(await created.values()).toEqual(['v4']);
  });

  it('holds two chunks of a partition at most', async () => {
    const created = world({ maxPollRecords: 1 });
    created.logs.batchesPerFetch = 1;
    for (let index = 0; index < 5; index++) created.logs.append('a', 0, [`v${index}a`, `v${index}b`]);
    created.consumer.assign([A0]);
    expect(await created.values()).toEqual(['v0a']);
    for (let turn = 0; turn < 5; turn++) await created.clock.advance(100);
    created.consumer.pause([A0]);
    for (let turn = 0; turn < 5; turn++) await created.poll(10);
    expect(fetches(created)).toHaveLength(2);
  });

  it('stops fetching while fetchMaxBytes are held', async () => {
    const created = world({ maxPollRecords: 1, fetchMaxBytes: 1 });
    created.logs.batchesPerFetch = 1;
    created.logs.append('a', 0, ['v0', 'v1']);
    created.logs.append('a', 0, ['v2']);
    created.consumer.assign([A0]);
    expect(await created.values()).toEqual(['v0']);
    await created.clock.run();
    expect(fetches(created)).toHaveLength(1);
    expect(await drain(created, 2)).toEqual(['v1', 'v2']);
  });

  it('has one request under way per broker, and asks each broker for its own partitions', async () => {
    const created = world();
    created.cluster.brokers.add(2);
    created.cluster.topics.get('a')?.leaders.splice(1, 1, 2);
    created.consumer.assign([A0, A1]);
    await created.poll(300);
    expect(fetches(created).sort((one, other) => Number(one.target) - Number(other.target))).toEqual([
      { target: 1, partitions: [0] },
      { target: 2, partitions: [1] },
    ]);
    expect(new Set(created.cluster.sent.filter((each) => each.api === 'Fetch').map((each) => each.lane))).toEqual(
      new Set(['fetch']),
    );
  });

  it('puts another partition first each time, so that none starves', async () => {
    const created = world();
    created.consumer.assign([A0, A1]);
    await created.poll(1_200);
    expect(fetches(created).map((each) => each.partitions)).toEqual([
      [0, 1],
      [1, 0],
      [0, 1],
    ]);
  });

  it('uses topic ids where they are known, names otherwise', async () => {
    const created = world();
    created.consumer.assign([A0]);
    await created.poll(100);
    expect(created.cluster.sent.find((each) => each.api === 'Fetch')?.version).toBeGreaterThanOrEqual(13);
    const old = world();
    old.cluster.setTopic('a', 1, 'AAAAAAAAAAAAAAAAAAAAAA');
    old.logs.append('a', 0, ['v0']);
    old.consumer.assign([A0]);
    expect(await old.values()).toEqual(['v0']);
    expect(old.cluster.sent.find((each) => each.api === 'Fetch')?.version).toBe(12);
  });

  it('asks for committed records with read_committed', async () => {
    const created = world({ isolationLevel: 'read_committed' });
    created.consumer.assign([A0]);
    await created.poll(100);
    expect(created.cluster.bodies(Fetch)[0]?.isolationLevel).toBe(1);
  });
});

describe('a change of leaders', () => {
  it.each([
    'NOT_LEADER_OR_FOLLOWER',
    'FENCED_LEADER_EPOCH',
    'UNKNOWN_LEADER_EPOCH',
    'UNKNOWN_TOPIC_ID',
    'UNKNOWN_TOPIC_OR_PARTITION',
    'KAFKA_STORAGE_ERROR',
    'OFFSET_NOT_AVAILABLE',
  ] as const)('%s costs a pause and a look at the metadata, no record', async (code) => {
    const created = world();
    created.logs.append('a', 0, ['v0']);
    created.logs.fetchErrors.set('a-0', [ErrorCode[code], ErrorCode[code]]);
    created.consumer.assign([A0]);
    expect(await drain(created, 1)).toEqual(['v0']);
  });

  it('goes on at the new leader where it stopped', async () => {
    const created = world();
    created.cluster.brokers.add(2);
    created.logs.append('a', 0, ['v0']);
    created.consumer.assign([A0]);
    expect(await drain(created, 1)).toEqual(['v0']);
    created.logs.append('a', 0, ['v1']);
    created.cluster.topics.get('a')?.leaders.splice(0, 1, 2);
    created.logs.fetchErrors.set('a-0', [ErrorCode.NOT_LEADER_OR_FOLLOWER]);
    expect(await drain(created, 1)).toEqual(['v1']);
    expect(fetches(created).at(-1)?.target).toBe(2);
  });

  it('a lost connection is tried again, after a pause', async () => {
    const created = world();
    created.logs.append('a', 0, ['v0']);
    let failures = 0;
    const { cluster } = created;
    const answer = cluster.handlerOf(Fetch);
    cluster.on(Fetch, (body, sent) => (failures++ < 3 ? networkError('reset') : answer(body, sent)));
    created.consumer.assign([A0]);
    expect(await drain(created, 1)).toEqual(['v0']);
    expect(failures).toBeGreaterThanOrEqual(4);
  });

  it.each(['FETCH_SESSION_ID_NOT_FOUND', 'INVALID_FETCH_SESSION_EPOCH', 'FETCH_SESSION_TOPIC_ID_ERROR'] as const)(
    '%s begins a new session at once',
    async (code) => {
      const created = world();
      created.logs.append('a', 0, ['v0']);
      created.logs.fetchCodes = [ErrorCode[code]];
      created.consumer.assign([A0]);
      expect(await created.values()).toEqual(['v0']);
      const epochs = created.cluster.bodies(Fetch).map((body) => [body.sessionId, body.sessionEpoch]);
      expect(epochs.slice(0, 2)).toEqual([
        [0, 0],
        [0, 0],
      ]);
    },
  );

  it('TOPIC_AUTHORIZATION_FAILED fails the poll', async () => {
    const created = world();
    created.logs.fetchErrors.set('a-0', [ErrorCode.TOPIC_AUTHORIZATION_FAILED]);
    created.consumer.assign([A0]);
    await expect(drain(created, 1)).rejects.toMatchObject({ code: 'TOPIC_AUTHORIZATION_FAILED' });
  });

  it('a partition that does not exist keeps waiting, without asking all the time', async () => {
    const created = world();
    created.consumer.assign([{ topic: 'a', partition: 9 }]);
    created.consumer.seek({ topic: 'a', partition: 9 }, 0);
    await created.poll(10_000);
    expect(created.cluster.sent.filter((each) => each.api === 'Metadata').length).toBeLessThan(40);
  });
});

describe('seek, pause and what was fetched ahead', () => {
  it('a seek drops what was fetched, also what is under way', async () => {
    const created = world({ maxPollRecords: 1 });
    created.logs.append('a', 0, ['v0', 'v1', 'v2', 'v3']);
    created.consumer.assign([A0]);
    expect(await created.values()).toEqual(['v0']);
    created.consumer.seek(A0, 3);
    expect(await created.values()).toEqual(['v3']);
    created.consumer.seek(A0, 1);
    expect(await drain(created, 3)).toEqual(['v1', 'v2', 'v3']);
  });

  it('a paused partition is neither fetched nor handed out; what it had comes after resume, once', async () => {
    const created = world({ maxPollRecords: 1 });
    created.logs.append('a', 0, ['v0', 'v1']);
    created.logs.append('a', 1, ['w0']);
    created.consumer.assign([A0, A1]);
    const first = await created.values();
    created.consumer.pause([A0]);
    const rest = [...first, ...(await drain(created, 2 - first.length))].filter((value) => value.startsWith('v'));
    expect(await created.values(600)).toEqual([]);
    expect(fetches(created).at(-1)?.partitions).toEqual([1]);
    created.consumer.resume([A0]);
    expect([...rest, ...(await drain(created, 2 - rest.length))]).toEqual(['v0', 'v1']);
  });

  it('a full paused partition does not keep the others of its broker waiting', async () => {
    const created = world({ maxPollRecords: 1 });
    created.logs.batchesPerFetch = 1;
    for (let index = 0; index < 4; index++) created.logs.append('a', 0, [`v${index}`, 'x']);
    created.consumer.assign([A0, A1]);
    expect(await created.values()).toEqual(['v0']);
    await created.clock.run();
    created.consumer.pause([A0]);
    created.logs.append('a', 1, ['w0']);
    expect(await drain(created, 1)).toEqual(['w0']);
  });
});

describe('fetchMaxBytes', () => {
  it('is not used up by what paused partitions hold, and their records come after resume', async () => {
    const created = world({ maxPollRecords: 1, fetchMaxBytes: 1 });
    created.logs.append('a', 0, ['v0', 'v1']);
    created.consumer.assign([A0, A1]);
    expect(await drain(created, 1)).toEqual(['v0']);
    created.consumer.pause([A0]);
    created.logs.append('a', 1, ['w0']);
    expect(await drain(created, 1)).toEqual(['w0']);
    created.consumer.resume([A0]);
    expect(await drain(created, 1)).toEqual(['v1']);
  });
});

describe('bytes that cannot be read', () => {
  it('hands out what is before a damaged batch, then fails the poll, and reads on after a seek', async () => {
    const created = world();
    created.logs.append('a', 0, ['v0']);
    const builder = new BatchBuilder({ capacityBytes: 1_024 });
    builder.append(0, null, 'bad', null);
    const bad = Buffer.from(builder.finish({ baseOffset: 1 }));
    bad[bad.length - 2] = 0xff;
    created.logs.appendRaw('a', 0, bad, 2);
    created.logs.append('a', 0, ['v2']);
    created.consumer.assign([A0]);
    expect(await created.values()).toEqual(['v0']);
    for (let turn = 0; turn < 2; turn++) {
      await expect(drain(created, 1)).rejects.toMatchObject({ code: 'CORRUPT_MESSAGE' });
    }
    await expect(created.drive(created.consumer.position(A0))).resolves.toBe(1);
    created.consumer.seek(A0, 2);
    expect(await created.values()).toEqual(['v2']);
  });
});
