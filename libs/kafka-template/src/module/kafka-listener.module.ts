/**
 * The other half of the module: finds the listeners and runs their containers.
 *
 * Containers start when everything else has bootstrapped, and stop and drain before anything else is destroyed, so that
 * the services listeners use are there for as long as a listener runs. Not global: Nest destroys global modules last.
 */
import { Inject, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService, ExternalContextCreator, ModuleRef, ModulesContainer } from '@nestjs/core';
import {
  type EndpointDefaults,
  type EndpointSettings,
  containerSettings,
  endpointSettings,
} from '../discovery/endpoint-settings.js';
import { ListenerAdapter } from '../discovery/listener.adapter.js';
import type { ListenerEndpoint } from '../discovery/listener.endpoint.js';
import { ListenerExplorer } from '../discovery/listener.explorer.js';
import { DefaultErrorHandler } from '../error-handling/default-error-handler.js';
import { KafkaOptionsError, combinedOptionsError } from '../errors.js';
import type { ContainerSettings } from '../listener/container-settings.js';
import { KafkaListenerEndpointRegistry } from '../listener/listener.registry.js';
import { KafkaTemplate } from '../template/kafka-template.js';
import { KafkaCoreModule } from './kafka-core.module.js';
import type { KafkaModuleOptions } from './kafka.options.js';
import { KAFKA_OPTIONS } from './kafka.tokens.js';
import { listenerDefaults } from './listener-defaults.js';
import { nestLog } from './nest-log.js';

const log = nestLog('KafkaListener');

/**
 * Nest runs hooks by a module's distance from the root (0): starting with the far ones, ending with the near ones, and the
 * other way round at the end. Nearer than the root itself is last to bootstrap and first to be destroyed.
 */
const BEFORE_THE_ROOT = -1;

/** Runs the listeners of the application. Imported by KafkaModule. */
@Module({ imports: [DiscoveryModule] })
export class KafkaListenerModule implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(
    @Inject(KAFKA_OPTIONS) private readonly options: KafkaModuleOptions,
    @Inject(KafkaListenerEndpointRegistry) private readonly registry: KafkaListenerEndpointRegistry,
    @Inject(KafkaTemplate) private readonly template: KafkaTemplate,
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(ExternalContextCreator) private readonly contexts: ExternalContextCreator,
    @Inject(ModuleRef) private readonly moduleRef: ModuleRef,
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
  ) {
    let coreCount = 0;
    for (const module of modules.values()) {
      if (module.metatype === KafkaListenerModule) module.distance = BEFORE_THE_ROOT;
      if (module.metatype === KafkaCoreModule) coreCount++;
    }
    if (coreCount > 1) {
      throw new KafkaOptionsError('KafkaModule', [
        'forRoot is imported more than once: import it in the root module only, KafkaTemplate is there for all modules',
      ]);
    }
  }

  /** Finds the listeners and starts their containers; does not wait for assignments. */
  async onApplicationBootstrap(): Promise<void> {
    const { contexts, moduleRef, modules } = this;
    const adapter = new ListenerAdapter({ contexts, moduleRef, modules, log });
    const defaults = listenerDefaults(this.options, this.template, log);
    for (const { endpoint, settings } of this.#endpoints(defaults)) {
      if (settings.errorHandler instanceof DefaultErrorHandler) settings.errorHandler.useLog(log);
      this.registry.register(containerSettings(settings, adapter.create(endpoint, settings)));
      log.info(`Mapped {${describeSource(settings)}, ${endpoint.name}}${describeGroup(settings)}`);
    }
    await this.registry.start();
  }

  /** Stops fetching, finishes what is in hand, commits, leaves the groups. */
  async onModuleDestroy(): Promise<void> {
    await this.registry.stop();
  }

  /** All listeners with their settings. Throws one KafkaOptionsError with the problems of all of them. */
  #endpoints(defaults: EndpointDefaults): { endpoint: ListenerEndpoint; settings: EndpointSettings }[] {
    const errors: KafkaOptionsError[] = [];
    const endpoints = new ListenerExplorer(this.discovery).explore().flatMap((endpoint) => {
      try {
        return [{ endpoint, settings: endpointSettings(endpoint, defaults) }];
      } catch (error) {
        if (!(error instanceof KafkaOptionsError)) throw error;
        errors.push(error);
        return [];
      }
    });
    const [first, ...others] = errors;
    if (first !== undefined) throw combinedOptionsError([first, ...others]);
    return endpoints;
  }
}

function describeSource({ source }: Pick<ContainerSettings, 'source'>): string {
  switch (source.kind) {
    case 'topics':
      return source.topics.join(', ');
    case 'pattern':
      return String(source.pattern);
    case 'partitions':
      return source.partitions.map((option) => option.topic).join(', ');
  }
}

function describeGroup({ groupId, concurrency }: Pick<ContainerSettings, 'groupId' | 'concurrency'>): string {
  const consumers = concurrency === 1 ? '' : `, ${concurrency} consumers`;
  return groupId === undefined ? ` without a group${consumers}` : ` in group ${groupId}${consumers}`;
}
