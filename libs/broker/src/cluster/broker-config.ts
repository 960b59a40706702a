/**
 * The configuration of one broker: what its options and file say, and what was changed while it runs, over the defaults.
 *
 * Guarantees: immutable; every entry was checked, so reading never fails; the strongest source wins (changed for this
 * broker, changed for all brokers, static, default).
 * Leaves out where changes are stored: controller.ts keeps them under `/config/brokers`.
 */
import { BrokerError } from '../errors.js';
import { COORDINATION_BROKER_CONFIGS } from './broker-configs-coordination.js';
import { LOG_BROKER_CONFIGS } from './broker-configs-log.js';
import { SERVER_BROKER_CONFIGS } from './broker-configs-server.js';
import {
  canonicalText,
  checkConfig,
  readBoolean,
  readList,
  readNumber,
  type ConfigDefinition,
} from './config-definition.js';
import { SHARE_BROKER_CONFIGS } from './broker-configs-share.js';
import { isUnserved, notServed, PASSED_OVER } from './kafka-only-configs.js';
import { nearestName } from './nearest-name.js';

/** Every broker config this broker knows, in the order of their names. */
export const BROKER_CONFIGS: readonly ConfigDefinition[] = [
  ...SERVER_BROKER_CONFIGS,
  ...LOG_BROKER_CONFIGS,
  ...COORDINATION_BROKER_CONFIGS,
  ...SHARE_BROKER_CONFIGS,
].sort((left, right) => (left.name < right.name ? -1 : 1));

const BY_NAME = new Map(BROKER_CONFIGS.map((definition) => [definition.name, definition]));

/** Configs by name, as text. */
export type ConfigEntries = Readonly<Record<string, string>>;

/** Where a value comes from. Source: Kafka, `DescribeConfigsResponse.ConfigSource`. */
export const ConfigSource = {
  TOPIC: 1,
  DYNAMIC_BROKER: 2,
  DYNAMIC_DEFAULT_BROKER: 3,
  STATIC_BROKER: 4,
  DEFAULT: 5,
  GROUP: 8,
} as const;

/** One value a broker config has at one source. */
export interface SourcedValue {
  readonly name: string;
  readonly value: string;
  readonly source: number;
}

/** The definition of a broker config, or undefined when there is none of this name. */
export function brokerConfigDefinition(name: string): ConfigDefinition | undefined {
  return BY_NAME.get(name);
}

/** In the documentation of configs that are kept and shown, and nothing else. */
const KEPT = 'does not act on it';

function checkEntries(entries: ConfigEntries): void {
  const refusal = notServed(entries);
  if (refusal !== null) throw new BrokerError('CONFIG', refusal);
  for (const [name, value] of Object.entries(entries)) {
    const definition = BY_NAME.get(name);
    if (!definition) {
      if (isUnserved(name)) continue;
      const nearest = nearestName(name, [...BY_NAME.keys(), ...PASSED_OVER]);
      const cure =
        nearest === null
          ? "Remove it, or see Kafka's broker configs for the right name."
          : `Did you mean '${nearest}'?`;
      throw new BrokerError('CONFIG', `Unknown broker config '${name}'. ${cure}`);
    }
    const complaint = checkConfig(definition, value);
    if (complaint !== null) throw new BrokerError('CONFIG', `${complaint}. Correct the value or leave the config out.`);
  }
}

/** See the file comment. */
export class BrokerConfig {
  private constructor(
    /** What options and file said. */
    readonly staticEntries: ConfigEntries,
    /** Changed for all brokers. */
    readonly dynamicDefaultEntries: ConfigEntries,
    /** Changed for this broker. */
    readonly dynamicEntries: ConfigEntries,
  ) {}

  /** Checks the entries. Throws a `BrokerError` with code CONFIG that names the entry, the rule and the nearest name. */
  static of(entries: ConfigEntries): BrokerConfig {
    checkEntries(entries);
    return new BrokerConfig({ ...entries }, {}, {});
  }

  /** The same broker with other changes; the caller has checked them. */
  withDynamic(dynamicDefaultEntries: ConfigEntries, dynamicEntries: ConfigEntries): BrokerConfig {
    return new BrokerConfig(this.staticEntries, dynamicDefaultEntries, dynamicEntries);
  }

  /** Names in options and file that are Kafka's, and that change nothing here; sorted. */
  get withoutEffect(): string[] {
    const hasNone = (name: string): boolean => BY_NAME.get(name)?.documentation.includes(KEPT) ?? isUnserved(name);
    return Object.keys(this.staticEntries).filter(hasNone).sort();
  }

  /** The value in effect as text, null when it is not set. Throws on a name that is not a broker config: our mistake. */
  text(name: string): string | null {
    const definition = BY_NAME.get(name);
    if (!definition) throw new Error(`'${name}' is no broker config. Use a name from BROKER_CONFIGS.`);
    const value = this.dynamicEntries[name] ?? this.dynamicDefaultEntries[name] ?? this.staticEntries[name];
    if (value === undefined) return definition.defaultValue;
    return canonicalText(definition, value);
  }

  /** A number that has a default. "No limit" (2^63-1) is Number.MAX_SAFE_INTEGER. */
  number(name: string): number {
    const value = this.optionalNumber(name);
    if (value === null) throw new Error(`Broker config '${name}' has no value. Read it with optionalNumber.`);
    return value;
  }

  /** A number that may be unset. */
  optionalNumber(name: string): number | null {
    const value = this.text(name);
    return value === null ? null : readNumber(value);
  }

  boolean(name: string): boolean {
    return readBoolean(this.text(name) ?? 'false');
  }

  /** The entries of a list; unset is the empty list. */
  list(name: string): string[] {
    return readList(this.text(name) ?? '');
  }

  /** Every value the config has, the one in effect first. Kafka's order of sources. */
  values(name: string): SourcedValue[] {
    const values: SourcedValue[] = [];
    const add = (entries: ConfigEntries, source: number): void => {
      const value = entries[name];
      if (value !== undefined) values.push({ name, value, source });
    };
    add(this.dynamicEntries, ConfigSource.DYNAMIC_BROKER);
    add(this.dynamicDefaultEntries, ConfigSource.DYNAMIC_DEFAULT_BROKER);
    add(this.staticEntries, ConfigSource.STATIC_BROKER);
    const standard = BY_NAME.get(name)?.defaultValue ?? null;
    if (standard !== null) values.push({ name, value: standard, source: ConfigSource.DEFAULT });
    return values;
  }
}
