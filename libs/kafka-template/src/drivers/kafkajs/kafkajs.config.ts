/**
 * Kafka's options in kafkajs' words, and the refusal of those that kafkajs has no words for.
 *
 * Every client gets a `Kafka` instance of its own: instances share a cache of committed offsets among their consumers.
 * Retries are spelled out, because kafkajs has other defaults when NODE_ENV is `test`.
 */
import type { Log } from '../../io/log.js';
import type { ClientProperties, ConsumerProperties, ProducerProperties } from '../driver-options.js';
import { KafkaJsError, unsupportedError } from './kafkajs.error.js';
import type { KafkaJs, KafkaJsConfig, KafkaJsLogEntry, KafkaJsModule } from './kafkajs.types.js';

/** kafkajs' log levels. */
const LEVEL = { ERROR: 1, WARN: 2, INFO: 4 } as const;

/** How often kafkajs itself tries again before the driver hears of it; the driver goes on from there. */
const INNER_RETRIES = 3;

/** kafkajs' spread of pauses. */
const RETRY_FACTOR = 0.2;

const MECHANISMS: Readonly<Record<string, string>> = {
  PLAIN: 'plain',
  'SCRAM-SHA-256': 'scram-sha-256',
  'SCRAM-SHA-512': 'scram-sha-512',
  OAUTHBEARER: 'oauthbearer',
};

/** An instance for one client. Throws CONFIG or UNSUPPORTED_BY_DRIVER. */
export function createKafkaJs(module: KafkaJsModule, options: ClientProperties, log: Log): KafkaJs {
  const config: KafkaJsConfig = {
    brokers: brokersOf(options.bootstrapServers),
    clientId: options.clientId ?? 'kafka-template',
    connectionTimeout: options.socketConnectionSetupTimeoutMs ?? 10_000,
    requestTimeout: options.requestTimeoutMs ?? 30_000,
    retry: {
      initialRetryTime: Math.max(1, options.retryBackoffMs ?? 100),
      maxRetryTime: Math.max(1, options.retryBackoffMaxMs ?? 1000),
      retries: INNER_RETRIES,
      factor: RETRY_FACTOR,
      multiplier: 2,
      // The driver starts again itself, with the next poll.
      restartOnFailure: () => Promise.resolve(false),
    },
    logLevel: LEVEL.INFO,
    logCreator: () => (entry) => write(log, entry),
    ...security(options),
  };
  return new module.Kafka(config);
}

/** Refuses what kafkajs' consumer cannot do although an option asks for it. */
export function checkConsumerOptions(options: ConsumerProperties): void {
  if (options.groupId === undefined || options.groupId === '') {
    throw unsupportedError('read without a group (no groupId)');
  }
  if (options.groupInstanceId !== undefined) throw unsupportedError('be a static member (groupInstanceId)');
  for (const strategy of options.partitionAssignmentStrategy ?? []) {
    if (strategy === 'range' || strategy === 'roundrobin') continue;
    throw unsupportedError(`assign partitions by '${strategy}' (partitionAssignmentStrategy)`);
  }
  const { sessionTimeoutMs = 45_000, heartbeatIntervalMs = 3000 } = options;
  if (heartbeatIntervalMs >= sessionTimeoutMs) {
    throw new KafkaJsError(
      'CONFIG',
      `Option "heartbeatIntervalMs" (${heartbeatIntervalMs}) must be lower than "sessionTimeoutMs" ` +
        `(${sessionTimeoutMs}); a third of it is usual.`,
    );
  }
}

/** The number of a codec. Throws CONFIG when idempotence and acks contradict, or kafkajs has no such codec. */
export function compressionOf(module: KafkaJsModule, options: ProducerProperties): number {
  const codec = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 }[options.compressionType ?? 'none'];
  if (codec <= 1) return codec;
  try {
    module.CompressionCodecs[codec]?.();
    return codec;
  } catch (cause) {
    throw new KafkaJsError(
      'CONFIG',
      `Option "compressionType" is ${options.compressionType ?? ''}, for which kafkajs has no codec until the ` +
        "application registers one in its CompressionCodecs. Use 'gzip', or the default driver 'native'.",
      { cause },
    );
  }
}

function brokersOf(servers: ClientProperties['bootstrapServers']): string[] {
  const list = typeof servers === 'string' ? servers.split(',') : (servers ?? []);
  const brokers = list.map((server) => server.trim()).filter((server) => server !== '');
  if (brokers.length === 0) throw new KafkaJsError('CONFIG', 'Option "bootstrapServers" names no server.');
  return brokers;
}

function security(options: ClientProperties): Pick<KafkaJsConfig, 'ssl' | 'sasl'> {
  const protocol = options.securityProtocol ?? 'PLAINTEXT';
  const isTls = protocol === 'SSL' || protocol === 'SASL_SSL';
  const isSasl = protocol === 'SASL_PLAINTEXT' || protocol === 'SASL_SSL';
  if (options.ssl !== undefined && !isTls) throw withoutEffect('ssl', protocol);
  if (options.sasl !== undefined && !isSasl) throw withoutEffect('sasl', protocol);
  return {
    ...(isTls ? { ssl: options.ssl ?? true } : {}),
    ...(isSasl ? { sasl: saslOf(options.sasl) } : {}),
  };
}

function withoutEffect(option: string, protocol: string): KafkaJsError {
  return new KafkaJsError('CONFIG', `Option "${option}" has no effect when "securityProtocol" is ${protocol}.`);
}

function saslOf(sasl: ClientProperties['sasl']): object {
  if (sasl === undefined) {
    throw new KafkaJsError('CONFIG', 'Option "sasl" is needed: "securityProtocol" asks for SASL.');
  }
  const { username, password, oauthBearerProvider } = sasl;
  const mechanism = MECHANISMS[sasl.mechanism];
  if (mechanism === undefined || sasl.createMechanism !== undefined) {
    throw unsupportedError(`use a SASL mechanism of the application (sasl.mechanism ${sasl.mechanism})`);
  }
  if (mechanism !== 'oauthbearer') {
    if (username !== undefined && password !== undefined) return { mechanism, username, password };
    throw new KafkaJsError('CONFIG', `Options "sasl.username" and "sasl.password" are needed for ${sasl.mechanism}.`);
  }
  if (oauthBearerProvider === undefined) {
    throw new KafkaJsError('CONFIG', 'Option "sasl.oauthBearerProvider" is needed for OAUTHBEARER.');
  }
  return { mechanism, oauthBearerProvider: async () => oauthBearerProvider() };
}

/** Errors of kafkajs are warnings here: it tries again, and what is final reaches the caller as an error. */
function write(log: Log, { namespace, level, log: { message, error } }: KafkaJsLogEntry): void {
  const text = `${namespace === '' ? 'kafkajs' : `kafkajs ${namespace}`}: ${message}`;
  const line = typeof error === 'string' ? `${text} (${error})` : text;
  if (level <= LEVEL.ERROR || level === LEVEL.WARN) log.warn(line);
  else log.debug(line);
}
