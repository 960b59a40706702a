/**
 * Finds @KafkaListener methods on the providers and controllers of all modules.
 *
 * Every class is looked at once, also when several modules provide it; inherited methods are found. Whether what was found
 * makes sense is not judged here.
 */
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { ListenerMetadataAccessor } from './listener-metadata.accessor.js';
import type { ListenerEndpoint, ProviderWrapper } from './listener.endpoint.js';

/** Walks the application for listeners. */
export class ListenerExplorer {
  readonly #discovery: DiscoveryService;
  readonly #scanner = new MetadataScanner();
  readonly #accessor = new ListenerMetadataAccessor();

  constructor(discovery: DiscoveryService) {
    this.#discovery = discovery;
  }

  /** All listeners, in the order of modules, providers and methods. */
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
    return this.#scanner.getAllMethodNames(prototype).flatMap((methodName) => {
      const listeners = this.#accessor.listenersOf(prototype, methodName);
      if (listeners.length === 0) return [];
      const name = `${prototype.constructor.name}#${methodName}`;
      const plan = this.#accessor.planOf(prototype, methodName);
      return listeners.map((options, index) => ({ wrapper, methodName, name, index, options, plan }));
    });
  }
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
