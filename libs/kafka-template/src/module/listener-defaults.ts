/**
 * What the options of the module mean for a listener that does not say otherwise.
 */
import type { EndpointDefaults } from '../discovery/endpoint-settings.js';
import { DefaultErrorHandler } from '../error-handling/default-error-handler.js';
import type { ErrorHandler } from '../error-handling/error-handler.js';
import type { Log } from '../io/log.js';
import type { KafkaTemplate } from '../template/kafka-template.js';
import { clientOptions } from './client-factories.js';
import type { KafkaModuleOptions } from './kafka.options.js';

/** Defaults of listeners. */
export function listenerDefaults(options: KafkaModuleOptions, template: KafkaTemplate, log: Log): EndpointDefaults {
  return {
    listener: options.listener ?? {},
    consumer: { ...clientOptions(options), clientId: options.clientId, ...options.consumer },
    serializers: options.serializers,
    createErrorHandler: (): ErrorHandler => new DefaultErrorHandler({ log }),
    transactions: template.hasTransactions ? template : undefined,
    sender: template,
  };
}
