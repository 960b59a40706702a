/**
 * SASL OAUTHBEARER (RFC 7628, KIP-255): a token from the application's provider, with extensions (KIP-342).
 *
 * Guarantees that the provider is asked anew for every authentication, so a token is as fresh as the provider makes it;
 * the broker limits the session to the token's lifetime and the client re-authenticates before. Leaves out getting and
 * caching tokens: brokers refuse an expired one, so a provider that caches has to mind the time.
 */
import type { SaslMechanism } from './sasl-mechanism.js';

/** What a provider gives. */
export interface OAuthBearerToken {
  /** The token itself, usually a JWT. */
  readonly value: string;
  /** Further pairs for the broker: names of letters, values of printable ASCII. */
  readonly extensions?: Readonly<Record<string, string>>;
}

/** Gives a valid token, now or later. A throw or rejection fails one attempt to connect. */
export type OAuthBearerProvider = () => OAuthBearerToken | Promise<OAuthBearerToken>;

/** Separates the parts of the message (RFC 7628, section 3.1). */
const SEPARATOR = '\x01';

/** RFC 6750, section 2.1. */
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;
const EXTENSION_NAME = /^[A-Za-z]+$/;
const EXTENSION_VALUE = /^[\x21-\x7e \t\r\n]+$/;

/** One OAUTHBEARER authentication. */
export function oauthBearer(provider: OAuthBearerProvider): SaslMechanism {
  return {
    name: 'OAUTHBEARER',
    start: async () => firstMessage(await provider()),
    // Anything the broker says is the reason of a refusal, as JSON. It wants one more byte and then gives its error.
    step: (challenge) => (challenge.length === 0 ? null : Buffer.from(SEPARATOR)),
  };
}

function firstMessage(token: OAuthBearerToken): Buffer {
  if (typeof token?.value !== 'string' || !TOKEN.test(token.value)) {
    throw new Error('it must give { value: string } with a bearer token of the characters A-Z a-z 0-9 - . _ ~ + / =');
  }
  let message = `n,,${SEPARATOR}auth=Bearer ${token.value}${SEPARATOR}`;
  for (const [name, value] of Object.entries(token.extensions ?? {})) {
    if (!EXTENSION_NAME.test(name) || name === 'auth' || !EXTENSION_VALUE.test(value)) {
      throw new Error(
        `its extension ${JSON.stringify(name)} must have a name of letters, not auth, and printable text`,
      );
    }
    message += `${name}=${value}${SEPARATOR}`;
  }
  return Buffer.from(message + SEPARATOR);
}
