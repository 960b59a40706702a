/**
 * Where consumers begin and go on: autoOffsetReset with and without a committed offset, seeks, and every commit style.
 */
import { type KafkaError, silentLogger } from '@kafka-template/client';
import { uniqueName } from '../support/broker.js';
import { Consuming, pollAssigned, pollCount, pollUntil, rejection, values } from '../support/consuming.js';

let kafka: Consuming;

beforeAll(async () => {
  kafka = await Consuming.start();
});

afterAll(async () => {
  await kafka.close();
});

/** A topic with the records a0 to a9, and a group that has committed offset 4 (or nothing). */
async function begun(committed: boolean): Promise<{ topic: string; groupId: string }> {
  const topic = await kafka.topic();
  const groupId = uniqueName('group');
  await kafka.send(topic, values('a', 10));
  if (committed) await kafka.admin.alterConsumerGroupOffsets(groupId, [{ topic, partition: 0, offset: 4 }]);
  return { topic, groupId };
}

describe('autoOffsetReset', () => {
  it('latest, nothing committed: a new group begins from now', async () => {
    const { topic, groupId } = await begun(false);
    const consumer = kafka.consumer({ groupId, autoOffsetReset: 'latest' });
    consumer.subscribe(topic);
    await pollAssigned(consumer);
    await expect(consumer.position({ topic, partition: 0 })).resolves.toBe(10);
    await kafka.send(topic, ['b0']);
    expect(await pollCount(consumer, 1)).toEqual(['b0']);
  });

  it('earliest, nothing committed: a new group begins from the beginning', async () => {
    const { topic, groupId } = await begun(false);
    const consumer = kafka.consumer({ groupId, autoOffsetReset: 'earliest' });
    consumer.subscribe(topic);
    expect(await pollCount(consumer, 10)).toEqual(values('a', 10));
  });

  it.each(['earliest', 'latest', 'none'] as const)(
    '%s, with a commit: the setting is ignored',
    async (autoOffsetReset) => {
      const { topic, groupId } = await begun(true);
      const consumer = kafka.consumer({ groupId, autoOffsetReset });
      consumer.subscribe(topic);
      expect(await pollCount(consumer, 6)).toEqual(values('a', 6, 4));
    },
  );

  it('none, nothing committed: poll rejects and names the partition, until the application seeks', async () => {
    const { topic, groupId } = await begun(false);
    const consumer = kafka.consumer({ groupId, autoOffsetReset: 'none' });
    consumer.subscribe(topic);
    const error = await rejection(pollCount(consumer, 1));
    expect(error).toMatchObject({ code: 'NO_OFFSET_FOR_PARTITION', retriable: false });
    expect(error.message).toContain(`${topic}-0`);
    consumer.seek({ topic, partition: 0 }, 7);
    expect(await pollCount(consumer, 3)).toEqual(values('a', 3, 7));
  });

  it('a position that does not exist is reset by the same setting, and nothing is committed by it', async () => {
    const { topic, groupId } = await begun(true);
    const consumer = kafka.consumer({ groupId, autoOffsetReset: 'earliest', enableAutoCommit: false });
    consumer.subscribe(topic);
    await pollAssigned(consumer);
    consumer.seek({ topic, partition: 0 }, 1_000);
    expect((await pollUntil(consumer, (received) => received.at(-1) === 'a9')).slice(-10)).toEqual(values('a', 10));
    await expect(consumer.committed([{ topic, partition: 0 }])).resolves.toMatchObject([{ offset: 4 }]);
  });

  it('a position that does not exist is an error with none', async () => {
    const { topic, groupId } = await begun(true);
    const consumer = kafka.consumer({ groupId, autoOffsetReset: 'none' });
    consumer.subscribe(topic);
    await pollAssigned(consumer);
    consumer.seek({ topic, partition: 0 }, 1_000);
    const error = await rejection(pollUntil(consumer, () => false));
    expect(error.code).toBe('NO_OFFSET_FOR_PARTITION');
    expect(error.message).toContain('Offset 1000 is out of range');
  });
});

