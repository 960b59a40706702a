/**
 * The answers of DescribeConfigs: every config of a topic, a broker or a group with value, source, synonyms and meaning.
 *
 * Guarantees: the shape of the protocol's `configs` entries; Kafka's sources and its order (by name); values of passwords
 * are never in it.
 */
import {
  ConfigSource,
  type BrokerConfig,
  type ConfigEntries,
  type SourcedValue,
  BROKER_CONFIGS,
  brokerConfigDefinition,
} from './broker-config.js';
import { GROUP_CONFIGS } from './broker-configs-coordination.js';
import { canonicalText, CONFIG_TYPE_CODE, isSensitive, type ConfigDefinition } from './config-definition.js';
import { TOPIC_CONFIGS, TOPIC_CONFIG_SYNONYMS } from './topic-config-table.js';
import { topicConfigText } from './topic-config.js';

/** What the request wants to know. `keys` null: everything. */
export interface DescribeOptions {
  readonly keys: readonly string[] | null;
  readonly includeSynonyms: boolean;
  readonly includeDocumentation: boolean;
}

/** One source a value has, as DescribeConfigs lists it. */
export interface ConfigSynonymEntry {
  readonly name: string;
  readonly value: string | null;
  readonly source: number;
}

/** One config as DescribeConfigs and CreateTopics answer it. `configType` is a code of {@link CONFIG_TYPE_CODE}. */
export interface ConfigEntry {
  readonly name: string;
  readonly value: string | null;
  readonly readOnly: boolean;
  readonly configSource: number;
  readonly isSensitive: boolean;
  readonly synonyms: readonly ConfigSynonymEntry[];
  readonly configType: number;
  readonly documentation: string | null;
}

interface Facts {
  readonly value: string | null;
  readonly readOnly: boolean;
  readonly sources: readonly SourcedValue[];
}

function selected(definitions: readonly ConfigDefinition[], keys: readonly string[] | null): ConfigDefinition[] {
  return definitions.filter((definition) => !definition.internal && (keys === null || keys.includes(definition.name)));
}

function entry(definition: ConfigDefinition, facts: Facts, options: DescribeOptions): ConfigEntry {
  const sensitive = isSensitive(definition);
  const synonym = ({ name, value, source }: SourcedValue): ConfigSynonymEntry => ({
    name,
    value: sensitive ? null : value,
    source,
  });
  return {
    name: definition.name,
    value: sensitive ? null : facts.value,
    readOnly: facts.readOnly,
    configSource: facts.sources[0]?.source ?? ConfigSource.DEFAULT,
    isSensitive: sensitive,
    synonyms: options.includeSynonyms ? facts.sources.map(synonym) : [],
    configType: CONFIG_TYPE_CODE[definition.type],
    documentation: options.includeDocumentation ? definition.documentation : null,
  };
}

/** Broker configs that stand for the same thing as `name`, itself first: `log.retention.ms`, `.minutes`, `.hours`. */
const EQUIVALENTS = new Map<string, readonly string[]>();
for (const synonyms of Object.values(TOPIC_CONFIG_SYNONYMS)) {
  const names = synonyms.map((synonym) => synonym.name);
  if (names[0] !== undefined) EQUIVALENTS.set(names[0], names);
}

/** Kafka's list: by source, within a source by strength of the name; what comes before the name itself is not shown. */
function brokerSources(name: string, broker: BrokerConfig): SourcedValue[] {
  const all = (EQUIVALENTS.get(name) ?? [name]).flatMap((equivalent) => broker.values(equivalent));
  all.sort((left, right) => left.source - right.source);
  const first = all.findIndex((value) => value.name === name);
  return first === -1 ? [] : all.slice(first);
}

/** All configs of a topic. Every one can be changed. */
export function describeTopicConfigs(
  overrides: ConfigEntries,
  broker: BrokerConfig,
  options: DescribeOptions,
): ConfigEntry[] {
  return selected(TOPIC_CONFIGS, options.keys).map((definition) => {
    const { name } = definition;
    const strongest = TOPIC_CONFIG_SYNONYMS[name]?.[0]?.name;
    const sources = strongest === undefined ? [] : brokerSources(strongest, broker);
    const own = overrides[name];
    if (own !== undefined) {
      sources.unshift({ name, value: canonicalText(definition, own), source: ConfigSource.TOPIC });
    }
    return entry(definition, { value: topicConfigText(name, overrides, broker), readOnly: false, sources }, options);
  });
}

/** All configs of a running broker. Those that Kafka can change at run time are not read only. */
export function describeBrokerConfigs(broker: BrokerConfig, options: DescribeOptions): ConfigEntry[] {
  return selected(BROKER_CONFIGS, options.keys).map((definition) => {
    const facts: Facts = {
      value: broker.text(definition.name),
      readOnly: definition.update === 'read-only',
      sources: brokerSources(definition.name, broker),
    };
    return entry(definition, facts, options);
  });
}

/** Only what was changed for all brokers at once. */
export function describeBrokerDefaults(broker: BrokerConfig, options: DescribeOptions): ConfigEntry[] {
  const changed = broker.dynamicDefaultEntries;
  return selected(BROKER_CONFIGS, options.keys)
    .filter((definition) => changed[definition.name] !== undefined)
    .map((definition) => {
      const value = changed[definition.name] ?? '';
      const sources = [{ name: definition.name, value, source: ConfigSource.DYNAMIC_DEFAULT_BROKER }];
      return entry(definition, { value, readOnly: false, sources }, options);
    });
}

/** All configs of a group; the default of each is the broker config of the same meaning. */
export function describeGroupConfigs(
  overrides: ConfigEntries,
  broker: BrokerConfig,
  options: DescribeOptions,
): ConfigEntry[] {
  return selected(GROUP_CONFIGS, options.keys).map((definition) => {
    const own = overrides[definition.name];
    const common = `group.${definition.name}`;
    const isCommon = brokerConfigDefinition(common) !== undefined;
    const byDefault = { name: definition.name, value: definition.defaultValue ?? '', source: ConfigSource.DEFAULT };
    const sources = isCommon ? brokerSources(common, broker) : [byDefault];
    if (own !== undefined) sources.unshift({ name: definition.name, value: own, source: ConfigSource.GROUP });
    const value = own ?? (isCommon ? broker.text(common) : definition.defaultValue);
    return entry(definition, { value, readOnly: false, sources }, options);
  });
}
