import { inspect } from 'node:util';
import { KafkaError } from './errors.js';
import { type ClientOptions, CLIENT_OPTION_TABLE, resolveClientOptions } from './options.js';
import { resolveAdminOptions } from './admin/admin-options.js';
import { resolveConsumerOptions } from './consumer/consumer-options.js';
import { resolveProducerOptions } from './producer/producer-options.js';
import { TEST_CA, TEST_CERTIFICATE, TEST_KEY } from './testing/certificates.js';

const BASE = { bootstrapServers: 'localhost:9092' };
const SCRAM = { mechanism: 'SCRAM-SHA-256', username: 'alice', password: 'hunter2' };

function resolve(options: Partial<ClientOptions>): ReturnType<typeof resolveAdminOptions> {
  return resolveAdminOptions({ ...BASE, ...options });
}

/** Options as code without types would pass them. */
function failureOf(options: Record<string, unknown>): KafkaError {
  try {
    resolveClientOptions('client', CLIENT_OPTION_TABLE, { ...BASE, ...options });
  } catch (thrown) {
    if (thrown instanceof KafkaError) return thrown;
    throw thrown;
  }
  throw new Error('the options were accepted');
}

const withSasl = (sasl: unknown): Record<string, unknown> => ({ securityProtocol: 'SASL_SSL', sasl });
const withSsl = (ssl: unknown): Record<string, unknown> => ({ securityProtocol: 'SSL', ssl });

