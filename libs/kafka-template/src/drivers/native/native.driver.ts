/**
 * The default driver: `@kafka-template/client` behind the port. Names and shapes are the same, so it is thin.
 *
 * The client's messages go to the log it is given. Nothing else in this library imports the client.
 */
import {
  type Admin,
  type AdminOptions,
  type ClientLogger,
  type ConsumerOptions,
  type LogFields,
  type ProducerOptions,
  createAdmin,
  createConsumer,
  createProducer,
} from '@kafka-template/client';
import type { Log } from '../../io/log.js';
import type { ClientProperties } from '../driver-options.js';
import type { Driver, DriverAdmin, DriverConsumer, DriverProducer } from '../driver.js';
import { NativeAdmin } from './native.admin.js';

/** A driver on this project's own client. */
export function nativeDriver(log: Log): Driver {
  const logger = clientLogger(log);
  return {
    name: 'native',
    capabilities: { assign: true, awaitedRevoke: true, resetNone: true },
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

function clientLogger(log: Log): ClientLogger {
  return {
    debug: (message, fields) => log.debug(withFields(message, fields)),
    info: (message, fields) => log.debug(withFields(message, fields)),
    warn: (message, fields) => log.warn(withFields(message, fields)),
    error: (message, fields) => log.error(withFields(message, fields)),
  };
}

function withFields(message: string, fields: LogFields | undefined): string {
  if (fields === undefined) return message;
  const parts = Object.entries(fields).map(([name, value]) => `${name}=${describe(value)}`);
  return parts.length === 0 ? message : `${message} (${parts.join(', ')})`;
}

function describe(value: unknown): string {
  if (value instanceof Error) return value.message;
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined');
}
