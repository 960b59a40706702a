/**
 * The names of the clusters of an application, known before any of their providers exists.
 */
import type { ModulesContainer } from '@nestjs/core';
import { DEFAULT_NAME } from '../decorators/inject-kafka-template.decorator.js';
import { nearestName } from '../option-check.js';
import { KafkaCoreModule } from './kafka-core.module.js';
import { KAFKA_CLUSTER_NAME } from './kafka.tokens.js';

/** One name for each import of KafkaModule, repetitions included. */
export function clusterNames(modules: ModulesContainer): string[] {
  const names: string[] = [];
  for (const module of modules.values()) {
    if (module.metatype !== KafkaCoreModule) continue;
    names.push(String(module.getProviderByKey(KAFKA_CLUSTER_NAME).instance));
  }
  return names;
}

/** The sentence for a name that no cluster has. */
export function noSuchCluster(name: string, names: readonly string[]): string {
  if (name === DEFAULT_NAME) {
    return `it names no cluster, and every KafkaModule.forRoot has a name: choose one of ${names.join(', ')}`;
  }
  const nearest = nearestName(name, names);
  const hint = nearest === undefined ? `the clusters are: ${names.join(', ')}` : `did you mean '${nearest}'?`;
  return `there is no cluster '${name}': ${hint}`;
}
