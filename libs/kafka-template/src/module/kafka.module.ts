/**
 * KafkaModule: import it once, in the root module. Wiring only.
 *
 * Two modules behind one: a global one with template and clients, and one that is not global with the listeners, so that
 * listeners stop before the services they use and producers close after them.
 */
import { type DynamicModule, type InjectionToken, Module, type Provider } from '@nestjs/common';
import { KafkaOptionsError } from '../errors.js';
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
    return assemble([], [{ provide: KAFKA_OPTIONS, useFactory: () => checkedOptions(options) }]);
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
    const check = async (...dependencies: unknown[]) => checkedOptions(await create(...dependencies));
    return [{ provide: KAFKA_OPTIONS, inject: (inject ?? []) as InjectionToken[], useFactory: check }];
  }
  const fromClass = async (factory: KafkaOptionsFactory) => checkedOptions(await factory.createKafkaOptions());
  if (useExisting !== undefined) return [{ provide: KAFKA_OPTIONS, inject: [useExisting], useFactory: fromClass }];
  return [
    { provide: KAFKA_OPTIONS_FACTORY, useClass: useClass as NonNullable<typeof useClass> },
    { provide: KAFKA_OPTIONS, inject: [KAFKA_OPTIONS_FACTORY], useFactory: fromClass },
  ];
}
