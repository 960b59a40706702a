/**
 * Options every client shares, and the machinery that checks all options.
 *
 * Guarantees: an option is described once, in a table (type, range, default); an unknown name, a wrong type or a value
 * out of range is a KafkaError with code `CONFIG` that names the option, what it takes, and the nearest valid name.
 * Names are Kafka's own in camelCase with the unit last; Kafka's dotted spelling is recognised in the error's advice.
 * Contradictions between options are checked where the options of a client are resolved.
 */
import { configError } from './errors.js';
import { type ClientLogger, consoleLogger } from './io/logger.js';
import type { Endpoint } from './io/network.js';
import type { SslOptions } from './io/tls.js';
import { nearestName } from './nearest-name.js';
import { type ResolvedSecurity, type SaslOptions, resolveSecurity, saslOption, sslOption } from './security-options.js';
import { SECURITY_PROTOCOLS, type SecurityProtocol } from './security-protocol.js';

/** How one option is read. `parse` returns the value or throws a CONFIG error that names the option. */
export interface OptionRule<T> {
  /** Used when the option is absent or undefined. */
  readonly defaultValue: T | undefined;
  /** An absent required option is an error. */
  readonly required: boolean;
  parse(value: unknown, option: string): T;
}

/** One rule per option of a client. The keys are the only valid names. */
export type OptionTable<Resolved> = { readonly [Name in keyof Resolved]-?: OptionRule<Resolved[Name]> };

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return 'a function';
  if (value !== null && typeof value === 'object') return Array.isArray(value) ? 'an array' : 'an object';
  return String(value);
}

function wrongValue(option: string, wanted: string, value: unknown): never {
  throw configError(`Option "${option}" must be ${wanted}, not ${describe(value)}.`);
}

/** A whole number from `min` to `max`, both included. */
export function integerOption(rule: { default: number; min: number; max?: number }): OptionRule<number> {
  const max = rule.max ?? 2147483647;
  return {
    defaultValue: rule.default,
    required: false,
    parse(value, option) {
      if (typeof value === 'number' && Number.isInteger(value) && value >= rule.min && value <= max) return value;
      return wrongValue(option, `a whole number from ${rule.min} to ${max}`, value);
    },
  };
}

/** True or false. */
export function booleanOption(rule: { default: boolean }): OptionRule<boolean> {
  return {
    defaultValue: rule.default,
    required: false,
    parse: (value, option) => (typeof value === 'boolean' ? value : wrongValue(option, 'true or false', value)),
  };
}

/** A non-empty string; required when no default is given. */
export function stringOption(rule: { default?: string }): OptionRule<string> {
  return {
    defaultValue: rule.default,
    required: rule.default === undefined,
    parse: (value, option) =>
      typeof value === 'string' && value !== '' ? value : wrongValue(option, 'a non-empty string', value),
  };
}

/** A non-empty string or nothing. */
export function optionalStringOption(): OptionRule<string | undefined> {
  return {
    defaultValue: undefined,
    required: false,
    parse: (value, option) =>
      typeof value === 'string' && value !== '' ? value : wrongValue(option, 'a non-empty string', value),
  };
}

/** One of a few values. */
export function choiceOption<const T extends string | number>(rule: {
  default: T;
  values: readonly T[];
}): OptionRule<T> {
  return {
    defaultValue: rule.default,
    required: false,
    parse(value, option) {
      const found = rule.values.find((candidate) => candidate === value);
      if (found !== undefined) return found;
      return wrongValue(option, `one of ${rule.values.map((each) => describe(each)).join(', ')}`, value);
    },
  };
}

