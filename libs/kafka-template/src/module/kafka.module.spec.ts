import {
  BadRequestException,
  type CallHandler,
  type CanActivate,
  Catch,
  Controller,
  type ExceptionFilter,
  type ExecutionContext,
  Inject,
  Injectable,
  Module,
  type NestInterceptor,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
  ValidationPipe,
  createParamDecorator,
} from '@nestjs/common';
import { APP_FILTER, APP_PIPE, REQUEST } from '@nestjs/core';
import { Test, type TestingModule } from '@nestjs/testing';
import { IsInt, IsString } from 'class-validator';
import type { Observable } from 'rxjs';
import { tap } from 'rxjs';
import { AckMode } from '../commit/ack-mode.js';
import { Acknowledgment } from '../commit/acknowledgment.js';
import { InjectKafkaTemplate } from '../decorators/inject-kafka-template.decorator.js';
import { KafkaListener } from '../decorators/kafka-listener.decorator.js';
import { KafkaHeader, KafkaHeaders, KafkaKey, Payload } from '../decorators/parameter.decorators.js';
import { DefaultErrorHandler } from '../error-handling/default-error-handler.js';
import { Consumer } from '../listener/consumer.js';
import { isKafkaContext } from '../listener/kafka-arguments-host.js';
import { KafkaListenerEndpointRegistry } from '../listener/listener.registry.js';
import { ConsumerRecord } from '../record/consumer-record.js';
import { KafkaTemplate } from '../template/kafka-template.js';
import { driverError } from '../testing/cluster-fake.js';
import { DriverFake } from '../testing/driver-fake.js';
import { FakeClock } from '../testing/fake-clock.js';
import { KafkaModule } from './kafka.module.js';
import type { KafkaModuleOptions } from './kafka.options.js';
import { newTopic } from './new-topic.js';

/** Everything that happens in the listeners of a test, in order. */
let diary: unknown[] = [];

class OrderDto {
  @IsString() id!: string;
  @IsInt() quantity!: number;
}

const RecordTopic = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  context.switchToRpc().getContext<ConsumerRecord>().topic,
);

let apps: TestingModule[] = [];
let driver: DriverFake;

beforeEach(() => {
  diary = [];
  driver = new DriverFake(new FakeClock());
  driver.cluster.createTopic('orders', 1);
});

afterEach(async () => {
  await Promise.all(apps.map((app) => app.close()));
  apps = [];
});

async function start(
  metadata: { providers?: unknown[]; controllers?: unknown[]; imports?: unknown[] },
  options: Partial<KafkaModuleOptions> = {},
): Promise<TestingModule> {
  const kafka = KafkaModule.forRoot({
    bootstrapServers: 'localhost:9092',
    driver,
    ...options,
    consumer: { groupId: 'g', autoOffsetReset: 'earliest', ...options.consumer },
  });
  const builder = Test.createTestingModule({
    imports: [kafka, ...(metadata.imports ?? [])] as never[],
    providers: (metadata.providers ?? []) as never[],
    controllers: (metadata.controllers ?? []) as never[],
  });
  const app = await builder.setLogger(false as never).compile();
  apps.push(app);
  return app.init();
}

/** Appends a record to `orders` and waits until it has been handled. */
async function receive(value: string, rest: { key?: string; headers?: { key: string; value: string }[] } = {}) {
  driver.cluster.append({ topic: 'orders', value, ...rest });
  await driver.consumers[0]?.parked();
}

const committed = () => driver.cluster.offsetsOf('g').get('orders-0')?.offset;

