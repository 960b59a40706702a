/**
 * @nestjs/microservices beside this library: its client and server on kafkajs, our template, listeners and strategy.
 *
 * Records are exchanged both ways, and pattern handlers run on our containers: same messages, better delivery.
 */
import {
  type INestApplication,
  type INestMicroservice,
  Controller,
  Injectable,
  Module,
  UseFilters,
} from '@nestjs/common';
import { ModuleRef, NestFactory } from '@nestjs/core';
import {
  AckMode,
  ConsumerRecord,
  DefaultErrorHandler,
  FixedBackOff,
  KafkaAdmin,
  KafkaListener,
  KafkaListenerEndpointRegistry,
  KafkaModule,
  type KafkaModuleOptions,
  KafkaTemplate,
  getKafkaTemplateToken,
  newTopic,
} from '@kafka-template/nestjs';
import {
  KafkaTemplateContext,
  KafkaTemplateStrategy,
  type KafkaTemplateStrategyOptions,
  OriginalErrorFilter,
} from '@kafka-template/nestjs/microservices';
import {
  type AsyncMicroserviceOptions,
  ClientKafka,
  Ctx,
  EventPattern,
  type KafkaOptions,
  MessagePattern,
  Payload,
  RpcException,
  Transport,
} from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { Observable, firstValueFrom, from, lastValueFrom, toArray } from 'rxjs';
import { type TestBroker, startTestBroker, uniqueName } from '../support/broker.js';
import { SILENT } from '../support/nest-apps.js';
import { until } from '../support/until.js';

const RETRY = { retry: { initialRetryTime: 50, retries: 5 }, logLevel: 0 };

