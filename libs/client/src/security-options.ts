/**
 * The options `ssl` and `sasl`: their parts, and how they fit `securityProtocol`.
 *
 * Guarantees that a part that is unknown, of the wrong type, missing or without effect is a CONFIG error that names it;
 * that certificates are read here; and that no error shows a value of these options, since any may be a secret.
 */
import { type KafkaError, configError } from './errors.js';
import { type SslOptions, type TlsSettings, createTlsSettings } from './io/tls.js';
import { nearestName } from './nearest-name.js';
import type { SaslSettings } from './network/sasl/authentication.js';
import { type OAuthBearerProvider, oauthBearer } from './network/sasl/oauth-bearer.js';
import { plain } from './network/sasl/plain.js';
import type { SaslMechanismFactory } from './network/sasl/sasl-mechanism.js';
import { scram } from './network/sasl/scram.js';
import { type SecurityProtocol, usesSasl, usesTls } from './security-protocol.js';

/** How to authenticate by SASL. */
export interface SaslOptions {
  /** `PLAIN`, `SCRAM-SHA-256`, `SCRAM-SHA-512`, `OAUTHBEARER`, or the name of a mechanism of your own. */
  mechanism: string;
  /** For PLAIN and SCRAM. */
  username?: string;
  /** For PLAIN and SCRAM. */
  password?: string;
  /** For OAUTHBEARER: gives a valid token; asked for every connection and every re-authentication. */
  oauthBearerProvider?: OAuthBearerProvider;
  /** Makes a mechanism that is not built in, such as AWS_MSK_IAM, for one authentication. */
  createMechanism?: SaslMechanismFactory;
}

interface PartRule {
  readonly wanted: string;
  accepts(value: unknown): boolean;
}

type Parts = Readonly<Record<string, unknown>>;

const text: PartRule = { wanted: 'a non-empty string', accepts: (value) => typeof value === 'string' && value !== '' };
const flag: PartRule = { wanted: 'true or false', accepts: (value) => typeof value === 'boolean' };
const callable: PartRule = { wanted: 'a function', accepts: (value) => typeof value === 'function' };
const tlsVersion: PartRule = { wanted: 'TLSv1.2 or TLSv1.3', accepts: (value) => /^TLSv1\.[23]$/.test(String(value)) };
const bytes: PartRule = {
  wanted: 'a non-empty string or a Buffer',
  accepts: (value) => text.accepts(value) || Buffer.isBuffer(value),
};
const pem: PartRule = {
  wanted: 'a non-empty string or a Buffer, or a list of these',
  accepts: (value) =>
    Array.isArray(value) ? value.length > 0 && value.every((part) => bytes.accepts(part)) : bytes.accepts(value),
};
/** NUL separates name and password in PLAIN, and no broker takes one in SCRAM. */
const credential: PartRule = {
  wanted: 'a non-empty string without NUL',
  accepts: (value) => text.accepts(value) && !String(value).includes('\0'),
};

const SSL_PARTS: Readonly<Record<keyof SslOptions, PartRule>> = {
  ca: pem,
  cert: pem,
  key: pem,
  pfx: bytes,
  passphrase: text,
  servername: text,
  rejectUnauthorized: flag,
  minVersion: tlsVersion,
  maxVersion: tlsVersion,
  ciphers: text,
  checkServerIdentity: callable,
};

const SASL_PARTS: Readonly<Record<keyof SaslOptions, PartRule>> = {
  mechanism: text,
  username: credential,
  password: credential,
  oauthBearerProvider: callable,
  createMechanism: callable,
};

/** The parts every mechanism that is built in needs; no others are allowed. */
const MECHANISM_PARTS: Readonly<Record<string, readonly (keyof SaslOptions)[]>> = {
  PLAIN: ['username', 'password'],
  'SCRAM-SHA-256': ['username', 'password'],
  'SCRAM-SHA-512': ['username', 'password'],
  OAUTHBEARER: ['oauthBearerProvider'],
};

/** The option `ssl`. Null when it is absent. */
export function sslOption(): { defaultValue: null; required: false; parse(value: unknown): TlsSettings } {
  return { defaultValue: null, required: false, parse: parseSsl };
}

/** The option `sasl`. Null when it is absent. */
export function saslOption(): { defaultValue: null; required: false; parse(value: unknown): SaslSettings } {
  return { defaultValue: null, required: false, parse: parseSasl };
}

/** What the security options have become. */
export interface ResolvedSecurity {
  readonly securityProtocol: SecurityProtocol;
  readonly ssl: TlsSettings | null;
  readonly sasl: SaslSettings | null;
}

/**
 * Refuses options that contradict `securityProtocol`, and gives TLS its defaults where nothing else was asked for: `ssl` is
 * null afterwards exactly when connections are not encrypted.
 *
 * @throws KafkaError CONFIG
 */
export function resolveSecurity<T extends ResolvedSecurity>(resolved: T): T {
  const { securityProtocol, ssl, sasl } = resolved;
  if (ssl !== null && !usesTls(securityProtocol)) {
    throw withoutEffect('ssl', securityProtocol, usesSasl(securityProtocol) ? 'SASL_SSL' : 'SSL');
  }
  if (sasl !== null && !usesSasl(securityProtocol)) {
    throw withoutEffect('sasl', securityProtocol, usesTls(securityProtocol) ? 'SASL_SSL' : 'SASL_PLAINTEXT');
  }
  if (sasl === null && usesSasl(securityProtocol)) {
    throw configError(`Option "securityProtocol" is ${securityProtocol}, which needs the option "sasl".`);
  }
  return usesTls(securityProtocol) && ssl === null ? { ...resolved, ssl: createTlsSettings({}) } : resolved;
}

