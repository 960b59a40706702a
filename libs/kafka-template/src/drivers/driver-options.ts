/**
 * Kafka's own client options as this library passes them on: names in camelCase, units last, Kafka's defaults.
 *
 * One table per role gives both the TypeScript type and the check at start, so that an option cannot be known to one
 * and not to the other. Values are checked for type and range here; what contradicts what is checked by the driver.
 */

import type { PeerCertificate } from 'node:tls';
import type { OptionCheck } from '../option-check.js';

/** Text or bytes of a PEM file (PKCS#12 for `pfx`); several in a list. */
export type PemProperty = string | Buffer | readonly (string | Buffer)[];

/** TLS, in the names of `node:tls`. */
export interface SslProperties {
  /** Authorities to trust, instead of those that come with Node. */
  ca?: PemProperty;
  /** Certificate of this client, for brokers that ask for one. Needs `key`. */
  cert?: PemProperty;
  /** Private key to `cert`. */
  key?: PemProperty;
  /** Certificate and key in one, in PKCS#12 form. */
  pfx?: string | Buffer;
  /** Opens an encrypted `key` or `pfx`. */
  passphrase?: string;
  /** Host name to find in the broker's certificate. Default: the host connected to. */
  servername?: string;
  /** False trusts every certificate: for experiments only. Default true. */
  rejectUnauthorized?: boolean;
  /** Lowest version of TLS. Default: Node's. */
  minVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** Highest version of TLS. Default: Node's. */
  maxVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** OpenSSL's list of cipher suites. Default: Node's. */
  ciphers?: string;
  /** Replaces the comparison of the host name with the certificate. */
  checkServerIdentity?: (host: string, certificate: PeerCertificate) => Error | undefined;
}

/** SASL. Which parts are needed depends on the mechanism. */
export interface SaslProperties {
  /** `PLAIN`, `SCRAM-SHA-256`, `SCRAM-SHA-512`, `OAUTHBEARER`, or the name of a mechanism of your own. */
  mechanism: string;
  /** For PLAIN and SCRAM. */
  username?: string;
  /** For PLAIN and SCRAM. */
  password?: string;
  /** For OAUTHBEARER: gives a valid token; asked for every connection and before a session ends. */
  oauthBearerProvider?: () => BearerToken | Promise<BearerToken>;
  /** Makes a mechanism that is not built in, such as AWS_MSK_IAM, for one authentication. */
  createMechanism?: (context: { readonly host: string; readonly port: number }) => SaslExchange;
}

/** What a token provider gives (KIP-255, extensions KIP-342). */
export interface BearerToken {
  /** The token, as the server wants it. */
  readonly value: string;
  /** SASL extensions sent beside it (KIP-342). */
  readonly extensions?: Readonly<Record<string, string>>;
}

/** One authentication by a mechanism of the application. */
export interface SaslExchange {
  /** The registered name. */
  readonly name: string;
  /** The first message. */
  start(): Buffer | Promise<Buffer>;
  /** The answer to the broker; null when there is nothing more to say. A throw ends the authentication. */
  step(challenge: Buffer): Buffer | null | Promise<Buffer | null>;
}

/** Options of every client: connections, metadata, retries. */
export interface ClientProperties {
  /** `host:port`, several separated by commas or as a list. Normally given once, to the module. */
  bootstrapServers?: string | readonly string[];
  /** Name under which the broker knows this client. Default `kafka-template`. */
  clientId?: string;
  /** Whether connections use TLS (`SSL`, `SASL_SSL`) and SASL (`SASL_PLAINTEXT`, `SASL_SSL`). Default `PLAINTEXT`. */
  securityProtocol?: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';
  /** Certificates for TLS. */
  ssl?: SslProperties;
  /** Mechanism and credentials for SASL. */
  sasl?: SaslProperties;
  /** How long a request may take. Default 30000. */
  requestTimeoutMs?: number;
  /** How long a connection may take to open. Default 10000. */
  socketConnectionSetupTimeoutMs?: number;
  /** First pause before a broker is tried again. Default 50. */
  reconnectBackoffMs?: number;
  /** Longest such pause. Default 1000. */
  reconnectBackoffMaxMs?: number;
  /** First pause before a failed request is sent again. Default 100. */
  retryBackoffMs?: number;
  /** Longest such pause. Default 1000. */
  retryBackoffMaxMs?: number;
  /** Age at which metadata is asked for again. Default 300000. */
  metadataMaxAgeMs?: number;
  /** Idle time after which a connection is closed. Default 540000. */
  connectionsMaxIdleMs?: number;
}

/** Options of the producer. */
export interface ProducerProperties extends ClientProperties {
  /** How many replicas have to have a record before it is acknowledged. Default `all`. */
  acks?: 'all' | -1 | 0 | 1;
  /** How long a batch waits for more records. Default 0: what one turn of the event loop appends travels together. */
  lingerMs?: number;
  /** Size of a batch in bytes. Default 16384. */
  batchSize?: number;
  /** Bytes of records that may wait. Default 33554432. */
  bufferMemory?: number;
  /** How long a record waits for metadata or for room in the buffer before it fails. Default 60000. */
  maxBlockMs?: number;
  /** From append to answer, retries included. Default 120000. */
  deliveryTimeoutMs?: number;
  /** How often a batch is sent again, within `deliveryTimeoutMs`. Default 2147483647. */
  retries?: number;
  /** Requests on their way per connection. Default 5. */
  maxInFlightRequestsPerConnection?: number;
  /** The broker discards what a retry delivers twice. Default true. */
  enableIdempotence?: boolean;
  /** Default `none`. */
  compressionType?: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
  /** Size limit of one request, and so of one record, in bytes. Default 1048576. */
  maxRequestSize?: number;
  /** Set by the template for each of its transactional producers: see `template.transactionIdPrefix`. */
  transactionalId?: string;
  /** The broker aborts a transaction that is open for longer. Default 60000. */
  transactionTimeoutMs?: number;
  /** Chooses the partition of a record that names none: the client's own interface. Default: murmur2 of the key, as Java. */
  partitioner?: { partition(...parameters: never[]): number };
}

