/**
 * Templates of their own, by name: `KafkaModule.forFeature`.
 */
import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { DEFAULT_NAME, getKafkaTemplateToken } from '../decorators/inject-kafka-template.decorator.js';
import { KafkaOptionsError } from '../errors.js';
import { clusterNames, noSuchCluster } from './cluster-names.js';
import type { KafkaCluster } from './kafka-cluster.js';
import { featureProblems } from './kafka.options-check.js';
import type { KafkaFeatureOptions } from './kafka.options.js';
import { clusterToken } from './kafka.tokens.js';

/** Provides and exports named templates. */
@Module({})
export class KafkaFeatureModule {
  /** With these templates. Throws KafkaOptionsError with everything that is wrong with them. */
  static with(features: readonly KafkaFeatureOptions[]): DynamicModule {
    const problems = features.flatMap(featureProblems);
    const names = features.map((feature) => feature?.name);
    for (const name of new Set(names.filter((one, index) => names.indexOf(one) !== index))) {
      problems.push(`the name '${name}' is there twice`);
    }
    if (names.includes(DEFAULT_NAME)) problems.push(`'${DEFAULT_NAME}' is the name of the template of forRoot`);
    if (problems.length > 0) throw new KafkaOptionsError('KafkaModule.forFeature', problems);
    const providers = features.map(templateProvider);
    return {
      module: KafkaFeatureModule,
      providers,
      exports: features.map((feature) => getKafkaTemplateToken(feature.name)),
    };
  }
}

function templateProvider(feature: KafkaFeatureOptions): Provider {
  const { name, cluster = DEFAULT_NAME } = feature;
  return {
    provide: getKafkaTemplateToken(name),
    inject: [ModulesContainer, { token: clusterToken(cluster), optional: true }],
    useFactory: (modules: ModulesContainer, found: KafkaCluster | undefined) => {
      const names = clusterNames(modules);
      if (found === undefined && !names.includes(cluster)) {
        throw new KafkaOptionsError(`the template '${name}'`, [noSuchCluster(cluster, names)]);
      }
      if (names.includes(name)) {
        throw new KafkaOptionsError(`the template '${name}'`, [
          'a cluster has that name, and its template with it: choose another name',
        ]);
      }
      // Nest tells what is wrong with a cluster that could not be made.
      return found?.feature(feature);
    },
  };
}
