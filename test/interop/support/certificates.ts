/**
 * A certificate authority of one's own, by openssl: the broker's key store, a client's certificate, and a stranger.
 *
 * Everything is valid for two days and lies in one folder, which its owner removes.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Files for Kafka, contents for the client. */
export interface Certificates {
  /** Key, certificate and authority in one PEM file, as Kafka wants them. */
  readonly keyStore: string;
  /** The authority's certificate as a file. */
  readonly trustStore: string;
  readonly ca: string;
  readonly client: { readonly cert: string; readonly key: string };
  /** An authority that signed nothing here. */
  readonly strangerCa: string;
}

/** Makes them. The broker's certificate is for localhost and 127.0.0.1, the client's name is `CN=app`. */
export function makeCertificates(folder: string): Certificates {
  const openssl = (...parameters: readonly string[]): void => {
    const result = spawnSync('openssl', parameters, { cwd: folder, encoding: 'utf8' });
    if (result.status !== 0) throw new Error(`openssl ${parameters[0]} failed: ${result.error ?? result.stderr}`);
  };
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const authority = (name: string): void =>
    openssl(
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', `/CN=${name}`],
      ...['-keyout', `${name}.key`, '-out', `${name}.crt`],
    );
  const signed = (name: string, extension: string): void => {
    writeFileSync(join(folder, `${name}.ext`), `${extension}\n`);
    openssl(
      ...['req', '-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${name}`],
      ...['-keyout', `${name}.key`, '-out', `${name}.csr`],
    );
    openssl(
      ...['x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2'],
      ...['-extfile', `${name}.ext`, '-out', `${name}.crt`],
    );
  };
  authority('ca');
  authority('stranger');
  signed('broker', 'subjectAltName=DNS:localhost,IP:127.0.0.1');
  signed('app', 'extendedKeyUsage=clientAuth');
  writeFileSync(join(folder, 'keystore.pem'), read('broker.key') + read('broker.crt') + read('ca.crt'));
  return {
    keyStore: join(folder, 'keystore.pem'),
    trustStore: join(folder, 'ca.crt'),
    ca: read('ca.crt'),
    client: { cert: read('app.crt'), key: read('app.key') },
    strangerCa: read('stranger.crt'),
  };
}