function withoutEffect(option: string, protocol: string, wanted: string): KafkaError {
  return configError(
    `Option "${option}" has no effect when "securityProtocol" is ${protocol}. ` +
      `Set "securityProtocol" to ${wanted}, or remove "${option}".`,
  );
}

function parseSsl(value: unknown): TlsSettings {
  const options: SslOptions = readParts('ssl', value, SSL_PARTS);
  requireBoth(options, 'cert', 'key');
  requireBoth(options, 'key', 'cert');
  if (options.pfx !== undefined && options.cert !== undefined) {
    throw configError('Option "ssl.pfx" has certificate and key in it: remove "ssl.cert" and "ssl.key".');
  }
  try {
    return createTlsSettings(options);
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : 'unknown reason';
    const parts = ['ca', 'cert', 'key', 'pfx', 'passphrase', 'ciphers'].filter((name) => Object.hasOwn(options, name));
    const named = parts.map((name) => `"ssl.${name}"`).join(', ');
    throw configError(`Option "ssl" cannot be used: ${reason}. Check ${named}; they take contents, not file names.`);
  }
}

function requireBoth(options: SslOptions, given: 'cert' | 'key', needed: 'cert' | 'key'): void {
  if (options[given] === undefined || options[needed] !== undefined) return;
  throw configError(`Option "ssl.${given}" needs "ssl.${needed}": a client certificate has both.`);
}

function parseSasl(value: unknown): SaslSettings {
  const options = readParts<SaslOptions>('sasl', value, SASL_PARTS);
  const { mechanism, createMechanism } = options;
  if (mechanism === undefined) throw configError(`Option "sasl.mechanism" is missing. ${knownMechanisms()}`);
  if (createMechanism !== undefined) {
    allowOnly(options, mechanism, ['createMechanism'], 'with "sasl.createMechanism"');
    return { mechanism, createMechanism };
  }
  const parts = Object.hasOwn(MECHANISM_PARTS, mechanism) ? MECHANISM_PARTS[mechanism] : undefined;
  if (parts === undefined) throw unknownMechanism(mechanism);
  for (const part of parts) {
    if (options[part] === undefined) throw configError(`Option "sasl.${part}" is missing: ${mechanism} needs it.`);
  }
  allowOnly(options, mechanism, parts, `with the mechanism ${mechanism}`);
  return { mechanism, createMechanism: builtIn(mechanism, options) };
}

function builtIn(mechanism: string, options: Partial<SaslOptions>): SaslMechanismFactory {
  const { username = '', password = '', oauthBearerProvider } = options;
  if (oauthBearerProvider !== undefined) return () => oauthBearer(oauthBearerProvider);
  if (mechanism === 'SCRAM-SHA-256' || mechanism === 'SCRAM-SHA-512') {
    return () => scram(mechanism, { username, password });
  }
  return () => plain(username, password);
}

function allowOnly(
  options: Partial<SaslOptions>,
  mechanism: string,
  allowed: readonly (keyof SaslOptions)[],
  circumstance: string,
): void {
  for (const name of Object.keys(options) as (keyof SaslOptions)[]) {
    if (name === 'mechanism' || allowed.includes(name) || options[name] === undefined) continue;
    const wanted = allowed.map((each) => `"sasl.${each}"`).join(' and ');
    throw configError(`Option "sasl.${name}" has no effect ${circumstance}: ${mechanism} takes ${wanted}. Remove it.`);
  }
}

function knownMechanisms(): string {
  return `Built in are ${Object.keys(MECHANISM_PARTS).join(', ')}; any other needs "sasl.createMechanism".`;
}

function unknownMechanism(mechanism: string): KafkaError {
  const nearest = nearestName(mechanism, Object.keys(MECHANISM_PARTS));
  const question = nearest === null ? '' : ` Did you mean "${nearest}"?`;
  return configError(`Option "sasl.mechanism" is ${JSON.stringify(mechanism)}.${question} ${knownMechanisms()}`);
}

/** The parts that are given and not undefined. */
function readParts<T extends object>(
  option: string,
  value: unknown,
  rules: Readonly<Record<string, PartRule>>,
): Partial<T> {
  if (value === null || typeof value !== 'object' || Array.isArray(value) || Buffer.isBuffer(value)) {
    throw configError(`Option "${option}" must be an object with some of ${Object.keys(rules).join(', ')}.`);
  }
  const read: Record<string, unknown> = {};
  for (const [name, part] of Object.entries(value as Parts)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (rule === undefined) throw unknownPart(option, name, Object.keys(rules));
    if (part === undefined) continue;
    if (!rule.accepts(part)) throw configError(`Option "${option}.${name}" must be ${rule.wanted}.`);
    read[name] = part;
  }
  return read as Partial<T>;
}

function unknownPart(option: string, name: string, known: readonly string[]): KafkaError {
  const nearest = nearestName(name, known);
  const advice = nearest === null ? `It takes: ${known.join(', ')}.` : `Did you mean "${option}.${nearest}"?`;
  return configError(`Unknown option "${option}.${name}". ${advice}`);
}
