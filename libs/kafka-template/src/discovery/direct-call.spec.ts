/**
 * A listener method is called directly only where Nest would run nothing around it.
 */
import { type PipeTransform, UseGuards, UseInterceptors, UsePipes, createParamDecorator } from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import { of } from 'rxjs';
import { Payload } from '../decorators/parameter.decorators.js';
import type { Consumer } from '../listener/consumer.js';
import { ConsumerRecord } from '../record/consumer-record.js';
import { directCall } from './direct-call.js';
import { planParameters } from './parameter-plan.js';

const pipe: PipeTransform = { transform: (value: unknown) => value };
const guard = { canActivate: () => true };
const interceptor = { intercept: (_context: unknown, next: { handle(): never }) => next.handle() };
const Custom = createParamDecorator(() => 'custom');

class Plain {
  handle(@Payload() value: unknown, @Payload('name') name: unknown): unknown {
    return [this instanceof Plain, value, name];
  }
}

class Bare {
  handle(...parameters: unknown[]): unknown {
    return parameters.length;
  }
}

class Three {
  handle(@Payload('a') a: unknown, @Payload('b') b: unknown, @Payload('c') c: unknown): unknown {
    return of([a, b, c]);
  }
}

@UseGuards(guard)
class Guarded extends Bare {}

@UseInterceptors(interceptor)
class Intercepted extends Bare {}

class PipedMethod {
  @UsePipes(pipe)
  handle(): void {}
}

class PipedParameter {
  handle(@Payload(pipe) _value: unknown): void {}
}

class CustomParameter {
  handle(@Custom() _value: unknown): void {}
}

function callOf(Type: new () => { handle(...parameters: never[]): unknown }, config = new ApplicationConfig()) {
  const instance = new Type();
  const source = { plan: planParameters({}, [], 0), groupId: 'group', deliveryAttempt: () => 1 };
  const method = instance.handle as (...parameters: unknown[]) => unknown;
  return directCall({ instance, method, methodName: 'handle', source, config });
}

describe('directCall', () => {
  const consumer = {} as Consumer;
  const record = {} as ConsumerRecord;

  it('fills the parameters as they are noted', () => {
    const payload = { name: 'n' };
    expect(callOf(Plain)?.(payload, record, undefined, consumer)).toEqual([true, payload, 'n']);
  });

  it('gives everything to a method without noted parameters', () => {
    expect(callOf(Bare)?.('value', record, undefined, consumer)).toBe(4);
  });

  it('takes the last value of an observable', async () => {
    const returned = callOf(Three)?.({ a: 1, b: 2, c: 3 }, record, undefined, consumer);
    await expect(returned).resolves.toEqual([1, 2, 3]);
  });

  it.each([
    ['a guard on the class', Guarded],
    ['an interceptor on the class', Intercepted],
    ['a pipe on the method', PipedMethod],
    ['a pipe on a parameter', PipedParameter],
    ['a parameter of a decorator made with createParamDecorator', CustomParameter],
  ])('is not there with %s', (_what, Type) => {
    expect(callOf(Type)).toBeUndefined();
  });

  it.each<[string, (config: ApplicationConfig) => void]>([
    ['guard', (config) => config.useGlobalGuards(guard)],
    ['pipe', (config) => config.useGlobalPipes(pipe)],
    ['interceptor', (config) => config.useGlobalInterceptors(interceptor)],
  ])('is not there with a %s of the whole application', (_what, use) => {
    const config = new ApplicationConfig();
    use(config);
    expect(callOf(Plain, config)).toBeUndefined();
  });
});
