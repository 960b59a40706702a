import { silentLog } from '../../io/log.js';
import { systemClock } from '../../io/clock.js';
import type { RecordMetadata } from '../driver.js';
import type { ProducerProperties } from '../driver-options.js';
import type { KafkaJsAdmin } from './kafkajs.admin.js';
import { KafkaJsProducer } from './kafkajs.producer.js';
import type { KafkaJsMessage, KafkaJsProducerClient, KafkaJsSendOutcome } from './kafkajs.types.js';

type Batch = Parameters<KafkaJsProducerClient['send']>[0];

/** A kafkajs whose answers are scripted: an offset, or an error to reject with. */
class KafkaJsFake {
  readonly log: string[] = [];
  readonly answers: (number | Error)[] = [];
  #clients = 0;
  #outstanding = 0;
  mostOutstanding = 0;

  createClient = ({ createPartitioner }: { createPartitioner: () => unknown }): KafkaJsProducerClient => {
    const name = `client ${++this.#clients}`;
    const choose = createPartitioner() as (question: object) => number;
    return {
      connect: async () => void this.log.push(`${name} connects`),
      disconnect: async () => void this.log.push(`${name} disconnects`),
      send: async (batch) => this.#send(name, batch, choose),
    };
  };

  async #send(name: string, { topic, messages }: Batch, choose: (question: object) => number) {
    const partitionMetadata = [0, 1].map((partitionId) => ({ partitionId, leader: 0 }));
    for (const message of messages) choose({ topic, partitionMetadata, message });
    this.log.push(`${name} sends ${messages.map(describe1).join()}`);
    this.mostOutstanding = Math.max(this.mostOutstanding, ++this.#outstanding);
    await systemClock.nextTurn();
    this.#outstanding--;
    const answer = this.answers.shift() ?? 0;
    if (answer instanceof Error) throw answer;
    const partitions = [...new Set(messages.map(({ chosen }) => chosen))];
    return partitions.map((partition): KafkaJsSendOutcome => ({
      topicName: topic,
      partition,
      baseOffset: String(answer),
    }));
  }
}

function describe1({ value, chosen }: KafkaJsMessage): string {
  return `${String(value)}@${chosen}`;
}

function kafkaError(type: string, retriable: boolean): Error {
  return Object.assign(new Error(type), { name: 'KafkaJSProtocolError', type, retriable });
}

function producerOn(fake: KafkaJsFake, options: ProducerProperties = {}, createClient = fake.createClient) {
  const admin = { close: async () => undefined } as unknown as KafkaJsAdmin;
  const backOff = { retryBackoffMs: 1, retryBackoffMaxMs: 1, ...options };
  const producer = new KafkaJsProducer({
    options: backOff,
    compression: 0,
    createClient,
    admin,
    clock: systemClock,
    log: silentLog,
  });
  const send = (value: string, topic = 'orders', partition?: number) =>
    new Promise<RecordMetadata>((resolve, reject) => {
      producer.append({ topic, value, partition }, (error, metadata) =>
        error === null ? resolve(metadata!) : reject(error),
      );
    });
  return { producer, send };
}

describe('kafkajs producer', () => {
  it('gathers what one turn appends, and counts offsets by partition', async () => {
    const fake = new KafkaJsFake();
    fake.answers.push(10);
    const { send } = producerOn(fake);
    const answers = await Promise.all([send('a', 'orders', 0), send('b', 'orders', 1), send('c', 'orders', 0)]);
    expect(fake.log).toEqual(['client 1 connects', 'client 1 sends a@0,b@1,c@0']);
    expect(answers.map(({ partition, offset }) => `${partition}:${offset}`)).toEqual(['0:10', '1:10', '0:11']);
  });

  it('with idempotence one request is on its way at a time, whatever the topics; without, one per topic', async () => {
    for (const [enableIdempotence, most] of [
      [true, 1],
      [false, 3],
    ] as const) {
      const fake = new KafkaJsFake();
      const { send } = producerOn(fake, { enableIdempotence });
      await send('first');
      await Promise.all(['x', 'y', 'z'].map((topic) => send('v', topic)));
      expect(fake.mostOutstanding).toBe(most);
    }
  });

  it('tries the same batch again on the same client, records at their partitions', async () => {
    const fake = new KafkaJsFake();
    fake.answers.push(kafkaError('NOT_LEADER_FOR_PARTITION', true), 5);
    const { send } = producerOn(fake);
    expect((await send('a')).offset).toBe(5);
    expect(fake.log).toEqual(['client 1 connects', 'client 1 sends a@0', 'client 1 sends a@0']);
  });

  it('throws a client away whose last request has no clear outcome: its sequence numbers would be given out twice', async () => {
    const fake = new KafkaJsFake();
    fake.answers.push(kafkaError('KAFKA_STORAGE_ERROR', false));
    const { send } = producerOn(fake);
    const outcomes = await Promise.allSettled([
      send('a'),
      Promise.resolve()
        .then(() => systemClock.nextTurn())
        .then(() => send('b')),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect(outcomes[0]).toMatchObject({ reason: { code: 'KAFKA_STORAGE_ERROR', retriable: false } });
    expect(fake.log.filter((line) => line.includes('sends'))).toEqual(['client 1 sends a@0', 'client 2 sends b@1']);
    expect(fake.log).toContain('client 1 disconnects');
  });

  it('one record with a partition that does not exist does not take the others with it', async () => {
    const fake = new KafkaJsFake();
    const { send } = producerOn(fake);
    const outcomes = await Promise.allSettled([send('good', 'orders', 0), send('lost', 'orders', 9)]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(outcomes[1]).toMatchObject({ reason: { code: 'UNKNOWN_TOPIC_OR_PARTITION' } });
  });

  it('gives up at the deadline of delivery, and closes what is left', async () => {
    const fake = new KafkaJsFake();
    fake.answers.push(...Array.from({ length: 1_000 }, () => kafkaError('REQUEST_TIMED_OUT', true)));
    const { producer, send } = producerOn(fake, { deliveryTimeoutMs: 30 });
    await expect(send('a')).rejects.toMatchObject({ code: expect.stringMatching(/TIMED_OUT|TIMEOUT/) as string });
    await producer.close();
    await expect(send('b')).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('gives up after maxBlockMs when the topic does not become known, and says the last error', async () => {
    const fake = new KafkaJsFake();
    const refused = Object.assign(new Error('connect ECONNREFUSED'), { name: 'KafkaJSConnectionError' });
    const createClient = (settings: Parameters<typeof fake.createClient>[0]): KafkaJsProducerClient => ({
      ...fake.createClient(settings),
      connect: () => Promise.reject(refused),
    });
    const { send } = producerOn(fake, { maxBlockMs: 30 }, createClient);
    await expect(send('a')).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringMatching(/maxBlockMs \(30 ms\).*ECONNREFUSED/) as string,
    });
  });

  it('gives up after maxBlockMs when kafkajs does not come back', async () => {
    const fake = new KafkaJsFake();
    const createClient = (settings: Parameters<typeof fake.createClient>[0]): KafkaJsProducerClient => ({
      ...fake.createClient(settings),
      connect: () => new Promise(() => undefined),
    });
    const { send } = producerOn(fake, { maxBlockMs: 30 }, createClient);
    await expect(send('a')).rejects.toMatchObject({ code: 'TIMEOUT' });
  });

  it('refuses idempotence with weaker acks', () => {
    expect(() => producerOn(new KafkaJsFake(), { acks: 1, enableIdempotence: true })).toThrow(
      /"enableIdempotence" needs "acks"/,
    );
  });
});
