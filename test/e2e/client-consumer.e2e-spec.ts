/**
 * Consumers in groups and without: sharing, rebalances, listeners, static members, patterns, assign, pause, close.
 */
import { type Consumer, createProducer, type RebalanceListener, type TopicPartition } from '@kafka-template/client';
import { uniqueName } from '../support/broker.js';
import { Consuming, pollAll, pollAssigned, pollCount, pollUntil, rejection, values } from '../support/consuming.js';

let kafka: Consuming;

beforeAll(async () => {
  kafka = await Consuming.start();
});

afterAll(async () => {
  await kafka.close();
});

const EARLIEST = { autoOffsetReset: 'earliest' } as const;

/** A listener that writes down what it is told: `+0,1`, `-0,1`, `!0,1` (lost). */
function recordingListener(log: string[]): RebalanceListener {
  const note = (sign: string) => (partitions: TopicPartition[]) =>
    void log.push(sign + partitions.map((each) => each.partition).join());
  return { onPartitionsAssigned: note('+'), onPartitionsRevoked: note('-'), onPartitionsLost: note('!') };
}

function counts(consumers: readonly Consumer[]): number[] {
  return consumers.map((consumer) => consumer.assignment().length);
}

describe('groups', () => {
  it('the same group shares the partitions, surplus consumers idle, and another group gets everything', async () => {
    const topic = await kafka.topic(2);
    const groupId = uniqueName('group');
    const members = [1, 2, 3].map(() => kafka.consumer({ groupId, ...EARLIEST }));
    const other = kafka.consumer({ groupId: uniqueName('other'), ...EARLIEST });
    for (const consumer of [...members, other]) consumer.subscribe(topic);
    await pollAll([...members, other], () => counts(members).sort().join() === '0,1,1' && counts([other])[0] === 2);
    await kafka.send(topic, values('a', 20), 0);
    await kafka.send(topic, values('b', 20), 1);
    const received = await pollAll([...members, other], (each) => each.flat().length >= 80);
    expect(received.slice(0, 3).flat().sort()).toEqual([...values('a', 20), ...values('b', 20)].sort());
    expect(
      received
        .slice(0, 3)
        .map((each) => each.length)
        .sort(),
    ).toEqual([0, 20, 20]);
    expect(received[3]).toHaveLength(40);
  });

  it('a rebalance loses and repeats nothing: revocation is awaited and committed before the partitions move', async () => {
    const topic = await kafka.topic(4);
    const groupId = uniqueName('group');
    for (const partition of [0, 1, 2, 3]) await kafka.send(topic, values(`p${partition}-`, 100), partition);
    const log: string[] = [];
    const first = kafka.consumer({ groupId, ...EARLIEST, enableAutoCommit: false, maxPollRecords: 7 });
    const onPartitionsRevoked = async (): Promise<void> => {
      log.push('revoked');
      await first.commitSync();
      log.push('committed');
    };
    first.subscribe(topic, { onPartitionsRevoked, onPartitionsAssigned: () => void log.push('assigned') });
    const before = await pollCount(first, 40);
    const second = kafka.consumer({ groupId, ...EARLIEST });
    second.subscribe(topic);
    const after = await pollAll([first, second], (each) => each.flat().length + before.length >= 400);
    const all = [...before, ...after.flat()];
    expect(new Set(all).size).toBe(400);
    expect(all).toHaveLength(400);
    expect(after[1]?.length).toBeGreaterThan(0);
    expect(log).toEqual(['assigned', 'revoked', 'committed', 'assigned']);
  });

  it('a consumer that leaves hands its partitions over at once, where it stopped', async () => {
    const topic = await kafka.topic(2);
    const groupId = uniqueName('group');
    const [first, second] = [kafka.consumer({ groupId, ...EARLIEST }), kafka.consumer({ groupId, ...EARLIEST })];
    const log: string[] = [];
    first.subscribe(topic, recordingListener(log));
    second.subscribe(topic);
    await pollAll([first, second], () => counts([first, second]).join() === '1,1');
    await kafka.send(topic, values('a', 5), 0);
    await kafka.send(topic, values('b', 5), 1);
    await pollAll([first, second], (each) => each.flat().length === 10);
    await first.close();
    expect(log.at(-1)).toMatch(/^-[01]$/);
    await pollAssigned(second, 2);
    await kafka.send(topic, ['c'], 0);
    await kafka.send(topic, ['d'], 1);
    expect((await pollCount(second, 2)).sort()).toEqual(['c', 'd']);
  });

  it('members with different topics all get their partitions, by roundrobin', async () => {
    const [one, two] = [await kafka.topic(3), await kafka.topic(3)];
    const groupId = uniqueName('group');
    const options = { groupId, ...EARLIEST, partitionAssignmentStrategy: ['roundrobin'] } as const;
    const [first, second] = [kafka.consumer(options), kafka.consumer(options)];
    first.subscribe(one);
    second.subscribe([one, two]);
    // Who is dealt to first depends on the member ids, which the coordinator chooses.
    await pollAll([first, second], () => ['1,5', '2,4'].includes(counts([first, second]).join()));
    const topics = [...first.assignment(), ...second.assignment()].map((each) => `${each.topic}-${each.partition}`);
    expect(new Set(topics).size).toBe(6);
  });

  it('new partitions are noticed and shared out', async () => {
    const topic = await kafka.topic(1);
    const consumer = kafka.consumer({ groupId: uniqueName('group'), ...EARLIEST, metadataMaxAgeMs: 100 });
    consumer.subscribe(topic);
    await pollAssigned(consumer, 1);
    await kafka.admin.createPartitions([{ topic, totalCount: 3 }]);
    await pollAssigned(consumer, 3);
    await kafka.send(topic, ['x'], 2);
    expect(await pollCount(consumer, 1)).toEqual(['x']);
  });

  it('a pattern takes in topics that appear later, and leaves out those that do not match', async () => {
    const prefix = uniqueName('pattern');
    const groupId = uniqueName('group');
    await kafka.topic(1, `${prefix}-a`);
    await kafka.topic(1, `other-${prefix}`);
    const consumer = kafka.consumer({ groupId, ...EARLIEST, metadataMaxAgeMs: 100 });
    consumer.subscribe(new RegExp(`^${prefix}`));
    await pollAssigned(consumer, 1);
    expect(consumer.subscription()).toEqual([`${prefix}-a`]);
    await kafka.topic(2, `${prefix}-b`);
    await pollAssigned(consumer, 3);
    expect(consumer.subscription().sort()).toEqual([`${prefix}-a`, `${prefix}-b`]);
  });

  it('a static member that comes back keeps its partitions without a rebalance; an impostor is fenced', async () => {
    const topic = await kafka.topic(2);
    const groupId = uniqueName('group');
    const member = (groupInstanceId: string): Consumer => kafka.consumer({ groupId, ...EARLIEST, groupInstanceId });
    const [first, second] = [member('one'), member('two')];
    const log: string[] = [];
    first.subscribe(topic);
    second.subscribe(topic, recordingListener(log));
    await pollAll([first, second], () => counts([first, second]).join() === '1,1');
    const generation = second.groupMetadata().generationId;
    const partitions = first.assignment();
    await first.close();
    const again = member('one');
    again.subscribe(topic);
    await pollAll([again, second], () => counts([again, second]).join() === '1,1');
    expect(again.assignment()).toEqual(partitions);
    expect(second.groupMetadata().generationId).toBe(generation);
    const impostor = member('one');
    impostor.subscribe(topic);
    await pollAssigned(impostor, 1);
    const fenced = await rejection(again.commitSync([{ topic, partition: partitions[0]?.partition ?? 0, offset: 0 }]));
    expect(fenced.code).toBe('FENCED_INSTANCE_ID');
    await expect(again.poll(0)).rejects.toMatchObject({ code: 'FENCED_INSTANCE_ID', fatal: true });
  });

  it('a consumer that does not poll loses its partitions, is told so, and cannot commit; poll joins again', async () => {
    const topic = await kafka.topic(1);
    const groupId = uniqueName('group');
    await kafka.send(topic, values('a', 3));
    const log: string[] = [];
    const consumer = kafka.consumer({ groupId, ...EARLIEST, enableAutoCommit: false, maxPollIntervalMs: 500 });
    consumer.subscribe(topic, recordingListener(log));
    await pollCount(consumer, 3);
    const successor = kafka.consumer({ groupId, ...EARLIEST });
    successor.subscribe(topic);
    await pollAssigned(successor, 1);
    const error = await rejection(consumer.commitSync());
    expect(error).toMatchObject({ code: 'COMMIT_FAILED', retriable: false });
    await successor.close();
    await pollUntil(consumer, () => log.length === 3);
    expect(log).toEqual(['+0', '!0', '+0']);
    await expect(consumer.commitSync([{ topic, partition: 0, offset: 1 }])).resolves.toBeUndefined();
  });

  it('unsubscribe gives up the partitions and leaves the group; another subscription may follow', async () => {
    const [one, two] = [await kafka.topic(1), await kafka.topic(1)];
    const groupId = uniqueName('group');
    const log: string[] = [];
    const consumer = kafka.consumer({ groupId, ...EARLIEST });
    consumer.subscribe(one, recordingListener(log));
    await pollAssigned(consumer);
    await consumer.unsubscribe();
    expect([consumer.assignment(), consumer.subscription(), log]).toEqual([[], [], ['+0', '-0']]);
    const [group] = await kafka.admin.describeGroups([groupId]);
    expect(group).toMatchObject({ state: 'Empty', members: [] });
    consumer.subscribe(two);
    await pollAssigned(consumer);
    expect(consumer.assignment()).toEqual([{ topic: two, partition: 0 }]);
  });
});