describe('a topic that was deleted and created again', () => {
  it.each(['earliest', 'latest'] as const)(
    '%s: all of its records are read, though there are more than before',
    async (policy) => {
      const topic = await kafka.topic();
      const partition = { topic, partition: 0 };
      const warnings: string[] = [];
      const logger = { ...silentLogger, warn: (message: string) => void warnings.push(message) };
      // Or the consumer, too, would create the topic when it asks where it is.
      const consumer = kafka.consumer({ autoOffsetReset: policy, allowAutoCreateTopics: false, logger });
      consumer.assign([partition]);
      await expect(consumer.position(partition)).resolves.toBe(0);
      await kafka.send(topic, values('a', 10));
      expect(await pollCount(consumer, 10)).toEqual(values('a', 10));
      const [deleted] = await kafka.admin.deleteTopics([topic]);
      expect(deleted?.error).toBeNull();
      await recreated(topic);
      await kafka.send(topic, values('b', 30));
      expect(await pollCount(consumer, 30)).toEqual(values('b', 30));
      expect(warnings.filter((each) => each.includes('created again'))).toEqual([
        `Topic ${topic} was deleted and created again; its partitions are read from the beginning.`,
      ]);
    },
  );
});

/** Creates the topic as soon as its name is free again. */
async function recreated(topic: string): Promise<void> {
  for (;;) {
    const error = await kafka.topic(1, topic).then(
      () => null,
      (thrown: unknown) => thrown as KafkaError,
    );
    if (error === null) return;
    if (error.code !== 'TOPIC_ALREADY_EXISTS') throw error;
  }
}

describe('commits', () => {
  it('commitSync() of the position: a restart goes on behind the last record of the last poll', async () => {
    const { topic, groupId } = await begun(false);
    const options = { groupId, autoOffsetReset: 'earliest', enableAutoCommit: false } as const;
    const first = kafka.consumer({ ...options, maxPollRecords: 3 });
    first.subscribe(topic);
    expect(await pollCount(first, 3)).toEqual(['a0', 'a1', 'a2']);
    await first.commitSync();
    expect(await pollCount(first, 3)).toEqual(['a3', 'a4', 'a5']);
    await first.close();
    const second = kafka.consumer(options);
    second.subscribe(topic);
    expect(await pollCount(second, 7)).toEqual(values('a', 7, 3));
  });

  it('commitSync(offsets): chosen offsets, with metadata', async () => {
    const { topic, groupId } = await begun(false);
    const consumer = kafka.consumer({ groupId, autoOffsetReset: 'earliest', enableAutoCommit: false });
    consumer.subscribe(topic);
    await pollCount(consumer, 10);
    await consumer.commitSync([{ topic, partition: 0, offset: 5, metadata: 'half' }]);
    const partitions = [0, 1].map((partition) => ({ topic, partition }));
    expect(await consumer.committed(partitions)).toEqual([
      expect.objectContaining({ topic, partition: 0, offset: 5, metadata: 'half' }),
      { topic, partition: 1, offset: null, leaderEpoch: -1, metadata: null },
    ]);
  });

  it('commitAsync(callback): callbacks come in order, and commitSync comes after them', async () => {
    const { topic, groupId } = await begun(false);
    const consumer = kafka.consumer({ groupId, autoOffsetReset: 'earliest', enableAutoCommit: false });
    consumer.subscribe(topic);
    await pollCount(consumer, 10);
    const order: string[] = [];
    for (const offset of [1, 2, 3]) {
      consumer.commitAsync([{ topic, partition: 0, offset }], (error) => order.push(error?.code ?? `async ${offset}`));
    }
    await consumer.commitSync([{ topic, partition: 0, offset: 4 }]);
    order.push('sync');
    expect(order).toEqual(['async 1', 'async 2', 'async 3', 'sync']);
    await expect(consumer.committed([{ topic, partition: 0 }])).resolves.toMatchObject([{ offset: 4 }]);
  });

  it('combined: asynchronous while it runs, synchronous at revocation and close, so that nothing is read twice', async () => {
    const { topic, groupId } = await begun(false);
    const options = { groupId, autoOffsetReset: 'earliest', enableAutoCommit: false, maxPollRecords: 4 } as const;
    const read: string[] = [];
    for (let run = 0; run < 3; run++) {
      const consumer = kafka.consumer(options);
      consumer.subscribe(topic, { onPartitionsRevoked: () => consumer.commitSync() });
      read.push(...(await pollCount(consumer, 1)));
      consumer.commitAsync();
      await consumer.close();
    }
    expect(read).toEqual(values('a', 10));
  });

  it('automatic: at intervals from poll, and at close', async () => {
    const { topic, groupId } = await begun(false);
    const committed = (): Promise<{ offset: number | null }[]> => kafka.admin.listConsumerGroupOffsets(groupId);
    const first = kafka.consumer({ groupId, autoOffsetReset: 'earliest', autoCommitIntervalMs: 50 });
    first.subscribe(topic);
    await pollCount(first, 10);
    await pollUntil(first, async () => (await committed())[0]?.offset === 10);
    await first.close();
    const second = kafka.consumer({ groupId, autoCommitIntervalMs: 3_600_000 });
    second.subscribe(topic);
    await pollAssigned(second);
    await kafka.send(topic, ['b0']);
    await pollCount(second, 1);
    expect((await committed())[0]?.offset).toBe(10);
    await second.close();
    expect((await committed())[0]?.offset).toBe(11);
  });

  it('automatic: records of the last poll are not committed before the next one', async () => {
    const { topic, groupId } = await begun(false);
    const consumer = kafka.consumer({
      groupId,
      autoOffsetReset: 'earliest',
      autoCommitIntervalMs: 0,
      maxPollRecords: 10,
    });
    consumer.subscribe(topic);
    await pollCount(consumer, 10);
    const [before] = await kafka.admin.listConsumerGroupOffsets(groupId);
    expect([undefined, 0]).toContain(before?.offset);
    await pollUntil(consumer, async () => (await kafka.admin.listConsumerGroupOffsets(groupId))[0]?.offset === 10);
  });
});