describe('@nestjs/microservices', () => {
  let broker: TestBroker;
  const closing: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    broker = await startTestBroker();
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  afterAll(() => broker.close());

  function moduleWith(options: Partial<KafkaModuleOptions>) {
    return KafkaModule.forRoot({
      bootstrapServers: broker.bootstrapServers,
      admin: { startTimeoutMs: 20_000 },
      consumer: { autoOffsetReset: 'earliest', groupId: uniqueName('group') },
      ...options,
    });
  }

  /** An application of this library, with a hybrid part on the strategy when it has controllers. */
  async function application(
    {
      controllers = [],
      providers = [],
      ...options
    }: Partial<KafkaModuleOptions> & { controllers?: unknown[]; providers?: unknown[] },
    strategy: KafkaTemplateStrategyOptions = {},
  ): Promise<INestApplication> {
    const builder = Test.createTestingModule({
      imports: [moduleWith(options)],
      controllers: controllers as never[],
      providers: providers as never[],
    });
    const app = (await builder.setLogger(SILENT).compile()).createNestApplication();
    if (controllers.length > 0) app.connectMicroservice({ strategy: new KafkaTemplateStrategy(app, strategy) });
    await app.startAllMicroservices();
    await app.init();
    closing.push(() => app.close());
    await until(() => app.get(KafkaListenerEndpointRegistry).all.every((one) => one.isReady), 'containers are ready');
    return app;
  }

  function kafkajsOptions(groupId = uniqueName('nest')): NonNullable<KafkaOptions['options']> {
    return {
      client: { brokers: [broker.bootstrapServers], ...RETRY },
      consumer: { groupId, heartbeatInterval: 200, maxWaitTimeInMs: 100 },
      subscribe: { fromBeginning: true },
    };
  }

  /** Nest's own client, on kafkajs. */
  async function nestClient(repliesOf: readonly string[] = []): Promise<ClientKafka> {
    const client = new ClientKafka(
      repliesOf.length > 0 ? kafkajsOptions() : { ...kafkajsOptions(), producerOnlyMode: true },
    );
    for (const topic of repliesOf) client.subscribeToResponseOf(topic);
    closing.push(() => client.close());
    await client.connect();
    return client;
  }

  /** Nest's own server, on kafkajs. */
  async function nestServer(controller: unknown): Promise<INestMicroservice> {
    const module = await Test.createTestingModule({ controllers: [controller as never] })
      .setLogger(SILENT)
      .compile();
    const server = module.createNestMicroservice<KafkaOptions>({
      transport: Transport.KAFKA,
      options: kafkajsOptions(),
    });
    closing.push(() => server.close());
    await server.listen();
    return server;
  }

  async function committed(app: INestApplication, groupId: string, topic: string): Promise<number | undefined> {
    const offsets = await app.get(KafkaAdmin).client.listConsumerGroupOffsets(groupId);
    return offsets.find((offset) => offset.topic === topic)?.offset;
  }

  describe('records', () => {
    it('ClientKafka.emit to @KafkaListener: values, keys, headers, tombstones', async () => {
      const topic = uniqueName('emitted');
      const seen: ConsumerRecord[] = [];
      @Injectable()
      class Listener {
        @KafkaListener({ topics: topic })
        onRecord(record: ConsumerRecord) {
          seen.push(record);
        }
      }
      await application({ topics: [newTopic(topic)], providers: [Listener] });
      const client = await nestClient();
      await lastValueFrom(client.emit(topic, { id: 1 }));
      await lastValueFrom(client.emit(topic, 'text'));
      await lastValueFrom(client.emit(topic, { key: 'k', value: { id: 2 }, headers: { trace: 't' } }));
      await lastValueFrom(client.emit(topic, { key: 'k', value: null }));
      await until(() => seen.length === 4, 'all were received');
      expect(seen.map(({ key, value }) => [key, value])).toEqual([
        [null, { id: 1 }],
        [null, 'text'],
        ['k', { id: 2 }],
        ['k', null],
      ]);
      expect(seen[2]?.header('trace')?.toString()).toBe('t');
    });

    it('KafkaTemplate.send to @EventPattern of ServerKafka', async () => {
      const topic = uniqueName('sent');
      const seen: unknown[] = [];
      @Controller()
      class Events {
        @EventPattern<string>(topic)
        onEvent(@Payload() data: unknown) {
          seen.push(data);
        }
      }
      const app = await application({ topics: [newTopic(topic)] });
      await nestServer(Events);
      await app.get(KafkaTemplate).send(topic, 'k', { id: 1 });
      await app.get(KafkaTemplate).send(topic, 'text');
      await until(() => seen.length === 2, 'both were received');
      expect(seen).toEqual([{ id: 1 }, 'text']);
    });
  });

  describe('KafkaTemplateStrategy', () => {
    it('events: data and context as Nest gives them, committed after the handler', async () => {
      const topic = uniqueName('events');
      const groupId = uniqueName('group');
      const seen: unknown[] = [];
      let finish: () => void = () => undefined;
      @Controller()
      class Events {
        @EventPattern<string>(topic)
        async onEvent(@Payload() data: unknown, @Ctx() context: KafkaTemplateContext) {
          const { key, value, headers, offset } = context.getMessage();
          seen.push([data, context.getTopic(), context.getPartition(), key, value, headers, offset]);
          await context.getHeartbeat()();
          if (seen.length === 2) await new Promise<void>((resolve) => (finish = resolve));
        }
      }
      const app = await application(
        { topics: [newTopic(topic)], controllers: [Events] },
        { groupId, ackMode: AckMode.RECORD },
      );
      const client = await nestClient();
      await lastValueFrom(client.emit(topic, { key: 'k', value: { id: 1 }, headers: { trace: 't', json: '{"a":1}' } }));
      await lastValueFrom(client.emit(topic, { key: 'k', value: null }));
      await until(() => seen.length === 2, 'both were received');
      expect(seen).toEqual([
        [{ id: 1 }, topic, 0, 'k', { id: 1 }, { trace: 't', json: { a: 1 } }, '0'],
        // A tombstone is null, and not the whole record.
        [null, topic, 0, 'k', null, {}, '1'],
      ]);
      expect(await committed(app, groupId, topic)).toBe(1);
      finish();
      await until(async () => (await committed(app, groupId, topic)) === 2, 'the second was committed');
    });

    it('a failing event goes to the error handler with its own error; what comes after it is handled', async () => {
      const topic = uniqueName('failing');
      class OutOfStock extends Error {}
      const seen: unknown[] = [];
      const failures: Error[] = [];
      @Controller()
      @UseFilters(new OriginalErrorFilter())
      class Events {
        @EventPattern<string>(topic)
        onEvent(@Payload() data: string) {
          seen.push(data);
          if (data === 'bad') throw new OutOfStock('none left');
        }
      }
      const errorHandler = new DefaultErrorHandler({
        backOff: new FixedBackOff(0, 2),
        recoverer: (_record, error) => void failures.push(error),
      });
      const app = await application({ topics: [newTopic(topic)], controllers: [Events] }, { errorHandler });
      for (const value of ['bad', 'good']) await app.get(KafkaTemplate).send(topic, value);
      await until(() => seen.includes('good'), 'the good one was handled');
      expect(seen).toEqual(['bad', 'bad', 'bad', 'good']);
      expect(failures).toEqual([expect.any(OutOfStock)]);
    });

    it('without the filter the error says which topic, and what Nest made of it', async () => {
      const topic = uniqueName('failing');
      const failures: Error[] = [];
      @Controller()
      class Events {
        @EventPattern<string>(topic)
        onEvent(@Payload() data: string) {
          throw data === 'rpc' ? new RpcException('said so') : new TypeError('inner');
        }
      }
      const errorHandler = new DefaultErrorHandler({
        backOff: new FixedBackOff(0, 0),
        recoverer: (_record, error) => void failures.push(error),
      });
      const app = await application({ topics: [newTopic(topic)], controllers: [Events] }, { errorHandler });
      for (const value of ['rpc', 'other']) await app.get(KafkaTemplate).send(topic, value);
      await until(() => failures.length >= 2, 'both have failed');
      expect(failures[0]).toMatchObject({ code: 'PATTERN_HANDLER_FAILED', reason: { message: 'said so' } });
      expect(failures.at(-1)?.message).toBe(`The handler of topic ${topic} failed: Internal server error`);
    });

    it('requests of ClientKafka: values, objects, streams, nothing, errors', async () => {
      const topic = uniqueName('asked');
      @Controller()
      class Answers {
        @MessagePattern(topic)
        answer(@Payload() question: { kind: string }): unknown {
          if (question.kind === 'value') return 42;
          if (question.kind === 'object') return Promise.resolve({ answer: [1, 2] });
          if (question.kind === 'message') return { key: 'k', value: { whole: true }, headers: { own: 'h' } };
          if (question.kind === 'stream') return from(['a', 'b', 'c']);
          if (question.kind === 'slow stream') return slowly(['a', 'b']);
          throw question.kind === 'rpc' ? new RpcException({ code: 7 }) : new Error('inner');
        }
      }
      const topics = [newTopic(topic, { partitions: 2 }), newTopic(`${topic}.reply`, { partitions: 3 })];
      await application({ topics, controllers: [Answers] });
      const client = await nestClient([topic]);
      const ask = (kind: string) => client.send<unknown>(topic, { kind });
      expect(await firstValueFrom(ask('value'))).toBe('42');
      expect(await firstValueFrom(ask('object'))).toEqual({ answer: [1, 2] });
      expect(await firstValueFrom(ask('message'))).toEqual({ whole: true });
      expect(await lastValueFrom(ask('stream').pipe(toArray()))).toEqual(['a', 'b', 'c']);
      expect((await lastValueFrom(ask('slow stream').pipe(toArray()))).slice(0, 2)).toEqual(['a', 'b']);
      await expect(lastValueFrom(ask('rpc'))).rejects.toEqual({ code: 7 });
      await expect(lastValueFrom(ask('error'))).rejects.toEqual({ status: 'error', message: 'Internal server error' });
    });

    it('a request is committed after its reply, and a record without reply headers is an event', async () => {
      const topic = uniqueName('asked');
      const groupId = uniqueName('group');
      const seen: unknown[] = [];
      @Controller()
      class Answers {
        @MessagePattern(topic)
        answer(@Payload() data: unknown) {
          seen.push(data);
          return 'answer';
        }
      }
      const topics = [newTopic(topic), newTopic(`${topic}.reply`)];
      const app = await application({ topics, controllers: [Answers] }, { groupId });
      await app.get(KafkaTemplate).send(topic, 'no request');
      const client = await nestClient([topic]);
      expect(await firstValueFrom(client.send(topic, 'request'))).toBe('answer');
      await until(async () => (await committed(app, groupId, topic)) === 2, 'both were committed');
      expect(seen).toEqual(['no request', 'request']);
    });

    it('patterns of topics, manual acknowledgement, and the end of the application', async () => {
      const prefix = uniqueName('pattern');
      const groupId = uniqueName('group');
      const seen: string[] = [];
      @Controller()
      class Events {
        @EventPattern(new RegExp(`^${prefix}-`))
        async onEvent(@Payload() data: string, @Ctx() context: KafkaTemplateContext) {
          seen.push(`${context.getTopic()}:${data}`);
          if (data === 'done') await context.getAcknowledgment()?.acknowledge();
        }
      }
      const topic = `${prefix}-a`;
      const app = await application(
        { topics: [newTopic(topic)], controllers: [Events] },
        { groupId, id: 'patterns', ackMode: AckMode.MANUAL_IMMEDIATE },
      );
      for (const value of ['done', 'open']) await app.get(KafkaTemplate).send(topic, value);
      await until(() => seen.length === 2, 'both were received');
      expect(seen).toEqual([`${topic}:done`, `${topic}:open`]);
      const container = app.get(KafkaListenerEndpointRegistry).get('patterns');
      await app.close();
      expect(container.isRunning).toBe(false);
      const reader = await application({});
      expect(await committed(reader, groupId, topic)).toBe(1);
    });

    it('a pure microservice: no HTTP, no application around it', async () => {
      const topic = uniqueName('pure');
      const seen: string[] = [];
      @Controller()
      class Events {
        @EventPattern<string>(topic)
        onEvent(@Payload() data: string) {
          seen.push(data);
        }
      }
      @Module({ imports: [moduleWith({ topics: [newTopic(topic)] })], controllers: [Events] })
      class PureModule {}
      const app = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(PureModule, {
        logger: false,
        inject: [ModuleRef],
        useFactory: (source: ModuleRef) => ({ strategy: new KafkaTemplateStrategy(source) }),
      });
      closing.push(() => app.close());
      await app.listen();
      await app.get(KafkaTemplate).send(topic, 'hello');
      await until(() => seen.length === 1, 'it was received');
      const [container] = app.get(KafkaListenerEndpointRegistry).all;
      await app.close();
      expect([seen, container?.isRunning]).toEqual([['hello'], false]);
    });

    it('a cluster by its name: records come from there, replies go there; a wrong name is an error', async () => {
      const topic = uniqueName('named');
      const seen: string[] = [];
      @Controller()
      class Events {
        @EventPattern<string>(topic)
        onEvent(@Payload() data: string) {
          seen.push(data);
        }
      }
      const other = await startTestBroker();
      const builder = Test.createTestingModule({
        imports: [
          moduleWith({}),
          moduleWith({ name: 'other', bootstrapServers: other.bootstrapServers, topics: [newTopic(topic)] }),
        ],
        controllers: [Events],
      });
      const app = (await builder.setLogger(SILENT).compile()).createNestApplication();
      closing.push(() => other.close());
      closing.push(() => app.close());
      app.connectMicroservice({ strategy: new KafkaTemplateStrategy(app, { cluster: 'other' }) });
      await app.startAllMicroservices();
      await app.init();
      await app.get<KafkaTemplate>(getKafkaTemplateToken('other')).send(topic, 'hello');
      await until(() => seen.length === 1, 'it was received');
      const wrong = new KafkaTemplateStrategy(app, { cluster: 'othr' });
      const refusal = await new Promise((resolve) => void wrong.listen(resolve));
      expect(String(refusal)).toContain("there is no cluster 'othr': did you mean 'other'?");
    });
  });
});

/** Values with turns of the event loop between them. */
function slowly(values: readonly string[]): Observable<string> {
  return new Observable((subscriber) => {
    void (async () => {
      for (const value of values) {
        subscriber.next(value);
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
      subscriber.complete();
    })();
  });
}
