/**
 * @KafkaListener: a method is called with the records of a topic.
 *
 * Works on any method of any provider or controller. Writes metadata and nothing else.
 */
import 'reflect-metadata';
import type { KafkaListenerOptions } from '../listener/listener-options.js';
import { KAFKA_LISTENER_METADATA } from './metadata.js';

/**
 * Calls the method with each record of the topics (or, with `batch`, with all of a poll). Repeatable: each decorator
 * is a container of its own. `@KafkaListener('orders')` is short for `@KafkaListener({ topics: 'orders' })`.
 */
export function KafkaListener(options: KafkaListenerOptions | string | readonly string[]): MethodDecorator {
  const own: KafkaListenerOptions = isTopics(options) ? { topics: options } : options;
  return (_target, _method, descriptor) => {
    const method = descriptor.value as object;
    const others = (Reflect.getOwnMetadata(KAFKA_LISTENER_METADATA, method) ?? []) as KafkaListenerOptions[];
    Reflect.defineMetadata(KAFKA_LISTENER_METADATA, [own, ...others], method);
  };
}

function isTopics(options: KafkaListenerOptions | string | readonly string[]): options is string | readonly string[] {
  return typeof options === 'string' || Array.isArray(options);
}
