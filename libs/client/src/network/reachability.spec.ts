/** What the log says of brokers that cannot be reached: once per client and broker, for every kind of client. */
import { createAdminWith } from '../admin/admin.js';
import { resolveConsumerOptions } from '../consumer/consumer-options.js';
import { KafkaConsumer } from '../consumer/kafka-consumer.js';
import { createTestProducer, watch } from '../testing/producer-world.js';
import { type World, createWorld } from '../testing/world.js';
import { Cluster } from './cluster.js';

const REFUSED =
  'Connection to broker broker-1:9092 could not be established: connect ECONNREFUSED broker-1:9092; trying again';
const LOST = 'Connection to broker broker-1:9092 was lost: read ECONNRESET; trying again';
const BACK = 'Connection to broker broker-1:9092 is established again';

function lines({ log }: World): string[] {
  return log.splice(0).map(({ level, message }) => `${level} ${message}`);
}

/** Clients at work on a cluster; `again` gives them something to do later. */
const CLIENTS: Record<string, (world: World) => { again?: () => void }> = {
  producer: (world) => {
    const producer = createTestProducer(world);
    const again = (): void => {
      for (let index = 0; index < 10; index++) producer.append({ topic: 'orders', value: 'v' });
    };
    again();
    return { again };
  },
  'consumer without a group': (world) => {
    const options = resolveConsumerOptions({ ...world.options, autoOffsetReset: 'earliest' });
    const consumer = new KafkaConsumer(options, new Cluster(options, world.io), world.io);
    consumer.assign([{ topic: 'orders', partition: 0 }]);
    void consumer.poll(600_000).catch(() => undefined);
    return {};
  },
  'consumer with a group': (world) => {
    const options = resolveConsumerOptions({ ...world.options, groupId: 'billing' });
    const consumer = new KafkaConsumer(options, new Cluster(options, world.io), world.io);
    consumer.subscribe('orders');
    void consumer.poll(600_000).catch(() => undefined);
    return {};
  },
  admin: (world) => {
    const admin = createAdminWith(world.options, world.io);
    const again = (): void => void admin.listTopics({ timeoutMs: 100_000 }).catch(() => undefined);
    again();
    return { again };
  },
};

describe('a broker that cannot be reached', () => {
  it.each(Object.keys(CLIENTS))('is one warning, again after 30 s, and one line when it is back: %s', async (name) => {
    const world = createWorld({ topics: { orders: 1 } });
    world.kafka.stop(1);
    const client = CLIENTS[name]?.(world);
    await world.clock.advance(29_000);
    expect(lines(world)).toEqual([`warn ${REFUSED}`]);
    await world.clock.advance(5_000);
    client?.again?.();
    await world.clock.advance(5_000);
    expect(lines(world)).toEqual([`warn ${REFUSED}`]);
    world.kafka.fault = ({ api }) => (/ApiVersions|Metadata|Init|Produce/.test(api) ? undefined : { kind: 'silence' });
    world.kafka.start(1);
    await world.clock.advance(2_000);
    expect(lines(world)).toEqual([`info ${BACK}`]);
  });
});

describe('a broker that goes away in the middle', () => {
  it('is told once, with what happened', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world);
    const first = watch(producer.send({ topic: 'orders', value: 'v' }));
    await world.clock.advance(1_000);
    expect(first.value?.offset).toBe(0);
    world.kafka.stop(1);
    await world.clock.advance(10_000);
    expect(lines(world)).toEqual([`warn ${LOST}`]);
    world.kafka.start(1);
    await world.clock.advance(2_000);
    expect(lines(world)).toEqual([`info ${BACK}`]);
  });

  it('does not fill the log when it comes and goes', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    createTestProducer(world).append({ topic: 'orders', value: 'v' });
    await world.clock.advance(1_000);
    for (let turn = 0; turn < 10; turn++) {
      world.kafka.stop(1);
      await world.clock.advance(1_000);
      world.kafka.start(1);
      await world.clock.advance(1_000);
    }
    expect(lines(world)).toEqual([`warn ${LOST}`, `info ${BACK}`]);
  });
});

describe('when no broker answers until the time is over', () => {
  it('the error names the addresses that were tried and the last cause', async () => {
    const world = createWorld({ brokers: 2, topics: { orders: 1 } });
    world.kafka.stop(1);
    world.kafka.stop(2);
    const sent = watch(createTestProducer(world, { maxBlockMs: 2_000 }).send({ topic: 'orders', value: 'v' }));
    await world.clock.advance(2_001);
    expect(sent.error?.message).toMatch(
      /^Topic orders not present in metadata after 2000 ms\. Last reason: No broker can be reached; tried: broker-\d:9092, broker-\d:9092\. The connection to broker-\d:9092 could not be opened: connect ECONNREFUSED broker-\d:9092\./,
    );
  });
});
