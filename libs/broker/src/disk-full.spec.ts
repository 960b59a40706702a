/** A whole broker on a disk that runs full: every kind of request that stores something, then with room again. */
import { createAdmin, createConsumer, createProducer, type Admin, type Producer } from '@kafka-template/client';
import { createBroker, type Broker } from './index.js';
import { MemoryDisk } from './io/memory-disk.js';

const DEADLINE_MS = 20_000;
/** Clients try again for so long; the disk has no room until they have given up. */
const SOON_MS = 400;
const config = { 'offsets.topic.num.partitions': '1', 'transaction.state.log.num.partitions': '1' };

let disk: MemoryDisk;
let broker: Broker;
let admin: Admin;
let producer: Producer;

beforeEach(async () => {
  disk = new MemoryDisk(() => Date.now());
  broker = await createBroker({ dataDir: 'data', config, ports: { disk } });
  const { bootstrapServers } = broker;
  admin = createAdmin({ bootstrapServers });
  producer = createProducer({
    bootstrapServers,
    deliveryTimeoutMs: SOON_MS,
    requestTimeoutMs: SOON_MS,
    maxBlockMs: SOON_MS,
  });
});
afterEach(async () => {
  await producer.close();
  await admin.close();
  await broker.close();
});

/** Tries until it succeeds: when the broker finds room is its own affair. */
async function eventually<T>(what: string, attempt: () => Promise<T>): Promise<T> {
  for (const deadline = Date.now() + DEADLINE_MS; ;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) throw new Error(`Not within ${DEADLINE_MS} ms: ${what}`, { cause: error });
    }
  }
}

async function createTopic(name: string): Promise<void> {
  const [result] = await admin.createTopics([{ name, numPartitions: 1 }]);
  if (result?.error) throw result.error;
}

describe('a broker on a full disk', () => {
  it('refuses what it cannot store, and goes on by itself when there is room', async () => {
    await createTopic('t');
    const tp = { topic: 't', partition: 0 };
    expect(await producer.send({ topic: 't', value: 'before' })).toMatchObject({ offset: 0 });
    const timeouts = { defaultApiTimeoutMs: SOON_MS, requestTimeoutMs: SOON_MS };
    const consumer = createConsumer({
      bootstrapServers: broker.bootstrapServers,
      groupId: 'g',
      enableAutoCommit: false,
      autoOffsetReset: 'earliest',
      ...timeouts,
    });
    consumer.assign([tp]);
    await consumer.commitSync([{ ...tp, offset: 0 }]);

    disk.capacityBytes = disk.usedBytes + 20;
    await expect(producer.send({ topic: 't', value: 'refused' })).rejects.toThrow();
    await expect(consumer.commitSync([{ ...tp, offset: 1 }])).rejects.toThrow();
    await expect(createTopic('other')).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' });
    // What is there is served.
    expect((await consumer.committed([tp]))[0]?.offset).toBe(0);
    const records = await eventually('a record', async () => {
      const found = await consumer.poll(SOON_MS);
      if (found.isEmpty) throw new Error('no record');
      return found;
    });
    expect([...records].map(({ value }) => value?.toString())).toEqual(['before']);
    expect((await admin.listTopics()).length).toBeGreaterThan(0);

    disk.capacityBytes = Infinity;
    const { offset } = await eventually('a producer goes on', () => producer.send({ topic: 't', value: 'after' }));
    expect(offset).toBe(1);
    await eventually('a group goes on', () => consumer.commitSync([{ ...tp, offset: 1 }]));
    await eventually('a topic can be created', () => createTopic('other'));
    expect(await producer.send({ topic: 'other', value: 'x' })).toMatchObject({ offset: 0 });
    await consumer.close();

    const killed = disk.afterCrash('kill');
    const second = await createBroker({ dataDir: 'data', config, ports: { disk: killed } });
    const again = createConsumer({ bootstrapServers: second.bootstrapServers, groupId: 'g' });
    expect((await again.committed([tp]))[0]?.offset).toBe(1);
    const ends = await again.endOffsets([tp, { topic: 'other', partition: 0 }]);
    expect(ends.map(({ topic, offset }) => [topic, offset])).toEqual([
      ['t', 2],
      ['other', 1],
    ]);
    await again.close();
    await second.close();
  });

  it('deletes a topic to make room', async () => {
    await createTopic('large');
    await createTopic('t');
    const value = Buffer.alloc(500_000, 1);
    for (let index = 0; index < 4; index++) await producer.send({ topic: 'large', value });
    disk.capacityBytes = disk.usedBytes + 2000;
    await expect(producer.send({ topic: 't', value })).rejects.toThrow();
    await admin.deleteTopics(['large']);
    expect(await eventually('a producer goes on', () => producer.send({ topic: 't', value: 'v' }))).toMatchObject({
      offset: 0,
    });
  });

  it('stops in order', async () => {
    await createTopic('t');
    disk.capacityBytes = disk.usedBytes + 20;
    await expect(producer.send({ topic: 't', value: 'refused' })).rejects.toThrow();
    await producer.close();
    await admin.close();
    await broker.close();
    const second = await createBroker({ dataDir: 'data', config, ports: { disk: disk.afterCrash('kill') } });
    await second.close();
  });
});