describe('without a group', () => {
  it('assign: every consumer gets everything of its partitions, and nothing can be committed', async () => {
    const topic = await kafka.topic(2);
    await kafka.send(topic, values('a', 5), 0);
    await kafka.send(topic, values('b', 5), 1);
    const consumers = [kafka.consumer(EARLIEST), kafka.consumer(EARLIEST)];
    for (const consumer of consumers) consumer.assign([{ topic, partition: 1 }]);
    const received = await pollAll(consumers, (each) => each.every((list) => list.length >= 5));
    expect(received).toEqual([values('b', 5), values('b', 5)]);
    await expect(consumers[0]?.commitSync()).rejects.toMatchObject({ code: 'INVALID_GROUP_ID' });
    const error = await new Promise((resolve) => consumers[0]?.commitAsync(undefined, resolve));
    expect(error).toMatchObject({ code: 'INVALID_GROUP_ID' });
  });

  it('assign with a groupId goes on at the committed offset and commits, without membership', async () => {
    const topic = await kafka.topic(1);
    const groupId = uniqueName('group');
    await kafka.send(topic, values('a', 6));
    for (const expected of [
      ['a0', 'a1'],
      ['a2', 'a3'],
    ]) {
      const consumer = kafka.consumer({ groupId, ...EARLIEST, enableAutoCommit: false, maxPollRecords: 2 });
      consumer.assign([{ topic, partition: 0 }]);
      expect(await pollCount(consumer, 2)).toEqual(expected);
      await consumer.commitSync();
      await consumer.close();
    }
    const [group] = await kafka.admin.describeGroups([groupId]);
    expect(group?.members).toEqual([]);
  });

  it('a commit without membership is refused while the group has members', async () => {
    const topic = await kafka.topic(1);
    const groupId = uniqueName('group');
    const member = kafka.consumer({ groupId });
    member.subscribe(topic);
    await pollAssigned(member);
    const stranger = kafka.consumer({ groupId, ...EARLIEST, enableAutoCommit: false });
    stranger.assign([{ topic, partition: 0 }]);
    await expect(stranger.commitSync([{ topic, partition: 0, offset: 0 }])).rejects.toMatchObject({
      code: 'COMMIT_FAILED',
    });
  });
});