describe('security options', () => {
  it('are plain by default', () => {
    expect(resolve({})).toMatchObject({ securityProtocol: 'PLAINTEXT', ssl: null, sasl: null });
  });

  it('give TLS its defaults', () => {
    const { ssl } = resolve({ securityProtocol: 'SSL' });
    expect(ssl).toMatchObject({ rejectUnauthorized: true, servername: undefined });
  });

  it('read certificates once, from text, bytes and lists', () => {
    for (const ca of [TEST_CA, Buffer.from(TEST_CA), [TEST_CA, Buffer.from(TEST_CERTIFICATE)]]) {
      const ssl = { ca, cert: TEST_CERTIFICATE, key: TEST_KEY, servername: 'kafka.example', rejectUnauthorized: false };
      expect(resolve({ securityProtocol: 'SSL', ssl }).ssl).toMatchObject({
        servername: 'kafka.example',
        rejectUnauthorized: false,
      });
    }
  });

  it.each<[Record<string, unknown>, RegExp]>([
    [{ securityProtocol: 'TLS' }, /^Option "securityProtocol" must be one of "PLAINTEXT", "SSL", "SASL_PLAINTEXT", /],
    [{ 'security.protocol': 'SSL' }, /^Unknown option "security\.protocol" .* Did you mean "securityProtocol"\?$/],
    [
      { ssl: {} },
      /^Option "ssl" has no effect when "securityProtocol" is PLAINTEXT\. Set .* to SSL, or remove "ssl"\.$/,
    ],
    [{ securityProtocol: 'SASL_PLAINTEXT', ssl: {}, sasl: SCRAM }, /^Option "ssl" has no effect .* to SASL_SSL, or/],
    [
      { sasl: SCRAM },
      /^Option "sasl" has no effect when "securityProtocol" is PLAINTEXT\. Set .* to SASL_PLAINTEXT, or/,
    ],
    [{ securityProtocol: 'SSL', sasl: SCRAM }, /^Option "sasl" has no effect .* is SSL\. Set .* to SASL_SSL, or/],
    [{ securityProtocol: 'SASL_SSL' }, /^Option "securityProtocol" is SASL_SSL, which needs the option "sasl"\.$/],
    [withSsl(true), /^Option "ssl" must be an object with some of ca, cert, key, /],
    [withSsl({ serverName: 'x' }), /^Unknown option "ssl\.serverName"\. Did you mean "ssl\.servername"\?$/],
    [withSsl({ truststoreLocation: 'x' }), /^Unknown option "ssl\.truststoreLocation"\. It takes: ca, cert, /],
    [withSsl({ ca: 5 }), /^Option "ssl\.ca" must be a non-empty string or a Buffer, or a list of these\.$/],
    [withSsl({ ca: [] }), /^Option "ssl\.ca" must be/],
    [withSsl({ rejectUnauthorized: 'no' }), /^Option "ssl\.rejectUnauthorized" must be true or false\.$/],
    [withSsl({ minVersion: 'TLSv1' }), /^Option "ssl\.minVersion" must be TLSv1\.2 or TLSv1\.3\.$/],
    [withSsl({ cert: TEST_CERTIFICATE }), /^Option "ssl\.cert" needs "ssl\.key"/],
    [withSsl({ key: TEST_KEY }), /^Option "ssl\.key" needs "ssl\.cert"/],
    [withSsl({ pfx: 'x', cert: TEST_CERTIFICATE, key: TEST_KEY }), /^Option "ssl\.pfx" has certificate and key in it/],
    [
      withSsl({ cert: 'client.crt', key: 'client.key' }),
      /^Option "ssl" cannot be used: .*Check "ssl\.cert", "ssl\.key"; they take contents, not file names\.$/,
    ],
    [withSasl('hunter2'), /^Option "sasl" must be an object with some of mechanism, username, /],
    [withSasl({ username: 'alice' }), /^Option "sasl\.mechanism" is missing\. Built in are PLAIN, SCRAM-SHA-256, /],
    [withSasl({ ...SCRAM, mechanism: 'scram-sha-256' }), /"scram-sha-256"\. Did you mean "SCRAM-SHA-256"\?/],
    [withSasl({ mechanism: 'GSSAPI' }), /"GSSAPI"\. Built in are .* any other needs "sasl\.createMechanism"\.$/],
    [withSasl({ ...SCRAM, user: 'a' }), /^Unknown option "sasl\.user"\./],
    [withSasl({ mechanism: 'PLAIN', username: 'a' }), /^Option "sasl\.password" is missing: PLAIN needs it\.$/],
    [withSasl({ ...SCRAM, password: '' }), /^Option "sasl\.password" must be a non-empty string without NUL\.$/],
    [withSasl({ ...SCRAM, password: 'a\0b' }), /^Option "sasl\.password" must be a non-empty string without NUL\.$/],
    [withSasl({ mechanism: 'OAUTHBEARER' }), /^Option "sasl\.oauthBearerProvider" is missing: OAUTHBEARER needs it/],
    [
      withSasl({ mechanism: 'OAUTHBEARER', oauthBearerProvider: () => ({ value: 'x' }), password: 'hunter2' }),
      /^Option "sasl\.password" has no effect with the mechanism OAUTHBEARER: .* Remove it\.$/,
    ],
    [
      withSasl({ mechanism: 'AWS_MSK_IAM', createMechanism: () => null, username: 'a' }),
      /^Option "sasl\.username" has no effect with "sasl\.createMechanism"/,
    ],
  ])('are refused by name: %#', (options, message) => {
    const failure = failureOf(options);
    expect(failure).toMatchObject({ code: 'CONFIG', retriable: false });
    expect(failure.message).toMatch(message);
  });

  it('never show a value in an error', () => {
    const wrong: Record<string, unknown>[] = [
      withSasl({ ...SCRAM, extra: 1 }),
      withSasl({ ...SCRAM, password: ['hunter2'] }),
      withSasl({ ...SCRAM, oauthBearerProvider: 'hunter2' }),
      withSasl({ ...SCRAM, mechanism: 'PLIAN' }),
      withSasl(['hunter2']),
      withSsl('hunter2'),
      withSsl({ ca: { hunter2: 1 } }),
      withSsl({ cert: 'hunter2', key: 'hunter2', passphrase: 'hunter2' }),
      { sasl: SCRAM },
    ];
    for (const options of wrong) expect(inspect(failureOf(options), { depth: 9 })).not.toContain('hunter2');
  });

  it('are nowhere to be read once they are taken', () => {
    const ssl = { ca: TEST_CA, cert: TEST_CERTIFICATE, key: TEST_KEY };
    const resolved = resolve({ securityProtocol: 'SASL_SSL', sasl: SCRAM, ssl });
    const printed = inspect(resolved, { depth: 9, showHidden: true });
    expect(printed).not.toContain('hunter2');
    expect(printed).not.toContain('PRIVATE KEY');
  });

  it('are checked for every kind of client', () => {
    for (const resolveOptions of [resolveProducerOptions, resolveConsumerOptions, resolveAdminOptions]) {
      expect(() => resolveOptions({ ...BASE, ssl: {} })).toThrow(/^Option "ssl" has no effect/);
    }
  });
});
