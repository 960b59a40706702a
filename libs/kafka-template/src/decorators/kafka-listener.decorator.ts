/**
 * @KafkaListener: a method, or a class of @KafkaHandler methods, is called with the records of a topic.
 *
 * Works on any provider or controller. Writes metadata and nothing else.
 */
import 'reflect-metadata';
import type { KafkaListenerOptions } from '../listener/listener-options.js';
import { recordSerdes } from '../serde/record-serdes.js';
import { TopicSerde } from '../serde/delegating.js';
import { TopicContract } from '../serde/topic-contract.js';
import { KAFKA_LISTENER_METADATA } from './metadata.js';

/** Finds a provider of the application by its class or token, wherever it is: `get(ConfigService)`. */
export type ProviderGetter = <T = unknown>(token: (abstract new (...parameters: never[]) => T) | string | symbol) => T;

/** Options of @KafkaListener: {@link KafkaListenerOptions}, whose topics may be contracts. */
export interface KafkaListenerDecoratorOptions extends Omit<KafkaListenerOptions, 'topics'> {
  /** Topics to read: names, contracts, or a function that is called when the application starts. */
  topics?: KafkaListenerOptions['topics'] | TopicContract | readonly (string | TopicContract)[];
}

/** Options that are made when the application starts, from its configuration. */
export type KafkaListenerOptionsFactory = (get: ProviderGetter) => KafkaListenerDecoratorOptions;

/** What is noted: options, or the function that makes them. */
export type ListenerNote = KafkaListenerOptions | ((get: ProviderGetter) => KafkaListenerOptions);

/**
 * Calls the method with each record of the topics (or, with `batch`, with all of a poll). Repeatable: each decorator
 * is a container of its own. `@KafkaListener('orders')` is short for `@KafkaListener({ topics: 'orders' })`, and a function
 * makes the options at start: `@KafkaListener((get) => ({ topics: get(ConfigService).getOrThrow('TOPIC') }))`.
 *
 * On a class: each record goes to that one of its `@KafkaHandler` methods that is for it.
 */
export function KafkaListener(
  options:
    | KafkaListenerDecoratorOptions
    | KafkaListenerOptionsFactory
    | string
    | TopicContract
    | readonly (string | TopicContract)[],
): MethodDecorator & ClassDecorator {
  const note: ListenerNote =
    typeof options === 'function' ? (get) => plainOptions(options(get)) : plainOptions(asOptions(options));
  return (target: object, _method?: string | symbol, descriptor?: PropertyDescriptor): void => {
    const noted = descriptor === undefined ? target : (descriptor.value as object);
    const others = (Reflect.getOwnMetadata(KAFKA_LISTENER_METADATA, noted) ?? []) as ListenerNote[];
    Reflect.defineMetadata(KAFKA_LISTENER_METADATA, [note, ...others], noted);
  };
}

type Given = KafkaListenerDecoratorOptions | string | TopicContract | readonly (string | TopicContract)[];

function asOptions(given: Given): KafkaListenerDecoratorOptions {
  if (typeof given === 'string' || given instanceof TopicContract || isList(given)) return { topics: given };
  return given;
}

/** With names in place of contracts, and their serdes where the options have none. */
function plainOptions(options: KafkaListenerDecoratorOptions): KafkaListenerOptions {
  const { topics } = options;
  if (topics === undefined || typeof topics === 'string' || typeof topics === 'function') {
    return options as KafkaListenerOptions;
  }
  const list = isList(topics) ? topics : [topics];
  const contracts = list.filter((topic) => topic instanceof TopicContract);
  const names = list.map((topic) => (topic instanceof TopicContract ? topic.name : topic));
  if (contracts.length === 0) return { ...options, topics: names };
  return {
    ...options,
    topics: names,
    serializers: { ...serializersOf(contracts, list.length), ...options.serializers },
  };
}

/** Topics without a contract beside some with one are read as `auto`. */
function serializersOf(contracts: readonly TopicContract[], count: number) {
  const [first] = contracts;
  if (count === 1 && first !== undefined) return first.serializers;
  const automatic = recordSerdes();
  return {
    key: new TopicSerde(
      contracts.map(({ name, serdes }) => [name, serdes.key]),
      automatic.key,
    ),
    value: new TopicSerde(
      contracts.map(({ name, serdes }) => [name, serdes.value]),
      automatic.value,
    ),
  };
}

function isList(given: unknown): given is readonly (string | TopicContract)[] {
  return Array.isArray(given);
}