/** Options of a consumer. */
export interface ConsumerProperties extends ClientProperties {
  /** The group, unless a listener names its own. */
  groupId?: string;
  /** Where a group without a committed offset begins. Default `latest`. */
  autoOffsetReset?: 'earliest' | 'latest' | 'none';
  /** The client commits what was polled every `autoCommitIntervalMs`; ack modes are then out of play. Default false here. */
  enableAutoCommit?: boolean;
  /** Default 5000. */
  autoCommitIntervalMs?: number;
  /** Silence after which the broker takes a member for dead. Default 45000. */
  sessionTimeoutMs?: number;
  /** Default 3000. */
  heartbeatIntervalMs?: number;
  /** Longest time between two polls, so longest work on one polled set. Default 300000. */
  maxPollIntervalMs?: number;
  /** Records one poll returns at most. Default 500. */
  maxPollRecords?: number;
  /** Default 1. */
  fetchMinBytes?: number;
  /** Default 52428800. */
  fetchMaxBytes?: number;
  /** Default 500. */
  fetchMaxWaitMs?: number;
  /** Default 1048576. */
  maxPartitionFetchBytes?: number;
  /** Assignors in order of preference. Default `['range']`. */
  partitionAssignmentStrategy?: readonly ('range' | 'roundrobin' | 'sticky' | 'cooperative-sticky')[];
  /** Static membership: a name that survives restarts (KIP-345). */
  groupInstanceId?: string;
  /** Default `read_uncommitted`. */
  isolationLevel?: 'read_uncommitted' | 'read_committed';
  /** Default true. */
  checkCrcs?: boolean;
  /** Whether asking for a topic that is missing may create it, if the broker allows that. Default true. */
  allowAutoCreateTopics?: boolean;
  /** How long calls such as `commitSync` and `position` may take. Default 60000. */
  defaultApiTimeoutMs?: number;
}

/** Options of the admin client. */
export type AdminProperties = ClientProperties;

const positive: OptionCheck = { kind: 'number', min: 1 };
const notNegative: OptionCheck = { kind: 'number', min: 0 };
const flag: OptionCheck = { kind: 'boolean' };

/** Checks of {@link ClientProperties}. */
export const CLIENT_CHECKS: Readonly<Record<keyof ClientProperties, OptionCheck>> = {
  bootstrapServers: { kind: 'text-or-list' },
  clientId: { kind: 'string' },
  securityProtocol: { kind: 'one-of', values: ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] },
  // The client checks their parts, and shows no value of them: a complaint from here would.
  ssl: { kind: 'any' },
  sasl: { kind: 'any' },
  requestTimeoutMs: positive,
  socketConnectionSetupTimeoutMs: positive,
  reconnectBackoffMs: notNegative,
  reconnectBackoffMaxMs: notNegative,
  retryBackoffMs: notNegative,
  retryBackoffMaxMs: notNegative,
  metadataMaxAgeMs: positive,
  connectionsMaxIdleMs: positive,
};

/** Checks of {@link ProducerProperties}. */
export const PRODUCER_CHECKS: Readonly<Record<keyof ProducerProperties, OptionCheck>> = {
  ...CLIENT_CHECKS,
  acks: { kind: 'one-of', values: ['all', -1, 0, 1] },
  lingerMs: notNegative,
  batchSize: notNegative,
  bufferMemory: positive,
  maxBlockMs: notNegative,
  deliveryTimeoutMs: positive,
  retries: notNegative,
  maxInFlightRequestsPerConnection: positive,
  enableIdempotence: flag,
  compressionType: { kind: 'one-of', values: ['none', 'gzip', 'snappy', 'lz4', 'zstd'] },
  maxRequestSize: positive,
  transactionalId: { kind: 'string' },
  transactionTimeoutMs: positive,
  partitioner: { kind: 'object' },
};

/** Checks of {@link ConsumerProperties}. */
export const CONSUMER_CHECKS: Readonly<Record<keyof ConsumerProperties, OptionCheck>> = {
  ...CLIENT_CHECKS,
  groupId: { kind: 'string' },
  autoOffsetReset: { kind: 'one-of', values: ['earliest', 'latest', 'none'] },
  enableAutoCommit: flag,
  autoCommitIntervalMs: positive,
  sessionTimeoutMs: positive,
  heartbeatIntervalMs: positive,
  maxPollIntervalMs: positive,
  maxPollRecords: positive,
  fetchMinBytes: notNegative,
  fetchMaxBytes: positive,
  fetchMaxWaitMs: notNegative,
  maxPartitionFetchBytes: positive,
  partitionAssignmentStrategy: { kind: 'text-or-list' },
  groupInstanceId: { kind: 'string' },
  isolationLevel: { kind: 'one-of', values: ['read_uncommitted', 'read_committed'] },
  checkCrcs: flag,
  allowAutoCreateTopics: flag,
  defaultApiTimeoutMs: positive,
};