/** A non-empty list of the given values, without repetition. A single value counts as a list of one. */
export function choicesOption<const T extends string>(rule: {
  default: readonly T[];
  values: readonly T[];
}): OptionRule<readonly T[]> {
  return {
    defaultValue: rule.default,
    required: false,
    parse(value, option) {
      const list: readonly unknown[] = Array.isArray(value) ? value : [value];
      const known = rule.values.filter((candidate) => list.includes(candidate));
      if (list.length > 0 && known.length === list.length) return list as readonly T[];
      const names = rule.values.map((each) => describe(each)).join(', ');
      return wrongValue(option, `a list of one or more of ${names}`, Array.isArray(value) ? list.join(', ') : value);
    },
  };
}

/** An object or function that a check recognises, such as a logger; `wanted` completes "must be …". */
export function valueOption<T>(rule: {
  default: T;
  wanted: string;
  accepts: (value: unknown) => boolean;
}): OptionRule<T> {
  return {
    defaultValue: rule.default,
    required: false,
    parse: (value, option) => (rule.accepts(value) ? (value as T) : wrongValue(option, rule.wanted, value)),
  };
}

const HOST_AND_PORT = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s/[\]]+)):(\d{1,5})$/;

function parseEndpoint(text: string, option: string): Endpoint {
  const match = HOST_AND_PORT.exec(text.trim());
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port < 1 || port > 65535) {
    throw configError(
      `Option "${option}" has the invalid address ${JSON.stringify(text)}. ` +
        `Write host:port, for example "localhost:9092"; separate several by commas or give an array.`,
    );
  }
  return { host, port };
}

/** One or more `host:port`, as an array or separated by commas; IPv6 in brackets. Required. */
export function endpointsOption(): OptionRule<readonly Endpoint[]> {
  return {
    defaultValue: undefined,
    required: true,
    parse(value, option) {
      const wanted = 'a string "host:port[,host:port…]" or an array of such strings';
      const list: readonly unknown[] = typeof value === 'string' ? value.split(',') : Array.isArray(value) ? value : [];
      const texts = list.filter((each) => typeof each === 'string' && each.trim() !== '') as string[];
      if (texts.length === 0 || (Array.isArray(value) && texts.length !== list.length)) {
        return wrongValue(option, wanted, value);
      }
      return texts.map((text) => parseEndpoint(text, option));
    },
  };
}

/**
 * Reads the options of one client by its table.
 *
 * @param client the client's name for the errors: `producer`, `consumer`, `admin`
 * @throws KafkaError CONFIG for the first option that is unknown, missing or has an unusable value
 */
export function resolveOptions<Resolved>(client: string, table: OptionTable<Resolved>, options: object): Resolved {
  const rules = table as Readonly<Record<string, OptionRule<unknown>>>;
  const given = options as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(rules, name)) throw unknownOption(client, name, Object.keys(rules));
  }
  const resolved: Record<string, unknown> = {};
  for (const [name, rule] of Object.entries(rules)) {
    const value = given[name];
    if (value !== undefined) resolved[name] = rule.parse(value, name);
    else if (!rule.required) resolved[name] = rule.defaultValue;
    else throw configError(`Option "${name}" of the ${client} is missing.`);
  }
  return resolved as Resolved;
}

/**
 * {@link resolveOptions} for a table with all of {@link CLIENT_OPTION_TABLE}: checks what the shared options have to do with
 * each other too.
 *
 * @throws KafkaError CONFIG
 */
export function resolveClientOptions<Resolved extends ResolvedClientOptions>(
  client: string,
  table: OptionTable<Resolved>,
  options: object,
): Resolved {
  return resolveSecurity(resolveOptions(client, table, options));
}

function unknownOption(client: string, name: string, known: readonly string[]): Error {
  const nearest = nearestName(name, known);
  const advice = nearest === null ? `The ${client}'s options are: ${known.join(', ')}.` : `Did you mean "${nearest}"?`;
  return configError(`Unknown option "${name}" of the ${client}. ${advice}`);
}

