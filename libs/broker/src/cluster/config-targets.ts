/**
 * Everything that has configs in this cluster (topics, brokers, groups): what is set, what may be set, what follows.
 *
 * Guarantees: answers about resources that do not exist, or are not this broker's, are Kafka's; after `apply` the broker
 * config and the topics it returns show the change.
 * Leaves out storing: controller.ts writes what `write` says.
 */
import { ErrorCode } from '@kafka-template/protocol';
import type { BrokerConfig, ConfigEntries } from './broker-config.js';
import {
  brokerDomain,
  decideChanges,
  decideReplace,
  groupDomain,
  topicDomain,
  type ConfigDecision,
  type ConfigDomain,
} from './config-decisions.js';
import {
  describeBrokerConfigs,
  describeBrokerDefaults,
  describeGroupConfigs,
  describeTopicConfigs,
  type ConfigEntry,
  type DescribeOptions,
} from './config-description.js';
import type { LoadedConfigs } from './cluster-loader.js';
import type { ClusterImage, TopicImage } from './image.js';
import type { StoreOperation } from './store.js';
import { effectiveTopicConfig } from './topic-config.js';
import {
  ConfigResourceType,
  type ConfigChange,
  type ConfigResource,
  type ConfigValue,
  type Outcome,
} from './topic-request.js';
import { configPath, DEFAULT_ENTITY, type ConfigKind } from './znodes.js';
import { putConfig } from './znode-writes.js';

/** What a resource is, once it is known to exist. */
type Target =
  | { readonly refused: Outcome }
  | { readonly refused: null; readonly domain: ConfigDomain; readonly entries: ConfigEntries };

function refuse(errorCode: number, errorMessage: string): { readonly refused: Outcome } {
  return { refused: { errorCode, errorMessage } };
}

const NOTHING_SET: ConfigEntries = {};

/** See the file comment. */
export class ConfigTargets {
  private forAllBrokers: ConfigEntries;
  private forThisBroker: ConfigEntries;
  private readonly groups: Map<string, ConfigEntries>;
  private effective: BrokerConfig;

  constructor(
    private readonly brokerId: number,
    config: BrokerConfig,
    loaded: LoadedConfigs,
  ) {
    this.forAllBrokers = loaded.forAllBrokers;
    this.forThisBroker = loaded.forThisBroker;
    this.groups = new Map(loaded.groups);
    this.effective = config.withDynamic(this.forAllBrokers, this.forThisBroker);
  }

  /** The broker's configuration with everything that was changed at run time. */
  get broker(): BrokerConfig {
    return this.effective;
  }

  /** What is set for a group, by Kafka's names; empty when nothing is. */
  group(groupId: string): ConfigEntries {
    return this.groups.get(groupId) ?? NOTHING_SET;
  }

  /** AlterConfigs. */
  decideReplace(resource: ConfigResource, configs: readonly ConfigValue[], image: ClusterImage): ConfigDecision {
    const target = this.target(resource, image);
    return target.refused ? target : decideReplace(configs, target.domain);
  }

  /** IncrementalAlterConfigs. */
  decideChanges(resource: ConfigResource, changes: readonly ConfigChange[], image: ClusterImage): ConfigDecision {
    const target = this.target(resource, image);
    return target.refused ? target : decideChanges(target.entries, changes, target.domain);
  }

  /** The node that holds the resource's configs. */
  path({ resourceType, resourceName }: ConfigResource): string {
    const kinds: Readonly<Record<number, ConfigKind>> = {
      [ConfigResourceType.TOPIC]: 'topics',
      [ConfigResourceType.BROKER]: 'brokers',
      [ConfigResourceType.GROUP]: 'groups',
    };
    return configPath(kinds[resourceType] ?? 'topics', resourceName === '' ? DEFAULT_ENTITY : resourceName);
  }

