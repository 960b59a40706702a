/**
 * KafkaModule on a real broker: several clusters and several templates in one application.
 */
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  InjectKafkaTemplate,
  KafkaListener,
  KafkaModule,
  KafkaTemplate,
  getKafkaTemplateToken,
  newTopic,
} from '@kafka-template/nestjs';
import { KafkaTest } from '@kafka-template/nestjs/testing';
import { type TestBroker, startTestBroker, uniqueName } from '../support/broker.js';
import { SILENT } from '../support/nest-apps.js';
import { until } from '../support/until.js';

describe('template: several clusters', () => {
  let broker: TestBroker;
  let other: KafkaTest;
  let main: KafkaTest;

  beforeAll(async () => {
    broker = await startTestBroker();
    main = await KafkaTest.start({ bootstrapServers: broker.bootstrapServers });
    other = await KafkaTest.start();
  });
  afterAll(async () => {
    await main.close();
    await other.close();
    await broker.close();
  });

  it('a record crosses from one cluster to the other by two templates and a listener', async () => {
    const topic = uniqueName('crossing');
    const seen: unknown[] = [];
    @Injectable()
    class Bridge {
      constructor(@InjectKafkaTemplate('billing') private readonly billing: KafkaTemplate) {}

      @KafkaListener({ topics: topic, groupId: uniqueName('bridge') })
      async forward(value: { id: number }) {
        await this.billing.send(topic, value);
      }

      @KafkaListener({ topics: topic, groupId: uniqueName('billing'), cluster: 'billing' })
      onBilling(value: { id: number }) {
        seen.push(value);
      }
    }
    const common = { topics: [newTopic(topic)], admin: { startTimeoutMs: 20_000 } };
    const app = await Test.createTestingModule({
      imports: [
        KafkaModule.forRoot({ ...common, bootstrapServers: broker.bootstrapServers }),
        KafkaModule.forRoot({ ...common, name: 'billing', bootstrapServers: other.bootstrapServers }),
        KafkaModule.forFeature([{ name: 'bulk', profile: 'throughput', defaultTopic: topic }]),
      ],
      providers: [Bridge],
    })
      .setLogger(SILENT)
      .compile();
    try {
      await app.init();
      await main.ready(app, 20_000);
      await app.get<KafkaTemplate>(getKafkaTemplateToken('bulk')).sendDefault({ id: 7 });
      await until(() => seen.length === 1, 'the record has crossed');
      expect(seen).toEqual([{ id: 7 }]);
      expect((await main.take(topic)).map(({ value }) => value)).toEqual([{ id: 7 }]);
      expect((await other.take(topic)).map(({ value }) => value)).toEqual([{ id: 7 }]);
    } finally {
      await app.close();
    }
  });
});
