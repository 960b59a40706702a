/**
 * Injection tokens of what has no class of its own. Strings, so that they survive two copies of the package.
 *
 * What belongs to a cluster has a token per cluster: plain for the one without a name, with the name in parentheses else.
 */
import type { InjectionToken } from '@nestjs/common';
import { DEFAULT_NAME } from '../decorators/inject-kafka-template.decorator.js';
import type { Driver } from '../drivers/driver.js';
import type { KafkaModuleOptions } from './kafka.options.js';
import { KafkaAdmin } from './kafka-admin.js';

/** The checked options of the module. */
export const KAFKA_OPTIONS = 'KAFKA_TEMPLATE_OPTIONS';

/** The driver in use. */
export const KAFKA_DRIVER = 'KAFKA_TEMPLATE_DRIVER';

/** The class that makes the options, with `useClass`. */
export const KAFKA_OPTIONS_FACTORY = 'KAFKA_TEMPLATE_OPTIONS_FACTORY';

/** In every core module: its cluster. */
export const KAFKA_CLUSTER = 'KAFKA_TEMPLATE_CLUSTER';

/** In every core module: the name of its cluster, known before anything of it exists. */
export const KAFKA_CLUSTER_NAME = 'KAFKA_TEMPLATE_CLUSTER_NAME';

/** Token of the checked options of a cluster. */
export function getKafkaOptionsToken(name: string = DEFAULT_NAME): InjectionToken<KafkaModuleOptions> {
  return named(KAFKA_OPTIONS, name);
}

/** Token of the driver of a cluster. */
export function getKafkaDriverToken(name: string = DEFAULT_NAME): InjectionToken<Driver> {
  return named(KAFKA_DRIVER, name);
}

/** Token of the KafkaAdmin of a cluster: the class itself for the one without a name. */
export function getKafkaAdminToken(name: string = DEFAULT_NAME): InjectionToken<KafkaAdmin> {
  return name === DEFAULT_NAME ? KafkaAdmin : `KafkaAdmin(${name})`;
}

/** Token under which other modules find a cluster. */
export function clusterToken(name: string): string {
  return `${KAFKA_CLUSTER}(${name})`;
}

function named(token: string, name: string): string {
  return name === DEFAULT_NAME ? token : `${token}(${name})`;
}
