/**
 * The other half of the module: finds the listeners and runs their containers.
 *
 * Containers start when everything else has bootstrapped, and stop and drain before anything else is destroyed, so that
 * the services listeners use are there for as long as a listener runs. Not global: Nest destroys global modules last.
 */
import { Inject, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService, ExternalContextCreator, ModuleRef, ModulesContainer } from '@nestjs/core';
import { DEFAULT_NAME } from '../decorators/inject-kafka-template.decorator.js';
import type { ProviderGetter } from '../decorators/kafka-listener.decorator.js';
import { type EndpointSettings, containerSettings, endpointSettings } from '../discovery/endpoint-settings.js';
import { handlingProblems } from '../discovery/record-handling.js';
import { ListenerAdapter } from '../discovery/listener.adapter.js';
import type { ListenerEndpoint } from '../discovery/listener.endpoint.js';
import { ListenerExplorer } from '../discovery/listener.explorer.js';
import { DefaultErrorHandler } from '../error-handling/default-error-handler.js';
import { KafkaOptionsError, combinedOptionsError } from '../errors.js';
import type { ContainerSettings } from '../listener/container-settings.js';
import { KafkaListenerEndpointRegistry } from '../listener/listener.registry.js';
import { clusterNames, clustersOf, noSuchCluster } from './cluster-names.js';
import type { KafkaCluster } from './kafka-cluster.js';
import { listenerDefaults } from './listener-defaults.js';
import { nestLog } from './nest-log.js';
import { replySenderOf } from './reply-sender.js';

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
    @Inject(KafkaListenerEndpointRegistry) private readonly registry: KafkaListenerEndpointRegistry,
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(ExternalContextCreator) private readonly contexts: ExternalContextCreator,
    @Inject(ModuleRef) private readonly moduleRef: ModuleRef,
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
  ) {
    for (const module of modules.values()) {
      if (module.metatype === KafkaListenerModule) module.distance = BEFORE_THE_ROOT;
    }
    const names = clusterNames(modules);
    const twice = names.filter((name, index) => names.indexOf(name) !== index);
    if (twice.length > 0) throw new KafkaOptionsError('KafkaModule', [...new Set(twice)].map(importedTwice));
  }

  /** Finds the listeners and starts their containers; does not wait for assignments. */
  async onApplicationBootstrap(): Promise<void> {
    const { contexts, moduleRef, modules } = this;
    const adapter = new ListenerAdapter({ contexts, moduleRef, modules, log });
    for (const { endpoint, settings, cluster } of this.#endpoints()) {
      if (settings.errorHandler instanceof DefaultErrorHandler) settings.errorHandler.useLog(log);
      const extras = { ...cluster.options.listener, ...endpoint.options, replySender: replySenderOf(cluster.template) };
      this.registry.register(
        containerSettings(settings, adapter.create(endpoint, settings, extras)),
        cluster.forRegistry,
      );
      log.info(`Mapped {${describeSource(settings)}, ${endpoint.name}}${describeGroup(settings)}`);
    }
    await this.registry.start();
  }

  /** Stops fetching, finishes what is in hand, commits, leaves the groups. */
  async onModuleDestroy(): Promise<void> {
    await this.registry.stop();
  }

  /** All listeners with their settings. Throws one KafkaOptionsError with the problems of all of them. */
  #endpoints(): MappedEndpoint[] {
    const clusters = clustersOf(this.modules);
    const errors: KafkaOptionsError[] = [];
    const endpoints = new ListenerExplorer(this.discovery, this.#get).explore().flatMap((endpoint) => {
      try {
        const name = endpoint.options.cluster ?? DEFAULT_NAME;
        const cluster = clusters.get(name);
        if (cluster === undefined) {
          const problem = noSuchCluster(name, [...clusters.keys()]);
          throw new KafkaOptionsError(`@KafkaListener on ${endpoint.name}`, [problem]);
        }
        const defaults = listenerDefaults(cluster.options, cluster.template, log);
        const settings = endpointSettings(endpoint, defaults);
        const problems = handlingProblems(endpoint, settings.batch, {
          ...cluster.options.listener,
          ...endpoint.options,
        });
        if (problems.length > 0) throw new KafkaOptionsError(`@KafkaListener on ${endpoint.name}`, problems);
        return [{ endpoint, settings, cluster }];
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

  /** Finds a provider wherever it is, for options that are made at start. */
  readonly #get: ProviderGetter = (token) => this.moduleRef.get(token as never, { strict: false });
}

interface MappedEndpoint {
  readonly endpoint: ListenerEndpoint;
  readonly settings: EndpointSettings;
  readonly cluster: KafkaCluster;
}

function importedTwice(name: string): string {
  return name === DEFAULT_NAME
    ? 'forRoot is imported more than once: import it in the root module only, KafkaTemplate is there for all modules; ' +
        'for several clusters give each a name'
    : `forRoot is imported more than once for the cluster '${name}': give each cluster a name of its own`;
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
