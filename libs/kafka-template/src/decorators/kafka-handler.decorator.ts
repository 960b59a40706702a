/**
 * @KafkaHandler: one of several methods for the records of a class with @KafkaListener.
 */
import 'reflect-metadata';
import type { ConsumerRecord } from '../record/consumer-record.js';
import { KAFKA_HANDLER_METADATA } from './metadata.js';

/** Header with the type of a value, as Spring's JSON serializer writes it. */
export const TYPE_ID_HEADER = '__TypeId__';

/** For which records a method is; all conditions that are given have to hold. Without any: see {@link KafkaHandler}. */
export interface KafkaHandlerOptions {
  /**
   * Name of the type in the header `__TypeId__`, or a class of that name. A name with a package (`com.acme.Order`) is compared as
   * a whole, one without with the part after the last dot or `$`.
   */
  readonly type?: string | (abstract new (...parameters: never[]) => unknown);
  /** Headers and their texts; all have to be there. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Any other condition. What it throws fails the record. */
  readonly when?: (record: ConsumerRecord) => boolean;
  /** For records that no other method is for. At most one per class. */
  readonly isDefault?: boolean;
}

/**
 * Marks a method of a class with `@KafkaListener`. Each record goes to the one method whose conditions hold; to the default one
 * when there is none; and to the error handler when there is none either, or when there are two. Without options the type of
 * the payload parameter decides, if it is a class.
 */
export function KafkaHandler(options: KafkaHandlerOptions = {}): MethodDecorator {
  return (_target, _method, descriptor) => {
    Reflect.defineMetadata(KAFKA_HANDLER_METADATA, options, descriptor.value as object);
  };
}
