/**
 * The registry of listeners: one for the application, however many clusters it has. Global.
 */
import { Global, Module } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import type { Driver } from '../drivers/driver.js';
import { ContainerEvents } from '../events/container-event.js';
import { systemClock } from '../io/clock.js';
import { KafkaListenerEndpointRegistry } from '../listener/listener.registry.js';
import { clusterNamed } from './cluster-names.js';
import { KafkaAdmin } from './kafka-admin.js';
import { KafkaListenerEndpointRegistrar } from './kafka-listener-endpoint.registrar.js';
import { KAFKA_DRIVER } from './kafka.tokens.js';
import { nestLog } from './nest-log.js';

/** Provides KafkaListenerEndpointRegistry and the registrar. Imported by KafkaModule. */
@Global()
@Module({
  providers: [
    {
      provide: KafkaListenerEndpointRegistry,
      inject: [
        { token: KAFKA_DRIVER, optional: true },
        { token: KafkaAdmin, optional: true },
      ],
      useFactory: createRegistry,
    },
    {
      provide: KafkaListenerEndpointRegistrar,
      inject: [KafkaListenerEndpointRegistry, ModulesContainer],
      useFactory: (registry: KafkaListenerEndpointRegistry, modules: ModulesContainer) =>
        new KafkaListenerEndpointRegistrar({
          registry,
          clusterOf: (name) => clusterNamed(modules, name, 'the listener'),
        }),
    },
  ],
  exports: [KafkaListenerEndpointRegistry, KafkaListenerEndpointRegistrar],
})
export class KafkaRegistryModule {}

function createRegistry(driver: Driver | undefined, admin: KafkaAdmin | undefined): KafkaListenerEndpointRegistry {
  const log = nestLog('KafkaListener');
  const cluster =
    driver === undefined || admin === undefined ? undefined : { driver, admin: admin.client, topicsReady: admin.ready };
  return new KafkaListenerEndpointRegistry({ cluster, events: new ContainerEvents(log), clock: systemClock, log });
}
