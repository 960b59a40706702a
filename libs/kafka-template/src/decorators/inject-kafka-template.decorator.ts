/**
 * @InjectKafkaTemplate: the template by token, for code that types the parameter with an interface of its own.
 */
import { Inject } from '@nestjs/common';
import { KafkaTemplate } from '../template/kafka-template.js';

/** Injects the application's {@link KafkaTemplate}; the same as a parameter of that type. */
export function InjectKafkaTemplate(): ParameterDecorator & PropertyDecorator {
  return Inject(KafkaTemplate);
}
