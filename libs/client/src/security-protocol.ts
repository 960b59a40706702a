/**
 * Kafka's four security protocols: with TLS or without, with SASL or without.
 *
 * Guarantees that the rest of the client asks these functions and never compares the names.
 */

/** The names, in Kafka's own spelling. `SSL` means TLS. */
export const SECURITY_PROTOCOLS = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const;

/** One of the four. */
export type SecurityProtocol = (typeof SECURITY_PROTOCOLS)[number];

/** Whether connections are encrypted. */
export function usesTls(protocol: SecurityProtocol): boolean {
  return protocol === 'SSL' || protocol === 'SASL_SSL';
}

/** Whether connections are authenticated by SASL. */
export function usesSasl(protocol: SecurityProtocol): boolean {
  return protocol === 'SASL_PLAINTEXT' || protocol === 'SASL_SSL';
}
