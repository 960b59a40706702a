/**
 * Finds @KafkaListener methods and classes on the providers and controllers of all modules.
 *
 * Every class is looked at once, also when several modules provide it; inherited methods are found. Whether what was found
 * makes sense is not judged here.
 */
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { KafkaHandlerOptions } from '../decorators/kafka-handler.decorator.js';
import type { ListenerNote, ProviderGetter } from '../decorators/kafka-listener.decorator.js';
import { KafkaOptionsError, messageOf } from '../errors.js';
import { ListenerMetadataAccessor } from './listener-metadata.accessor.js';
import type { HandlerMethod, ListenerEndpoint, ProviderWrapper } from './listener.endpoint.js';

/** Walks the application for listeners. */
export class ListenerExplorer {
  readonly #discovery: DiscoveryService;
  readonly #get: ProviderGetter | undefined;
  readonly #scanner = new MetadataScanner();
  readonly #accessor = new ListenerMetadataAccessor();

  /** `get` finds what options are made from; without it, listeners whose options have to be made are left out. */
  constructor(discovery: DiscoveryService, get?: ProviderGetter) {
    this.#discovery = discovery;
    this.#get = get;
  }

  /** All listeners, in the order of modules, providers and methods. Throws KafkaOptionsError when options cannot be made. */
  explore(): ListenerEndpoint[] {
    const endpoints: ListenerEndpoint[] = [];
    const seen = new Set<unknown>();
    for (const wrapper of [...this.#discovery.getProviders(), ...this.#discovery.getControllers()]) {
      const prototype = prototypeOf(wrapper);
      const identity: unknown = wrapper.isDependencyTreeStatic() ? wrapper.instance : wrapper.metatype;
      if (prototype === undefined || seen.has(identity)) continue;
      seen.add(identity);
      endpoints.push(...this.#exploreClass(wrapper, prototype));
    }
    return endpoints;
  }

  #exploreClass(wrapper: ProviderWrapper, prototype: object): ListenerEndpoint[] {
    const endpoints = this.#scanner.getAllMethodNames(prototype).flatMap((methodName) => {
      const notes = this.#accessor.listenersOf(prototype, methodName);
      if (notes.length === 0) return [];
      const method = this.#method(prototype, methodName, undefined);
      const { name, plan } = method;
      return this.#endpoints(notes, { wrapper, name, plan, methods: [method] });
    });
    const notes = this.#accessor.listenersOfClass(prototype);
    return notes.length === 0 ? endpoints : [...endpoints, ...this.#ofClass(wrapper, prototype, notes)];
  }

  /** A class listener; its problems are those of all its methods. */
  #ofClass(wrapper: ProviderWrapper, prototype: object, notes: readonly ListenerNote[]): ListenerEndpoint[] {
    const methods = this.#scanner.getAllMethodNames(prototype).flatMap((methodName) => {
      const condition = this.#accessor.handlerOf(prototype, methodName);
      return condition === undefined ? [] : [this.#method(prototype, methodName, condition)];
    });
    const problems = methods.flatMap(({ name, plan }) => plan.problems.map((problem) => `${name}: ${problem}`));
    if (methods.length === 0) problems.push('it has no method with @KafkaHandler');
    if (methods.filter(({ condition }) => condition?.isDefault === true).length > 1) {
      problems.push('more than one of its @KafkaHandler is the default one');
    }
    problems.push(...methods.flatMap(unreachable));
    const wantsAcknowledgment = methods.some(({ plan }) => plan.wantsAcknowledgment);
    const plan = { problems, wantsAcknowledgment };
    return this.#endpoints(notes, { wrapper, name: prototype.constructor.name, plan, methods });
  }

  #method(prototype: object, methodName: string, given: KafkaHandlerOptions | undefined): HandlerMethod {
    const plan = this.#accessor.planOf(prototype, methodName);
    const name = `${prototype.constructor.name}#${methodName}`;
    const sendTo = this.#accessor.sendToOf(prototype, methodName);
    const isOpen = given !== undefined && Object.keys(given).length === 0;
    const type = isOpen ? this.#accessor.payloadClassOf(prototype, methodName, plan) : undefined;
    const isIdempotent = this.#accessor.isIdempotent(prototype, methodName);
    return { methodName, name, plan, sendTo, isIdempotent, condition: type === undefined ? given : { type } };
  }

  #endpoints(notes: readonly ListenerNote[], found: Omit<ListenerEndpoint, 'index' | 'options'>): ListenerEndpoint[] {
    return notes.flatMap((note, index) => {
      if (typeof note !== 'function') return [{ ...found, index, options: note }];
      if (this.#get === undefined) return [];
      try {
        return [{ ...found, index, options: note(this.#get) }];
      } catch (error) {
        throw new KafkaOptionsError(`@KafkaListener on ${found.name}`, [
          `the function that makes its options failed: ${messageOf(error)}`,
        ]);
      }
    });
  }
}

function unreachable({ name, condition = {} }: HandlerMethod): string[] {
  if (Object.values(condition).some((value) => value !== undefined && value !== false)) return [];
  return [
    `${name}: @KafkaHandler says for which records it is by its options, or by a class as the type of its payload`,
  ];
}

/** The prototype that carries the methods: of the instance where there is one, else of the class. */
function prototypeOf(wrapper: ProviderWrapper): object | undefined {
  const instance: unknown = wrapper.isDependencyTreeStatic() ? wrapper.instance : undefined;
  if (typeof instance === 'object' && instance !== null) return Object.getPrototypeOf(instance) as object | undefined;
  const type: unknown = wrapper.metatype;
  // Factories are functions too; only classes have a prototype with methods on it.
  if (wrapper.isNotMetatype || typeof type !== 'function') return undefined;
  return type.prototype as object | undefined;
}
