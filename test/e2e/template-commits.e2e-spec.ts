/**
 * Chosen offsets and gaps on a real broker, read back with a foreign tool (kafkajs). The rules are in template-commit-table.
 */
import { Injectable } from '@nestjs/common';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import {
  AckMode,
  Acknowledgment,
  ConsumerRecord,
  KafkaListener,
  type KafkaListenerOptions,
  KafkaRecord,
  KafkaTemplate,
  newTopic,
} from '@kafka-template/nestjs';
import { uniqueName } from '../support/broker.js';
import { NestApps, TEMPLATE_DRIVERS } from '../support/nest-apps.js';
import { until } from '../support/until.js';

type Work = (record: ConsumerRecord, ack: Acknowledgment) => unknown;

/** A listener that works on records and acknowledges as it likes. */
function manualListener(options: KafkaListenerOptions, work: Work) {
  @Injectable()
  class Listener {
    @KafkaListener({ ...options, properties: { autoOffsetReset: 'earliest' } })
    async onRecord(record: ConsumerRecord, ack: Acknowledgment) {
      await work(record, ack);
    }
  }
  return Listener;
}

describe.each(TEMPLATE_DRIVERS)('template: commits as a foreign tool sees them, on $name', ({ driver }) => {
  let apps: NestApps;
  let foreign: Admin;

  beforeAll(async () => {
    apps = await NestApps.start(driver);
    const brokers = apps.broker.bootstrapServers.split(',');
    foreign = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
    await foreign.connect();
  });
  afterAll(async () => {
    await foreign.disconnect();
    await apps.close();
  });

  /** What the group has committed for partition 0, -1 for nothing. */
  const committed = async (groupId: string, topic: string): Promise<{ offset: number; metadata: string | null }> => {
    const [found] = await foreign.fetchOffsets({ groupId, topics: [topic] });
    const entry = found?.partitions.find(({ partition }) => partition === 0);
    return { offset: Number(entry?.offset ?? -1), metadata: entry?.metadata ?? null };
  };

  it('chosen offsets in the middle of a batch, synchronously and with a callback, with metadata', async () => {
    const topic = uniqueName('chosen');
    const groupId = uniqueName('group');
    const seen: string[] = [];
    @Injectable()
    class Listener {
      @KafkaListener({
        topics: topic,
        groupId,
        batch: true,
        ackMode: AckMode.MANUAL,
        properties: { autoOffsetReset: 'earliest' },
      })
      async onRecords(@KafkaRecord() records: ConsumerRecord[], ack: Acknowledgment) {
        if (records.length < 3) return;
        await ack.commitSync([{ topic, partition: 0, offset: 1, metadata: 'one of three' }]);
        const first = await committed(groupId, topic);
        seen.push(`${first.offset} ${first.metadata ?? ''}`);
        await new Promise<void>((done) => ack.commitAsync([{ topic, partition: 0, offset: 2 }], () => done()));
        seen.push(String((await committed(groupId, topic)).offset));
      }
    }
    const sender = await apps.app({ topics: [newTopic(topic)] });
    await Promise.all(['a', 'b', 'c'].map((value) => sender.get(KafkaTemplate).send(topic, value)));
    await apps.app({ providers: [Listener] });
    await until(() => seen.length === 2, 'both were committed');
    expect(seen).toEqual(['1 one of three', '2']);
  });

  it('out-of-order acknowledgement commits up to the gap, and a restart begins there', async () => {
    const topic = uniqueName('gap');
    const groupId = uniqueName('group');
    const delivered: unknown[] = [];
    const work: Work = (record, ack) => {
      delivered.push(record.value);
      if (record.value !== 'c') ack.acknowledge();
    };
    const options = { topics: topic, groupId, ackMode: AckMode.MANUAL, asyncAcks: true } as const;
    const app = await apps.app({ topics: [newTopic(topic)], providers: [manualListener(options, work)] });
    for (const value of ['a', 'b', 'c', 'd']) await app.get(KafkaTemplate).send(topic, value);
    await until(() => delivered.length === 4, 'all were delivered');
    await app.close();
    expect((await committed(groupId, topic)).offset).toBe(2);
    delivered.length = 0;
    await apps.app({ providers: [manualListener(options, work)] });
    await until(() => delivered.length === 2, 'the rest came again');
    expect(delivered).toEqual(['c', 'd']);
  });
});
