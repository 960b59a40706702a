/**
 * @InjectKafkaTemplate and the token behind it: a template by name, where the class alone does not say which one.
 */
import { Inject, type InjectionToken } from '@nestjs/common';
import { KafkaTemplate } from '../template/kafka-template.js';

/** Name of the cluster and of the template that were given none. */
export const DEFAULT_NAME = 'default';

/**
 * The token of a template: the class for that of `KafkaModule.forRoot` without a name, a string for those of a named
 * cluster or of `KafkaModule.forFeature`. For `overrideProvider` in tests, and for factories.
 */
export function getKafkaTemplateToken(name: string = DEFAULT_NAME): InjectionToken<KafkaTemplate> {
  return name === DEFAULT_NAME ? KafkaTemplate : `KafkaTemplate(${name})`;
}

/** Injects a {@link KafkaTemplate}: that of a named cluster, one of `KafkaModule.forFeature`, or without a name the application's. */
export function InjectKafkaTemplate(name?: string): ParameterDecorator & PropertyDecorator {
  return Inject(getKafkaTemplateToken(name));
}
