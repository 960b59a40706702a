/**
 * What both sides of a topic agree on: its name, the types of key and value, how they are written, how it is created.
 *
 * One constant, shared by whoever sends and whoever listens: the compiler checks `send(Orders, ...)`, and the listener gets what
 * the contract says. Types are TypeScript's; a schema makes them hold at run time too.
 */
import { type RecordSerdes, type SerializerOptions } from './record-serdes.js';
import { type Serde, type SerdeName, jsonSerde, serdeOf } from './serde.js';
import { SchemaSerde, type SchemaInput, type SchemaOutput, type StandardSchema } from './standard-schema.js';

/** What {@link defineTopic} takes. */
export interface TopicContractOptions {
  /** The topic. */
  readonly name: string;
  /** How keys are written. Default `auto`. */
  readonly key?: SerdeName | Serde;
  /** How values are written. Default `auto`; with a schema `json`. */
  readonly value?: SerdeName | Serde;
  /** Partitions, when KafkaModule creates the topic. Default: the broker's. */
  readonly partitions?: number;
  /** Copies of each partition, likewise. */
  readonly replicas?: number;
  /** Configuration of the topic in Kafka's names, likewise. */
  readonly configs?: Readonly<Record<string, string>>;
}

/** A topic with its types. Made by {@link defineTopic}; can stand in `topics` of KafkaModule to be created. */
export class TopicContract<K = unknown, In = unknown, Out = In> {
  /** The topic. */
  readonly name: string;
  /** How many it is created with; absent: the broker's default. */
  declare readonly partitions?: number;
  /** Of each partition; absent: the broker's default. */
  declare readonly replicas?: number;
  /** Kafka's names and values. */
  declare readonly configs?: Readonly<Record<string, string>>;
  /** For the compiler only. */
  declare readonly types?: { readonly key: K; readonly input: In; readonly output: Out };
  readonly #serdes: RecordSerdes;

  constructor({ key, value, ...topic }: TopicContractOptions, schema?: StandardSchema) {
    this.name = topic.name;
    if (topic.partitions !== undefined) this.partitions = topic.partitions;
    if (topic.replicas !== undefined) this.replicas = topic.replicas;
    if (topic.configs !== undefined) this.configs = topic.configs;
    const plain = value === undefined && schema !== undefined ? jsonSerde : serdeOf(value, 'value');
    this.#serdes = {
      key: serdeOf(key, 'key'),
      value: schema === undefined ? plain : new SchemaSerde(schema, plain),
    };
  }

  /** How its records are written and read. */
  get serdes(): RecordSerdes {
    return this.#serdes;
  }

  /** The same as options of a listener. */
  get serializers(): SerializerOptions {
    return { ...this.#serdes };
  }
}

/** Type of the keys of a contract. */
export type KeyOf<C extends TopicContract> = NonNullable<C['types']>['key'];

/** Type of the values a listener of the contract gets. */
export type ValueOf<C extends TopicContract> = NonNullable<C['types']>['output'];

/** Type of the values that can be sent. */
export type InputOf<C extends TopicContract> = NonNullable<C['types']>['input'];

/**
 * Defines a topic: `defineTopic<string, Order>({ name: 'orders' })`, or with a schema of zod, valibot and the like, whose types
 * are then those of the topic: `defineTopic({ name: 'orders', schema: z.object({ id: z.string() }) })`.
 */
export function defineTopic<S extends StandardSchema>(
  options: TopicContractOptions & { readonly schema: S },
): TopicContract<string, SchemaInput<S>, SchemaOutput<S>>;
export function defineTopic<K = string, V = unknown>(options: TopicContractOptions): TopicContract<K, V>;
export function defineTopic(options: TopicContractOptions & { readonly schema?: StandardSchema }): TopicContract {
  const { schema, ...contract } = options;
  return new TopicContract(contract, schema);
}
