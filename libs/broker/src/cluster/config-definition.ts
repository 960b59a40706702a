/**
 * What is known about one config: name, type, default, rule, meaning; and how its text is checked and read.
 *
 * Guarantees: configs are text everywhere they travel or rest, as in Kafka; `checkConfig` answers in Kafka's sentences;
 * a text that passed the check can be read without error.
 * Leaves out which configs exist: see topic-config-table.ts and broker-config-table.ts.
 */

/** Kafka's config types and their codes in DescribeConfigs v3+. Source: KIP-569. */
export const CONFIG_TYPE_CODE = {
  boolean: 1,
  string: 2,
  int: 3,
  short: 4,
  long: 5,
  double: 6,
  list: 7,
  class: 8,
  password: 9,
} as const;

/** Name of a config type. */
export type ConfigType = keyof typeof CONFIG_TYPE_CODE;

/** Where a broker config may be changed while the broker runs. Source: KIP-226. */
export type ConfigUpdate = 'read-only' | 'per-broker' | 'cluster-wide';

/** A rule beyond the type: null when the text is fine, else Kafka's clause saying what it must be. */
export type ConfigRule = (value: string) => string | null;

/** One config. `defaultValue` is text; null means "not set". Internal ones work but are never listed. */
export interface ConfigDefinition {
  readonly name: string;
  readonly type: ConfigType;
  readonly defaultValue: string | null;
  readonly documentation: string;
  readonly rule: ConfigRule | null;
  readonly update: ConfigUpdate;
  readonly internal: boolean;
}

/** What the helpers below leave to choose. */
export interface ConfigTraits {
  readonly rule?: ConfigRule;
  readonly update?: ConfigUpdate;
  readonly internal?: boolean;
}

/** Declares a config of the given type. */
export function config(
  type: ConfigType,
  name: string,
  defaultValue: string | number | boolean | null,
  documentation: string,
  traits: ConfigTraits = {},
): ConfigDefinition {
  return {
    name,
    type,
    defaultValue: defaultValue === null ? null : String(defaultValue),
    documentation,
    rule: traits.rule ?? null,
    update: traits.update ?? 'read-only',
    internal: traits.internal ?? false,
  };
}

/** Kafka's "no limit" for settings of type long. */
export const LONG_MAX_TEXT = '9223372036854775807';

const INTEGER_LIMITS: Readonly<Record<string, readonly [bits: string, min: bigint, max: bigint]>> = {
  short: ['SHORT', -(2n ** 15n), 2n ** 15n - 1n],
  int: ['INT', -(2n ** 31n), 2n ** 31n - 1n],
  long: ['LONG', -(2n ** 63n), 2n ** 63n - 1n],
};

/** The number must not be smaller. */
export function atLeast(minimum: number): ConfigRule {
  return (value) => (Number(value) < minimum ? `Value must be at least ${minimum}` : null);
}

/** The number must lie in the range, ends included. */
export function between(minimum: number, maximum: number): ConfigRule {
  return (value) => {
    if (Number(value) < minimum) return `Value must be at least ${minimum}`;
    return Number(value) > maximum ? `Value must be no more than ${maximum}` : null;
  };
}

/** The text must be one of these. */
export function oneOf(...allowed: readonly string[]): ConfigRule {
  return (value) => (allowed.includes(value) ? null : `String must be one of: ${allowed.join(', ')}`);
}

/** Every entry of the list must be one of these. */
export function listOf(...allowed: readonly string[]): ConfigRule {
  return (value) => {
    const good = readList(value).every((entry) => allowed.includes(entry));
    return good ? null : `String must be one of: ${allowed.join(', ')}`;
  };
}

function checkType(definition: ConfigDefinition, text: string): string | null {
  const value = text.trim();
  const limits = INTEGER_LIMITS[definition.type];
  if (limits) {
    const [bits, min, max] = limits;
    if (!/^[+-]?\d+$/.test(value)) return `Not a number of type ${bits}`;
    const number = BigInt(value.replace(/^\+/, ''));
    return number < min || number > max ? `Not a number of type ${bits}` : null;
  }
  if (definition.type === 'double') {
    return value !== '' && Number.isFinite(Number(value)) ? null : 'Not a number of type DOUBLE';
  }
  if (definition.type === 'boolean') {
    return /^(true|false)$/i.test(value) ? null : 'Expected value to be either true or false';
  }
  return null;
}

/** Null when `text` is a legal value, else a whole sentence in Kafka's words. */
export function checkConfig(definition: ConfigDefinition, text: string): string | null {
  if (definition.type === 'list' && readList(text).includes('')) {
    return `Configuration '${definition.name}' values must not be empty.`;
  }
  const clause = checkType(definition, text) ?? definition.rule?.(text.trim()) ?? null;
  if (clause === null) return null;
  const shown = definition.type === 'password' ? '[hidden]' : offending(definition, text);
  return `Invalid value ${shown} for configuration ${definition.name}: ${clause}`;
}

/** Kafka names the entry of a list that is wrong, not the whole list, and prints 2 as 2.0 where it wants a double. */
function offending(definition: ConfigDefinition, text: string): string {
  if (definition.type === 'double') return Number.isInteger(Number(text)) ? `${Number(text)}.0` : text;
  if (definition.type !== 'list') return text;
  return readList(text).find((entry) => definition.rule?.(entry) != null) ?? text;
}

/** Entries of a list config, trimmed; the empty text is the empty list. */
export function readList(text: string): string[] {
  return text.trim() === '' ? [] : text.split(',').map((entry) => entry.trim());
}

/** A checked number. Longs beyond 2^53-1 are "no limit" and come back as Number.MAX_SAFE_INTEGER. */
export function readNumber(text: string): number {
  const value = Number(text.trim());
  return Math.min(Math.max(value, Number.MIN_SAFE_INTEGER), Math.max(Number.MAX_SAFE_INTEGER, 0));
}

/** A checked boolean; any case. */
export function readBoolean(text: string): boolean {
  return text.trim().toLowerCase() === 'true';
}

/** The text as Kafka would print the value after reading it: no spaces, no plus sign, lower case booleans. */
export function canonicalText(definition: ConfigDefinition, text: string): string {
  if (definition.type === 'boolean') return text.trim().toLowerCase();
  if (definition.type === 'list') return readList(text).join(',');
  if (definition.type in INTEGER_LIMITS) return BigInt(text.trim().replace(/^\+/, '')).toString();
  return text.trim();
}

/** Values of passwords are never shown. */
export function isSensitive(definition: ConfigDefinition): boolean {
  return definition.type === 'password';
}
