/**
 * The options of KafkaModule: what they are and their defaults. Names are Kafka's and Spring Boot's, in camelCase.
 */
import type { ModuleMetadata, Type } from '@nestjs/common';
import type { ClientProperties, ConsumerProperties, ProducerProperties } from '../drivers/driver-options.js';
import type { ProducerProfile } from '../drivers/producer-profile.js';
import type { Driver } from '../drivers/driver.js';
import type { ListenerOptions } from '../listener/listener-options.js';
import type { SerializerOptions } from '../serde/record-serdes.js';
import type { TemplateOptions } from '../template/kafka-template.js';
import type { ProducerListener } from '../template/producer-listener.js';
import type { NewTopic } from './new-topic.js';

/** How topics are created at start. Times in milliseconds. */
export interface KafkaAdminOptions {
  /** Whether `topics` are created at all. Default true. */
  autoCreate?: boolean;
  /** How long the start of the application waits for that; it goes on in the background. Default 3000. */
  startTimeoutMs?: number;
  /** Whether the application fails to start when the topics could not be created in that time. Default false. */
  failFast?: boolean;
  /** Options of the admin client. */
  properties?: ClientProperties;
}

/** Options of KafkaModule. Only `bootstrapServers` is required. */
export interface KafkaModuleOptions {
  /**
   * Name of the cluster, when the application has several: each is a `forRoot` of its own. `@InjectKafkaTemplate(name)` and
   * `@KafkaListener({ cluster: name })` choose it. Default: the one that is meant where no name is given.
   */
  name?: string;
  /** `host:port`, several separated by commas or as a list. */
  bootstrapServers: string | readonly string[];
  /** Prefix of the names under which the broker knows the clients of this application. Default `kafka-template`. */
  clientId?: string;
  /** Options of all clients: time-outs, retries, metadata. */
  client?: ClientProperties;
  /** Options of the producers. */
  producer?: ProducerProperties;
  /** Producer options that belong together: `lowLatency`, `balanced`, `throughput`. What `producer` says wins. */
  profile?: ProducerProfile;
  /** Options of the consumers, unless a listener says otherwise. */
  consumer?: ConsumerProperties;
  /** Defaults of all listeners. */
  listener?: ListenerOptions;
  /** Options of the template. */
  template?: TemplateOptions;
  /** How topics are created at start. */
  admin?: KafkaAdminOptions;
  /** Topics to create at start: `[newTopic('orders', { partitions: 3 })]`. */
  topics?: readonly NewTopic[];
  /** How keys and values are written and read. Default `auto`. */
  serializers?: SerializerOptions;
  /** Hears about every send. Default: failures are logged. */
  producerListener?: ProducerListener;
  /** The Kafka client underneath. Default: the one of this project. */
  driver?: Driver;
}

/** A class that makes the options; for `useClass` and `useExisting`. */
export interface KafkaOptionsFactory {
  /** The options; asked once, at start. */
  createKafkaOptions(): KafkaModuleOptions | Promise<KafkaModuleOptions>;
}

/** Where the options come from: one of the three. */
export interface KafkaModuleAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  /** As in {@link KafkaModuleOptions}: it has to be known before the options are. */
  name?: string;
  /** A function that makes them, of what is in `inject`. */
  useFactory?: (...dependencies: never[]) => KafkaModuleOptions | Promise<KafkaModuleOptions>;
  /** What the factory gets. */
  inject?: readonly unknown[];
  /** A class that makes them; an instance of its own is made. */
  useClass?: Type<KafkaOptionsFactory>;
  /** The token of a provider that makes them. */
  useExisting?: Type<KafkaOptionsFactory> | string | symbol;
}

/** A template of its own, with its own producer, for `KafkaModule.forFeature`. What is absent is as in `forRoot`. */
export interface KafkaFeatureOptions extends TemplateOptions {
  /** For `@InjectKafkaTemplate(name)`. */
  name: string;
  /** The cluster: the `name` of a `forRoot`. Default: the one without a name. */
  cluster?: string;
  /** Producer options that differ from those of `forRoot`. */
  producer?: ProducerProperties;
  /** Comes after what `forRoot` says and before `producer`. */
  profile?: ProducerProfile;
  /** How its keys and values are written. */
  serializers?: SerializerOptions;
  /** Hears about every send of this template. */
  producerListener?: ProducerListener;
}
