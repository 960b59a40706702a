/**
 * The SASL exchange on a connection: SaslHandshake, then SaslAuthenticate until the mechanism is content (KIP-152, KIP-368).
 *
 * Guarantees that errors name the broker, the mechanism and what to set, and never carry a credential; that a refusal is
 * a fatal SASL_AUTHENTICATION_FAILED and a token provider that fails a retriable NETWORK error. Never settles when the
 * connection goes meanwhile: its owner knows. Leaves out when to authenticate: see connection.ts.
 */
import {
  type Api,
  ErrorCode,
  type RequestInput,
  type ResponseOf,
  SaslAuthenticate,
  SaslHandshake,
} from '@kafka-template/protocol';
import { KafkaError, brokerError, networkError } from '../../errors.js';
import type { ApiRanges, VersionBounds } from '../api-ranges.js';
import type { PendingRequest } from '../request.js';
import type { SaslContext, SaslMechanism, SaslMechanismFactory } from './sasl-mechanism.js';

/** What the client's options say about SASL. Credentials are inside the function and nowhere else. */
export interface SaslSettings {
  /** The mechanism's name for the handshake. */
  readonly mechanism: string;
  readonly createMechanism: SaslMechanismFactory;
}

/** What the exchange needs of its connection. */
export interface SaslExchange {
  readonly settings: SaslSettings;
  readonly context: SaslContext;
  /** `host:port`, for messages. */
  readonly address: string;
  readonly ranges: ApiRanges;
  readonly deadlineMs: number;
  /** Sends a request; does nothing when the connection is closed. */
  transmit(request: PendingRequest, version: number): void;
}

/** Messages of one exchange at most: twice what any known mechanism needs. */
const STEPS_MAX = 10;

/**
 * Authenticates. Resolves to the lifetime of the session in milliseconds, 0 for no limit.
 *
 * @throws KafkaError
 */
export async function authenticate(exchange: SaslExchange): Promise<number> {
  const mechanism = create(exchange);
  await shakeHands(exchange);
  let message: Buffer | null = await first(exchange, mechanism);
  for (let step = 0; step < STEPS_MAX; step++) {
    const response = await request(exchange, SaslAuthenticate, { authBytes: message }, {});
    if (response.errorCode !== ErrorCode.NONE) throw refusedError(exchange, response);
    message = await next(exchange, mechanism, response.authBytes);
    if (message === null) return response.sessionLifetimeMs;
  }
  throw failedError(exchange, `the exchange was not finished after ${STEPS_MAX} messages`);
}

function create({ settings, context, address }: SaslExchange): SaslMechanism {
  try {
    return settings.createMechanism(context);
  } catch (thrown) {
    throw networkError(`Authentication at ${address} could not begin: ${reasonOf(thrown)}.`, thrown);
  }
}

async function shakeHands(exchange: SaslExchange): Promise<void> {
  const { address, settings } = exchange;
  const response = await request(exchange, SaslHandshake, { mechanism: settings.mechanism }, { minVersion: 1 });
  if (response.errorCode === ErrorCode.NONE) return;
  if (response.errorCode === ErrorCode.UNSUPPORTED_SASL_MECHANISM) {
    const offered = response.mechanisms.length === 0 ? 'none' : response.mechanisms.join(', ');
    throw new KafkaError(
      'UNSUPPORTED_SASL_MECHANISM',
      `Broker ${address} does not offer the SASL mechanism ${settings.mechanism}. It offers: ${offered}. ` +
        'Set "sasl.mechanism" to one of these, or enable yours at the broker (sasl.enabled.mechanisms).',
      { fatal: true },
    );
  }
  const error = brokerError(response.errorCode, `The SASL handshake with ${address}`);
  const advice =
    response.errorCode === ErrorCode.ILLEGAL_SASL_STATE
      ? ' This listener takes no SASL: set "securityProtocol" to PLAINTEXT or SSL, or use another port.'
      : '';
  throw new KafkaError(error.code, error.message + advice, { retriable: error.retriable, fatal: !error.retriable });
}

async function first({ address, settings }: SaslExchange, mechanism: SaslMechanism): Promise<Buffer> {
  try {
    return await mechanism.start();
  } catch (thrown) {
    const what = settings.mechanism === 'OAUTHBEARER' ? '"sasl.oauthBearerProvider"' : 'the first message';
    throw networkError(
      `Authentication at ${address} by ${settings.mechanism} could not begin: ${what} failed: ${reasonOf(thrown)}.`,
      thrown,
    );
  }
}

async function next(exchange: SaslExchange, mechanism: SaslMechanism, challenge: Buffer): Promise<Buffer | null> {
  try {
    return await mechanism.step(challenge);
  } catch (thrown) {
    throw failedError(exchange, reasonOf(thrown), thrown);
  }
}

/** What to look at first, by mechanism. */
function advice(mechanism: string): string {
  if (mechanism === 'OAUTHBEARER') return 'Check the token that "sasl.oauthBearerProvider" gives.';
  if (mechanism === 'PLAIN' || mechanism.startsWith('SCRAM-')) return 'Check "sasl.username" and "sasl.password".';
  return 'Check the credentials of the mechanism.';
}

function refusedError(exchange: SaslExchange, response: ResponseOf<typeof SaslAuthenticate>): KafkaError {
  const { address, settings } = exchange;
  const context = `Authentication at ${address} by ${settings.mechanism}`;
  const error = brokerError(response.errorCode, context, response.errorMessage);
  if (error.retriable) return error;
  return new KafkaError(error.code, `${withFullStop(error.message)} ${advice(settings.mechanism)}`, { fatal: true });
}

function failedError({ address, settings }: SaslExchange, reason: string, cause?: unknown): KafkaError {
  return new KafkaError(
    'SASL_AUTHENTICATION_FAILED',
    `Authentication at ${address} by ${settings.mechanism} failed: ${withFullStop(reason)} ${advice(settings.mechanism)}`,
    { fatal: true, cause },
  );
}

function withFullStop(text: string): string {
  return text.endsWith('.') ? text : `${text}.`;
}

function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** One request of the exchange; settles only with an answer. */
function request<A extends Api>(
  exchange: SaslExchange,
  api: A,
  body: RequestInput<A>,
  bounds: VersionBounds,
): Promise<ResponseOf<A>> {
  const version = exchange.ranges.choose(api, bounds, `Broker ${exchange.address}`);
  return new Promise((resolve) => {
    const pending: PendingRequest = {
      api,
      body,
      bounds,
      deadlineMs: exchange.deadlineMs,
      timeoutMs: 0,
      expectResponse: true,
      version: -1,
      correlationId: -1,
      callback: (error, response) => {
        // An error here means that the connection has gone and its owner was told.
        if (error === null && response !== null) resolve(response as ResponseOf<A>);
      },
    };
    exchange.transmit(pending, version);
  });
}
