import { ErrorCode } from '@kafka-template/protocol';
import { silentLogger } from '../io/logger.js';
import { seededRandom } from '../io/random.js';
import { FakeClock } from '../testing/fake-clock.js';
import { BrokerConfig } from './broker-config.js';
import { DIR, newCluster, open, topic } from './controller.fixture.js';
import { Controller } from './controller.js';
import { COORDINATION_LOG } from './embedded-store.js';
import { ConfigResourceType } from './topic-request.js';

describe('Controller: restart and other brokers', () => {
  it('comes back with topics, configs, ids and a new leader epoch', async () => {
    const cluster = await newCluster();
    const first = await open(cluster);
    await first.controller.createTopic(topic('t', { numPartitions: 2, configs: [{ name: 'flush.ms', value: '9' }] }));
    await first.controller.changeConfigs(
      { resourceType: ConfigResourceType.BROKER, resourceName: '' },
      [{ name: 'log.segment.bytes', value: '2000000', configOperation: 0 }],
      false,
    );
    const before = first.controller.image;
    const epochBefore = before.broker(0)?.epoch ?? 0;
    await first.controller.close();
    await cluster.store.close();

    const again = await open(await newCluster(cluster.disk));
    const { image } = again.controller;
    expect(image.clusterId).toBe(before.clusterId);
    expect(image.controllerId).toBe(0);
    expect(image.broker(0)?.epoch).toBeGreaterThan(epochBefore);
    expect(image.topic('t')).toMatchObject({
      id: before.topic('t')?.id,
      overrides: { 'flush.ms': '9' },
      config: { flushMs: 9, segmentBytes: 2_000_000 },
      partitions: [
        { leader: 0, leaderEpoch: 1, partitionEpoch: 1, isr: [0] },
        { leader: 0, leaderEpoch: 1, partitionEpoch: 1, isr: [0] },
      ],
    });
    expect(again.changes).toEqual([]);
  });

  it('keeps what Kafka keeps in ZooKeeper', async () => {
    const cluster = await newCluster();
    const { controller } = await open(cluster);
    const { topic: created } = await controller.createTopic(topic('t'));
    const session = await cluster.store.openSession();
    const json = async (path: string): Promise<unknown> => JSON.parse((await session.get(path)).data.toString());
    expect(await json('/cluster/id')).toEqual({ version: '1', id: controller.image.clusterId });
    expect(await json('/brokers/ids/0')).toMatchObject({
      version: 5,
      host: 'localhost',
      port: 9092,
      endpoints: ['PLAINTEXT://localhost:9092'],
    });
    expect(await json('/brokers/topics/t')).toMatchObject({
      version: 3,
      topic_id: created?.id,
      partitions: { '0': [0] },
    });
    expect(await json('/brokers/topics/t/partitions/0/state')).toEqual({
      controller_epoch: 1,
      leader: 0,
      version: 1,
      leader_epoch: 0,
      isr: [0],
    });
    expect(await json('/config/topics/t')).toEqual({ version: 1, config: {} });
    expect(await json('/controller')).toMatchObject({ version: 2, brokerid: 0 });
    expect((await session.get('/controller_epoch')).data.toString()).toBe('1');
    expect((await session.get('/brokers/ids/0')).stat.ephemeralOwner).not.toBeNull();
  });

  it('finishes a deletion that a crash cut short, and gives states to partitions that never got one', async () => {
    const cluster = await newCluster();
    const first = await open(cluster);
    await first.controller.createTopic(topic('half', { numPartitions: 2 }));
    await first.controller.createTopic(topic('fresh'));
    await first.controller.close();
    const session = await cluster.store.openSession();
    await session.create('/admin/delete_topics/half', Buffer.alloc(0), 'persistent');
    await session.delete('/brokers/topics/half/partitions/1/state', -1);
    await session.delete('/brokers/topics/fresh/partitions/0/state', -1);
    await session.delete('/brokers/topics/fresh/partitions/0', -1);
    const { controller } = await open(cluster);
    expect([...controller.image.topics()].map(({ name }) => name)).toEqual(['fresh']);
    expect(controller.image.topic('fresh')?.partitions[0]).toMatchObject({ leader: 0, leaderEpoch: 0 });
    expect(await session.children('/admin/delete_topics')).toEqual([]);
    expect(await session.children('/brokers/topics')).toEqual(['fresh']);
  });

  it('gives producer ids in blocks, never one twice, also across restarts', async () => {
    const cluster = await newCluster();
    const first = await open(cluster);
    const ids = await Promise.all(Array.from({ length: 1500 }, () => first.controller.allocateProducerId()));
    await first.controller.close();
    const second = await open(cluster);
    ids.push(await second.controller.allocateProducerId());
    expect(new Set(ids).size).toBe(1501);
    expect(Math.max(...ids)).toBe(2000);
  });

  it('writes nothing any more once another controller was elected', async () => {
    const cluster = await newCluster();
    const { controller } = await open(cluster);
    await controller.createTopic(topic('t'));
    const session = await cluster.store.openSession();
    await session.set('/controller_epoch', Buffer.from('2'), -1);
    expect((await controller.createTopic(topic('late'))).errorCode).toBe(ErrorCode.NOT_CONTROLLER);
    expect(await session.exists('/brokers/topics/late')).toBeNull();
    expect(controller.image.controllerId).toBe(-1);
    expect((await controller.deleteTopic('t')).errorCode).toBe(ErrorCode.NOT_CONTROLLER);
  });

  it('spreads over brokers, follows the controller, and takes over when it goes', async () => {
    const cluster = await newCluster();
    const brokers = [await open(cluster, { id: 0 }), await open(cluster, { id: 1 }), await open(cluster, { id: 2 })];
    const [zero, one] = brokers.map(({ controller }) => controller);
    if (!zero || !one) throw new Error('no brokers');
    const until = async (condition: () => boolean): Promise<void> => {
      for (let turn = 0; !condition(); turn += 1) {
        if (turn > 2000) throw new Error('The condition did not come true.');
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await until(() => zero.image.brokers.length === 3);
    const { topic: created } = await zero.createTopic(topic('t', { numPartitions: 6, replicationFactor: 2 }));
    expect(new Set(created?.partitions.map(({ leader }) => leader))).toEqual(new Set([0, 1, 2]));
    expect((await one.createTopic(topic('u'))).errorCode).toBe(ErrorCode.NOT_CONTROLLER);
    await until(() => one.image.topic('t')?.partitions.length === 6);
    expect(one.image.controllerId).toBe(0);
    expect(brokers[1]?.changes).toMatchObject([{ type: 'created' }]);

    await zero.close();
    await until(() => one.image.controllerId === 1 || brokers[2]?.controller.image.controllerId === 2);
    const leader = brokers.slice(1).find(({ controller }) => controller.image.controllerId !== 0)?.controller;
    await until(() => leader?.image.topic('t')?.partitions.every((partition) => partition.leader !== 0) === true);
    for (const partition of leader?.image.topic('t')?.partitions ?? []) {
      const before = created?.partitions[partition.partition];
      expect(partition.isr).toContain(partition.leader);
      expect(partition.leaderEpoch).toBe(before?.leader === 0 ? 1 : 0);
    }
    expect((await leader?.createTopic(topic('v')))?.errorCode).toBe(0);
  });

  it('refuses a broker whose id is taken', async () => {
    const cluster = await newCluster();
    await open(cluster);
    const clock = new FakeClock();
    const second = Controller.open({
      store: cluster.store,
      broker: { id: 0, host: 'other', port: 9093, rack: null },
      config: BrokerConfig.of({}),
      clock,
      logger: silentLogger,
      random: seededRandom(1),
      hooks: { onTopic: async () => undefined },
    });
    const refused = expect(second).rejects.toThrow('Broker id 0 is in use by localhost:9092');
    await clock.advance(1);
    await refused;
    expect(await cluster.disk.stat(`${DIR}/${COORDINATION_LOG}`)).not.toBeNull();
  });
});
