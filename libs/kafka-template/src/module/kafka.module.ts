/**
 * KafkaModule: import it in the root module, once for each cluster. Wiring only.
 *
 * Modules behind one: a global one per cluster with template and clients, and one that is not global with the listeners of
 * all of them, so that listeners stop before the services they use and producers close after them.
 */
import { type DynamicModule, type InjectionToken, Module, type Provider } from '@nestjs/common';
import { DiscoveryService, ModulesContainer } from '@nestjs/core';
import { endpointProblems } from '../discovery/endpoint-settings.js';
import { ListenerExplorer } from '../discovery/listener.explorer.js';
import { KafkaOptionsError, combinedOptionsError } from '../errors.js';
import { DEFAULT_NAME } from '../decorators/inject-kafka-template.decorator.js';
import { KafkaCoreModule } from './kafka-core.module.js';
import { KafkaFeatureModule } from './kafka-feature.module.js';
import { KafkaListenerModule } from './kafka-listener.module.js';
import { KafkaRegistryModule } from './kafka-registry.module.js';
import { checkedOptions } from './kafka.options-check.js';
import type {
  KafkaFeatureOptions,
  KafkaModuleAsyncOptions,
  KafkaModuleOptions,
  KafkaOptionsFactory,
} from './kafka.options.js';
import { KAFKA_OPTIONS_FACTORY, getKafkaOptionsToken } from './kafka.tokens.js';

/** KafkaTemplate and @KafkaListener for an application. */
@Module({})
export class KafkaModule {
  /** With options at hand. They are checked when the application starts; a KafkaOptionsError lists every problem. */
  static forRoot(options: KafkaModuleOptions): DynamicModule {
    const name = options?.name ?? DEFAULT_NAME;
    return assemble(name, [], [optionsProvider(name, [], () => options)]);
  }

  /** With options from a factory, a class, or a provider that exists: configuration services, secrets, test brokers. */
  static forRootAsync(options: KafkaModuleAsyncOptions): DynamicModule {
    const name = options.name ?? DEFAULT_NAME;
    return assemble(name, options.imports ?? [], asyncProviders(name, options));
  }

  /**
   * Templates of their own, each with a producer, for `@InjectKafkaTemplate(name)` in the module that imports this. They close
   * with their cluster. Throws KafkaOptionsError with every problem.
   */
  static forFeature(templates: readonly KafkaFeatureOptions[]): DynamicModule {
    return KafkaFeatureModule.with(templates);
  }
}

function assemble(name: string, imports: NonNullable<DynamicModule['imports']>, providers: Provider[]): DynamicModule {
  const core = KafkaCoreModule.with(name, { imports, providers });
  return {
    module: KafkaModule,
    imports: [core, KafkaRegistryModule, KafkaListenerModule],
    exports: [core, KafkaRegistryModule],
  };
}

function asyncProviders(
  name: string,
  { useFactory, inject, useClass, useExisting }: KafkaModuleAsyncOptions,
): Provider[] {
  const ways = [useFactory, useClass, useExisting].filter((way) => way !== undefined);
  if (ways.length !== 1) {
    throw new KafkaOptionsError('KafkaModule.forRootAsync', [
      'give exactly one of useFactory, useClass and useExisting',
    ]);
  }
  if (useFactory !== undefined) {
    const create = useFactory as (...dependencies: unknown[]) => KafkaModuleOptions | Promise<KafkaModuleOptions>;
    return [optionsProvider(name, (inject ?? []) as InjectionToken[], create)];
  }
  const fromClass = (factory: unknown) => (factory as KafkaOptionsFactory).createKafkaOptions();
  if (useExisting !== undefined) return [optionsProvider(name, [useExisting], fromClass)];
  return [
    { provide: KAFKA_OPTIONS_FACTORY, useClass: useClass as NonNullable<typeof useClass> },
    optionsProvider(name, [KAFKA_OPTIONS_FACTORY], fromClass),
  ];
}

/** The options, checked. When they are wrong, the error also tells what is wrong with listeners. */
function optionsProvider(
  name: string,
  inject: InjectionToken[],
  create: (...dependencies: unknown[]) => KafkaModuleOptions | Promise<KafkaModuleOptions>,
): Provider {
  const useFactory = async (modules: ModulesContainer, ...dependencies: unknown[]) => {
    const options = await create(...dependencies);
    try {
      return checkedOptions(options, name);
    } catch (error) {
      if (!(error instanceof KafkaOptionsError)) throw error;
      throw combinedOptionsError([error, ...listenerErrors(modules)]);
    }
  };
  return { provide: getKafkaOptionsToken(name), inject: [ModulesContainer, ...inject], useFactory };
}

function listenerErrors(modules: ModulesContainer): KafkaOptionsError[] {
  return new ListenerExplorer(new DiscoveryService(modules)).explore().flatMap((endpoint) => {
    const problems = endpointProblems(endpoint);
    return problems.length === 0 ? [] : [new KafkaOptionsError(`@KafkaListener on ${endpoint.name}`, problems)];
  });
}
