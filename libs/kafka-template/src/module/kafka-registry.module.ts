/**
 * The registry of listeners: one for the application, however many clusters it has. Global.
 */
import { Global, Module } from '@nestjs/common';
import type { Driver } from '../drivers/driver.js';
import { ContainerEvents } from '../events/container-event.js';
import { systemClock } from '../io/clock.js';
import { KafkaListenerEndpointRegistry } from '../listener/listener.registry.js';
import { KafkaAdmin } from './kafka-admin.js';
import { KAFKA_DRIVER } from './kafka.tokens.js';
import { nestLog } from './nest-log.js';

/** Provides KafkaListenerEndpointRegistry. Imported by KafkaModule. */
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
  ],
  exports: [KafkaListenerEndpointRegistry],
})
export class KafkaRegistryModule {}

function createRegistry(driver: Driver | undefined, admin: KafkaAdmin | undefined): KafkaListenerEndpointRegistry {
  const log = nestLog('KafkaListener');
  const cluster =
    driver === undefined || admin === undefined ? undefined : { driver, admin: admin.client, topicsReady: admin.ready };
  return new KafkaListenerEndpointRegistry({ cluster, events: new ContainerEvents(log), clock: systemClock, log });
}
