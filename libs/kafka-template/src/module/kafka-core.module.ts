/**
 * The global half of the module: options, driver, producer, template, admin client and the registry of listeners.
 *
 * Global, so that it is destroyed after everybody else: what a service sends while it shuts down still arrives. Topics are
 * created in `onModuleInit`, before any module of the application; the producer is flushed and closed in
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
import type { Driver } from '../drivers/driver.js';
import { nativeDriver } from '../drivers/native/native.driver.js';
import { ContainerEvents } from '../events/container-event.js';
import { systemClock } from '../io/clock.js';
import { KafkaListenerEndpointRegistry } from '../listener/listener.registry.js';
import { recordSerdes } from '../serde/record-serdes.js';
import { KafkaTemplate } from '../template/kafka-template.js';
import { LoggingProducerListener } from '../template/producer-listener.js';
import { KafkaAdmin } from './kafka-admin.js';
import type { KafkaModuleOptions } from './kafka.options.js';
import { KAFKA_DRIVER, KAFKA_OPTIONS } from './kafka.tokens.js';
import { nestLog } from './nest-log.js';

const DEFAULT_CLIENT_ID = 'kafka-template';

const PROVIDERS: Provider[] = [
  {
    provide: KAFKA_DRIVER,
    inject: [KAFKA_OPTIONS],
    useFactory: (options: KafkaModuleOptions): Driver => options.driver ?? nativeDriver(nestLog('KafkaClient')),
  },
  { provide: KafkaTemplate, inject: [KAFKA_OPTIONS, KAFKA_DRIVER], useFactory: createTemplate },
  { provide: KafkaAdmin, inject: [KAFKA_OPTIONS, KAFKA_DRIVER], useFactory: createAdmin },
  { provide: KafkaListenerEndpointRegistry, inject: [KAFKA_DRIVER, KafkaAdmin], useFactory: createRegistry },
];

/** Global providers and their lifecycle. Imported by KafkaModule. */
@Global()
@Module({})
export class KafkaCoreModule implements OnModuleInit, OnApplicationShutdown {
  constructor(
    @Inject(KafkaTemplate) private readonly template: KafkaTemplate,
    @Inject(KafkaAdmin) private readonly admin: KafkaAdmin,
  ) {}

  /** With the provider of KAFKA_OPTIONS. */
  static with(options: Pick<DynamicModule, 'imports' | 'providers'>): DynamicModule {
    return {
      module: KafkaCoreModule,
      imports: options.imports ?? [],
      providers: [...(options.providers ?? []), ...PROVIDERS],
      exports: [KAFKA_OPTIONS, KAFKA_DRIVER, KafkaTemplate, KafkaAdmin, KafkaListenerEndpointRegistry],
    };
  }

  /** Creates the topics of the configuration. */
  async onModuleInit(): Promise<void> {
    await this.admin.initialize();
  }

  /** Everything sent has an outcome when this resolves. */
  async onApplicationShutdown(): Promise<void> {
    await this.template.close();
    await this.admin.close();
  }
}

function createTemplate(options: KafkaModuleOptions, driver: Driver): KafkaTemplate {
  const log = nestLog('KafkaTemplate');
  const clientId = `${options.clientId ?? DEFAULT_CLIENT_ID}-producer`;
  const producer = driver.createProducer({ ...clientOptions(options), clientId, ...options.producer });
  return new KafkaTemplate(
    {
      producer,
      serdes: recordSerdes(options.serializers),
      listener: options.producerListener ?? new LoggingProducerListener(log),
      clock: systemClock,
      log,
    },
    options.template,
  );
}

function createAdmin(options: KafkaModuleOptions, driver: Driver): KafkaAdmin {
  const clientId = `${options.clientId ?? DEFAULT_CLIENT_ID}-admin`;
  return new KafkaAdmin({
    client: driver.createAdmin({ ...clientOptions(options), clientId, ...options.admin?.properties }),
    topics: options.topics ?? [],
    options: options.admin ?? {},
    clock: systemClock,
    log: nestLog('KafkaAdmin'),
  });
}

function createRegistry(driver: Driver, admin: KafkaAdmin): KafkaListenerEndpointRegistry {
  const log = nestLog('KafkaListener');
  return new KafkaListenerEndpointRegistry({
    driver,
    admin: admin.client,
    events: new ContainerEvents(log),
    clock: systemClock,
    log,
    topicsReady: admin.ready,
  });
}

/** What all clients of the module share. */
export function clientOptions(options: KafkaModuleOptions): KafkaModuleOptions['client'] & object {
  return { bootstrapServers: options.bootstrapServers, ...options.client };
}
