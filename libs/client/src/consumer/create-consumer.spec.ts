/**
 * The options of a consumer, and that they reach the cluster.
 */
import { Metadata } from '@kafka-template/protocol';
import { Cluster } from '../network/cluster.js';
import { createWorld } from '../testing/world.js';
import { resolveConsumerOptions } from './consumer-options.js';
import { createConsumer } from './create-consumer.js';
import { KafkaConsumer } from './kafka-consumer.js';

const BASE = { bootstrapServers: 'broker-1:9092' };

describe('consumer options', () => {
  it("have Kafka's defaults", () => {
    expect(resolveConsumerOptions({ ...BASE, groupId: 'g' })).toMatchObject({
      autoOffsetReset: 'latest',
      enableAutoCommit: true,
      autoCommitIntervalMs: 5_000,
      sessionTimeoutMs: 45_000,
      heartbeatIntervalMs: 3_000,
      maxPollIntervalMs: 300_000,
      maxPollRecords: 500,
      fetchMinBytes: 1,
      fetchMaxBytes: 52_428_800,
      fetchMaxWaitMs: 500,
      maxPartitionFetchBytes: 1_048_576,
      partitionAssignmentStrategy: ['range'],
      isolationLevel: 'read_uncommitted',
      checkCrcs: true,
      allowAutoCreateTopics: true,
      defaultApiTimeoutMs: 60_000,
    });
  });

  it('commit nothing without a group, and say so when asked to', () => {
    expect(resolveConsumerOptions(BASE).enableAutoCommit).toBe(false);
    expect(() => createConsumer({ ...BASE, enableAutoCommit: true })).toThrow(/enableAutoCommit.*groupId/);
    expect(() => createConsumer({ ...BASE, groupInstanceId: 'one' })).toThrow(/groupInstanceId.*groupId/);
  });

  it.each<[Record<string, unknown>, RegExp]>([
    [{ 'auto.offset.reset': 'earliest' }, /Unknown option "auto.offset.reset".*"autoOffsetReset"/],
    [{ autoOffsetReset: 'smallest' }, /"autoOffsetReset" must be one of "latest", "earliest", "none"/],
    [{ maxPollRecords: 0 }, /"maxPollRecords" must be a whole number from 1/],
    [{ partitionAssignmentStrategy: ['stick'] }, /"partitionAssignmentStrategy"/],
    [
      { heartbeatIntervalMs: 45_000 },
      /"heartbeatIntervalMs" \(45000\) must be lower than "sessionTimeoutMs" \(45000\)/,
    ],
  ])('that are wrong are named: %o', (wrong, message) => {
    expect(() => createConsumer({ ...BASE, groupId: 'g', ...wrong })).toThrow(message);
  });

  it.each([true, false])('allowAutoCreateTopics %s reaches the broker', async (allowAutoCreateTopics) => {
    const world = createWorld({ topics: { a: 1 } });
    const options = resolveConsumerOptions({ ...world.options, allowAutoCreateTopics });
    const consumer = new KafkaConsumer(options, new Cluster(options, world.io), world.io);
    consumer.assign([{ topic: 'a', partition: 0 }]);
    await world.clock.advance(100);
    const bodies = world.kafka.seen(Metadata).map((request) => request.body as { allowAutoTopicCreation: boolean });
    expect(bodies.at(-1)?.allowAutoTopicCreation).toBe(allowAutoCreateTopics);
    await Promise.all([consumer.close(), world.clock.advance(100)]);
  });
});

describe('calls at the wrong moment', () => {
  const consumer = createConsumer({ ...BASE, groupId: 'g' });

  it.each<[string, () => unknown, RegExp]>([
    ['subscribe to nothing', () => consumer.subscribe([]), /unsubscribe\(\)/],
    ['subscribe to an empty name', () => consumer.subscribe(['']), /is not the name of a topic/],
    ['subscribe without a group', () => createConsumer(BASE).subscribe('a'), /valid groupId/],
    ['seek in what is not assigned', () => consumer.seek({ topic: 'a', partition: 0 }, 0), /a-0 is not assigned/],
    ['groupMetadata without a group', () => createConsumer(BASE).groupMetadata(), /valid groupId/],
  ])('%s', (_name, call, message) => {
    expect(call).toThrow(message);
  });

  it('poll without a subscription, and two polls at once', async () => {
    await expect(consumer.poll(0)).rejects.toThrow(/not subscribed to any topics or assigned any partitions/);
    consumer.subscribe('a');
    const first = consumer.poll(10);
    await expect(consumer.poll(0)).rejects.toThrow(/already waiting/);
    await first;
    await expect(consumer.poll(Number.NaN)).rejects.toThrow(/not a number/);
    await consumer.close();
  });
});

describe('a tight loop of polls', () => {
  it('lets the event loop run', async () => {
    const consumer = createConsumer(BASE);
    consumer.assign([{ topic: 'a', partition: 0 }]);
    let ran = false;
    setImmediate(() => (ran = true));
    for (let polls = 0; !ran && polls < 1_000_000; polls++) await consumer.poll(0);
    expect(ran).toBe(true);
    await consumer.close();
  });
});
