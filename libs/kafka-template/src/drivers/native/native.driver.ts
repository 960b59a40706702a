/**
 * The default driver: `@kafka-template/client` behind the port. Names and shapes are the same, so it is thin.
 *
 * The client's messages go to the log it is given. Nothing outside `drivers/` imports the client.
 */
import {
  type Admin,
  type AdminOptions,
  type ConsumerOptions,
  type ProducerOptions,
  createAdmin,
  createConsumer,
  createProducer,
} from '@kafka-template/client';
import { type Clock, systemClock } from '../../io/clock.js';
import type { Log } from '../../io/log.js';
import { ALL_CAPABILITIES } from '../driver-capabilities.js';
import type { ClientProperties } from '../driver-options.js';
import type { Driver, DriverAdmin, DriverConsumer, DriverProducer } from '../driver.js';
import { connectionLog } from './connection-log.js';
import { NativeAdmin } from './native.admin.js';

/** A driver on this project's own client. */
export function nativeDriver(log: Log, clock: Clock = systemClock): Driver {
  const logger = connectionLog(log, clock);
  return {
    name: 'native',
    capabilities: ALL_CAPABILITIES,
    createProducer: (options): DriverProducer => createProducer({ ...clientOptions<ProducerOptions>(options), logger }),
    createConsumer: (options): DriverConsumer => createConsumer({ ...clientOptions<ConsumerOptions>(options), logger }),
    createAdmin(options): DriverAdmin {
      const admin: Admin = createAdmin({ ...clientOptions<AdminOptions>(options), logger });
      return new NativeAdmin(admin);
    },
  };
}

/** The same options; the client's types differ only in lists it wants to be able to change. */
function clientOptions<T>(options: ClientProperties): T {
  return options as unknown as T;
}
