import { Injectable, Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { InjectKafkaTemplate, getKafkaTemplateToken } from '../decorators/inject-kafka-template.decorator.js';
import { KafkaListener } from '../decorators/kafka-listener.decorator.js';
import { KafkaListenerEndpointRegistry } from '../listener/listener.registry.js';
import { KafkaTemplate } from '../template/kafka-template.js';
import { DriverFake } from '../testing/driver-fake.js';
import { FakeClock } from '../testing/fake-clock.js';
import { KafkaAdmin } from './kafka-admin.js';
import { KafkaModule } from './kafka.module.js';
import type { KafkaFeatureOptions, KafkaModuleOptions } from './kafka.options.js';
import { getKafkaAdminToken } from './kafka.tokens.js';
import { SILENT } from './module.fixture.js';

const apps: TestingModule[] = [];
let shop: DriverFake;
let billing: DriverFake;

beforeEach(() => {
  shop = new DriverFake(new FakeClock());
  billing = new DriverFake(new FakeClock());
});
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
});

async function start(imports: unknown[], providers: unknown[] = []): Promise<TestingModule> {
  const builder = Test.createTestingModule({ imports: imports as never[], providers: providers as never[] });
  const app = await builder.setLogger(SILENT).compile();
  apps.push(app);
  await app.init();
  return app;
}

function cluster(driver: DriverFake, options: Partial<KafkaModuleOptions> = {}) {
  return KafkaModule.forRoot({ bootstrapServers: 'none:9092', driver, ...options });
}

describe('module: several clusters', () => {
  it('each has its template, admin client and listeners', async () => {
    const seen: unknown[] = [];
    @Injectable()
    class Service {
      constructor(
        readonly main: KafkaTemplate,
        @InjectKafkaTemplate('billing') readonly other: KafkaTemplate,
      ) {}

      @KafkaListener({ topics: 'orders', groupId: 'g' })
      onOrder(value: string) {
        seen.push(`order ${value}`);
      }

      @KafkaListener({ topics: 'orders', groupId: 'g', cluster: 'billing' })
      onInvoice(value: string) {
        seen.push(`invoice ${value}`);
      }
    }
    shop.cluster.createTopic('orders');
    billing.cluster.createTopic('orders');
    const app = await start(
      [cluster(shop, { clientId: 'a' }), cluster(billing, { name: 'billing', clientId: 'b' })],
      [Service],
    );
    const service = app.get(Service);
    await service.main.send('orders', 'one');
    await service.other.send('orders', 'two');
    await shop.consumers[0]?.parked();
    await billing.consumers[0]?.parked();
    expect(seen.sort()).toEqual(['invoice two', 'order one']);
    expect(app.get(KafkaTemplate)).toBe(service.main);
    expect(app.get(getKafkaTemplateToken('billing'))).toBe(service.other);
    expect(app.get(getKafkaAdminToken('billing'))).not.toBe(app.get(KafkaAdmin));
    expect([shop, billing].map((driver) => driver.producers.map(({ options }) => options.clientId))).toEqual([
      ['a-producer'],
      ['b-producer'],
    ]);
    expect(app.get(KafkaListenerEndpointRegistry).ids).toEqual(['Service.onOrder', 'Service.onInvoice']);
    await app.close();
    expect([shop, billing].map((driver) => driver.producers[0]?.isClosed)).toEqual([true, true]);
  });

  it('works without one that has no name, and with options from a factory', async () => {
    const seen: unknown[] = [];
    class Listener {
      @KafkaListener({ topics: 'orders', groupId: 'g', cluster: 'billing' })
      onInvoice(value: string) {
        seen.push(value);
      }
    }
    billing.cluster.createTopic('orders');
    const named = KafkaModule.forRootAsync({
      name: 'billing',
      useFactory: () => ({ bootstrapServers: 'none:9092', driver: billing }),
    });
    const app = await start([named], [Listener]);
    await app.get<KafkaTemplate>(getKafkaTemplateToken('billing')).send('orders', 'x');
    await billing.consumers[0]?.parked();
    expect(seen).toEqual(['x']);
  });

  it.each<[string, () => Promise<unknown>, RegExp]>([
    [
      'a name used twice',
      () => start([cluster(shop, { name: 'a' }), cluster(billing, { name: 'a' })]),
      /forRoot is imported more than once for the cluster 'a': give each cluster a name of its own/,
    ],
    [
      'two without a name',
      () => start([cluster(shop), cluster(billing)]),
      /forRoot is imported more than once: .* for several clusters give each a name/,
    ],
    [
      'a listener of a cluster that is not there',
      () => start([cluster(shop), cluster(billing, { name: 'billing' })], [listenerOf('biling')]),
      /@KafkaListener on Listener#on have a problem:\n {2}- there is no cluster 'biling': did you mean 'billing'\?/,
    ],
    [
      'a listener that leaves the choice open',
      () => start([cluster(billing, { name: 'billing' })], [listenerOf(undefined)]),
      /it names no cluster, and every KafkaModule.forRoot has a name: choose one of billing/,
    ],
    [
      'a template of a cluster that is not there',
      () => start([cluster(shop), KafkaModule.forFeature([{ name: 'audit', cluster: 'x' }])]),
      /template 'audit' have a problem:\n {2}- there is no cluster 'x': the clusters are: default/,
    ],
    [
      'a template with the name of a cluster',
      () => start([cluster(shop, { name: 'x' }), KafkaModule.forFeature([{ name: 'x', cluster: 'x' }])]),
      /a cluster has that name, and its template with it/,
    ],
    [
      'wrong options of a named cluster, also when a template depends on it',
      () =>
        start([
          cluster(shop, { name: 'x', profile: 'fast' as never }),
          KafkaModule.forFeature([{ name: 'y', cluster: 'x' }]),
        ]),
      /KafkaModule 'x' have a problem:\n {2}- profile must be one of 'lowLatency', 'balanced', 'throughput'/,
    ],
    [
      'a name from the factory',
      () => {
        const options = { name: 'late', bootstrapServers: 'none:9092', driver: shop };
        return start([KafkaModule.forRootAsync({ useFactory: () => options })]);
      },
      /name is 'late' in the options and 'default' in forRootAsync: give it to forRootAsync alone/,
    ],
  ])('refuses %s', async (_name, begin, message) => {
    await expect(begin()).rejects.toThrow(message);
  });
});