/** Options of every client. Names and defaults are Kafka's. */
export interface ClientOptions {
  /** Brokers to ask first, as `host:port`; several by commas or as an array. The rest of the cluster is learnt from them. */
  bootstrapServers: string | readonly string[];
  /** Name of this application in the brokers' logs and quotas. Default `kafka-template`. */
  clientId?: string;
  /** Whether connections use TLS (`SSL`, `SASL_SSL`) and SASL (`SASL_PLAINTEXT`, `SASL_SSL`). Default `PLAINTEXT`. */
  securityProtocol?: SecurityProtocol;
  /** Certificates and host names for TLS. Default: trust the authorities that come with Node, and check the host name. */
  ssl?: SslOptions;
  /** Mechanism and credentials for SASL. */
  sasl?: SaslOptions;
  /** How long to wait for the answer to one request. Default 30000. */
  requestTimeoutMs?: number;
  /** How long opening a connection may take, the first exchange included. Default 10000. */
  socketConnectionSetupTimeoutMs?: number;
  /** Pause before connecting again to a broker after the first failure; doubled by each further one. Default 50. */
  reconnectBackoffMs?: number;
  /** Longest such pause. Default 1000. */
  reconnectBackoffMaxMs?: number;
  /** Pause before trying a failed request again; doubled by each further failure. Default 100. */
  retryBackoffMs?: number;
  /** Longest such pause. Default 1000. */
  retryBackoffMaxMs?: number;
  /** Metadata older than this is fetched again even when nothing failed. Default 300000. */
  metadataMaxAgeMs?: number;
  /** A connection without traffic for this long is closed. Default 540000. */
  connectionsMaxIdleMs?: number;
  /** Takes the client's own messages. Default: warnings and errors to standard error. */
  logger?: ClientLogger;
}

/** {@link ClientOptions} with every default filled in. */
export interface ResolvedClientOptions extends ResolvedSecurity {
  readonly bootstrapServers: readonly Endpoint[];
  readonly clientId: string;
  readonly requestTimeoutMs: number;
  readonly socketConnectionSetupTimeoutMs: number;
  readonly reconnectBackoffMs: number;
  readonly reconnectBackoffMaxMs: number;
  readonly retryBackoffMs: number;
  readonly retryBackoffMaxMs: number;
  readonly metadataMaxAgeMs: number;
  readonly connectionsMaxIdleMs: number;
  readonly logger: ClientLogger;
}

function isLogger(value: unknown): boolean {
  if (value === null || typeof value !== 'object') return false;
  const methods = value as Readonly<Record<string, unknown>>;
  return ['debug', 'info', 'warn', 'error'].every((level) => typeof methods[level] === 'function');
}

/** The rules of {@link ClientOptions}; a client's own table spreads this one and adds to it. */
export const CLIENT_OPTION_TABLE: OptionTable<ResolvedClientOptions> = {
  bootstrapServers: endpointsOption(),
  clientId: stringOption({ default: 'kafka-template' }),
  securityProtocol: choiceOption({ default: 'PLAINTEXT', values: SECURITY_PROTOCOLS }),
  ssl: sslOption(),
  sasl: saslOption(),
  requestTimeoutMs: integerOption({ default: 30_000, min: 1 }),
  socketConnectionSetupTimeoutMs: integerOption({ default: 10_000, min: 1 }),
  reconnectBackoffMs: integerOption({ default: 50, min: 0 }),
  reconnectBackoffMaxMs: integerOption({ default: 1_000, min: 0 }),
  retryBackoffMs: integerOption({ default: 100, min: 0 }),
  retryBackoffMaxMs: integerOption({ default: 1_000, min: 0 }),
  metadataMaxAgeMs: integerOption({ default: 300_000, min: 0 }),
  connectionsMaxIdleMs: integerOption({ default: 540_000, min: 1 }),
  logger: valueOption<ClientLogger>({
    default: consoleLogger,
    wanted: 'an object with the methods debug, info, warn and error',
    accepts: isLogger,
  }),
};