describe('module: parameters of listeners', () => {
  it('fills decorated parameters, known types and the payload', async () => {
    @Injectable()
    class Listener {
      @KafkaListener({ topics: 'orders', ackMode: AckMode.MANUAL })
      onOrder(
        @Payload() order: OrderDto,
        @KafkaKey() key: string,
        @KafkaHeader('trace') trace: string,
        @KafkaHeader('raw') raw: Buffer,
        @KafkaHeader(KafkaHeaders.OFFSET) offset: number,
        @KafkaHeaders() all: Record<string, string>,
        record: ConsumerRecord,
        ack: Acknowledgment,
        consumer: Consumer,
        @RecordTopic() topic: string,
      ) {
        diary.push(order, key, trace, raw, offset, all, record.offset, topic);
        diary.push(ack instanceof Acknowledgment, consumer instanceof Consumer);
        ack.acknowledge();
      }
    }
    await start({ providers: [Listener] });
    await receive('{"id":"1"}', {
      key: 'k',
      headers: [
        { key: 'trace', value: 't' },
        { key: 'raw', value: 'r' },
      ],
    });
    expect(diary).toEqual([{ id: '1' }, 'k', 't', Buffer.from('r'), 0, { trace: 't', raw: 'r' }, 0, 'orders', true, true]);
    expect(committed()).toBe(1);
  });

  it('finds listeners on controllers, inherited ones, and several on one method', async () => {
    driver.cluster.createTopic('audit', 1);
    class Base {
      @KafkaListener('orders')
      @KafkaListener({ topics: 'audit', groupId: 'auditors' })
      onRecord(value: string) {
        diary.push(value);
      }
    }
    @Controller()
    class Derived extends Base {}
    const app = await start({ controllers: [Derived] });
    const registry = app.get(KafkaListenerEndpointRegistry);
    expect(registry.ids).toEqual(['Derived.onRecord', 'Derived.onRecord.1']);
    expect(registry.all.map((container) => container.settings.groupId)).toEqual(['g', 'auditors']);
    await receive('one');
    expect(diary).toEqual(['one']);
  });

  it('gives batch listeners arrays', async () => {
    @Injectable()
    class Listener {
      @KafkaListener({ topics: 'orders', batch: true })
      onOrders(@Payload() orders: OrderDto[], @KafkaKey() keys: string[]) {
        diary.push(orders, keys);
      }
    }
    driver.cluster.append({ topic: 'orders', value: '{"id":"1"}', key: 'a' });
    await start({ providers: [Listener] });
    await driver.consumers[0]?.parked();
    expect(diary).toEqual([[{ id: '1' }], ['a']]);
  });

  it('makes a request-scoped listener anew for each record, which it can inject', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Listener {
      constructor(@Inject(REQUEST) private readonly record: ConsumerRecord) {
        diary.push('made');
      }

      @KafkaListener('orders')
      onOrder(value: string) {
        diary.push(`${value}@${this.record.offset}`);
      }
    }
    await start({ providers: [Listener] });
    await receive('a');
    await receive('b');
    expect(diary).toEqual(['made', 'a@0', 'made', 'b@1']);
  });
});

describe('module: guards, pipes, interceptors, filters', () => {
  class Boom extends Error {}

  function errorsOf(recovered: unknown[]): DefaultErrorHandler {
    return new DefaultErrorHandler({ recoverer: (_record, error) => void recovered.push(error) });
  }

  it('runs guards, interceptors and pipes around the method, in the context of Kafka', async () => {
    class Guard implements CanActivate {
      canActivate(context: ExecutionContext) {
        diary.push(`guard ${isKafkaContext(context)} ${context.getType()} ${context.getHandler().name}`);
        return true;
      }
    }
    class Interceptor implements NestInterceptor {
      intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
        diary.push(`before ${context.getClass().name}`);
        return next.handle().pipe(tap(() => diary.push('after')));
      }
    }
    @Injectable()
    class Listener {
      @KafkaListener('orders')
      @UseGuards(Guard)
      @UseInterceptors(Interceptor)
      onOrder(@Payload(new ValidationPipe({ transform: true })) order: OrderDto) {
        diary.push(order instanceof OrderDto);
      }
    }
    await start({ providers: [Listener] });
    await receive('{"id":"1","quantity":2}');
    expect(diary).toEqual(['guard true rpc onOrder', 'before Listener', true, 'after']);
  });

  it('does not retry what a pipe or a guard refuses, and keeps its error', async () => {
    class Refusing implements CanActivate {
      canActivate(context: ExecutionContext) {
        return context.switchToRpc().getData<OrderDto>().id !== 'refused';
      }
    }
    @Injectable()
    class Listener {
      @KafkaListener('orders')
      @UseGuards(Refusing)
      onOrder(order: OrderDto) {
        diary.push(order.id);
      }
    }
    const recovered: Error[] = [];
    await start(
      { providers: [Listener, { provide: APP_PIPE, useValue: new ValidationPipe() }] },
      { listener: { errorHandler: errorsOf(recovered) } },
    );
    await receive('{"id":"1","quantity":"many"}');
    await receive('{"id":"refused","quantity":1}');
    await receive('{"id":"good","quantity":1}');
    expect(diary).toEqual(['good']);
    expect(recovered.map((error) => error.constructor.name)).toEqual(['BadRequestException', 'ForbiddenException']);
    expect(recovered[0]).toBeInstanceOf(BadRequestException);
    expect(committed()).toBe(3);
  });

  it.each<[string, (error: Error) => unknown, boolean]>([
    ['returns nothing', () => undefined, false],
    ['returns nothing, later', async () => undefined, false],
    ['returns something', () => true, true],
    ['returns something, later', async () => 'dealt with', true],
    ['throws another error', () => { throw new TypeError('response.status is not a function'); }, false],
  ])('an error stands, unchanged, when a filter %s: %p', async (_name, outcome, isHandled) => {
    const boom = new Boom('boom');
    @Catch(Boom)
    class Filter implements ExceptionFilter {
      catch(error: Error) {
        diary.push('filter');
        return outcome(error);
      }
    }
    @Injectable()
    class Listener {
      @KafkaListener('orders')
      @UseFilters(Filter)
      onOrder() {
        throw boom;
      }
    }
    const recovered: unknown[] = [];
    const errorHandler = new DefaultErrorHandler({
      recoverer: (_record, error) => void recovered.push(error),
      notRetryable: [Boom],
    });
    await start({ providers: [Listener] }, { listener: { errorHandler } });
    await receive('a');
    expect(diary).toEqual(['filter']);
    expect(recovered).toEqual(isHandled ? [] : [boom]);
    expect(recovered[0] === boom).toBe(!isHandled);
    expect(committed()).toBe(1);
  });

  it('global filters made for HTTP do no harm', async () => {
    @Catch()
    class HttpFilter implements ExceptionFilter {
      catch(_error: unknown, host: { switchToHttp(): { getResponse<T>(): T } }) {
        host.switchToHttp().getResponse<{ status(code: number): void }>().status(500);
      }
    }
    @Injectable()
    class Listener {
      @KafkaListener('orders')
      onOrder() {
        throw new Boom('boom');
      }
    }
    const recovered: unknown[] = [];
    const providers = [Listener, { provide: APP_FILTER, useClass: HttpFilter }];
    await start({ providers }, { listener: { errorHandler: errorsOf(recovered) } });
    await receive('a');
    expect(recovered).toEqual([expect.any(Boom)]);
  });
});

