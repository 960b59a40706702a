/**
 * What a broker can be told, and what comes out of it: options over Kafka's config entries over defaults.
 *
 * Guarantees: every mistake is found before anything starts, as a BrokerError with code CONFIG that names the option and,
 * for an unknown one, the nearest that exists. Leaves out reading files: see properties.ts and the command line.
 */
import { BrokerConfig } from './cluster/broker-config.js';
import { nearestName } from './cluster/nearest-name.js';
import { BrokerError } from './errors.js';
import type { Clock } from './io/clock.js';
import type { Disk } from './io/disk.js';
import { silentLogger, type Logger } from './io/logger.js';
import type { Network } from './io/network.js';
import { readListener, type Endpoint } from './listeners.js';

/** The outside world of a broker, for tests and simulations. Each default is the real one. */
export interface BrokerPorts {
  readonly clock?: Clock;
  /** Default: the real disk with `dataDir`, a disk in memory without. */
  readonly disk?: Disk;
  readonly network?: Network;
}

/** Options of {@link createBroker}. All are optional; each says its default. An option wins over the config of its meaning. */
export interface BrokerOptions {
  /** Number of this broker, unique in its cluster. Config: `broker.id`. @default 0 */
  readonly brokerId?: number;
  /** Address to listen on; '0.0.0.0' for all. Config: `listeners`. @default '127.0.0.1' */
  readonly host?: string;
  /** Port to listen on; 0 takes a free one. Config: `listeners`. @default 0 */
  readonly port?: number;
  /** Host that clients are told. Config: `advertised.listeners`. @default `host`, or this machine's name for all addresses */
  readonly advertisedHost?: string;
  /** Port that clients are told. Config: `advertised.listeners`. @default the port listened on */
  readonly advertisedPort?: number;
  /** Directory of the data; made when missing. Config: `log.dirs`. @default none: everything is kept in memory */
  readonly dataDir?: string;
  /**
   * Take over a data directory that Apache Kafka has written, with the topics, groups and transactions in it. Work on a copy:
   * what is done here Kafka does not know of. Nothing to adopt is no error. @default false
   */
  readonly adopt?: boolean;
  /** Kafka's own broker configs by Kafka's own names, such as `num.partitions`. */
  readonly config?: Readonly<Record<string, string | number | boolean>>;
  /** Where the broker reports. @default nowhere */
  readonly logger?: Logger;
  /** Clock, disk and network, for tests. */
  readonly ports?: BrokerPorts;
}

/** Options after all rules. */
export interface ResolvedOptions {
  readonly brokerId: number;
  readonly rack: string | null;
  readonly listen: Endpoint;
  /** A null part follows what the broker listens on. */
  readonly advertised: { readonly host: string | null; readonly port: number | null };
  readonly dataDir: string | null;
  readonly adopt: boolean;
  readonly config: BrokerConfig;
  readonly logger: Logger;
  readonly ports: BrokerPorts;
}

const OPTION_NAMES: readonly (keyof BrokerOptions)[] = [
  'brokerId',
  'host',
  'port',
  'advertisedHost',
  'advertisedPort',
  'dataDir',
  'adopt',
  'config',
  'logger',
  'ports',
];

const DEFAULT_HOST = '127.0.0.1';
const DEFAULT_BROKER_ID = 0;
const BROKER_ID_MAX = 2 ** 31 - 1;
const PORT_MAX = 65_535;

/** Addresses that mean "all of this machine" and that no client can connect to. */
const WILDCARD_HOSTS = ['0.0.0.0', '::', ''];

/** True for an address that cannot be told to clients. */
export function isWildcardHost(host: string): boolean {
  return WILDCARD_HOSTS.includes(host);
}

/** Applies defaults and rules. Throws a BrokerError with code CONFIG. */
export function resolveOptions(options: BrokerOptions): ResolvedOptions {
  checkNames(options);
  const given = BrokerConfig.of(textEntries(options.config ?? {}));
  const listener = readListener(given, 'listeners');
  const advertised = advertisedEndpoint(options, listener, readListener(given, 'advertised.listeners'));
  const advertisedHost = text('advertisedHost', options.advertisedHost) ?? (advertised?.host || null);
  if (advertisedHost !== null && isWildcardHost(advertisedHost)) {
    throw new BrokerError(
      'CONFIG',
      `advertised.listeners (option advertisedHost) is ${advertisedHost}, which no client can connect to. ` +
        'Give the name or address under which clients reach this machine.',
    );
  }
  const brokerId =
    integer('brokerId', options.brokerId, 0, BROKER_ID_MAX) ??
    given.optionalNumber('node.id') ??
    given.optionalNumber('broker.id') ??
    DEFAULT_BROKER_ID;
  const dataDir = text('dataDir', options.dataDir) ?? configuredDataDir(given);
  const listen = {
    host: text('host', options.host) ?? listener?.host ?? DEFAULT_HOST,
    port: integer('port', options.port, 0, PORT_MAX) ?? listener?.port ?? 0,
  };
  return {
    brokerId,
    rack: given.text('broker.rack'),
    listen,
    advertised: {
      host: advertisedHost,
      port: integer('advertisedPort', options.advertisedPort, 1, PORT_MAX) ?? (advertised?.port || null),
    },
    dataDir,
    adopt: options.adopt ?? false,
    config: withResolved(given, brokerId, dataDir),
    logger: options.logger ?? silentLogger,
    ports: options.ports ?? {},
  };
}

