/**
 * Rules that answer defects found in other clients, each by its name, on a real broker: the embedded one or Apache Kafka.
 *
 * What needs faults on the way (lost answers, five in flight, fenced members) is specified beside the code, where the
 * network and the clock are in the spec's hands.
 */
import { createProducer, type Producer, type ProducerOptions, silentLogger } from '@kafka-template/client';
import { uniqueName } from '../support/broker.js';
import { Consuming, pollCount, pollUntil, rejection, values } from '../support/consuming.js';

let kafka: Consuming;
const producers: Producer[] = [];

beforeAll(async () => {
  kafka = await Consuming.start();
});

afterAll(async () => {
  await Promise.all(producers.map((producer) => producer.close(5_000)));
  await kafka.close();
});

function createTestProducer(options: Partial<ProducerOptions> = {}): Producer {
  const { bootstrapServers } = kafka.broker;
  const producer = createProducer({ bootstrapServers, logger: silentLogger, ...options });
  producers.push(producer);
  return producer;
}

describe('producer', () => {
  it('rule 1, 2: ten thousand concurrent sends are acknowledged, stored once and in order', async () => {
    const topic = await kafka.topic(1);
    const all = values('v', 10_000);
    const producer = createTestProducer();
    const outcomes = await Promise.all(all.map((value) => producer.send({ topic, value })));
    expect(outcomes.map(({ offset }) => offset)).toEqual(all.map((_, index) => index));
    const consumer = kafka.consumer({ groupId: uniqueName('group'), autoOffsetReset: 'earliest' });
    consumer.assign([{ topic, partition: 0 }]);
    expect(await pollCount(consumer, all.length)).toEqual(all);
  });

  it('a topic that goes away keeps no record of another topic from being sent', async () => {
    const [gone, stays] = [await kafka.topic(1), await kafka.topic(1)];
    const producer = createTestProducer({ maxBlockMs: 2_000, deliveryTimeoutMs: 4_000, requestTimeoutMs: 2_000 });
    await producer.send({ topic: gone, value: 'x' });
    await kafka.admin.deleteTopics([gone]);
    const lost = producer.send({ topic: gone, partition: 7, value: 'y' }).catch((error: unknown) => error);
    expect((await producer.send({ topic: stays, value: 'z' })).offset).toBe(0);
    await lost;
  });
});

