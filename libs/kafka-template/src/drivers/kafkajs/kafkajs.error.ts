/**
 * Errors of kafkajs in the words of the driver port: Kafka's error names, whether trying again may help, what is final.
 *
 * kafkajs uses names of old Kafka versions and wraps an error in another for every layer it passes; the innermost counts.
 */
import { asError } from '../../errors.js';
import type { DriverError } from '../driver.js';

/** An error of the kafkajs driver. */
export class KafkaJsError extends Error implements DriverError {
  override name = 'KafkaJsError';

  constructor(
    readonly code: string,
    message: string,
    readonly details: { readonly retriable?: boolean; readonly fatal?: boolean; readonly cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
  }

  /** The same call may succeed later. */
  get retriable(): boolean {
    return this.details.retriable === true;
  }

  /** The client object is of no further use. */
  get fatal(): boolean {
    return this.details.fatal === true;
  }
}

/** Names that Kafka has changed since. */
const RENAMED: Readonly<Record<string, string>> = {
  UNKNOWN: 'UNKNOWN_SERVER_ERROR',
  NOT_LEADER_FOR_PARTITION: 'NOT_LEADER_OR_FOLLOWER',
  GROUP_LOAD_IN_PROGRESS: 'COORDINATOR_LOAD_IN_PROGRESS',
  GROUP_COORDINATOR_NOT_AVAILABLE: 'COORDINATOR_NOT_AVAILABLE',
  NOT_COORDINATOR_FOR_GROUP: 'NOT_COORDINATOR',
};

/** Errors of kafkajs itself, which carry no error of the broker. */
const BY_NAME: Readonly<Record<string, readonly [code: string, retriable: boolean]>> = {
  KafkaJSSASLAuthenticationError: ['SASL_AUTHENTICATION_FAILED', false],
  KafkaJSRequestTimeoutError: ['TIMEOUT', true],
  KafkaJSTimeout: ['TIMEOUT', true],
  KafkaJSLockTimeout: ['TIMEOUT', true],
  KafkaJSConnectionError: ['NETWORK', true],
  KafkaJSConnectionClosedError: ['NETWORK', true],
  KafkaJSNoBrokerAvailableError: ['NETWORK', true],
  KafkaJSBrokerNotFound: ['NETWORK', true],
  KafkaJSMetadataNotLoaded: ['NETWORK', true],
  KafkaJSTopicMetadataNotLoaded: ['NETWORK', true],
  KafkaJSGroupCoordinatorNotFound: ['COORDINATOR_NOT_AVAILABLE', true],
  KafkaJSNotImplemented: ['UNSUPPORTED_BY_DRIVER', false],
};

/** Longest chain of causes that is followed. */
const DEPTH_MAX = 8;

interface Foreign extends Error {
  readonly type?: unknown;
  readonly retriable?: unknown;
  readonly errors?: unknown;
}

/** An error of kafkajs as the port wants it; `during` is what failed, for the message. */
export function driverErrorOf(thrown: unknown, during: string): KafkaJsError {
  if (thrown instanceof KafkaJsError) return thrown;
  const root = rootOf(asError(thrown));
  const message = `kafkajs: ${during} failed: ${root.message}`;
  if (typeof root.type === 'string') {
    const code = RENAMED[root.type] ?? root.type;
    return new KafkaJsError(code, message, { retriable: root.retriable === true, cause: thrown });
  }
  const known = BY_NAME[root.name];
  if (known !== undefined) return new KafkaJsError(known[0], message, { retriable: known[1], cause: thrown });
  return new KafkaJsError('UNKNOWN_CLIENT_ERROR', message, { retriable: root.retriable === true, cause: thrown });
}

function rootOf(error: Foreign): Foreign {
  let current = error;
  for (let depth = 0; depth < DEPTH_MAX; depth++) {
    if (current instanceof KafkaJsError || typeof current.type === 'string') return current;
    const inner = current.cause ?? (Array.isArray(current.errors) ? (current.errors as unknown[])[0] : undefined);
    if (!(inner instanceof Error) || inner === current) return current;
    current = inner;
  }
  return current;
}

/** After `close`. */
export function closedError(what: string): KafkaJsError {
  return new KafkaJsError('CLOSED', `The ${what} is closed.`);
}

/** What this driver cannot do, and which one can. */
export function unsupportedError(what: string): KafkaJsError {
  return new KafkaJsError(
    'UNSUPPORTED_BY_DRIVER',
    `Driver 'kafkajs' cannot ${what}; the default driver 'native' can: leave out \`driver\` in KafkaModule.forRoot.`,
  );
}
