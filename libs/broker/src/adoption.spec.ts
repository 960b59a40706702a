/** A data directory without the state of its cluster, as Apache Kafka leaves one, taken over by a broker. */
import { createAdmin, createConsumer, createProducer } from '@kafka-template/client';
import { COORDINATION_LOG } from './cluster/embedded-store.js';
import { PRODUCER_IDS_OF_KAFKA } from './cluster/adoption.js';
import { createBroker, type BrokerOptions } from './index.js';
import { MemoryDisk } from './io/memory-disk.js';

const config = { 'offsets.topic.num.partitions': '2', 'transaction.state.log.num.partitions': '2' };

/** Topics, groups and a transaction; then the journal is gone. */
async function orphan(): Promise<{ disk: MemoryDisk; topicId: string }> {
  const disk = new MemoryDisk(() => Date.now());
  const broker = await createBroker({ dataDir: 'data', config, ports: { disk } });
  const { bootstrapServers } = broker;
  const admin = createAdmin({ bootstrapServers });
  await admin.createTopics([{ name: 't', numPartitions: 2 }]);
  const { topicId } = (await admin.describeTopics(['t']))[0]!;
  const producer = createProducer({ bootstrapServers, transactionalId: 'tx' });
  await producer.initTransactions();
  for (const [value, commits] of [
    ['aborted', false],
    ['committed', true],
  ] as const) {
    producer.beginTransaction();
    await producer.send({ topic: 't', partition: 1, value });
    if (commits) await producer.commitTransaction();
    else await producer.abortTransaction();
  }
  await producer.close();
  const consumer = createConsumer({ bootstrapServers, groupId: 'g' });
  await consumer.commitSync([{ topic: 't', partition: 1, offset: 2 }]);
  await consumer.close();
  await admin.close();
  await broker.close();
  await disk.unlink(`data/${COORDINATION_LOG}`);
  await disk.mkdir('data/__cluster_metadata-0');
  await disk.replaceFile('data/__cluster_metadata-0/00000000000000000000.log', Buffer.from('theirs'), { sync: true });
  return { disk, topicId: String(topicId) };
}

const open = (disk: MemoryDisk, options: BrokerOptions = {}) =>
  createBroker({ dataDir: 'data', config, ports: { disk }, ...options });

async function logs(disk: MemoryDisk): Promise<[string, string][]> {
  const paths = disk.list().filter((path) => /\/(t|__cluster_metadata)-\d\/.*\.log$/.test(path));
  return Promise.all(
    paths.map(async (path) => [path, (await disk.readFile(path)).toString('hex')] as [string, string]),
  );
}

describe('createBroker: adopting a data directory', () => {
  it('is not done unasked, and says how to ask', async () => {
    const { disk } = await orphan();
    await expect(open(disk)).rejects.toThrow(/option adopt, on the command line --adopt/);
  });

  it('serves what is there and changes no record, once and after a restart', async () => {
    const { disk, topicId } = await orphan();
    const before = await logs(disk);
    for (const adopt of [true, true, false]) {
      const broker = await open(disk, { adopt });
      const { bootstrapServers } = broker;
      const admin = createAdmin({ bootstrapServers });
      const consumer = createConsumer({
        bootstrapServers,
        groupId: 'g',
        enableAutoCommit: false,
        isolationLevel: 'read_committed',
      });
      const tp = { topic: 't', partition: 1 };
      expect((await admin.listTopics()).length).toBeGreaterThan(0);
      expect(String((await admin.describeTopics(['t']))[0]!.topicId)).toBe(topicId);
      expect((await consumer.committed([tp]))[0]?.offset).toBe(2);
      consumer.assign([tp]);
      consumer.seekToBeginning([tp]);
      let found = await consumer.poll(1000);
      while (found.isEmpty) found = await consumer.poll(1000);
      expect([...found].map(({ offset, value }) => [offset, value?.toString()])).toEqual([[2, 'committed']]);
      await consumer.close();
      await admin.close();
      await broker.close();
      expect(await logs(disk)).toEqual(before);
    }
  });

  it('goes on with the transactions there were, gives new producer ids, and deletes nothing by age', async () => {
    const { disk } = await orphan();
    const broker = await open(disk, { adopt: true });
    const { bootstrapServers } = broker;
    const again = createProducer({ bootstrapServers, transactionalId: 'tx' });
    await again.initTransactions();
    again.beginTransaction();
    expect(await again.send({ topic: 't', partition: 1, value: 'next' })).toMatchObject({ offset: 4 });
    await again.commitTransaction();
    await again.close();
    const fresh = createProducer({ bootstrapServers });
    await fresh.send({ topic: 't', partition: 0, value: 'x' });
    await fresh.close();
    const admin = createAdmin({ bootstrapServers });
    const [configs] = await admin.describeConfigs([{ type: 'topic', name: 't' }]);
    expect(JSON.stringify(configs)).toMatch(/"name":"retention.ms","value":"-1"/);
    await admin.close();
    await broker.close();
    const written = await disk.readFile('data/t-0/00000000000000000000.log');
    expect(Number(written.readBigInt64BE(43))).toBe(PRODUCER_IDS_OF_KAFKA);
  });

  it('is refused where there is nothing to adopt, and leaves nothing behind', async () => {
    const disk = new MemoryDisk(() => 0);
    await expect(open(disk, { adopt: true })).rejects.toThrow(/nothing to adopt.*meta\.properties.*--adopt/);
    await (await open(disk)).close();
  });
});