describe('records and polling', () => {
  it('brings keys, values, headers, timestamps and tombstones byte for byte', async () => {
    const topic = await kafka.topic(1);
    const binary = Buffer.from([0, 255, 1, 254]);
    const headers = [
      { key: 'h', value: Buffer.from('1') },
      { key: 'h', value: null },
    ];
    await kafka.sendRecords([
      { topic, partition: 0, key: binary, value: binary, headers, timestamp: 1_700_000_000_123 },
      { topic, partition: 0, key: 'gone', value: null },
    ]);
    const consumer = kafka.consumer(EARLIEST);
    consumer.assign([{ topic, partition: 0 }]);
    await pollUntil(
      consumer,
      (received) => received.length >= 2,
      (records) => {
        for (const record of records) {
          if (record.offset === 0) {
            expect(record).toMatchObject({
              topic,
              partition: 0,
              timestamp: 1_700_000_000_123,
              timestampType: 'CreateTime',
            });
            expect([record.key, record.value, record.headers]).toEqual([binary, binary, headers]);
          } else expect([record.key?.toString(), record.value]).toEqual(['gone', null]);
        }
      },
    );
  });

  it.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)('reads batches compressed with %s', async (compressionType) => {
    const topic = await kafka.topic(1);
    const sent = values('some text that repeats itself, some text ', 50);
    const producer = createProducer({ bootstrapServers: kafka.broker.bootstrapServers, compressionType, lingerMs: 5 });
    await Promise.all(sent.map((value) => producer.send({ topic, partition: 0, value })));
    await producer.close();
    const consumer = kafka.consumer(EARLIEST);
    consumer.assign([{ topic, partition: 0 }]);
    expect(await pollCount(consumer, sent.length)).toEqual(sent);
  });

  it('pause survives a rebalance, and resume brings what was held back', async () => {
    const topic = await kafka.topic(2);
    const groupId = uniqueName('group');
    const first = kafka.consumer({ groupId, ...EARLIEST });
    first.subscribe(topic);
    await pollAssigned(first, 2);
    first.pause(first.assignment());
    const second = kafka.consumer({ groupId, ...EARLIEST });
    second.subscribe(topic);
    await pollAll([first, second], () => counts([first, second]).join() === '1,1');
    expect(first.paused()).toEqual(first.assignment());
    expect(second.paused()).toEqual([]);
    await kafka.send(topic, values('a', 3), 0);
    await kafka.send(topic, values('b', 3), 1);
    const received = await pollAll([first, second], (each) => each[1]?.length === 3);
    expect(received[0]).toEqual([]);
    first.resume(first.paused());
    expect(await pollCount(first, 3)).toHaveLength(3);
  });

  it('wakeup interrupts the poll that waits, or the next one, once', async () => {
    const topic = await kafka.topic(1);
    const consumer = kafka.consumer();
    consumer.assign([{ topic, partition: 0 }]);
    const poll = consumer.poll(30_000);
    consumer.wakeup();
    await expect(poll).rejects.toMatchObject({ code: 'WAKEUP' });
    consumer.wakeup();
    await expect(consumer.poll(0)).rejects.toMatchObject({ code: 'WAKEUP' });
    await expect(consumer.poll(0)).resolves.toMatchObject({ count: 0 });
  });

  it('close ends a waiting poll, and everything afterwards is refused', async () => {
    const topic = await kafka.topic(1);
    const consumer = kafka.consumer({ groupId: uniqueName('group') });
    consumer.subscribe(topic);
    const poll = rejection(consumer.poll(30_000));
    await consumer.close();
    expect((await poll).code).toBe('CLOSED');
    await expect(consumer.poll(0)).rejects.toMatchObject({ code: 'CLOSED' });
    expect(() => consumer.subscribe(topic)).toThrow(/closed/);
    await expect(consumer.close()).resolves.toBeUndefined();
  });

  it('a listener that throws fails the poll it ran in, and the consumer goes on', async () => {
    const topic = await kafka.topic(1);
    await kafka.send(topic, ['a']);
    const consumer = kafka.consumer({ groupId: uniqueName('group'), ...EARLIEST });
    const cause = new Error('no database');
    consumer.subscribe(topic, { onPartitionsAssigned: () => Promise.reject(cause) });
    await expect(rejection(pollCount(consumer, 1))).resolves.toMatchObject({ code: 'LISTENER_FAILED', cause });
    expect(await pollCount(consumer, 1)).toEqual(['a']);
  });
});
