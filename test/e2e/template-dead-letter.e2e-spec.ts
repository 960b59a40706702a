/**
 * Dead letters on a real broker, and the test kit's own promises.
 */
import { Injectable } from '@nestjs/common';
import {
  DeadLetterPublishingRecoverer,
  DefaultErrorHandler,
  FixedBackOff,
  KafkaAdmin,
  KafkaListener,
  KafkaTemplate,
  newTopic,
} from '@kafka-template/nestjs';
import { uniqueName } from '../support/broker.js';
import { NestApps, TEMPLATE_DRIVERS } from '../support/nest-apps.js';
import { until } from '../support/until.js';

describe.each(TEMPLATE_DRIVERS)('template: dead letters, on $name', ({ driver }) => {
  let apps: NestApps;

  beforeAll(async () => {
    apps = await NestApps.start(driver);
  });
  afterAll(() => apps.close());

  it('a record that fails for good goes to the dead-letter topic as it came; later ones are handled', async () => {
    const topic = uniqueName('orders');
    const groupId = uniqueName('group');
    const seen: unknown[] = [];
    @Injectable()
    class Listener {
      @KafkaListener({
        topics: topic,
        groupId,
        errorHandler: (kafka) =>
          new DefaultErrorHandler({
            backOff: new FixedBackOff(20, 2),
            recoverer: new DeadLetterPublishingRecoverer(kafka).recoverer,
          }),
      })
      onOrder(order: { id: number }) {
        if (order.id === 1) throw new RangeError('no room');
        seen.push(order.id);
      }
    }
    const app = await apps.app({
      topics: [newTopic(topic, { partitions: 2 }), newTopic(`${topic}-dlt`, { partitions: 2 })],
      consumer: { autoOffsetReset: 'earliest' },
      serializers: { value: 'json' },
      providers: [Listener],
    });
    const template = app.get(KafkaTemplate);
    await template.sendRaw({ topic, partition: 1, key: 'a', value: '{"id":', headers: [{ key: 'trace', value: 't' }] });
    for (const id of [1, 2]) await template.send(topic, 1, 'k', { id });
    await until(() => seen.length === 1, 'the good record was handled');
    const letters = await apps.kafka.take(`${topic}-dlt`, { count: 2 });
    expect(letters.map((letter) => [letter.partition, letter.key, letter.rawValue?.toString()])).toEqual([
      [1, 'a', '{"id":'],
      [1, 'k', '{"id":1}'],
    ]);
    const text = (name: string) => letters.map((letter) => letter.header(name)?.toString());
    expect(text('trace')).toEqual(['t', undefined]);
    expect(text('kafka_dlt-exception-fqcn')).toEqual(['DeserializationError', 'RangeError']);
    expect(text('kafka_dlt-original-topic')).toEqual([topic, topic]);
    expect(letters.map((letter) => letter.header('kafka_dlt-original-offset')?.readBigInt64BE())).toEqual([0n, 1n]);
    await until(async () => {
      const offsets = await app.get(KafkaAdmin).client.listConsumerGroupOffsets(groupId);
      return offsets.some(({ partition, offset }) => partition === 1 && offset === 3);
    }, 'all three were committed');
  });
});

describe('template: test kit', () => {
  let apps: NestApps;

  beforeAll(async () => {
    apps = await NestApps.start();
  });
  afterAll(() => apps.close());

  it('take goes on where it stopped, and says what is missing', async () => {
    const topic = uniqueName('take');
    const app = await apps.app({ topics: [newTopic(topic)] });
    for (const value of ['a', 'b']) await app.get(KafkaTemplate).send(topic, value);
    expect((await apps.kafka.take(topic)).map((record) => record.value)).toEqual(['a']);
    expect((await apps.kafka.take(topic)).map((record) => record.value)).toEqual(['b']);
    await expect(apps.kafka.take(topic, { count: 2, timeoutMs: 50 })).rejects.toThrow(
      `Expected 2 records on ${topic} within 50 ms and got 0`,
    );
  });

  it('take says that a topic did not appear', async () => {
    const topic = uniqueName('nowhere');
    await expect(apps.kafka.take(topic, { timeoutMs: 100 })).rejects.toThrow(
      /nowhere-\w+ did not appear within 100 ms|got 0/,
    );
  });

  it('ready names the listeners that have no partitions', async () => {
    @Injectable()
    class Listener {
      @KafkaListener({ id: 'lonely', topics: 'anything', properties: { bootstrapServers: '127.0.0.1:1' } })
      onRecord(_value: string) {}
    }
    const app = await apps.unready({ providers: [Listener] });
    await expect(apps.kafka.ready(app, 100)).rejects.toThrow(/listeners have no partitions yet: lonely/);
  });
});
