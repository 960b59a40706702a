/**
 * Transactions through the template and through listeners, on real brokers; what became visible is read by a foreign client.
 */
import { Injectable } from '@nestjs/common';
import { Kafka, logLevel } from 'kafkajs';
import {
  ConsumerRecord,
  DefaultErrorHandler,
  FixedBackOff,
  KafkaAdmin,
  KafkaListener,
  KafkaListenerEndpointRegistry,
  KafkaTemplate,
  newTopic,
} from '@kafka-template/nestjs';
import { uniqueName } from '../support/broker.js';
import { NestApps } from '../support/nest-apps.js';
import { until } from '../support/until.js';

describe('template: transactions', () => {
  let apps: NestApps;
  let topic: string;
  let out: string;
  let groupId: string;

  beforeAll(async () => {
    apps = await NestApps.start();
  });
  afterAll(() => apps.close());
  beforeEach(() => {
    topic = uniqueName('in');
    out = uniqueName('out');
    groupId = uniqueName('group');
  });

  const topics = () => [newTopic(topic), newTopic(out)];
  const template = () => ({ transactionIdPrefix: uniqueName('tx-') });
  const consumer = { autoOffsetReset: 'earliest', isolationLevel: 'read_committed' } as const;

  /** What a foreign reader of committed records sees of the topic, up to a last one that is sent for it. */
  async function visible(name: string): Promise<string[]> {
    const sender = await apps.app();
    await sender.get(KafkaTemplate).send(name, 'END');
    const kafka = new Kafka({ brokers: apps.broker.bootstrapServers.split(','), logLevel: logLevel.NOTHING });
    const reader = kafka.consumer({ groupId: uniqueName('reader'), readUncommitted: false });
    const seen: string[] = [];
    await reader.connect();
    await reader.subscribe({ topic: name, fromBeginning: true });
    await reader.run({ eachMessage: async ({ message }) => void seen.push(String(message.value)) });
    await until(() => seen.includes('END'), 'the foreign reader has come to the end');
    await reader.disconnect();
    return seen.slice(0, -1);
  }

  it('executeInTransaction: all that was sent is visible, or nothing', async () => {
    const app = await apps.app({ topics: topics(), template: template() });
    const kafka = app.get(KafkaTemplate);
    await kafka.executeInTransaction((tx) => {
      tx.send(out, 'a');
      kafka.send(out, 'b');
    });
    const failing = kafka.executeInTransaction(async (tx) => {
      await tx.send(out, 'never');
      throw new Error('boom');
    });
    await expect(failing).rejects.toThrow('boom');
    await kafka.executeInTransaction((tx) => void tx.send(out, 'c'));
    expect(await visible(out)).toEqual(['a', 'b', 'c']);
  });

  it('a transactional listener: what it sends and its offsets are committed together, also through failures', async () => {
    let failures = 2;
    @Injectable()
    class Listener {
      constructor(private readonly kafka: KafkaTemplate) {}

      @KafkaListener({
        topics: topic,
        groupId,
        transactional: true,
        errorHandler: () => new DefaultErrorHandler({ backOff: new FixedBackOff(0, 5) }),
      })
      async onRecord(record: ConsumerRecord) {
        await this.kafka.send(out, `${String(record.value)}1`);
        if (record.value === 'b' && failures-- > 0) throw new Error('boom');
        this.kafka.send(out, `${String(record.value)}2`);
      }
    }
    const app = await apps.app({ topics: topics(), template: template(), consumer, providers: [Listener] });
    for (const value of ['a', 'b', 'c']) await app.get(KafkaTemplate).send(topic, value);
    const committed = async () =>
      (await app.get(KafkaAdmin).client.listConsumerGroupOffsets(groupId)).find((one) => one.topic === topic)?.offset;
    await until(async () => (await committed()) === 3, 'the offsets were committed');
    expect(failures).toBe(-1);
    expect(await visible(out)).toEqual(['a1', 'a2', 'b1', 'b2', 'c1', 'c2']);
  });

  it('through rebalances every record has its effect exactly once', async () => {
    topic = uniqueName('in');
    const work = () => {
      @Injectable()
      class Listener {
        constructor(private readonly kafka: KafkaTemplate) {}

        @KafkaListener({ topics: topic, groupId, transactional: true, properties: { heartbeatIntervalMs: 200 } })
        onRecord(record: ConsumerRecord) {
          this.kafka.send(out, String(record.value));
        }
      }
      return Listener;
    };
    const count = 200;
    const first = await apps.app({
      topics: [newTopic(topic, { partitions: 4 }), newTopic(out)],
      template: template(),
      consumer: { ...consumer, maxPollRecords: 5 },
      providers: [work()],
    });
    const values = Array.from({ length: count }, (_, index) => String(index));
    const sending = Promise.all(
      values.map((value, index) => first.get(KafkaTemplate).send(topic, index % 4, null, value)),
    );
    const second = await apps.app({ template: template(), consumer, providers: [work()] });
    await sending;
    const shareOf = (app: typeof first) => app.get(KafkaListenerEndpointRegistry).all[0]!.assignment.length;
    await until(() => shareOf(second) === 2, 'they share');
    await first.close();
    const total = async () => {
      const offsets = await second.get(KafkaAdmin).client.listConsumerGroupOffsets(groupId);
      return offsets.reduce((sum, { offset }) => sum + offset, 0);
    };
    await until(async () => (await total()) === count, 'everything was handled');
    const seen = await visible(out);
    expect(seen.map(Number).sort((a, b) => a - b)).toEqual(values.map(Number));
  });
});
