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

/** The options of one import of `forFeature`. */
const KAFKA_FEATURES = Symbol('KAFKA_FEATURES');

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
    const providers = [{ provide: KAFKA_FEATURES, useValue: features }, ...features.map(templateProvider)];
    return {
      module: KafkaFeatureModule,
      providers,
      exports: features.map((feature) => getKafkaTemplateToken(feature.name)),
    };
  }
}

/** The templates of all imports of `forFeature`. */
function featuresOf(modules: ModulesContainer): KafkaFeatureOptions[] {
  const features: KafkaFeatureOptions[] = [];
  for (const module of modules.values()) {
    if (module.metatype !== KafkaFeatureModule) continue;
    features.push(...(module.getProviderByKey(KAFKA_FEATURES).instance as readonly KafkaFeatureOptions[]));
  }
  return features;
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
      const clusters = new Set(
        featuresOf(modules).flatMap((one) => (one.name === name ? [one.cluster ?? DEFAULT_NAME] : [])),
      );
      if (clusters.size > 1) {
        throw new KafkaOptionsError(`the template '${name}'`, [
          `there are templates of that name on the clusters ${[...clusters].join(' and ')}: give one of them another name`,
        ]);
      }
      // Nest tells what is wrong with a cluster that could not be made.
      return found?.feature(feature);
    },
  };
}
