/**
 * One cluster of the application: its options, its driver, its templates and its admin client.
 *
 * Guarantees that every template made here is flushed and closed by `close`, and that a name stands for one template.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Driver } from '../drivers/driver.js';
import { KafkaOptionsError } from '../errors.js';
import type { RegistryCluster } from '../listener/listener.registry.js';
import type { KafkaTemplate } from '../template/kafka-template.js';
import { createTemplate } from './client-factories.js';
import type { KafkaAdmin } from './kafka-admin.js';
import type { KafkaFeatureOptions, KafkaModuleOptions } from './kafka.options.js';

/** What a cluster is made of. */
export interface KafkaClusterParts {
  readonly name: string;
  readonly options: KafkaModuleOptions;
  readonly driver: Driver;
  readonly template: KafkaTemplate;
  readonly admin: KafkaAdmin;
}

interface Feature {
  readonly options: KafkaFeatureOptions;
  readonly template: KafkaTemplate;
}

/** A cluster and the clients that talk to it. */
export class KafkaCluster {
  readonly name: string;
  readonly options: KafkaModuleOptions;
  readonly driver: Driver;
  /** The one of `forRoot`. */
  readonly template: KafkaTemplate;
  readonly admin: KafkaAdmin;
  readonly #features = new Map<string, Feature>();

  constructor({ name, options, driver, template, admin }: KafkaClusterParts) {
    this.name = name;
    this.options = options;
    this.driver = driver;
    this.template = template;
    this.admin = admin;
  }

  /** What the registry of listeners needs of it. */
  get forRegistry(): RegistryCluster {
    return { driver: this.driver, admin: this.admin.client, topicsReady: this.admin.ready };
  }

  /** The template of `forFeature` with these options: the same one for equal options. Throws KafkaOptionsError for others. */
  feature(options: KafkaFeatureOptions): KafkaTemplate {
    const known = this.#features.get(options.name);
    if (known !== undefined) {
      if (isDeepStrictEqual(known.options, options)) return known.template;
      throw new KafkaOptionsError('KafkaModule.forFeature', [
        `there are two templates '${options.name}' with different options: give one of them another name`,
      ]);
    }
    const template = createTemplate(this.options, this.driver, options);
    this.#features.set(options.name, { options, template });
    return template;
  }

  /** Flushes and closes every template, then the admin client. */
  async close(): Promise<void> {
    const templates = [this.template, ...Array.from(this.#features.values(), ({ template }) => template)];
    await Promise.all(templates.map((template) => template.close()));
    await this.admin.close();
  }
}
