import { Injectable, Module, type OnApplicationShutdown, type OnModuleDestroy } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Acknowledgment } from '../commit/acknowledgment.js';
import { InjectKafkaTemplate } from '../decorators/inject-kafka-template.decorator.js';
import { KafkaListener } from '../decorators/kafka-listener.decorator.js';
import { KafkaTemplate } from '../template/kafka-template.js';
import { driverError } from '../testing/cluster-fake.js';
import { KafkaModule } from './kafka.module.js';
import type { KafkaModuleOptions } from './kafka.options.js';
import { ModuleFixture } from './module.fixture.js';
import { newTopic } from './new-topic.js';

/** Everything that happens in the listeners of a test, in order. */
let diary: unknown[] = [];
let fixture: ModuleFixture;

beforeEach(() => {
  diary = [];
  fixture = new ModuleFixture();
});

afterEach(() => fixture.close());

class OrderDto {}

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
      /options of @KafkaListener on Listener#onOrder have 2 problems:\n {2}- parameter 1 has no meaning/,
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
    await expect(fixture.start({ providers: [Listener] })).rejects.toThrow(message);
  });

  it('needs a group, and says how to do without', async () => {
    class Listener {
      @KafkaListener('orders')
      onOrder(_value: string) {}
    }
    await expect(fixture.start({ providers: [Listener] }, { consumer: { groupId: undefined } })).rejects.toThrow(
      /there is no group: set groupId here or consumer.groupId in KafkaModule; groupId: null reads everything/,
    );
  });

  it('groupId null reads every partition without a group', async () => {
    class Listener {
      @KafkaListener({ topics: 'orders', groupId: null })
      onOrder(value: string) {
        diary.push(value);
      }
    }
    await fixture.start({ providers: [Listener] });
    await fixture.receive('a');
    expect(diary).toEqual(['a']);
    expect(fixture.driver.calls).toContain('assign orders-0');
    expect(fixture.committed()).toBeUndefined();
  });

  it('the id is the group unless there is a groupId; client ids are numbered', async () => {
    class Listener {
      @KafkaListener({ id: 'billing', topics: 'orders', concurrency: 2 })
      onOrder(_value: string) {}
    }
    await fixture.start({ providers: [Listener] }, { clientId: 'shop' });
    expect(fixture.driver.consumers.map(({ options }) => [options.groupId, options.clientId])).toEqual([
      ['billing', 'shop-0'],
      ['billing', 'shop-1'],
    ]);
  });

  it('creates and grows topics before anybody subscribes', async () => {
    class Listener {
      @KafkaListener('fresh')
      onOrder(_value: string) {}
    }
    await fixture.start(
      { providers: [Listener] },
      { topics: [newTopic('fresh', { partitions: 3 }), newTopic('orders', { partitions: 2 }), newTopic('orders.x')] },
    );
    expect(fixture.driver.calls).toEqual([
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
    await expect(fixture.start({ providers: [Listener] })).rejects.toThrow(
      /^Topic\(s\) \[nowhere\] is\/are not present and missingTopicsFatal is true\./,
    );
  });

  it('can be imported once', async () => {
    const again = KafkaModule.forRoot({ bootstrapServers: 'localhost:1', driver: fixture.driver });
    await expect(fixture.start({ imports: [again] })).rejects.toThrow(/forRoot is imported more than once/);
  });

  it('fails when the driver refuses an option', async () => {
    fixture.driver.createError = driverError('CONFIG');
    await expect(fixture.start({})).rejects.toThrow('scripted CONFIG');
  });

  it('takes its options from a factory, a class or a provider', async () => {
    class Options {
      createKafkaOptions(): KafkaModuleOptions {
        return { bootstrapServers: 'localhost:1', driver: fixture.driver, template: { defaultTopic: 'from-class' } };
      }
    }
    @Module({
      providers: [Options, { provide: 'DEFAULT_TOPIC', useValue: 'from-factory' }],
      exports: [Options, 'DEFAULT_TOPIC'],
    })
    class OptionsModule {}
    const imports = [OptionsModule];
    const useFactory = async (defaultTopic: string) => ({
      ...new Options().createKafkaOptions(),
      template: { defaultTopic },
    });
    const topics: (string | undefined)[] = [];
    for (const kafka of [
      KafkaModule.forRootAsync({ imports, inject: ['DEFAULT_TOPIC'], useFactory }),
      KafkaModule.forRootAsync({ useClass: Options }),
      KafkaModule.forRootAsync({ imports, useExisting: Options }),
    ]) {
      const app = await Test.createTestingModule({ imports: [kafka] }).compile();
      await app.init();
      topics.push(app.get(KafkaTemplate).defaultTopic);
    }
    expect(topics).toEqual(['from-factory', 'from-class', 'from-class']);
    expect(() => KafkaModule.forRootAsync({})).toThrow(/exactly one of useFactory, useClass and useExisting/);
  });

  it('lists wrong options of the module, also from a factory', async () => {
    const useFactory = () => ({ bootstrapServers: 'nowhere', lstener: {} });
    const builder = Test.createTestingModule({ imports: [KafkaModule.forRootAsync({ useFactory })] });
    await expect(builder.compile()).rejects.toThrow(
      /KafkaModule have 2 problems:\n {2}- lstener.*listener\?\n {2}- .*host:port/,
    );
  });
});

describe('module: lifecycle', () => {
  it('drains listeners, then lets services close, then flushes and closes the producer', async () => {
    @Injectable()
    class Database implements OnModuleDestroy, OnApplicationShutdown {
      constructor(@InjectKafkaTemplate() private readonly kafka: KafkaTemplate) {}

      onModuleDestroy() {
        fixture.driver.calls.push('database.disconnect');
        // What a service sends while it shuts down still arrives.
        void this.kafka.send('orders', 'goodbye').addCallback(() => fixture.driver.calls.push('goodbye acknowledged'));
      }

      onApplicationShutdown() {
        fixture.driver.calls.push('database.shutdown');
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
    await fixture.start({ providers: [Database, Listener] });
    await fixture.receive('first');
    fixture.driver.producers[0]!.isAutomatic = false;
    await fixture.close();
    expect(fixture.driver.calls).toEqual([
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
