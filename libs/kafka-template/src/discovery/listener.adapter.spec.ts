import { type CanActivate, type ExecutionContext, Injectable, ParseIntPipe, UseGuards } from '@nestjs/common';
import { ExternalContextCreator } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { KafkaListener } from '../decorators/kafka-listener.decorator.js';
import { KafkaHeader, KafkaHeaders, KafkaKey, Payload } from '../decorators/parameter.decorators.js';
import { FixedBackOff } from '../error-handling/back-off.js';
import { DefaultErrorHandler } from '../error-handling/default-error-handler.js';
import { KafkaModule } from '../module/kafka.module.js';
import { ModuleFixture, SILENT } from '../module/module.fixture.js';
import { DriverFake } from '../testing/driver-fake.js';
import { FakeClock } from '../testing/fake-clock.js';

/** What the listeners of a test were given. */
let heard: unknown[] = [];

beforeEach(() => (heard = []));

/** Nest 11 keeps what it knows of a method under the name of its class. */
class StorageByName {
  readonly #known = new Map<string, unknown>();

  get(instance: object, key: string): unknown {
    return this.#known.get(instance.constructor.name + key.split(':').at(-1));
  }

  set(instance: object, key: string, metadata: unknown): void {
    this.#known.set(instance.constructor.name + key.split(':').at(-1), metadata);
  }
}

function listenerOf(id: string): new () => object {
  @Injectable()
  class OrderListener {
    @KafkaListener({ id, topics: 'orders' })
    onOrder(@KafkaKey() key: string, @Payload() value: string, @KafkaHeader(KafkaHeaders.GROUP_ID) group: string) {
      heard.push([id, key, value, group]);
    }
  }
  return OrderListener;
}

function guardedListenerOf(id: string): new () => object {
  class Guard implements CanActivate {
    canActivate(context: ExecutionContext): boolean {
      heard.push([id, 'guard', context.getHandler().name]);
      return true;
    }
  }
  @Injectable()
  class OrderListener {
    @KafkaListener({ id, topics: 'orders' })
    @UseGuards(Guard)
    onOrder(@Payload(ParseIntPipe) value: number, @KafkaKey() key: string) {
      heard.push([id, value, key]);
    }
  }
  return OrderListener;
}

describe('listener adapter: each listener has a context of its own', () => {
  it('several @KafkaListener on one method: group and delivery attempt are those of the listener', async () => {
    const fixture = new ModuleFixture();
    @Injectable()
    class Listener {
      @KafkaListener({ id: 'first', topics: 'orders' })
      @KafkaListener({ id: 'second', topics: 'orders' })
      onOrder(
        @KafkaHeader(KafkaHeaders.GROUP_ID) group: string,
        @KafkaHeader(KafkaHeaders.DELIVERY_ATTEMPT) attempt: number,
      ) {
        heard.push(`${group} ${attempt}`);
        if (group === 'second' && attempt === 1) throw new Error('once');
      }
    }
    const errorHandler = () => new DefaultErrorHandler({ backOff: new FixedBackOff(0, 1) });
    await fixture.start({ providers: [Listener] }, { listener: { errorHandler } });
    await fixture.receive('1');
    await fixture.driver.consumers[1]?.parked();
    expect(heard.toSorted()).toEqual(['first 1', 'second 1', 'second 2']);
    await fixture.close();
  });

  it('classes of the same name with methods of the same name', async () => {
    const driver = new DriverFake(new FakeClock());
    driver.cluster.createTopic('orders', 1);
    const kafka = KafkaModule.forRoot({ bootstrapServers: 'localhost:9092', driver });
    const providers = [listenerOf('billing'), guardedListenerOf('shipping')];
    const app = await Test.createTestingModule({ imports: [kafka], providers })
      .setLogger(SILENT)
      .compile();
    Object.assign(app.get(ExternalContextCreator, { strict: false }), { handlerMetadataStorage: new StorageByName() });
    await app.init();
    await Promise.all(driver.consumers.map((consumer) => consumer.parked()));
    driver.cluster.append({ topic: 'orders', key: 'KEY', value: '7' });
    await Promise.all(driver.consumers.map((consumer) => consumer.parked()));
    const of = (id: string) => heard.filter((entry) => (entry as unknown[])[0] === id);
    expect(of('billing')).toEqual([['billing', 'KEY', '7', 'billing']]);
    expect(of('shipping')).toEqual([
      ['shipping', 'guard', 'onOrder'],
      ['shipping', 7, 'KEY'],
    ]);
    await app.close();
  });
});
