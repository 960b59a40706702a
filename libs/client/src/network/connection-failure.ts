/**
 * Why a connection could not be opened or was lost, in words that name the option to change.
 *
 * Guarantees: what OpenSSL found wrong with a certificate, and an end that comes from talking the wrong way to a
 * listener (TLS to a plain one, plain to one with TLS or SASL, Kafka to an HTTP server), say so. A certificate problem does not pass by itself:
 * it is a fatal SSL_AUTHENTICATION_FAILED. Everything else is a retriable NETWORK error.
 */
import { ClientErrorCode, KafkaError, networkError } from '../errors.js';
import { type SecurityProtocol, usesTls, usesSasl } from '../security-protocol.js';

/** A connection at the moment it failed. */
export interface FailedConnection {
  /** `host:port`. */
  readonly address: string;
  readonly securityProtocol: SecurityProtocol;
  /** `connecting` until the stream is open, `opening` until the first exchange is done; `unused` until a first answer. */
  readonly stage: 'connecting' | 'opening' | 'unused' | 'used';
}

/** First byte of a TLS alert and of every TLS version that follows it. */
const TLS_ALERT = 0x15;
const TLS_MAJOR_VERSION = 0x03;

/** How every answer of an HTTP server begins. */
const HTTP_ANSWER = 'HTTP/';

/** Node's codes for a chain that leads to no authority we trust. */
const UNTRUSTED = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_UNTRUSTED',
  'CERT_SIGNATURE_FAILURE',
  'INVALID_CA',
]);

const OUT_OF_TIME = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID']);

/** OpenSSL's codes for bytes that are no TLS at all. */
const NO_TLS = /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|RECORD_LAYER_FAILURE|UNEXPECTED_MESSAGE|HTTP_REQUEST/;

/** Alerts of a broker that wants a certificate of the client, or another one. */
const CLIENT_CERTIFICATE_ALERT =
  /ALERT_(BAD_CERTIFICATE|CERTIFICATE_|UNKNOWN_CA|NO_CERTIFICATE|ACCESS_DENIED|UNSUPPORTED_CERT)/;

const LOST = 'was lost';
const NOT_OPENED = 'could not be opened';

/** What an error says besides that a connection failed, for sentences that have said so; without the full stop. */
export function failureReason(error: KafkaError, address: string): string {
  let { message } = error;
  for (const happened of [LOST, NOT_OPENED]) {
    const beginning = `The connection to ${address} ${happened}: `;
    if (message.startsWith(beginning)) message = message.slice(beginning.length);
  }
  return message.endsWith('.') ? message.slice(0, -1) : message;
}

/** The error for the end of a connection; `error` is null when the broker closed it in order. */
export function connectionFailure(connection: FailedConnection, error: Error | null): KafkaError {
  const { address, stage } = connection;
  const tlsReason = usesTls(connection.securityProtocol) && error !== null ? tlsFailure(error) : null;
  if (tlsReason !== null) {
    const message = `The connection to ${address} could not be opened: ${tlsReason}`;
    return new KafkaError(ClientErrorCode.SSL_AUTHENTICATION_FAILED, message, { fatal: true, cause: error });
  }
  const reason = error === null ? 'the broker closed it' : error.message;
  const happened = stage === 'used' || stage === 'unused' ? LOST : NOT_OPENED;
  return networkError(
    `The connection to ${address} ${happened}: ${reason}.${hint(connection, error)}`,
    error ?? undefined,
  );
}

/** The error when the first bytes of a listener are those of another protocol: HTTP, or TLS to a client that speaks without. */
export function foreignAnswer(connection: FailedConnection, chunk: Buffer): KafkaError | null {
  if (chunk.toString('latin1', 0, HTTP_ANSWER.length) !== HTTP_ANSWER) return tlsAnswer(connection, chunk);
  return networkError(
    `The connection to ${connection.address} could not be opened: an HTTP server answered, not a Kafka broker.`,
  );
}

function tlsAnswer({ address, securityProtocol }: FailedConnection, chunk: Buffer): KafkaError | null {
  if (usesTls(securityProtocol) || chunk[0] !== TLS_ALERT || chunk[1] !== TLS_MAJOR_VERSION) return null;
  const wanted = usesSasl(securityProtocol) ? 'SASL_SSL' : 'SSL';
  return networkError(
    `The connection to ${address} could not be opened: this listener speaks TLS. Set "securityProtocol" to ${wanted}.`,
  );
}

function tlsFailure(error: Error): string | null {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (UNTRUSTED.has(code)) {
    return (
      `the broker's certificate is not trusted (${code}: ${error.message}). ` +
      'Set "ssl.ca" to the certificate of the authority that signed it.'
    );
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return (
      `the broker's certificate is for another host (${error.message}). ` +
      'Use a host that is named in it in bootstrapServers and advertised.listeners, or set "ssl.servername" to one.'
    );
  }
  if (OUT_OF_TIME.has(code)) {
    return `the broker's certificate is not valid now (${code}). Renew it, or correct the clock of this machine.`;
  }
  if (NO_TLS.test(code)) {
    return 'this listener does not speak TLS. Set "securityProtocol" to PLAINTEXT or SASL_PLAINTEXT, or use another port.';
  }
  if (CLIENT_CERTIFICATE_ALERT.test(code)) {
    return `the broker did not accept this client (${code}). Set "ssl.cert" and "ssl.key" to a certificate it trusts.`;
  }
  if (!code.startsWith('ERR_SSL_') && code !== 'EPROTO') return null;
  return (
    `TLS could not be agreed on (${code}: ${error.message}). ` +
    'Compare "ssl.minVersion", "ssl.maxVersion" and "ssl.ciphers" with what the broker takes.'
  );
}

/** What a listener of another kind does with a client that just begins to talk: it hangs up. */
function hint({ securityProtocol, stage }: FailedConnection, error: Error | null): string {
  const isHangUp = error === null || (error as NodeJS.ErrnoException).code === 'ECONNRESET';
  if (!isHangUp) return '';
  if (usesTls(securityProtocol)) {
    if (stage === 'connecting') {
      return ' Is it a listener with TLS? If not, set "securityProtocol" to PLAINTEXT or SASL_PLAINTEXT.';
    }
    return stage === 'opening' ? ' Does it ask for client certificates? Then set "ssl.cert" and "ssl.key".' : '';
  }
  const isOpening = stage === 'opening' || (stage === 'unused' && !usesSasl(securityProtocol));
  return isOpening ? ' Is it a listener with TLS or SASL? Then set "securityProtocol".' : '';
}
