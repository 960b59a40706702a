/**
 * @SendTo: what a listener returns is sent on, as a reply or to another topic.
 */
import 'reflect-metadata';
import type { ConsumerRecord } from '../record/consumer-record.js';
import { TopicContract } from '../serde/topic-contract.js';
import { SEND_TO_METADATA } from './metadata.js';

/** Where a result goes: a topic, a contract, or a function of request and result. */
export type SendToTarget =
  string | TopicContract | ((request: ConsumerRecord | readonly ConsumerRecord[], result: unknown) => string);

/** What else can be said about replies. */
export interface SendToOptions {
  /** A list that is returned is sent as one record per element. Default false: as one record. */
  readonly splitIterables?: boolean;
  /** Headers of the request that are copied to the reply, besides the correlation id. */
  readonly copyHeaders?: readonly string[];
}

/** What is noted. */
export interface SendToNote extends SendToOptions {
  /** Undefined: the topic in the header `kafka_replyTopic` of the request. */
  readonly target: SendToTarget | undefined;
}

/**
 * Sends what the method returns with the template of the listener's cluster: to `target`, or without one to the topic that the
 * request names in `kafka_replyTopic`. Correlation id, key, and the partition asked for in `kafka_replyPartition` are those of
 * the request. Nothing is sent for undefined and null; a message `{ payload: null, headers: {} }` is a tombstone. The record counts
 * as done when the broker has the reply. On a class: for all its methods.
 */
export function SendTo(target?: SendToTarget, options: SendToOptions = {}): MethodDecorator & ClassDecorator {
  const note: SendToNote = { ...options, target };
  return (decorated: object, _method?: string | symbol, descriptor?: PropertyDescriptor): void => {
    Reflect.defineMetadata(SEND_TO_METADATA, note, descriptor === undefined ? decorated : (descriptor.value as object));
  };
}
