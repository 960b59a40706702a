/**
 * Adds listeners while the application runs, without a decorated method: what to read is known only then. Injectable.
 *
 * They have every option of @KafkaListener and are in the registry like all others. Nest's pipes, guards and filters are not
 * around them: there is no method that could carry them.
 */
import type { ListenerEndpoint } from '../discovery/listener.endpoint.js';
import { containerSettings, endpointSettings } from '../discovery/endpoint-settings.js';
import { handlingProblems, withHandling } from '../discovery/record-handling.js';
import { DefaultErrorHandler } from '../error-handling/default-error-handler.js';
import { KafkaOptionsError } from '../errors.js';
import type { ConcurrentContainer } from '../listener/concurrent-container.js';
import type { KafkaListenerOptions } from '../listener/listener-options.js';
import type { KafkaListenerEndpointRegistry } from '../listener/listener.registry.js';
import type { BatchListener, MessageListener, RecordListener } from '../listener/message-listener.js';
import type { KafkaCluster } from './kafka-cluster.js';
import { listenerDefaults } from './listener-defaults.js';
import { nestLog } from './nest-log.js';

/** A listener to add: the options of @KafkaListener, a name, and one function. */
export interface ListenerRegistration extends Omit<KafkaListenerOptions, 'batch' | 'id'> {
  /** Name in the registry, and the group unless `groupId` says otherwise. */
  readonly id: string;
  /** Called with each record; what it returns is waited for. */
  readonly onRecord?: RecordListener;
  /** Called with the records of a poll, instead of `onRecord`. */
  readonly onBatch?: BatchListener;
}

/** What a registrar works with. */
export interface RegistrarParts {
  readonly registry: KafkaListenerEndpointRegistry;
  /** The cluster of that name. Throws KafkaOptionsError when there is none. */
  readonly clusterOf: (name: string | undefined) => KafkaCluster;
}

const log = nestLog('KafkaListener');

/** Adds and removes listeners at run time. Spring's KafkaListenerEndpointRegistrar. */
export class KafkaListenerEndpointRegistrar {
  readonly #parts: RegistrarParts;

  constructor(parts: RegistrarParts) {
    this.#parts = parts;
  }

  /**
   * Adds a listener and starts it, unless `autoStartup` is false. Rejects with KafkaOptionsError with everything that is wrong with
   * its options, and with ILLEGAL_STATE when the id is taken.
   */
  async register({ onRecord, onBatch, ...options }: ListenerRegistration): Promise<ConcurrentContainer> {
    const { registry, clusterOf } = this.#parts;
    const name = `listener '${options.id}'`;
    const listener = listenerOf(name, onRecord, onBatch);
    const cluster = clusterOf(options.cluster);
    const plan = { problems: [], wantsAcknowledgment: false };
    const endpoint: Omit<ListenerEndpoint, 'wrapper'> = {
      name,
      index: 0,
      options: { ...options, batch: listener.batch },
      plan,
      methods: [],
    };
    // There is no provider behind it, and settings do not ask for one.
    const settings = endpointSettings(
      endpoint as ListenerEndpoint,
      listenerDefaults(cluster.options, cluster.template, log),
    );
    const handling = { ...cluster.options.listener, ...options };
    const problems = handlingProblems(endpoint, listener.batch, handling);
    if (problems.length > 0) throw new KafkaOptionsError(name, problems);
    if (settings.errorHandler instanceof DefaultErrorHandler) settings.errorHandler.useLog(log);
    const container = registry.register(
      containerSettings(settings, withHandling(listener, handling)),
      cluster.forRegistry,
    );
    if (settings.autoStartup) await registry.start(options.id);
    return container;
  }

  /** Stops a listener, after what it has in hand is finished and committed, and takes it out. */
  async unregister(id: string): Promise<void> {
    await this.#parts.registry.unregister(id);
  }
}

function listenerOf(
  name: string,
  onRecord: RecordListener | undefined,
  onBatch: BatchListener | undefined,
): MessageListener {
  if (onRecord !== undefined && onBatch === undefined) return { batch: false, onRecord };
  if (onBatch !== undefined && onRecord === undefined) return { batch: true, onBatch };
  throw new KafkaOptionsError(name, ['give exactly one of onRecord and onBatch']);
}
