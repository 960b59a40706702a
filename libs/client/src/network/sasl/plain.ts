/**
 * SASL PLAIN (RFC 4616): user name and password in one message, readable by whoever reads the connection.
 *
 * Guarantees nothing about secrecy: use it with `SASL_SSL`.
 */
import type { SaslMechanism } from './sasl-mechanism.js';

/** One PLAIN authentication. Neither text may contain a NUL, which separates them. */
export function plain(username: string, password: string): SaslMechanism {
  return {
    name: 'PLAIN',
    start: () => Buffer.from(`\0${username}\0${password}`),
    step: () => null,
  };
}