/**
 * What `advertised.listeners` says, without the parts that only repeat `listeners`: when an option moves the broker to
 * another host or port, clients must follow.
 */
function advertisedEndpoint(
  options: BrokerOptions,
  listener: Endpoint | null,
  advertised: Endpoint | null,
): Endpoint | null {
  if (listener === null || advertised === null) return advertised;
  const hasMoved = options.port !== undefined && options.port !== listener.port;
  const hasOtherHost = options.host !== undefined && options.host !== listener.host;
  return {
    host: hasOtherHost && advertised.host === listener.host ? '' : advertised.host,
    port: hasMoved && advertised.port === listener.port ? 0 : advertised.port,
  };
}

/** The entries as clients see them with DescribeConfigs: what options said is in them, too. */
function withResolved(given: BrokerConfig, brokerId: number, dataDir: string | null): BrokerConfig {
  const entries: Record<string, string> = { ...given.staticEntries, 'broker.id': String(brokerId) };
  if (given.staticEntries['node.id'] !== undefined) entries['node.id'] = String(brokerId);
  if (dataDir !== null) entries['log.dirs'] = dataDir;
  return BrokerConfig.of(entries);
}

function checkNames(options: BrokerOptions): void {
  for (const name of Object.keys(options)) {
    if ((OPTION_NAMES as readonly string[]).includes(name)) continue;
    const nearest = nearestName(name, OPTION_NAMES);
    const isConfig = name.includes('.');
    const cure = isConfig
      ? `Kafka's configs belong in the option config: { config: { '${name}': … } }.`
      : nearest === null
        ? `The options are ${OPTION_NAMES.join(', ')}.`
        : `Did you mean '${nearest}'?`;
    throw new BrokerError('CONFIG', `Unknown broker option '${name}'. ${cure}`);
  }
}

function textEntries(config: Readonly<Record<string, string | number | boolean>>): Record<string, string> {
  const entries: Record<string, string> = {};
  for (const [name, value] of Object.entries(config)) {
    if (value === undefined || value === null) continue;
    if (typeof value === 'object') {
      throw new BrokerError('CONFIG', `Broker config '${name}' must be a text, a number or true/false, as in Kafka.`);
    }
    entries[name] = String(value);
  }
  return entries;
}

/** Kafka's rule: `log.dirs` wins over `log.dir`. One directory is served. */
function configuredDataDir(config: BrokerConfig): string | null {
  const directories = config.list('log.dirs');
  // Kafka does not start without a directory either; keeping nothing must be asked for by leaving the config out.
  const isEmpty = (name: string): boolean => config.staticEntries[name]?.trim() === '';
  if (isEmpty('log.dirs') || (directories.length === 0 && isEmpty('log.dir'))) {
    throw new BrokerError(
      'CONFIG',
      `${isEmpty('log.dirs') ? 'log.dirs' : 'log.dir'} is empty. ` +
        'Name a directory, or leave the config out to keep everything in memory.',
    );
  }
  if (directories.length > 1) {
    throw new BrokerError(
      'CONFIG',
      `log.dirs names ${directories.length} directories (${directories.join(', ')}); this broker uses one. Leave one of them.`,
    );
  }
  return directories[0] ?? config.text('log.dir');
}

function text(name: keyof BrokerOptions, value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string') {
    throw new BrokerError('CONFIG', `Broker option '${name}' must be a text, not ${typeof value}.`);
  }
  if (value === '' && name !== 'host') {
    throw new BrokerError('CONFIG', `Broker option '${name}' is empty. Give a value or leave the option out.`);
  }
  return value;
}

function integer(name: keyof BrokerOptions, value: number | undefined, min: number, max: number): number | undefined {
  if (value === undefined) return undefined;
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new BrokerError(
      'CONFIG',
      `Broker option '${name}' must be a whole number from ${min} to ${max}, not ${value}.`,
    );
  }
  return value;
}
