/**
 * Reads and changes the configuration of topics, brokers and groups.
 *
 * Guarantees one outcome per resource, in the order asked for; a question about a broker goes to that broker. Changes
 * are incremental (KIP-339): what is not named stays as it is.
 */
import { DescribeConfigs, IncrementalAlterConfigs, type DescribeConfigsResponse } from '@kafka-template/protocol';
import { ClientErrorCode, KafkaError } from '../errors.js';
import type { SendTarget } from '../network/cluster.js';
import {
  type AdminCallOptions,
  type AdminContext,
  callTimeoutMs,
  type ItemOutcome,
  retriedItems,
} from './admin-context.js';
import { itemError } from './topic-admin.js';

/** What can be configured. */
export type ConfigResourceType = 'topic' | 'broker' | 'broker-logger' | 'client-metrics' | 'group';

/** Something with a configuration. */
export interface ConfigResource {
  readonly type: ConfigResourceType;
  /** Name of the topic or group; id of the broker, or empty for the default of all brokers. */
  readonly name: string;
}

/** A question about a resource. */
export interface ConfigQuery extends ConfigResource {
  /** Only these configs. Default: all. */
  readonly keys?: readonly string[];
}

/** Where a value comes from; the first of these that is set wins. */
export type ConfigSource =
  | 'topic'
  | 'dynamic-broker'
  | 'dynamic-default-broker'
  | 'static-broker'
  | 'default'
  | 'broker-logger'
  | 'client-metrics'
  | 'group'
  | 'unknown';

/** One config. */
export interface ConfigEntry {
  readonly name: string;
  /** Null when it is sensitive, or has none. */
  readonly value: string | null;
  readonly source: ConfigSource;
  readonly isDefault: boolean;
  readonly isReadOnly: boolean;
  readonly isSensitive: boolean;
  /** What it means; null before Kafka 2.6, or when not asked for. */
  readonly documentation: string | null;
}

/** The configuration of a resource; empty when there is an error. */
export interface ConfigDescription extends ConfigResource, ItemOutcome {
  readonly configs: readonly ConfigEntry[];
}

/** One change: a value, or an operation. */
export interface ConfigChange {
  readonly name: string;
  /** `set` (default), `delete` (back to the default), `append` to or `subtract` from a list. */
  readonly operation?: 'set' | 'delete' | 'append' | 'subtract';
  /** Not needed for `delete`. */
  readonly value?: string;
}

/** The changes of a resource. */
export interface ConfigChanges extends ConfigResource {
  readonly changes: readonly ConfigChange[];
}

/** What became of the changes of a resource. */
export interface ConfigOutcome extends ConfigResource, ItemOutcome {}

/** The types as the protocol numbers them. */
export const CONFIG_TYPE_NUMBERS: Readonly<Record<ConfigResourceType, number>> = {
  topic: 2,
  broker: 4,
  'broker-logger': 8,
  'client-metrics': 16,
  group: 32,
};
const OPERATION_NUMBER = { set: 0, delete: 1, append: 2, subtract: 3 } as const;
const SOURCES: readonly ConfigSource[] = [
  'unknown',
  'topic',
  'dynamic-broker',
  'dynamic-default-broker',
  'static-broker',
  'default',
  'broker-logger',
  'client-metrics',
  'group',
];
/** First version with the documentation of configs. */
const DOCUMENTATION_VERSION = 3;

type ResponseConfig = DescribeConfigsResponse['results'][number]['configs'][number];

/** The configuration of a cluster. */
export class ConfigAdmin {
  constructor(private readonly context: AdminContext) {}

