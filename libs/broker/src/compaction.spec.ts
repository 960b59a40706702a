import { createAdmin, createConsumer } from '@kafka-template/client';
import { createBroker } from './index.js';
import { MemoryDisk } from './io/memory-disk.js';

const CHECKPOINT = 'data/cleaner-offset-checkpoint';
const config = {
  'offsets.topic.num.partitions': '1',
  'offsets.topic.segment.bytes': '1000',
  'log.cleaner.backoff.ms': '1',
  'log.cleaner.min.cleanable.ratio': '0',
};

/** Waits for a condition. */
async function until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`Not within 20 s: ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function checkpointOf(disk: MemoryDisk): Promise<string> {
  return (await disk.stat(CHECKPOINT)) ? String(await disk.readFile(CHECKPOINT)) : '';
}

describe('compaction in a broker', () => {
  it('compacts the offsets topic, and groups wake up from what is left, after a stop and after a kill', async () => {
    let disk = new MemoryDisk(() => Date.now());
    for (const round of [1, 2, 3]) {
      const broker = await createBroker({ dataDir: 'data', config, ports: { disk } });
      const { bootstrapServers } = broker;
      const admin = createAdmin({ bootstrapServers });
      if (round === 1) await admin.createTopics([{ name: 't', numPartitions: 2 }]);
      const consumer = createConsumer({ bootstrapServers, groupId: 'g', enableAutoCommit: false });
      const tp = { topic: 't', partition: 0 };
      consumer.assign([tp]);
      if (round === 1) await consumer.commitSync([{ topic: 't', partition: 1, offset: 7 }]);
      else
        expect((await consumer.committed([tp, { topic: 't', partition: 1 }])).map((found) => found?.offset)).toEqual([
          59, 7,
        ]);
      const before = await checkpointOf(disk);
      for (let offset = 0; offset < 60; offset++) await consumer.commitSync([{ ...tp, offset }]);
      await until('the offsets topic is compacted', async () => {
        const text = await checkpointOf(disk);
        return text !== before && /^__consumer_offsets 0 [1-9]/m.test(text);
      });
      await consumer.close();
      await admin.close();
      const killed = disk.afterCrash('kill');
      await broker.close();
      disk = round === 1 ? disk.afterCrash('kill') : killed;
    }
  });

  it('forgets how far a topic was compacted when it is deleted', async () => {
    const disk = new MemoryDisk(() => Date.now());
    const broker = await createBroker({ dataDir: 'data', config, ports: { disk } });
    const admin = createAdmin({ bootstrapServers: broker.bootstrapServers });
    const consumer = createConsumer({
      bootstrapServers: broker.bootstrapServers,
      groupId: 'g',
      enableAutoCommit: false,
    });
    try {
      await admin.createTopics([{ name: 't', numPartitions: 1 }]);
      consumer.assign([{ topic: 't', partition: 0 }]);
      for (let offset = 0; offset < 30; offset++) await consumer.commitSync([{ topic: 't', partition: 0, offset }]);
      await until('compacted', async () => (await checkpointOf(disk)).includes('__consumer_offsets'));
      await consumer.close();
      await admin.deleteTopics(['__consumer_offsets']).catch(() => undefined);
      await until('forgotten', async () => !(await checkpointOf(disk)).includes('__consumer_offsets'));
    } finally {
      await consumer.close();
      await admin.close();
      await broker.close();
    }
  });
});