describe('transactions', () => {
  it('rule 7: InitProducerId of a transactional.id that exists is not fenced: it is taken up again after a restart', async () => {
    const topic = await kafka.topic(1);
    const transactionalId = uniqueName('stable');
    for (const value of ['first', 'second']) {
      const producer = createTestProducer({ transactionalId });
      await producer.initTransactions();
      producer.beginTransaction();
      await producer.send({ topic, value });
      await producer.commitTransaction();
      await producer.close();
    }
    const consumer = kafka.consumer({ autoOffsetReset: 'earliest', isolationLevel: 'read_committed' });
    consumer.assign([{ topic, partition: 0 }]);
    expect(await pollCount(consumer, 2)).toEqual(['first', 'second']);
  });

  it('rule 7: concurrent transactional sends and offsets are all sent, none is taken for another', async () => {
    const [one, two] = [await kafka.topic(1), await kafka.topic(1)];
    const groupId = uniqueName('group');
    const producer = createTestProducer({ transactionalId: uniqueName('concurrent') });
    await producer.initTransactions();
    producer.beginTransaction();
    const group = { groupId, generationId: -1, memberId: '', groupInstanceId: null };
    await Promise.all([
      producer.send({ topic: one, value: 'a' }),
      producer.send({ topic: two, value: 'b' }),
      producer.sendOffsetsToTransaction([{ topic: one, partition: 0, offset: 11 }], group),
      producer.sendOffsetsToTransaction([{ topic: two, partition: 0, offset: 22 }], group),
    ]);
    await producer.commitTransaction();
    const committed = await kafka.admin.listConsumerGroupOffsets(groupId);
    expect(committed.map(({ offset }) => offset).sort()).toEqual([11, 22]);
  });

  it('rule 6: aborted records of two interleaved transactions, with a key that looks like a marker, are never read', async () => {
    const topic = await kafka.topic(1);
    const [one, two] = [1, 2].map(() => createTestProducer({ transactionalId: uniqueName('aborted') })) as [
      Producer,
      Producer,
    ];
    const key = Buffer.alloc(4);
    for (const producer of [one, two]) {
      await producer.initTransactions();
      producer.beginTransaction();
    }
    for (const producer of [one, two, one, two]) await producer.send({ topic, key, value: 'aborted' });
    await one.abortTransaction();
    await two.abortTransaction();
    await kafka.send(topic, ['good']);
    const consumer = kafka.consumer({ autoOffsetReset: 'earliest', isolationLevel: 'read_committed' });
    for (const offset of [0, 1, 2, 3]) {
      consumer.assign([{ topic, partition: 0 }]);
      consumer.seek({ topic, partition: 0 }, offset);
      expect(await pollCount(consumer, 1)).toEqual(['good']);
    }
  });

  it.each([
    ['a producer that aborted twice within one answer', ['1 lost', '1 abort', '1 lost', '1 abort']],
    [
      'a transaction that is aborted inside one that is committed',
      ['1 kept', '2 lost', '1 kept', '2 abort', '1 commit'],
    ],
    [
      'a transaction that is committed inside one that is aborted',
      ['1 lost', '2 kept', '2 commit', '1 lost', '1 abort'],
    ],
  ])(
    'rule 6: read_committed has no aborted records of %s, wherever it begins, the marker in the same answer or not',
    async (_, steps) => {
      const topic = await kafka.topic(1);
      const [one, two] = [1, 2].map(() => createTestProducer({ transactionalId: uniqueName('mixed') })) as [
        Producer,
        Producer,
      ];
      await Promise.all([one, two].map((producer) => producer.initTransactions()));
      const open = new Set<Producer>();
      const kept: number[] = [];
      for (const step of steps) {
        const producer = step.startsWith('1') ? one : two;
        const what = step.slice(2);
        if (what === 'lost' || what === 'kept') {
          if (!open.has(producer)) producer.beginTransaction();
          open.add(producer);
          const { offset } = await producer.send({ topic, value: what });
          if (what === 'kept') kept.push(offset);
          continue;
        }
        open.delete(producer);
        await (what === 'commit' ? producer.commitTransaction() : producer.abortTransaction());
      }
      await kafka.send(topic, ['kept']);
      for (const maxPartitionFetchBytes of [1, 1_048_576]) {
        const consumer = kafka.consumer({ isolationLevel: 'read_committed', maxPartitionFetchBytes });
        for (let offset = 0; offset < steps.length; offset += 1) {
          const later = kept.filter((each) => each >= offset).length;
          consumer.assign([{ topic, partition: 0 }]);
          consumer.seek({ topic, partition: 0 }, offset);
          expect(await pollCount(consumer, later + 1)).toEqual(Array(later + 1).fill('kept'));
        }
      }
    },
  );
});

describe('consumer', () => {
  it('rule 5: a position that is gone commits nothing, and with none it is an error', async () => {
    const topic = await kafka.topic(1);
    const groupId = uniqueName('group');
    await kafka.send(topic, values('v', 3));
    const consumer = kafka.consumer({ groupId, autoOffsetReset: 'earliest' });
    consumer.assign([{ topic, partition: 0 }]);
    await consumer.commitSync([{ topic, partition: 0, offset: 1_000 }]);
    const none = kafka.consumer({ groupId, autoOffsetReset: 'none' });
    none.assign([{ topic, partition: 0 }]);
    const error = await rejection(pollUntil(none, () => false));
    expect(error.code).toBe('NO_OFFSET_FOR_PARTITION');
    expect((await kafka.admin.listConsumerGroupOffsets(groupId))[0]?.offset).toBe(1_000);
  });

  it('rule 8: keys, values and headers are bytes: repeated headers keep their order, nothing is made text', async () => {
    const topic = await kafka.topic(1);
    const bytes = Buffer.from([0, 255, 128, 254, 0]);
    const headers = [
      { key: 'h', value: bytes },
      { key: 'h', value: null },
      { key: 'g', value: 'x' },
    ];
    await kafka.sendRecords([{ topic, key: bytes, value: bytes, headers }]);
    const consumer = kafka.consumer({ autoOffsetReset: 'earliest' });
    consumer.assign([{ topic, partition: 0 }]);
    for await (const record of consumer) {
      expect([record.key, record.value]).toEqual([bytes, bytes]);
      expect(record.headers).toEqual(
        headers.map(({ key, value }) => ({ key, value: value === 'x' ? Buffer.from('x') : value })),
      );
      break;
    }
  });
});
