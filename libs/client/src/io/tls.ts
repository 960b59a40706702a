/**
 * Encryption settings of connections, in the names of `node:tls`, and what is made of them once per client.
 *
 * Guarantees that certificates and keys are read when the client is made, so that a broken one fails there; afterwards
 * only OpenSSL holds them and nothing that can be printed does. Leaves out opening connections: see network.ts.
 */
import { type PeerCertificate, createSecureContext } from 'node:tls';

/** Text or bytes of a PEM file (PKCS#12 for `pfx`); several in a list. */
export type PemOption = string | Buffer | readonly (string | Buffer)[];

/** Encryption settings. Names and meanings are those of `node:tls`. */
export interface SslOptions {
  /** Certificates of the authorities to trust, instead of those that come with Node. PEM. */
  ca?: PemOption;
  /** Certificate chain of this client, for brokers that ask for one (`ssl.client.auth`). PEM. Needs `key`. */
  cert?: PemOption;
  /** Private key to `cert`. PEM. */
  key?: PemOption;
  /** Certificate and key in one, in PKCS#12 form, instead of `cert` and `key`. */
  pfx?: string | Buffer;
  /** Opens an encrypted `key` or `pfx`. */
  passphrase?: string;
  /** Host name to ask for (SNI) and to find in the broker's certificate. Default: the host connected to. */
  servername?: string;
  /** False trusts every certificate: for experiments only. Default true. */
  rejectUnauthorized?: boolean;
  /** Lowest version of TLS, `TLSv1.2` or `TLSv1.3`. Default: Node's. */
  minVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** Highest version of TLS. Default: Node's. */
  maxVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** OpenSSL's list of cipher suites. Default: Node's. */
  ciphers?: string;
  /** Replaces the comparison of the host name with the certificate; returns an error to refuse. */
  checkServerIdentity?: (host: string, certificate: PeerCertificate) => Error | undefined;
}

/** {@link SslOptions} ready for use. */
export interface TlsSettings {
  /** Certificates and keys, as OpenSSL holds them. Opaque. */
  readonly secureContext: ReturnType<typeof createSecureContext>;
  readonly servername: string | undefined;
  readonly rejectUnauthorized: boolean;
  readonly checkServerIdentity: SslOptions['checkServerIdentity'];
}

/** Reads certificates and keys. @throws Error of OpenSSL when one of them cannot be read */
export function createTlsSettings(options: SslOptions): TlsSettings {
  const { servername, rejectUnauthorized, checkServerIdentity, ...material } = options;
  return {
    // Node declares lists as changeable and does not change them.
    secureContext: createSecureContext(material as Parameters<typeof createSecureContext>[0]),
    servername,
    rejectUnauthorized: rejectUnauthorized ?? true,
    checkServerIdentity,
  };
}
