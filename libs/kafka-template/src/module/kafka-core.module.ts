/**
 * The global half of the module, once for each cluster: options, driver, producer, template, admin client.
 *
 * Global, so that it is destroyed after everybody else: what a service sends while it shuts down still arrives. Topics are
 * created in `onModuleInit`, before any module of the application; producers are flushed and closed in
 * `onApplicationShutdown`, after the listeners have stopped.
 */
import {
  type DynamicModule,
  Global,
  Inject,
  Module,
  type OnApplicationShutdown,
  type OnModuleInit,
  type Provider,
} from '@nestjs/common';
import { getKafkaTemplateToken } from '../decorators/inject-kafka-template.decorator.js';
import type { Driver } from '../drivers/driver.js';
import { nativeDriver } from '../drivers/native/native.driver.js';
import type { KafkaTemplate } from '../template/kafka-template.js';
import { KafkaCluster } from './kafka-cluster.js';
import type { KafkaAdmin } from './kafka-admin.js';
import type { KafkaModuleOptions } from './kafka.options.js';
import {
  KAFKA_CLUSTER,
  KAFKA_CLUSTER_NAME,
  clusterToken,
  getKafkaAdminToken,
  getKafkaDriverToken,
  getKafkaOptionsToken,
} from './kafka.tokens.js';
import { createAdmin, createTemplate } from './client-factories.js';
import { nestLog } from './nest-log.js';

/** Global providers of one cluster and their lifecycle. Imported by KafkaModule. */
@Global()
@Module({})
export class KafkaCoreModule implements OnModuleInit, OnApplicationShutdown {
  constructor(@Inject(KAFKA_CLUSTER) readonly cluster: KafkaCluster) {}

  /** With the provider of the options, under the token of that name. */
  static with(name: string, options: Pick<DynamicModule, 'imports' | 'providers'>): DynamicModule {
    return {
      module: KafkaCoreModule,
      imports: options.imports ?? [],
      providers: [...(options.providers ?? []), ...providersOf(name)],
      exports: [
        getKafkaOptionsToken(name),
        getKafkaDriverToken(name),
        getKafkaTemplateToken(name),
        getKafkaAdminToken(name),
        clusterToken(name),
      ],
    };
  }

  /** Creates the topics of the configuration. */
  async onModuleInit(): Promise<void> {
    await this.cluster.admin.initialize();
  }

  /** Everything sent has an outcome when this resolves. */
  async onApplicationShutdown(): Promise<void> {
    await this.cluster.close();
  }
}

function providersOf(name: string): Provider[] {
  const options = getKafkaOptionsToken(name);
  const driver = getKafkaDriverToken(name);
  const template = getKafkaTemplateToken(name);
  const admin = getKafkaAdminToken(name);
  return [
    { provide: KAFKA_CLUSTER_NAME, useValue: name },
    {
      provide: driver,
      inject: [options],
      useFactory: (given: KafkaModuleOptions): Driver => given.driver ?? nativeDriver(nestLog('KafkaClient')),
    },
    { provide: template, inject: [options, driver], useFactory: createTemplate },
    { provide: admin, inject: [options, driver], useFactory: createAdmin },
    {
      provide: clusterToken(name),
      inject: [options, driver, template, admin],
      useFactory: (given: KafkaModuleOptions, client: Driver, main: KafkaTemplate, manager: KafkaAdmin) =>
        new KafkaCluster({ name, options: given, driver: client, template: main, admin: manager }),
    },
    { provide: KAFKA_CLUSTER, useExisting: clusterToken(name) },
  ];
}