  /** Reads configurations. */
  describeConfigs(
    queries: readonly ConfigQuery[],
    options: AdminCallOptions & { readonly includeDocumentation?: boolean } = {},
  ): Promise<ConfigDescription[]> {
    const includeDocumentation = options.includeDocumentation ?? false;
    return this.byTarget('Describing configs', queries, options, async (target, items, timeoutMs) => {
      const resources = items.map(({ type, name, keys }) => ({
        resourceType: CONFIG_TYPE_NUMBERS[type],
        resourceName: name,
        configurationKeys: keys ?? null,
      }));
      const response = await this.context.cluster.request(
        target,
        DescribeConfigs,
        (version) => ({ resources, ...(version < DOCUMENTATION_VERSION ? {} : { includeDocumentation }) }),
        { timeoutMs },
      );
      return items.map(({ type, name }) => {
        const answer = response.results.find((each) => isSame(each, { type, name }));
        const error = itemError(answer, `Describing the configuration of ${type} ${name}`);
        return { type, name, configs: (answer?.configs ?? []).map(toEntry), error };
      });
    });
  }

  /** Changes configurations. */
  alterConfigs(
    resources: readonly ConfigChanges[],
    options: AdminCallOptions & { readonly validateOnly?: boolean } = {},
  ): Promise<ConfigOutcome[]> {
    return this.byTarget('Changing configs', resources, options, async (target, items, timeoutMs) => {
      const body = {
        resources: items.map(({ type, name, changes }) => ({
          resourceType: CONFIG_TYPE_NUMBERS[type],
          resourceName: name,
          configs: changes.map((change) => ({
            name: change.name,
            configOperation: OPERATION_NUMBER[change.operation ?? 'set'],
            value: change.value ?? null,
          })),
        })),
        validateOnly: options.validateOnly ?? false,
      };
      const response = await this.context.cluster.request(target, IncrementalAlterConfigs, body, { timeoutMs });
      return items.map(({ type, name }) => {
        const answer = response.responses.find((each) => isSame(each, { type, name }));
        return { type, name, error: itemError(answer, `Changing the configuration of ${type} ${name}`) };
      });
    });
  }

  /** Asks each broker about itself, and any broker about everything else. */
  private byTarget<Item extends ConfigResource, Outcome extends ItemOutcome>(
    what: string,
    resources: readonly Item[],
    options: AdminCallOptions,
    ask: (target: SendTarget, items: readonly Item[], timeoutMs: number) => Promise<Outcome[]>,
  ): Promise<Outcome[]> {
    return retriedItems(this.context, {
      what,
      timeoutMs: callTimeoutMs(this.context, options),
      items: resources,
      ask: async (items, leftMs) => {
        const { cluster, options: own } = this.context;
        const targets = items.map(targetOf);
        if (targets.some((target) => target !== 'any') && cluster.metadata.brokers.size === 0)
          await cluster.metadata.refresh();
        const outcomes = new Map<Item, Outcome>();
        await Promise.all(
          [...new Set(targets)].map(async (target) => {
            const group = items.filter((_, index) => targets[index] === target);
            const answers = await ask(target, group, Math.min(leftMs, own.requestTimeoutMs));
            group.forEach((item, index) => outcomes.set(item, answers[index] as Outcome));
          }),
        );
        return items.map((item) => outcomes.get(item) as Outcome);
      },
    });
  }
}

function targetOf({ type, name }: ConfigResource): SendTarget {
  if ((type !== 'broker' && type !== 'broker-logger') || name === '') return 'any';
  const brokerId = Number(name);
  if (Number.isInteger(brokerId) && brokerId >= 0) return brokerId;
  throw new KafkaError(
    ClientErrorCode.INVALID_ARGUMENT,
    `${JSON.stringify(name)} is not the id of a broker, a whole number.`,
  );
}

function isSame(answer: { resourceType: number; resourceName: string }, { type, name }: ConfigResource): boolean {
  return answer.resourceType === CONFIG_TYPE_NUMBERS[type] && answer.resourceName === name;
}

function toEntry(config: ResponseConfig): ConfigEntry {
  const source = SOURCES[config.configSource] ?? 'unknown';
  return {
    name: config.name,
    value: config.value,
    source,
    isDefault: source === 'default',
    isReadOnly: config.readOnly,
    isSensitive: config.isSensitive,
    documentation: config.documentation === '' ? null : config.documentation,
  };
}
