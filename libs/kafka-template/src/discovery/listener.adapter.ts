/**
 * From a decorated method to a function a container can call: guards, pipes, interceptors and filters around it.
 *
 * Guarantees that the container gets the error the method, a guard or a pipe threw, unchanged, whatever filters do: a
 * filter says that it has dealt with an error by returning something other than undefined; if it throws, or returns nothing,
 * the error stands. Request-scoped listeners are made anew for each record, which they can inject as REQUEST.
 */
import { ContextIdFactory, ExternalContextCreator, type ModuleRef, type ModulesContainer } from '@nestjs/core';
import { isObservable, lastValueFrom } from 'rxjs';
import type { Acknowledgment } from '../commit/acknowledgment.js';
import { ROUTE_ARGUMENTS_METADATA } from '../decorators/metadata.js';
import { UnreadableRecordError, messageOf } from '../errors.js';
import type { Log } from '../io/log.js';
import type { Consumer } from '../listener/consumer.js';
import { KAFKA_CONTEXT_TYPE, KafkaArgumentsHost, type ListenerArguments } from './kafka-arguments-host.js';
import type { MessageListener } from '../listener/message-listener.js';
import type { ConsumerRecord } from '../record/consumer-record.js';
import type { EndpointSettings } from './endpoint-settings.js';
import type { ListenerEndpoint } from './listener.endpoint.js';
import { parameterValue } from './parameter-values.js';

/** The parts of Nest that the adapter works with. */
export interface NestParts {
  readonly contexts: ExternalContextCreator;
  readonly moduleRef: ModuleRef;
  readonly modules: ModulesContainer;
  readonly log: Log;
}

/** What Nest makes of the filters of a method. The same in Nest 11 and 12. */
interface ExceptionsHandler {
  invokeCustomFilters(error: unknown, host: KafkaArgumentsHost): unknown;
}

interface FiltersContextCreator {
  create(...parameters: unknown[]): ExceptionsHandler;
}

/** What a context creator has inside. The same in Nest 11 and 12. */
interface CreatorInside {
  readonly container?: Parameters<(typeof ExternalContextCreator)['fromContainer']>[0];
  readonly filtersContextCreator?: FiltersContextCreator;
}

type ContextId = ReturnType<typeof ContextIdFactory.create>;
type Call = (...parameters: unknown[]) => Promise<unknown>;

/** A method bound to an instance, with its guards, pipes and interceptors, and its filters apart. */
interface BoundMethod {
  readonly call: Call;
  readonly filters: ExceptionsHandler;
}

/** What binding a method takes, whatever the instance. */
interface Binding {
  readonly endpoint: ListenerEndpoint;
  readonly settings: EndpointSettings;
  readonly contexts: ExternalContextCreator;
}

/** Makes listeners out of endpoints. */
export class ListenerAdapter {
  readonly #parts: NestParts;

  constructor(parts: NestParts) {
    this.#parts = parts;
  }

  /** The function for the container of an endpoint. */
  create(endpoint: ListenerEndpoint, settings: EndpointSettings): MessageListener {
    const bound = this.#binder(endpoint, settings);
    const { payload } = endpoint.plan;
    if (settings.batch) {
      const onBatch = (records: readonly ConsumerRecord[], ack: Acknowledgment | undefined, consumer: Consumer) =>
        this.#invoke(bound, [payload === undefined ? records : payloadsOf(records), records, ack, consumer]);
      return { batch: true, onBatch };
    }
    const onRecord = (record: ConsumerRecord, ack: Acknowledgment | undefined, consumer: Consumer) =>
      this.#invoke(bound, [payload === undefined ? record : record.valueAs(payload), record, ack, consumer]);
    return { batch: false, onRecord };
  }

