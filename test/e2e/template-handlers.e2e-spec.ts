/**
 * Class listeners, replies, filters and options made at start, on a real broker.
 */
import { Injectable } from '@nestjs/common';
import {
  KafkaHandler,
  KafkaHeader,
  KafkaListener,
  KafkaTemplate,
  SendTo,
  type ValueOf,
  defineTopic,
  newTopic,
} from '@kafka-template/nestjs';
import { uniqueName } from '../support/broker.js';
import { NestApps, TEMPLATE_DRIVERS } from '../support/nest-apps.js';
import { until } from '../support/until.js';

class OrderCreated {
  constructor(readonly id: number) {}
}

describe.each(TEMPLATE_DRIVERS)('template: handlers, on $name', ({ driver }) => {
  let apps: NestApps;

  beforeAll(async () => {
    apps = await NestApps.start(driver);
  });
  afterAll(() => apps.close());

  it('a class gets each record by the method that is for it, and filtered ones not at all', async () => {
    const topic = uniqueName('types');
    const seen: unknown[] = [];
    class Config {
      readonly topic = topic;
    }
    @Injectable()
    @KafkaListener((get) => ({
      topics: get(Config).topic,
      groupId: uniqueName('types'),
      filter: (record) => record.key === 'ignored',
      properties: { autoOffsetReset: 'earliest' },
    }))
    class Listener {
      @KafkaHandler()
      onCreated(order: OrderCreated) {
        seen.push(['created', order.id]);
      }

      @KafkaHandler({ headers: { kind: 'note' } })
      onNote(text: string, @KafkaHeader('kind') kind: string) {
        seen.push([kind, text]);
      }

      @KafkaHandler({ isDefault: true })
      onRest(value: string) {
        seen.push(['rest', value]);
      }
    }
    const app = await apps.app({ topics: [newTopic(topic)], providers: [Config, Listener] });
    const template = app.get(KafkaTemplate);
    await template.send({ topic, value: new OrderCreated(1), headers: { __TypeId__: 'com.acme.OrderCreated' } });
    await template.send({ topic, key: 'ignored', value: 'x' });
    await template.send({ topic, value: 'hi', headers: { kind: 'note' } });
    await template.send({ topic, value: 'else' });
    await until(() => seen.length === 3, 'all records have come');
    expect(seen).toEqual([
      ['created', 1],
      ['note', 'hi'],
      ['rest', 'else'],
    ]);
  });

  it('what a listener returns goes where the request, or the decorator, says', async () => {
    const Requests = defineTopic<string, { amount: number }>({ name: uniqueName('requests'), partitions: 1 });
    const replies = uniqueName('replies');
    const audit = uniqueName('audit');
    @Injectable()
    class Listener {
      @KafkaListener({ topics: Requests, groupId: uniqueName('tax'), properties: { autoOffsetReset: 'earliest' } })
      @SendTo()
      onRequest(request: ValueOf<typeof Requests>) {
        return { total: request.amount * 1.2 };
      }

      @KafkaListener({ topics: replies, groupId: uniqueName('audit'), properties: { autoOffsetReset: 'earliest' } })
      @SendTo(audit)
      onReply(reply: { total: number }) {
        return `total ${reply.total}`;
      }
    }
    const topics = [Requests, newTopic(replies, { partitions: 3 }), newTopic(audit)];
    const app = await apps.app({ topics, providers: [Listener] });
    const headers = { kafka_replyTopic: replies, kafka_replyPartition: 2, kafka_correlationId: 'c1' };
    await app.get(KafkaTemplate).send({ topic: Requests, key: 'k', value: { amount: 10 }, headers });
    const [reply] = await apps.kafka.take(replies, { timeoutMs: 20_000 });
    expect([reply?.partition, reply?.key, reply?.value]).toEqual([2, 'k', { total: 12 }]);
    expect(reply?.header('kafka_correlationId')?.toString()).toBe('c1');
    const [noted] = await apps.kafka.take(audit, { timeoutMs: 20_000 });
    expect(noted?.value).toBe('total 12');
  });

  it('a request gets its reply, many at a time, by a listener that answers', async () => {
    const requests = uniqueName('requests');
    const replies = uniqueName('replies');
    @Injectable()
    class Listener {
      @KafkaListener({ topics: requests, groupId: uniqueName('server'), properties: { autoOffsetReset: 'earliest' } })
      @SendTo()
      onRequest(request: { id: number }) {
        return { double: request.id * 2 };
      }
    }
    const app = await apps.app({
      topics: [newTopic(requests, { partitions: 2 }), newTopic(replies, { partitions: 2 })],
      template: { replies: { topic: replies, timeoutMs: 20_000 } },
      providers: [Listener],
    });
    const template = app.get(KafkaTemplate);
    const ask = (id: number) => template.sendAndReceive<{ double: number }>({ topic: requests, value: { id } });
    if (driver !== undefined) {
      await expect(ask(1)).rejects.toMatchObject({ code: 'UNSUPPORTED_BY_DRIVER' });
      return;
    }
    const ids = Array.from({ length: 50 }, (_, index) => index);
    const answers = await Promise.all(ids.map(ask));
    expect(answers.map((reply) => reply.value.double)).toEqual(ids.map((id) => id * 2));
  });
});
