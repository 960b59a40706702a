/**
 * From a decorated method to a function a container can call: guards, pipes, interceptors and filters around it.
 *
 * Guarantees that the container gets the error the method, a guard or a pipe threw, unchanged, whatever filters do: a
 * filter says that it has dealt with an error by returning something other than undefined; if it throws, or returns nothing,
 * the error stands. Request-scoped listeners are made anew for each record, which they can inject as REQUEST.
 */
import {
  type ApplicationConfig,
  ContextIdFactory,
  ExternalContextCreator,
  type ModuleRef,
  type ModulesContainer,
} from '@nestjs/core';
import { defaultIfEmpty, isObservable, lastValueFrom } from 'rxjs';
import type { Acknowledgment } from '../commit/acknowledgment.js';
import { ROUTE_ARGUMENTS_METADATA } from '../decorators/metadata.js';
import { UnreadableRecordError, messageOf } from '../errors.js';
import type { Log } from '../io/log.js';
import type { Consumer } from '../listener/consumer.js';
import type { HandlingOptions } from '../listener/handling-options.js';
import { KAFKA_CONTEXT_TYPE, KafkaArgumentsHost, type ListenerArguments } from './kafka-arguments-host.js';
import type { MessageListener } from '../listener/message-listener.js';
import { isPromiseLike } from '../listener/record-dispatcher.js';
import { ReplyInFlight } from '../listener/reply-in-flight.js';
import { seekAwareOf } from '../listener/seek-aware.js';
import type { ConsumerRecord } from '../record/consumer-record.js';
import { directCall } from './direct-call.js';
import type { EndpointSettings } from './endpoint-settings.js';
import { selectHandler } from './handler-selection.js';
import type { HandlerMethod, ListenerEndpoint } from './listener.endpoint.js';
import { parameterValue } from './parameter-values.js';
import { withHandling } from './record-handling.js';
import { type ReplySender, sendReply } from './replies.js';

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
  readonly container?: Parameters<(typeof ExternalContextCreator)['fromContainer']>[0] & {
    readonly applicationConfig: ApplicationConfig;
  };
  readonly filtersContextCreator?: FiltersContextCreator;
}

type ContextId = ReturnType<typeof ContextIdFactory.create>;
type Method = (...parameters: unknown[]) => unknown;
type ListenerCall = (...parameters: ListenerArguments) => unknown;

/** A method bound to an instance, with its guards, pipes and interceptors, and its filters apart. */
interface BoundMethod {
  readonly call: ListenerCall;
  readonly filters: ExceptionsHandler;
}

/** What binding a method takes, whatever the instance. */
interface Binding {
  readonly endpoint: ListenerEndpoint;
  readonly method: HandlerMethod;
  readonly settings: EndpointSettings;
  readonly contexts: ExternalContextCreator;
}

/** What goes around a listener besides what Nest knows of. */
export interface AdapterExtras extends HandlingOptions {
  /** Sends what methods with @SendTo return. */
  readonly replySender?: ReplySender;
}

/** Makes listeners out of endpoints. */
export class ListenerAdapter {
  readonly #parts: NestParts;

  constructor(parts: NestParts) {
    this.#parts = parts;
  }

  /** The function for the container of an endpoint. `extras` are filter, interceptor and the sender of replies. */
  create(endpoint: ListenerEndpoint, settings: EndpointSettings, extras: AdapterExtras = {}): MessageListener {
    const contexts = this.#ownContexts();
    const calls = new Map(
      endpoint.methods.map((method) => [method, this.#callOf({ endpoint, method, settings, contexts }, extras)]),
    );
    const [first] = endpoint.methods;
    const only = endpoint.methods.length === 1 && first?.condition === undefined ? first : undefined;
    const onlyCall = only === undefined ? undefined : calls.get(only);
    const onRecord = (record: ConsumerRecord, ack: Acknowledgment | undefined, consumer: Consumer) => {
      const method = only ?? selectHandler(endpoint.methods, record);
      const { payload } = method.plan;
      const call = onlyCall ?? calls.get(method);
      return call?.(payload === undefined ? record : record.valueAs(payload), record, ack, consumer);
    };
    const onBatch = (records: readonly ConsumerRecord[], ack: Acknowledgment | undefined, consumer: Consumer) => {
      const payloads = only?.plan.payload === undefined ? records : payloadsOf(records);
      return onlyCall?.(payloads, records, ack, consumer);
    };
    const { wrapper } = endpoint;
    const seekAware = wrapper.isDependencyTreeStatic() ? seekAwareOf(wrapper.instance) : undefined;
    const listener = withHandling(settings.batch ? { batch: true, onBatch } : { batch: false, onRecord }, extras);
    return { ...listener, seekAware };
  }

  /** Calls a method, asks its filters about what it throws, and sends its result on. */
  #callOf(binding: Binding, { replySender }: AdapterExtras): ListenerCall {
    const bound = this.#binder(binding);
    const { sendTo } = binding.method;
    if (typeof bound === 'object' && (sendTo === undefined || replySender === undefined)) {
      return this.#promiseless(bound);
    }
    const handled = async (parameters: ListenerArguments): Promise<unknown> => {
      const method = typeof bound === 'function' ? await bound(parameters) : bound;
      try {
        return await method.call(...parameters);
      } catch (error) {
        return this.#recovered(method.filters, error, parameters);
      }
    };
    if (sendTo === undefined || replySender === undefined) {
      return async (...parameters) => {
        await handled(parameters);
      };
    }
    return (...parameters) =>
      new ReplyInFlight(async (handOver) => {
        const sent = sendReply(replySender, sendTo, parameters[1], await handled(parameters));
        if (sent === undefined) return;
        handOver();
        await sent;
      });
  }

  /** A method that returns at once costs no promise. */
  #promiseless({ call, filters }: BoundMethod): ListenerCall {
    return (payload, record, acknowledgment, consumer) => {
      const recover = (error: unknown) => this.#recovered(filters, error, [payload, record, acknowledgment, consumer]);
      try {
        const returned = call(payload, record, acknowledgment, consumer);
        return isPromiseLike(returned) ? returned.then(undefined, recover) : undefined;
      } catch (error) {
        return recover(error);
      }
    };
  }

