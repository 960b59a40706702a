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
  type NestInterceptor,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
  ValidationPipe,
  createParamDecorator,
} from '@nestjs/common';
import { APP_FILTER, APP_PIPE, REQUEST } from '@nestjs/core';
import { IsInt, IsString } from 'class-validator';
import { type Observable, tap } from 'rxjs';
import { AckMode } from '../commit/ack-mode.js';
import { Acknowledgment } from '../commit/acknowledgment.js';
import { KafkaListener } from '../decorators/kafka-listener.decorator.js';
import { KafkaHeader, KafkaHeaders, KafkaKey, Payload } from '../decorators/parameter.decorators.js';
import { DefaultErrorHandler } from '../error-handling/default-error-handler.js';
import { Consumer } from '../listener/consumer.js';
import { KafkaListenerEndpointRegistry } from '../listener/listener.registry.js';
import { ModuleFixture } from '../module/module.fixture.js';
import { ConsumerRecord } from '../record/consumer-record.js';
import { isKafkaContext } from './kafka-arguments-host.js';

/** Everything that happens in the listeners of a test, in order. */
let diary: unknown[] = [];
let fixture: ModuleFixture;

beforeEach(() => {
  diary = [];
  fixture = new ModuleFixture();
});

afterEach(() => fixture.close());

class OrderDto {
  @IsString() id!: string;
  @IsInt() quantity!: number;
}

const RecordTopic = createParamDecorator(
  (_data: unknown, context: ExecutionContext) => context.switchToRpc().getContext<ConsumerRecord>().topic,
);

describe('discovery: parameters of listeners', () => {
  it('fills decorated parameters, known types and the payload', async () => {
    @Injectable()
    class Listener {
      @KafkaListener({ topics: 'orders', ackMode: AckMode.MANUAL, info: 'the one' })
      onOrder(
        @KafkaHeader(KafkaHeaders.LISTENER_INFO) info: string,
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
        diary.push(info, order, key, trace, raw, offset, all, record.offset, topic);
        diary.push(ack instanceof Acknowledgment, consumer instanceof Consumer);
        ack.acknowledge();
      }
    }
    await fixture.start({ providers: [Listener] });
    await fixture.receive('{"id":"1"}', {
      key: 'k',
      headers: [
        { key: 'trace', value: 't' },
        { key: 'raw', value: 'r' },
      ],
    });
    expect(diary).toEqual([
      'the one',
      { id: '1' },
      'k',
      't',
      Buffer.from('r'),
      0,
      { trace: 't', raw: 'r' },
      0,
      'orders',
      true,
      true,
    ]);
    expect(fixture.committed()).toBe(1);
  });

  it('finds listeners on controllers, inherited ones, and several on one method', async () => {
    fixture.driver.cluster.createTopic('audit', 1);
    class Base {
      @KafkaListener('orders')
      @KafkaListener({ topics: 'audit', groupId: 'auditors' })
      onRecord(value: string) {
        diary.push(value);
      }
    }
    @Controller()
    class Derived extends Base {}
    const app = await fixture.start({ controllers: [Derived] });
    const registry = app.get(KafkaListenerEndpointRegistry);
    expect(registry.ids).toEqual(['Derived.onRecord', 'Derived.onRecord.1']);
    expect(registry.all.map((container) => container.settings.groupId)).toEqual(['g', 'auditors']);
    await fixture.receive('one');
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
    fixture.driver.cluster.append({ topic: 'orders', value: '{"id":"1"}', key: 'a' });
    await fixture.start({ providers: [Listener] });
    await fixture.driver.consumers[0]?.parked();
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
    await fixture.start({ providers: [Listener] });
    await fixture.receive('a');
    await fixture.receive('b');
    expect(diary).toEqual(['made', 'a@0', 'made', 'b@1']);
  });
});

describe('discovery: guards, pipes, interceptors, filters', () => {
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
    await fixture.start({ providers: [Listener] });
    await fixture.receive('{"id":"1","quantity":2}');
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
    await fixture.start(
      { providers: [Listener, { provide: APP_PIPE, useValue: new ValidationPipe() }] },
      { listener: { errorHandler: errorsOf(recovered) } },
    );
    await fixture.receive('{"id":"1","quantity":"many"}');
    await fixture.receive('{"id":"refused","quantity":1}');
    await fixture.receive('{"id":"good","quantity":1}');
    expect(diary).toEqual(['good']);
    expect(recovered.map((error) => error.constructor.name)).toEqual(['BadRequestException', 'ForbiddenException']);
    expect(recovered[0]).toBeInstanceOf(BadRequestException);
    expect(fixture.committed()).toBe(3);
  });

  it.each<[string, (error: Error) => unknown, boolean]>([
    ['returns nothing', () => undefined, false],
    ['returns nothing, later', async () => undefined, false],
    ['returns something', () => true, true],
    ['returns something, later', async () => 'dealt with', true],
    [
      'throws another error',
      () => {
        throw new TypeError('response.status is not a function');
      },
      false,
    ],
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
    await fixture.start({ providers: [Listener] }, { listener: { errorHandler } });
    await fixture.receive('a');
    expect(diary).toEqual(['filter']);
    expect(recovered).toEqual(isHandled ? [] : [boom]);
    expect(recovered[0] === boom).toBe(!isHandled);
    expect(fixture.committed()).toBe(1);
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
    await fixture.start({ providers }, { listener: { errorHandler: errorsOf(recovered) } });
    await fixture.receive('a');
    expect(recovered).toEqual([expect.any(Boom)]);
  });
});
