/**
 * KafkaModule: import it once, in the root module. Wiring only.
 *
 * Two modules behind one: a global one with template and clients, and one that is not global with the listeners, so that
 * listeners stop before the services they use and producers close after them.
 */
import { type DynamicModule, type InjectionToken, Module, type Provider } from '@nestjs/common';
import { DiscoveryService, ModulesContainer } from '@nestjs/core';
import { endpointProblems } from '../discovery/endpoint-settings.js';
import { ListenerExplorer } from '../discovery/listener.explorer.js';
import { KafkaOptionsError, combinedOptionsError } from '../errors.js';
import { KafkaCoreModule } from './kafka-core.module.js';
import { KafkaListenerModule } from './kafka-listener.module.js';
import { checkedOptions } from './kafka.options-check.js';
import type { KafkaModuleAsyncOptions, KafkaModuleOptions, KafkaOptionsFactory } from './kafka.options.js';
import { KAFKA_OPTIONS, KAFKA_OPTIONS_FACTORY } from './kafka.tokens.js';

/** KafkaTemplate and @KafkaListener for an application. */
@Module({})
export class KafkaModule {
  /** With options at hand. They are checked when the application starts; a KafkaOptionsError lists every problem. */
  static forRoot(options: KafkaModuleOptions): DynamicModule {
    return assemble([], [optionsProvider([], () => options)]);
  }

  /** With options from a factory, a class, or a provider that exists: configuration services, secrets, test brokers. */
  static forRootAsync(options: KafkaModuleAsyncOptions): DynamicModule {
    return assemble(options.imports ?? [], asyncProviders(options));
  }
}

function assemble(imports: NonNullable<DynamicModule['imports']>, providers: Provider[]): DynamicModule {
  const core = KafkaCoreModule.with({ imports, providers });
  return { module: KafkaModule, imports: [core, KafkaListenerModule], exports: [core] };
}

function asyncProviders({ useFactory, inject, useClass, useExisting }: KafkaModuleAsyncOptions): Provider[] {
  const ways = [useFactory, useClass, useExisting].filter((way) => way !== undefined);
  if (ways.length !== 1) {
    throw new KafkaOptionsError('KafkaModule.forRootAsync', [
      'give exactly one of useFactory, useClass and useExisting',
    ]);
  }
  if (useFactory !== undefined) {
    const create = useFactory as (...dependencies: unknown[]) => KafkaModuleOptions | Promise<KafkaModuleOptions>;
    return [optionsProvider((inject ?? []) as InjectionToken[], create)];
  }
  const fromClass = (factory: unknown) => (factory as KafkaOptionsFactory).createKafkaOptions();
  if (useExisting !== undefined) return [optionsProvider([useExisting], fromClass)];
  return [
    { provide: KAFKA_OPTIONS_FACTORY, useClass: useClass as NonNullable<typeof useClass> },
    optionsProvider([KAFKA_OPTIONS_FACTORY], fromClass),
  ];
}

/** The options, checked. When they are wrong, the error also tells what is wrong with listeners. */
function optionsProvider(
  inject: InjectionToken[],
  create: (...dependencies: unknown[]) => KafkaModuleOptions | Promise<KafkaModuleOptions>,
): Provider {
  const useFactory = async (modules: ModulesContainer, ...dependencies: unknown[]) => {
    const options = await create(...dependencies);
    try {
      return checkedOptions(options);
    } catch (error) {
      if (!(error instanceof KafkaOptionsError)) throw error;
      throw combinedOptionsError([error, ...listenerErrors(modules)]);
    }
  };
  return { provide: KAFKA_OPTIONS, inject: [ModulesContainer, ...inject], useFactory };
}

function listenerErrors(modules: ModulesContainer): KafkaOptionsError[] {
  return new ListenerExplorer(new DiscoveryService(modules)).explore().flatMap((endpoint) => {
    const problems = endpointProblems(endpoint);
    return problems.length === 0 ? [] : [new KafkaOptionsError(`@KafkaListener on ${endpoint.name}`, problems)];
  });
}