describe('module: start', () => {
  it.each<[string, () => unknown, RegExp]>([
    [
      'an unknown option',
      () => {
        class Listener {
          @KafkaListener({ topics: 'orders', groupID: 'g' } as object)
          onOrder(_value: string) {}
        }
        return Listener;
      },
      /@KafkaListener on Listener#onOrder have a problem:\n {2}- groupID is not an option: did you mean groupId\?/,
    ],
    [
      'a parameter without a meaning',
      () => {
        class Listener {
          @KafkaListener('orders')
          onOrder(_one: OrderDto, _other: OrderDto) {}
        }
        return Listener;
      },
      /options of Listener#onOrder have 2 problems:\n {2}- parameter 1 has no meaning/,
    ],
    [
      'an Acknowledgment that can do nothing',
      () => {
        class Listener {
          @KafkaListener('orders')
          onOrder(_value: string, _ack: Acknowledgment) {}
        }
        return Listener;
      },
      /takes an Acknowledgment, but its ackMode is BATCH: use ackMode: AckMode.MANUAL/,
    ],
    [
      'two sources',
      () => {
        class Listener {
          @KafkaListener({ topics: 'orders', topicPattern: /x/ })
          onOrder(_value: string) {}
        }
        return Listener;
      },
      /give exactly one of topics, topicPattern and topicPartitions/,
    ],
  ])('refuses %s', async (_name, listener, message) => {
    const Listener = listener() as new () => object;
    await expect(start({ providers: [Listener] })).rejects.toThrow(message);
    apps = [];
  });

  it('needs a group, and says how to do without', async () => {
    class Listener {
      @KafkaListener('orders')
      onOrder(_value: string) {}
    }
    await expect(start({ providers: [Listener] }, { consumer: { groupId: undefined } })).rejects.toThrow(
      /there is no group: set groupId here or consumer.groupId in KafkaModule; groupId: null reads everything/,
    );
    apps = [];
  });

  it('groupId null reads every partition without a group', async () => {
    class Listener {
      @KafkaListener({ topics: 'orders', groupId: null })
      onOrder(value: string) {
        diary.push(value);
      }
    }
    await start({ providers: [Listener] });
    await receive('a');
    expect(diary).toEqual(['a']);
    expect(driver.calls).toContain('assign orders-0');
    expect(committed()).toBeUndefined();
  });

  it('the id is the group unless there is a groupId; client ids are numbered', async () => {
    class Listener {
      @KafkaListener({ id: 'billing', topics: 'orders', concurrency: 2 })
      onOrder(_value: string) {}
    }
    await start({ providers: [Listener] }, { clientId: 'shop' });
    expect(driver.consumers.map(({ options }) => [options.groupId, options.clientId])).toEqual([
      ['billing', 'shop-0'],
      ['billing', 'shop-1'],
    ]);
  });

  it('creates and grows topics before anybody subscribes', async () => {
    class Listener {
      @KafkaListener('fresh')
      onOrder(_value: string) {}
    }
    await start(
      { providers: [Listener] },
      { topics: [newTopic('fresh', { partitions: 3 }), newTopic('orders', { partitions: 2 }), newTopic('orders.x')] },
    );
    expect(driver.calls).toEqual([
      'admin.createTopic fresh 3',
      'admin.createPartitions orders 2',
      'admin.createTopic orders.x default',
    ]);
  });

  it('refuses to start without its topics when missingTopicsFatal', async () => {
    class Listener {
      @KafkaListener({ topics: ['orders', 'nowhere'], missingTopicsFatal: true })
      onOrder(_value: string) {}
    }
    await expect(start({ providers: [Listener] })).rejects.toThrow(
      /^Topic\(s\) \[nowhere\] is\/are not present and missingTopicsFatal is true\./,
    );
    apps = [];
  });

  it('fails when the driver refuses an option', async () => {
    driver.createError = driverError('CONFIG');
    await expect(start({})).rejects.toThrow('scripted CONFIG');
    apps = [];
  });

  it('takes its options from a factory, a class or a provider', async () => {
    class Options {
      createKafkaOptions(): KafkaModuleOptions {
        return { bootstrapServers: 'localhost:1', driver, template: { defaultTopic: 'from-class' } };
      }
    }
    @Module({ providers: [Options, { provide: 'DEFAULT_TOPIC', useValue: 'from-factory' }], exports: [Options, 'DEFAULT_TOPIC'] })
    class OptionsModule {}
    const imports = [OptionsModule];
    const useFactory = async (defaultTopic: string) => ({
      ...new Options().createKafkaOptions(),
      template: { defaultTopic },
    });
    const topics: (string | undefined)[] = [];
    for (const kafka of [
      KafkaModule.forRootAsync({ imports, inject: ['DEFAULT_TOPIC'], useFactory: useFactory as never }),
      KafkaModule.forRootAsync({ useClass: Options }),
      KafkaModule.forRootAsync({ imports, useExisting: Options }),
    ]) {
      const app = await Test.createTestingModule({ imports: [kafka] }).compile();
      apps.push(await app.init());
      topics.push(app.get(KafkaTemplate).defaultTopic);
    }
    expect(topics).toEqual(['from-factory', 'from-class', 'from-class']);
    expect(() => KafkaModule.forRootAsync({})).toThrow(/exactly one of useFactory, useClass and useExisting/);
  });

  it('lists wrong options of the module, also from a factory', async () => {
    const useFactory = () => ({ bootstrapServers: 'nowhere', lstener: {} });
    const builder = Test.createTestingModule({ imports: [KafkaModule.forRootAsync({ useFactory })] });
    await expect(builder.compile()).rejects.toThrow(/KafkaModule have 2 problems:\n {2}- lstener.*listener\?\n {2}- .*host:port/);
  });
});

describe('module: lifecycle', () => {
  it('drains listeners, then lets services close, then flushes and closes the producer', async () => {
    @Injectable()
    class Database implements OnModuleDestroy, OnApplicationShutdown {
      constructor(@InjectKafkaTemplate() private readonly kafka: KafkaTemplate) {}

      onModuleDestroy() {
        driver.calls.push('database.disconnect');
        // What a service sends while it shuts down still arrives.
        void this.kafka.send('orders', 'goodbye').addCallback(() => driver.calls.push('goodbye acknowledged'));
      }

      onApplicationShutdown() {
        driver.calls.push('database.shutdown');
      }
    }
    @Injectable()
    class Listener {
      constructor(private readonly kafka: KafkaTemplate) {}

      @KafkaListener('orders')
      async onOrder(value: string) {
        if (value === 'first') await this.kafka.send('results', 'done');
      }
    }
    const app = await start({ providers: [Database, Listener] });
    await receive('first');
    driver.producers[0]!.isAutomatic = false;
    await app.close();
    apps = [];
    expect(driver.calls).toEqual([
      'commitSync orders-0@1',
      'close',
      'database.disconnect',
      'database.shutdown',
      'goodbye acknowledged',
      'producer.close',
      'admin.close',
    ]);
  });
});
