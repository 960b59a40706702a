/**
 * What becomes of AlterConfigs and IncrementalAlterConfigs: pure functions from the present entries and the request to
 * the entries after it.
 *
 * Guarantees Kafka's checks, codes and sentences; all changes of a request or none.
 * Leaves out storing them and telling partitions: see controller.ts.
 */
import { ErrorCode } from '@kafka-template/protocol';
import { brokerConfigDefinition, type BrokerConfig, type ConfigEntries } from './broker-config.js';
import { GROUP_CONFIGS } from './broker-configs-coordination.js';
import { checkConfig, readList, type ConfigDefinition } from './config-definition.js';
import { checkTopicConfigs, topicConfigDefinition } from './topic-config.js';
import { ConfigOperation, type ConfigChange, type ConfigValue, type Outcome } from './topic-request.js';

/** A refusal, or the entries as they shall be. */
export type ConfigDecision =
  { readonly refused: Outcome } | { readonly refused: null; readonly entries: ConfigEntries };

/** One kind of thing that has configs: what it knows, and what holds for all its entries together. */
export interface ConfigDomain {
  /** The definition, or undefined for a name that does not exist. */
  definition(name: string): ConfigDefinition | undefined;
  /** Null when the entries are fine. */
  check(entries: ConfigEntries): Outcome | null;
}

function refuse(errorCode: number, errorMessage: string | null): { readonly refused: Outcome } {
  return { refused: { errorCode, errorMessage } };
}

/** Configs of topics. */
export function topicDomain(broker: BrokerConfig): ConfigDomain {
  return {
    definition: topicConfigDefinition,
    check: (entries) => {
      const complaint = checkTopicConfigs(entries, broker);
      return complaint === null ? null : { errorCode: ErrorCode.INVALID_CONFIG, errorMessage: complaint };
    },
  };
}

/** Configs of one broker, or (with `forAll`) of all brokers: only those that may change while a broker runs. */
export function brokerDomain(forAll: boolean): ConfigDomain {
  return {
    definition: brokerConfigDefinition,
    check: (entries) => {
      const names = Object.keys(entries);
      const fixed = names.filter((name) => (brokerConfigDefinition(name)?.update ?? 'read-only') === 'read-only');
      if (fixed.length > 0) return invalid(`Cannot update these configs dynamically: [${fixed.join(', ')}]`);
      const single = names.filter((name) => brokerConfigDefinition(name)?.update === 'per-broker');
      if (forAll && single.length > 0) {
        return invalid(`Cannot update these configs at default cluster level: [${single.join(', ')}]`);
      }
      for (const [name, value] of Object.entries(entries)) {
        const definition = brokerConfigDefinition(name);
        const complaint = definition ? checkConfig(definition, value) : null;
        if (complaint !== null) return invalid(complaint);
      }
      return null;
    },
  };
}

function invalid(errorMessage: string): Outcome {
  return { errorCode: ErrorCode.INVALID_REQUEST, errorMessage };
}

function checkGroupEntry(name: string, value: string, broker: BrokerConfig): string | null {
  const definition = GROUP_CONFIGS.find((candidate) => candidate.name === name);
  if (!definition) return `Unknown group config name: ${name}`;
  const complaint = checkConfig(definition, value);
  if (complaint !== null) return complaint;
  const [, kind, rest] = /^(\w+)\.(.*)$/.exec(name) ?? [];
  const least = `group.${kind}.min.${rest}`;
  const most = `group.${kind}.max.${rest}`;
  if (brokerConfigDefinition(least) === undefined) return null;
  if (Number(value) < broker.number(least)) return `${name} must be greater than or equal to ${least}`;
  return Number(value) > broker.number(most) ? `${name} must be less than or equal to ${most}` : null;
}

/** Configs of groups, within the bounds the broker sets. */
export function groupDomain(broker: BrokerConfig): ConfigDomain {
  return {
    definition: (name) => GROUP_CONFIGS.find((definition) => definition.name === name),
    check: (entries) => {
      for (const [name, value] of Object.entries(entries)) {
        const complaint = checkGroupEntry(name, value, broker);
        if (complaint !== null) return { errorCode: ErrorCode.INVALID_CONFIG, errorMessage: complaint };
      }
      return null;
    },
  };
}

function duplicate(configs: readonly ConfigValue[]): boolean {
  return new Set(configs.map((config) => config.name)).size < configs.length;
}

function decided(entries: ConfigEntries, domain: ConfigDomain): ConfigDecision {
  const refused = domain.check(entries);
  return refused ? { refused } : { refused: null, entries };
}

/** AlterConfigs: the given entries become the whole set. */
export function decideReplace(configs: readonly ConfigValue[], domain: ConfigDomain): ConfigDecision {
  if (duplicate(configs)) return refuse(ErrorCode.INVALID_REQUEST, 'Error due to duplicate config keys');
  const unset = configs.filter((config) => config.value === null).map((config) => config.name);
  if (unset.length > 0) return refuse(ErrorCode.INVALID_REQUEST, `Null value not supported for : ${unset.join(',')}`);
  return decided(Object.fromEntries(configs.map(({ name, value }) => [name, value ?? ''])), domain);
}

const OPERATION_NAMES: readonly string[] = ['SET', 'DELETE', 'APPEND', 'SUBTRACT'];

function changedList(present: string, change: ConfigChange): string {
  const before = readList(present);
  const given = readList(change.value ?? '');
  const after =
    change.configOperation === ConfigOperation.APPEND
      ? [...before, ...given.filter((entry) => !before.includes(entry))]
      : before.filter((entry) => !given.includes(entry));
  return after.join(',');
}

/** IncrementalAlterConfigs: one change after the other. A name the domain does not know is found by its check. */
export function decideChanges(
  present: ConfigEntries,
  changes: readonly ConfigChange[],
  domain: ConfigDomain,
): ConfigDecision {
  if (duplicate(changes)) return refuse(ErrorCode.INVALID_REQUEST, 'Error due to duplicate config keys');
  const unset = changes
    .filter((change) => change.value === null && change.configOperation !== ConfigOperation.DELETE)
    .map((change) => change.name);
  if (unset.length > 0) return refuse(ErrorCode.INVALID_REQUEST, `Null value not supported for : ${unset.join(',')}`);
  const entries: Record<string, string> = { ...present };
  for (const change of changes) {
    const { name, value, configOperation } = change;
    const operation = OPERATION_NAMES[configOperation];
    // Kafka has no sentence for an operation that does not exist: it fails as unexpected.
    if (operation === undefined) return refuse(ErrorCode.UNKNOWN_SERVER_ERROR, null);
    const definition = domain.definition(name);
    if (operation === 'DELETE') delete entries[name];
    else if (operation === 'SET' || !definition) entries[name] = value ?? '';
    else if (definition.type === 'list') {
      entries[name] = changedList(entries[name] ?? definition.defaultValue ?? '', change);
    } else {
      return refuse(ErrorCode.INVALID_CONFIG, `Can't ${operation} to key ${name} because its type is not LIST.`);
    }
  }
  return decided(entries, domain);
}
