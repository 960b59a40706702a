/**
 * The sections on drivers and on @nestjs/microservices of the README: their programs run here, and the README shows the same lines.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Controller, UseFilters } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import {
  DeadLetterPublishingRecoverer,
  DefaultErrorHandler,
  FixedBackOff,
  KafkaListenerEndpointRegistry,
  KafkaModule,
  KafkaTemplate,
  kafkajsDriver,
  nestLog,
} from '../index.js';
import { KafkaTest } from '../testing/index.js';
import { type KafkaTemplateContext, KafkaTemplateStrategy, OriginalErrorFilter } from './index.js';

// <readme>
@Controller()
@UseFilters(new OriginalErrorFilter()) // errors reach the error handler as they were thrown
class OrderController {
  @EventPattern<string>('orders')
  async onOrder(@Payload() order: { id: number }, @Ctx() context: KafkaTemplateContext) {
    if (order.id < 0) throw new RangeError(`no such order at offset ${context.getRecord().offset}`);
  }

  @MessagePattern('prices') // ClientKafka.send('prices', …) gets the answer
  price(@Payload() question: { article: string }) {
    return { article: question.article, price: 42 };
  }
}
// </readme>

describe('README', () => {
  let kafka: KafkaTest;
  beforeAll(async () => {
    kafka = await KafkaTest.start({ topics: { orders: 1, prices: 1, 'prices.reply': 1, 'orders-dlt': 1 } });
  });
  afterAll(() => kafka.close());

  it('shows pattern handlers that work, on both drivers', async () => {
    const { bootstrapServers } = kafka;
    const kafkaModule =
      // <readme>
      KafkaModule.forRoot({
        bootstrapServers,
        driver: kafkajsDriver({ log: nestLog('KafkaClient') }),
      });
    // </readme>
    const module = await Test.createTestingModule({ imports: [kafkaModule], controllers: [OrderController] }).compile();
    const app = module.createNestApplication({ logger: false });
    // <readme>
    app.connectMicroservice({
      strategy: new KafkaTemplateStrategy(app, {
        groupId: 'shop',
        concurrency: 2,
        errorHandler: (sender) =>
          new DefaultErrorHandler({
            backOff: new FixedBackOff(100, 2),
            recoverer: new DeadLetterPublishingRecoverer(sender).recoverer,
          }),
      }),
    });
    await app.startAllMicroservices();
    // </readme>
    await app.init();
    await kafka.ready(app);
    expect(app.get(KafkaListenerEndpointRegistry).ids).toEqual(['microservice']);

    const template = app.get(KafkaTemplate);
    await template.send('orders', { id: -1 });
    const [dead] = await kafka.take('orders-dlt');
    expect(dead?.header('kafka_dlt-exception-message')?.toString()).toContain('no such order at offset 0');
    const headers = { kafka_correlationId: 'c1', kafka_replyTopic: 'prices.reply', kafka_replyPartition: '0' };
    await template.send({ topic: 'prices', value: { article: 'cup' }, headers });
    const [reply] = await kafka.take('prices.reply');
    expect(reply?.value).toEqual({ article: 'cup', price: 42 });
    expect(reply?.headers.map(({ key }) => key).sort()).toEqual(['kafka_correlationId', 'kafka_nest-is-disposed']);
    await app.close();
  });

  it('shows the lines of these programs', () => {
    const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
    const source = readFileSync(import.meta.filename, 'utf8');
    const programs = [...source.matchAll(/^ *\/\/ <readme>\n([^]*?) *\/\/ <\/readme>/gm)].map(
      (match) => match[1] ?? '',
    );
    expect(programs).toHaveLength(3);
    for (const program of programs) {
      const indent = /^ */.exec(program)?.[0] ?? '';
      expect(readme).toContain(program.replaceAll(new RegExp(`^${indent}`, 'gm'), '').trim());
    }
  });
});
