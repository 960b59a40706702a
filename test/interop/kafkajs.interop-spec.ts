/**
 * kafkajs, what NestJS applications use today, against a broker process: producing, groups, restarts, transactions.
 */
import { Kafka, logLevel, type Consumer, type KafkaMessage, type Producer } from 'kafkajs';
import { startTarget, type Target } from './support/target.js';
import { until } from '../support/until.js';

/** kafkajs waits long by default; a restart has to be survived within a test. */
const RETRY = { initialRetryTime: 100, maxRetryTime: 1_000, retries: 30 };

interface Received {
  readonly partition: number;
  readonly message: KafkaMessage;
}

interface Member {
  readonly consumer: Consumer;
  readonly received: Received[];
  /** The partitions of the topic it was given by the last rebalance. */
  owned(): number[];
}

describe('kafkajs', () => {
  let target: Target;
  let kafka: Kafka;
  const open: { disconnect(): Promise<void> }[] = [];

  beforeAll(async () => {
    target = await startTarget();
    kafka = new Kafka({
      clientId: 'interop',
      brokers: [target.bootstrapServers],
      retry: RETRY,
      logLevel: logLevel.NOTHING,
    });
    const admin = kafka.admin();
    await admin.connect();
    open.push(admin);
  });
  afterEach(async () => {
    await Promise.allSettled(open.splice(1).map((client) => client.disconnect()));
  });
  afterAll(async () => {
    await Promise.allSettled(open.map((client) => client.disconnect()));
    await target?.stop();
  });

  const admin = () => open[0] as ReturnType<Kafka['admin']>;

  async function createTopic(topic: string, numPartitions = 3): Promise<void> {
    expect(await admin().createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions }] })).toBe(true);
  }

  async function producerOf(options: Parameters<Kafka['producer']>[0] = {}): Promise<Producer> {
    const producer = kafka.producer({ retry: RETRY, ...options });
    await producer.connect();
    open.push(producer);
    return producer;
  }

  /** A running member of a group that collects what it gets. */
  async function consumerOf(groupId: string, topic: string): Promise<Member> {
    const consumer = kafka.consumer({ groupId, retry: RETRY, rebalanceTimeout: 5_000, sessionTimeout: 10_000 });
    const received: Received[] = [];
    let owned: number[] = [];
    const joined = new Promise<void>((resolve) => {
      consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
        owned = [...(payload.memberAssignment[topic] ?? [])].sort();
        resolve();
      });
    });
    open.push(consumer);
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({ eachMessage: async ({ partition, message }) => void received.push({ partition, message }) });
    await joined;
    return { consumer, received, owned: () => owned };
  }

  const numbers = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) => ({ key: `k${(from + index) % 10}`, value: String(from + index) }));
  const values = (received: readonly Received[]) =>
    received.map(({ message }) => Number(message.value)).sort((a, b) => a - b);
  const sequence = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

  it('creates, describes, grows, configures and deletes topics', async () => {
    await createTopic('administered', 2);
    expect(await admin().createTopics({ topics: [{ topic: 'administered' }] })).toBe(false);
    await admin().createPartitions({ topicPartitions: [{ topic: 'administered', count: 4 }] });
    const described = await admin().fetchTopicMetadata({ topics: ['administered'] });
    expect(described.topics[0]?.partitions.map((partition) => partition.partitionId).sort()).toEqual([0, 1, 2, 3]);
    const config = await admin().describeConfigs({
      includeSynonyms: false,
      resources: [{ type: 2, name: 'administered', configNames: ['cleanup.policy', 'retention.ms'] }],
    });
    const entries = config.resources[0]?.configEntries.map((entry) => [entry.configName, entry.configValue]);
    expect(entries?.sort()).toEqual([
      ['cleanup.policy', 'delete'],
      ['retention.ms', '604800000'],
    ]);
    await admin().deleteTopics({ topics: ['administered'] });
    await until(async () => !(await admin().listTopics()).includes('administered'), 'the topic is gone');
  });

  it('keeps keys, headers, timestamps and nulls', async () => {
    await createTopic('parts', 1);
    const producer = await producerOf();
    const messages = [
      { key: 'a', value: 'b', headers: { h: 'x', list: ['1', '2'] }, timestamp: '1700000000000' },
      { key: null, value: Buffer.from([0, 255]) },
      { key: 'gone', value: null },
    ];
    const [answer] = await producer.send({ topic: 'parts', messages });
    expect(answer).toMatchObject({ topicName: 'parts', partition: 0, errorCode: 0, baseOffset: '0' });
    const { received } = await consumerOf('parts-group', 'parts');
    await until(() => received.length === 3, 'three messages arrive');
    const [first, second, third] = received.map(({ message }) => message);
    expect(first).toMatchObject({
      key: Buffer.from('a'),
      value: Buffer.from('b'),
      offset: '0',
      timestamp: '1700000000000',
    });
    expect(first?.headers).toEqual({ h: Buffer.from('x'), list: [Buffer.from('1'), Buffer.from('2')] });
    expect(second).toMatchObject({ key: null, value: Buffer.from([0, 255]) });
    expect(third).toMatchObject({ key: Buffer.from('gone'), value: null });
  });

  it('consumes in a group: every record once, each key in order, over all partitions', async () => {
    await createTopic('grouped');
    const producer = await producerOf();
    const one = await consumerOf('workers', 'grouped');
    const two = await consumerOf('workers', 'grouped');
    await until(() => one.owned().length + two.owned().length === 3, 'the three partitions are shared out');
    await until(
      async () => (await admin().describeGroups(['workers'])).groups[0]?.state === 'Stable',
      'the group is stable',
    );
    for (let from = 0; from < 3_000; from += 300) {
      await producer.send({ topic: 'grouped', messages: numbers(from, from + 300) });
    }
    await until(() => one.received.length + two.received.length >= 3_000, 'all messages arrive');
    expect(values([...one.received, ...two.received])).toEqual(sequence(0, 3_000));
    for (const { received } of [one, two]) {
      for (const partition of [0, 1, 2]) {
        const seen = received
          .filter((entry) => entry.partition === partition)
          .map(({ message }) => Number(message.offset));
        expect(seen).toEqual([...seen].sort((a, b) => a - b));
      }
    }
    for (const { owned, received } of [one, two]) {
      expect([...new Set(received.map(({ partition }) => partition))].sort()).toEqual(owned());
    }
    expect([...one.owned(), ...two.owned()].sort()).toEqual([0, 1, 2]);
    const group = await admin().describeGroups(['workers']);
    expect(group.groups[0]).toMatchObject({ state: 'Stable', protocolType: 'consumer' });
    expect(group.groups[0]?.members).toHaveLength(2);
  });

  it('goes on where the group stopped when the consumer comes back', async () => {
    await createTopic('resumed');
    const producer = await producerOf();
    await producer.send({ topic: 'resumed', messages: numbers(0, 500) });
    const first = await consumerOf('resuming', 'resumed');
    await until(() => first.received.length === 500, 'the first half arrives');
    await first.consumer.disconnect();
    await producer.send({ topic: 'resumed', messages: numbers(500, 1_000) });
    const second = await consumerOf('resuming', 'resumed');
    await until(() => second.received.length >= 500, 'the second half arrives');
    expect(values(second.received)).toEqual(sequence(500, 1_000));
    const committed = await admin().fetchOffsets({ groupId: 'resuming', topics: ['resumed'] });
    expect(committed[0]?.partitions).toHaveLength(3);
  });

  it('goes on after the broker has come back', async () => {
    await createTopic('restarted');
    const producer = await producerOf({ idempotent: true, maxInFlightRequests: 1 });
    const { received } = await consumerOf('restarting', 'restarted');
    await producer.send({ topic: 'restarted', messages: numbers(0, 300) });
    await until(() => received.length === 300, 'the messages before the restart arrive');
    await target.restart();
    await producer.send({ topic: 'restarted', messages: numbers(300, 600) });
    await until(() => new Set(values(received)).size === 600, 'the messages after the restart arrive', 90_000);
    await target.crash();
    await producer.send({ topic: 'restarted', messages: numbers(600, 900) });
    await until(() => new Set(values(received)).size === 900, 'the messages after the crash arrive', 90_000);
    const offsets = await admin().fetchTopicOffsets('restarted');
    expect(offsets.reduce((sum, { high }) => sum + Number(high), 0)).toBe(900);
  });

  it('shows committed transactions and hides aborted ones', async () => {
    await createTopic('transactional', 1);
    const producer = await producerOf({ transactionalId: 'tx-1', idempotent: true, maxInFlightRequests: 1 });
    const send = async (value: string, end: 'commit' | 'abort'): Promise<void> => {
      const transaction = await producer.transaction();
      await transaction.send({ topic: 'transactional', messages: [{ value }] });
      await transaction[end]();
    };
    await send('one', 'commit');
    await send('lost', 'abort');
    await send('two', 'commit');
    const { received } = await consumerOf('tx-readers', 'transactional');
    await until(() => received.length >= 2, 'the committed messages arrive');
    expect(received.map(({ message }) => String(message.value))).toEqual(['one', 'two']);
  });

  it('lists and deletes groups, deletes records, reads offsets by time', async () => {
    await createTopic('old', 1);
    const producer = await producerOf();
    await producer.send({ topic: 'old', messages: numbers(0, 10) });
    const { received, consumer } = await consumerOf('leaving', 'old');
    await until(() => received.length === 10, 'the messages arrive');
    await consumer.disconnect();
    expect((await admin().listGroups()).groups.map(({ groupId }) => groupId)).toContain('leaving');
    await admin().deleteGroups(['leaving']);
    expect((await admin().listGroups()).groups.map(({ groupId }) => groupId)).not.toContain('leaving');
    // kafkajs looks for the leader in the metadata it happens to have; this makes it fetch the topic's.
    await admin().fetchTopicOffsets('old');
    await admin().deleteTopicRecords({ topic: 'old', partitions: [{ partition: 0, offset: '4' }] });
    expect(await admin().fetchTopicOffsets('old')).toEqual([{ partition: 0, offset: '10', low: '4', high: '10' }]);
    expect(await admin().fetchTopicOffsetsByTimestamp('old', 0)).toEqual([{ partition: 0, offset: '4' }]);
  });
});