  async #invoke(
    bound: (parameters: ListenerArguments) => BoundMethod | Promise<BoundMethod>,
    parameters: ListenerArguments,
  ): Promise<void> {
    const found = bound(parameters);
    const method = found instanceof Promise ? await found : found;
    try {
      await method.call(...parameters);
    } catch (error) {
      if (!(await this.#isHandled(method.filters, error, parameters))) throw error;
    }
  }

  async #isHandled(filters: ExceptionsHandler, error: unknown, parameters: ListenerArguments): Promise<boolean> {
    try {
      let outcome = await filters.invokeCustomFilters(error, new KafkaArgumentsHost(parameters));
      if (isObservable(outcome)) outcome = await lastValueFrom(outcome, { defaultValue: undefined });
      return outcome !== undefined && outcome !== null;
    } catch (thrown) {
      if (thrown !== error) {
        this.#parts.log.debug(`An exception filter failed on the error of a listener: ${messageOf(thrown)}`);
      }
      return false;
    }
  }

  /** Static listeners are bound once; others for every call. */
  #binder(endpoint: ListenerEndpoint, settings: EndpointSettings) {
    const { wrapper } = endpoint;
    const contexts = this.#ownContexts();
    if (wrapper.isDependencyTreeStatic()) {
      const method = this.#bind({ endpoint, settings, contexts }, wrapper.instance as object);
      return () => method;
    }
    return async (parameters: ListenerArguments): Promise<BoundMethod> => {
      const { moduleRef } = this.#parts;
      const contextId = ContextIdFactory.create();
      moduleRef.registerRequestByContextId(parameters[1], contextId);
      const instance: object = await moduleRef.resolve(wrapper.token, contextId, { strict: false });
      return this.#bind({ endpoint, settings, contexts }, instance, contextId);
    };
  }

  #bind({ endpoint, settings, contexts }: Binding, instance: object, contextId?: ContextId): BoundMethod {
    const { methodName, plan, wrapper } = endpoint;
    const { groupId, errorHandler, id } = settings;
    const callback = (instance as Record<string, (...parameters: unknown[]) => unknown>)[methodName] as Call;
    const deliveryAttempt = (record: ConsumerRecord) => errorHandler.deliveryAttempt?.(record, id) ?? 1;
    const exchangeKeyForValue = (kind: number, data: unknown, parameters: unknown) =>
      parameterValue({ plan, groupId, deliveryAttempt }, kind, data, parameters as ListenerArguments);
    const inquirerId = contextId === undefined ? undefined : wrapper.id;
    const call = contexts.create(
      instance,
      callback,
      methodName,
      ROUTE_ARGUMENTS_METADATA,
      { exchangeKeyForValue },
      contextId,
      inquirerId,
      { guards: true, interceptors: true, filters: false },
      KAFKA_CONTEXT_TYPE,
    ) as Call;
    const filters = filtersOf(contexts).create(instance, callback, this.#moduleKey(wrapper), contextId, inquirerId);
    return { call, filters };
  }

  /**
   * Nest remembers how the parameters of a method are filled: version 11 by the names of class and method, 12 by class
   * and method. Listeners that share these would get each other's parameters, so each has a memory of its own.
   */
  #ownContexts(): ExternalContextCreator {
    const { container } = this.#parts.contexts as unknown as CreatorInside;
    if (container === undefined) throw unsupported();
    return ExternalContextCreator.fromContainer(container);
  }

  #moduleKey(wrapper: ListenerEndpoint['wrapper']): string {
    for (const [key, module] of this.#parts.modules.entries()) if (module === wrapper.host) return key;
    return '';
  }
}

/**
 * Nest runs filters only around the call, where its own last filter logs every error again and the result no longer
 * tells who threw. The creator behind it is the same in Nest 11 and 12.
 */
function filtersOf(contexts: ExternalContextCreator): FiltersContextCreator {
  const creator = (contexts as unknown as CreatorInside).filtersContextCreator;
  if (creator === undefined) throw unsupported();
  return creator;
}

function unsupported(): Error {
  return new Error('This version of NestJS is not supported: use 11 or 12');
}

/** The values of a batch. One that cannot be read fails alone: what comes before it is delivered first. */
function payloadsOf(records: readonly ConsumerRecord[]): unknown[] {
  return records.map((record, index) => {
    try {
      // The parameter is an array; of what, its type does not say.
      return record.value;
    } catch (error) {
      throw new UnreadableRecordError(messageOf(error), index, error);
    }
  });
}