  /** What the filters make of an error. Rejects with it when it stands. */
  async #recovered(filters: ExceptionsHandler, error: unknown, parameters: ListenerArguments): Promise<unknown> {
    const result = await this.#filtered(filters, error, parameters);
    if (result === undefined || result === null) throw error;
    return result;
  }

  /** What the filters make of an error; undefined when it stands. */
  async #filtered(filters: ExceptionsHandler, error: unknown, parameters: ListenerArguments): Promise<unknown> {
    try {
      const outcome = await filters.invokeCustomFilters(error, new KafkaArgumentsHost(parameters));
      return isObservable(outcome) ? await lastValueFrom(outcome, { defaultValue: undefined }) : outcome;
    } catch (thrown) {
      if (thrown !== error) {
        this.#parts.log.debug(`An exception filter failed on the error of a listener: ${messageOf(thrown)}`);
      }
      return undefined;
    }
  }

  /** Static listeners are bound once; others for every call. */
  #binder(binding: Binding): BoundMethod | ((parameters: ListenerArguments) => Promise<BoundMethod>) {
    const { wrapper } = binding.endpoint;
    if (wrapper.isDependencyTreeStatic()) return this.#bind(binding, wrapper.instance as object);
    return async (parameters) => {
      const { moduleRef } = this.#parts;
      const contextId = ContextIdFactory.create();
      moduleRef.registerRequestByContextId(parameters[1], contextId);
      const instance: object = await moduleRef.resolve(wrapper.token, contextId, { strict: false });
      return this.#bind(binding, instance, contextId);
    };
  }

  #bind({ endpoint, method, settings, contexts }: Binding, instance: object, contextId?: ContextId): BoundMethod {
    const { wrapper } = endpoint;
    const { methodName, plan } = method;
    const { groupId, info, errorHandler, id } = settings;
    const implementation = (instance as Record<string, Method>)[methodName] as Method;
    const callback = awaitable(implementation);
    const deliveryAttempt = (record: ConsumerRecord) => errorHandler.deliveryAttempt?.(record, id) ?? 1;
    const source = { plan, groupId, info, deliveryAttempt };
    const exchangeKeyForValue = (kind: number, data: unknown, parameters: unknown) =>
      parameterValue(source, kind, data, parameters as ListenerArguments);
    const inquirerId = contextId === undefined ? undefined : wrapper.id;
    const filters = filtersOf(contexts).create(instance, callback, this.#moduleKey(wrapper), contextId, inquirerId);
    const config = (contexts as unknown as CreatorInside).container?.applicationConfig;
    if (contextId === undefined && config !== undefined) {
      const call = directCall({ instance, method: implementation, methodName, source, config });
      if (call !== undefined) return { call, filters };
    }
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
    ) as ListenerCall;
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

/**
 * Nest takes the last value of an observable, and fails when there is none. The prototype lets Nest, and guards that ask for
 * the handler, find what decorators have noted on the method.
 */
function awaitable(method: Method): Method {
  const call = function (this: unknown, ...parameters: unknown[]): unknown {
    const returned: unknown = method.apply(this, parameters);
    return isObservable(returned) ? returned.pipe(defaultIfEmpty(undefined)) : returned;
  };
  Object.setPrototypeOf(call, method);
  Object.defineProperty(call, 'name', { value: method.name });
  return call;
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
