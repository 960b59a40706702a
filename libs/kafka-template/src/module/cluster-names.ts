/**
 * The clusters of an application: their names, known before any of their providers exists, and later themselves.
 */
import type { ModulesContainer } from '@nestjs/core';
import { DEFAULT_NAME } from '../decorators/inject-kafka-template.decorator.js';
import { KafkaOptionsError } from '../errors.js';
import { nearestName } from '../option-check.js';
import type { KafkaCluster } from './kafka-cluster.js';
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

/** The clusters of an application by name, once they exist. */
export function clustersOf(modules: ModulesContainer): ReadonlyMap<string, KafkaCluster> {
  const clusters = new Map<string, KafkaCluster>();
  for (const module of modules.values()) {
    if (module.metatype !== KafkaCoreModule) continue;
    const { cluster } = module.instance as unknown as KafkaCoreModule;
    clusters.set(cluster.name, cluster);
  }
  return clusters;
}

/** The cluster of that name, or without one the default. Throws KafkaOptionsError, about `subject`, when there is none. */
export function clusterNamed(modules: ModulesContainer, name: string | undefined, subject: string): KafkaCluster {
  const clusters = clustersOf(modules);
  const wanted = name ?? DEFAULT_NAME;
  const cluster = clusters.get(wanted);
  if (cluster !== undefined) return cluster;
  throw new KafkaOptionsError(subject, [noSuchCluster(wanted, [...clusters.keys()])]);
}