  /** How to store the entries. */
  write(resource: ConfigResource, entries: ConfigEntries, exists: boolean): StoreOperation {
    return putConfig(this.path(resource), entries, exists);
  }

  /** Makes stored entries effective; returns the topics that are different now. */
  apply({ resourceType, resourceName }: ConfigResource, entries: ConfigEntries, image: ClusterImage): TopicImage[] {
    if (resourceType === ConfigResourceType.GROUP) {
      this.groups.set(resourceName, entries);
      return [];
    }
    if (resourceType === ConfigResourceType.TOPIC) {
      const topic = image.topic(resourceName);
      return topic ? [{ ...topic, overrides: entries, config: effectiveTopicConfig(entries, this.effective) }] : [];
    }
    if (resourceName === '') this.forAllBrokers = entries;
    else this.forThisBroker = entries;
    this.effective = this.effective.withDynamic(this.forAllBrokers, this.forThisBroker);
    return this.topicsAfterBrokerChange(image);
  }

  /** DescribeConfigs of one resource. */
  describe(
    resource: ConfigResource,
    options: DescribeOptions,
    image: ClusterImage,
  ): Outcome & { readonly configs: readonly ConfigEntry[] } {
    const target = this.target(resource, image);
    if (target.refused) return { ...target.refused, configs: [] };
    // Kafka says '' here where other answers say null.
    const done = { errorCode: ErrorCode.NONE, errorMessage: '' };
    switch (resource.resourceType) {
      case ConfigResourceType.TOPIC:
        return { ...done, configs: describeTopicConfigs(target.entries, this.effective, options) };
      case ConfigResourceType.GROUP:
        return { ...done, configs: describeGroupConfigs(target.entries, this.effective, options) };
      default:
        return resource.resourceName === ''
          ? { ...done, configs: describeBrokerDefaults(this.effective, options) }
          : { ...done, configs: describeBrokerConfigs(this.effective, options) };
    }
  }

  private topicsAfterBrokerChange(image: ClusterImage): TopicImage[] {
    const changed: TopicImage[] = [];
    for (const topic of image.topics()) {
      const config = effectiveTopicConfig(topic.overrides, this.effective);
      if (JSON.stringify(config) !== JSON.stringify(topic.config)) changed.push({ ...topic, config });
    }
    return changed;
  }

  private target({ resourceType, resourceName }: ConfigResource, image: ClusterImage): Target {
    switch (resourceType) {
      case ConfigResourceType.TOPIC: {
        if (resourceName === '') return refuse(ErrorCode.INVALID_REQUEST, 'Default topic resources are not allowed.');
        const topic = image.topic(resourceName);
        if (topic) return { refused: null, domain: topicDomain(this.effective), entries: topic.overrides };
        return refuse(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `The topic '${resourceName}' does not exist.`);
      }
      case ConfigResourceType.BROKER:
        return this.brokerTarget(resourceName);
      case ConfigResourceType.GROUP: {
        if (resourceName === '') return refuse(ErrorCode.INVALID_REQUEST, 'Default group resources are not allowed.');
        return { refused: null, domain: groupDomain(this.effective), entries: this.group(resourceName) };
      }
      default:
        return refuse(ErrorCode.INVALID_REQUEST, `Unsupported resource type: ${resourceType}`);
    }
  }

  private brokerTarget(name: string): Target {
    if (name === '') return { refused: null, domain: brokerDomain(true), entries: this.forAllBrokers };
    if (!/^-?\d+$/.test(name)) {
      return refuse(ErrorCode.INVALID_REQUEST, `Broker id must be an integer, but it is: ${name}`);
    }
    if (Number(name) === this.brokerId) {
      return { refused: null, domain: brokerDomain(false), entries: this.forThisBroker };
    }
    const sentence = `Unexpected broker id, expected ${this.brokerId}, but received ${name}`;
    return refuse(ErrorCode.INVALID_REQUEST, sentence);
  }
}