function listenerOf(name: string | undefined): unknown {
  class Listener {
    @KafkaListener({ topics: 'orders', groupId: 'g', cluster: name })
    on(_value: string) {}
  }
  return Listener;
}

describe('module: named templates', () => {
  it('have a producer of their own: the nearest choice wins', async () => {
    const options: Partial<KafkaModuleOptions> = {
      profile: 'balanced',
      producer: { lingerMs: 1, acks: 1 },
      template: { defaultTopic: 'main' },
    };
    const feature: KafkaFeatureOptions = {
      name: 'bulk',
      profile: 'throughput',
      producer: { batchSize: 7 },
      defaultTopic: 'bulk',
      serializers: { value: 'string' },
    };
    const app = await start([cluster(shop, options), KafkaModule.forFeature([feature, { name: 'plain' }])]);
    const bulk = app.get<KafkaTemplate>(getKafkaTemplateToken('bulk'));
    await bulk.sendDefault('v');
    await expect(bulk.sendDefault({})).rejects.toMatchObject({ code: 'SERIALIZATION' });
    await app.get<KafkaTemplate>(getKafkaTemplateToken('plain')).sendDefault({});
    const producers = shop.producers.map(({ options: own, appended }) => [
      own.clientId,
      own.lingerMs,
      own.batchSize,
      own.compressionType,
      own.acks,
      appended.map(({ topic }) => topic).join(),
    ]);
    expect(producers.sort()).toEqual([
      ['kafka-template-producer', 1, 65_536, 'none', 1, ''],
      ['kafka-template-producer-bulk', 20, 7, 'lz4', 1, 'bulk'],
      ['kafka-template-producer-plain', 1, 65_536, 'none', 1, 'main'],
    ]);
    await app.close();
    expect(shop.producers.map(({ isClosed }) => isClosed)).toEqual([true, true, true]);
  });

  it('a driver without the codec of a profile sends uncompressed', async () => {
    shop.capabilities.allCodecs = false;
    await start([cluster(shop, { profile: 'throughput' })]);
    expect(shop.producers[0]?.options).toMatchObject({ lingerMs: 20, compressionType: 'none' });
  });

  it('are one template for equal options in two modules, and refused for others', async () => {
    @Module({ imports: [KafkaModule.forFeature([{ name: 'audit', producer: { acks: 1 } }])] })
    class One {}
    @Module({ imports: [KafkaModule.forFeature([{ name: 'audit', producer: { acks: 1 } }])] })
    class Same {}
    @Module({ imports: [KafkaModule.forFeature([{ name: 'audit', producer: { acks: 0 } }])] })
    class Other {}
    await start([cluster(shop), One, Same]);
    expect(shop.producers).toHaveLength(2);
    await expect(start([cluster(billing), One, Other])).rejects.toThrow(
      /there are two templates 'audit' with different options/,
    );
  });

  it.each<[string, unknown, RegExp]>([
    ['no name', {}, /each template needs a name/],
    [
      'an unknown option',
      { name: 'a', defaultTopik: 'x' },
      /a.defaultTopik is not an option: did you mean defaultTopic\?/,
    ],
    [
      'a producer option out of range',
      { name: 'a', producer: { lingerMs: -1 } },
      /a.producer.lingerMs must be a number/,
    ],
    ['the name of the main one', { name: 'default' }, /'default' is the name of the template of forRoot/],
  ])('refuses %s', (_name, feature, message) => {
    expect(() => KafkaModule.forFeature([feature as KafkaFeatureOptions])).toThrow(message);
  });

  it('are refused when one name stands for templates on two clusters', async () => {
    const imports = [
      cluster(shop),
      cluster(billing, { name: 'billing' }),
      KafkaModule.forFeature([{ name: 'audit' }]),
      KafkaModule.forFeature([{ name: 'audit', cluster: 'billing' }]),
    ];
    await expect(start(imports)).rejects.toThrow(/templates of that name on the clusters .* and .*another name/);
  });

  it('refuses a name twice', () => {
    expect(() => KafkaModule.forFeature([{ name: 'a' }, { name: 'a' }])).toThrow(/the name 'a' is there twice/);
  });
});