describe('positions', () => {
  it('seek, seekToBeginning and seekToEnd move the position and commit nothing', async () => {
    const { topic, groupId } = await begun(true);
    const tp = { topic, partition: 0 };
    const consumer = kafka.consumer({ groupId, enableAutoCommit: false });
    consumer.subscribe(topic);
    expect(await pollCount(consumer, 6)).toEqual(values('a', 6, 4));
    consumer.seek(tp, 8);
    await expect(consumer.position(tp)).resolves.toBe(8);
    expect(await pollCount(consumer, 2)).toEqual(['a8', 'a9']);
    consumer.seekToBeginning();
    await expect(consumer.position(tp)).resolves.toBe(0);
    expect(await pollCount(consumer, 10)).toEqual(values('a', 10));
    consumer.seekToEnd([tp]);
    await expect(consumer.position(tp)).resolves.toBe(10);
    await expect(consumer.committed([tp])).resolves.toMatchObject([{ offset: 4 }]);
  });

  it('the ends of a log, and offsets by time', async () => {
    const topic = await kafka.topic(2);
    const start = Date.now();
    await kafka.sendRecords(
      [0, 1, 2].map((n) => ({ topic, partition: 1, value: `v${n}`, timestamp: start + n * 1_000 })),
    );
    const consumer = kafka.consumer();
    const partitions = [0, 1].map((partition) => ({ topic, partition }));
    expect(await consumer.beginningOffsets(partitions)).toEqual(partitions.map((each) => ({ ...each, offset: 0 })));
    expect((await consumer.endOffsets(partitions)).map((each) => each.offset)).toEqual([0, 3]);
    const found = await consumer.offsetsForTimes([
      { topic, partition: 1, timestamp: start + 500 },
      { topic, partition: 0, timestamp: start },
    ]);
    expect(found.map(({ offset, timestamp }) => [offset, timestamp])).toEqual([
      [1, start + 1_000],
      [null, -1],
    ]);
    expect(await consumer.partitionsFor(topic)).toHaveLength(2);
  });
});
