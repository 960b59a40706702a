/**
 * TLS and SASL of our client against Apache Kafka: every mechanism, renewal of sessions under load, and what is said
 * when a certificate, a password, a mechanism or the kind of listener is wrong.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ClientOptions,
  type KafkaError,
  type SaslOptions,
  createAdmin,
  createConsumer,
  createProducer,
  silentLogger,
} from '@kafka-template/client';
import { type RunningKafka, startKafka } from './kafka/start.mjs';
import { type Certificates, makeCertificates } from './support/certificates.js';

const RECORDS = 3_000;
const USERNAME = 'alice';
const PASSWORD = 'alice-s3cret';
const SESSION_MS = 5_000;

const LISTENERS = {
  TLS: 'SSL',
  MUTUAL: 'SSL',
  SASL: 'SASL_PLAINTEXT',
  SASLTLS: 'SASL_SSL',
} as const;

let folder: string;
let certificates: Certificates;
let kafka: RunningKafka;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'security-'));
  certificates = makeCertificates(folder);
  kafka = await startKafka({
    listeners: LISTENERS,
    config: brokerConfig(),
    formatArguments: ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
      '--add-scram',
      `${mechanism}=[name="${USERNAME}",password="${PASSWORD}"]`,
    ]),
  });
});

afterAll(async () => {
  await kafka?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function brokerConfig(): Record<string, string> {
  const security = 'org.apache.kafka.common.security';
  const config: Record<string, string> = {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': certificates.keyStore,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': certificates.trustStore,
    'listener.name.mutual.ssl.client.auth': 'required',
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
    'connections.max.reauth.ms': String(SESSION_MS),
  };
  for (const listener of ['sasl', 'sasltls']) {
    const prefix = `listener.name.${listener}`;
    config[`${prefix}.plain.sasl.jaas.config`] =
      `${security}.plain.PlainLoginModule required user_${USERNAME}="${PASSWORD}";`;
    for (const mechanism of ['scram-sha-256', 'scram-sha-512']) {
      config[`${prefix}.${mechanism}.sasl.jaas.config`] = `${security}.scram.ScramLoginModule required;`;
    }
    config[`${prefix}.oauthbearer.sasl.jaas.config`] =
      `${security}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="${USERNAME}";`;
  }
  return config;
}

function options(listener: keyof typeof LISTENERS, more: Partial<ClientOptions> = {}): ClientOptions {
  const securityProtocol = LISTENERS[listener];
  const isTls = securityProtocol.endsWith('SSL');
  return {
    bootstrapServers: `127.0.0.1:${kafka.ports[listener]}`,
    securityProtocol,
    ...(isTls ? { ssl: { ca: certificates.ca } } : {}),
    logger: silentLogger,
    ...more,
  };
}

/** A JWT without a signature, as Kafka's unsecured validator takes it. */
function unsecuredToken(lifetimeMs = 3_600_000): { value: string } {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1_000);
  const claims = { sub: USERNAME, iat: now - 1, exp: now + Math.ceil(lifetimeMs / 1_000) };
  return { value: `${encode({ alg: 'none' })}.${encode(claims)}.` };
}

const plainSasl = (password = PASSWORD): SaslOptions => ({ mechanism: 'PLAIN', username: USERNAME, password });

/** Sends records to a new topic and reads them back, over two connections of their own. */
async function roundTrip(topic: string, clientOptions: ClientOptions): Promise<void> {
  const producer = createProducer(clientOptions);
  const consumer = createConsumer({ ...clientOptions, groupId: `${topic}-group`, autoOffsetReset: 'earliest' });
  try {
    const values = Array.from({ length: RECORDS }, (_, index) => `value ${index}`);
    await Promise.all(values.map((value) => producer.send({ topic, value })));
    consumer.subscribe(topic);
    const received: string[] = [];
    while (received.length < RECORDS) {
      for (const record of await consumer.poll(10_000)) received.push(String(record.value));
    }
    expect(received.sort()).toEqual(values.sort());
    await consumer.commitSync();
  } finally {
    await Promise.all([producer.close(), consumer.close()]);
  }
}

async function failure(clientOptions: ClientOptions): Promise<KafkaError> {
  const admin = createAdmin({ ...clientOptions, defaultApiTimeoutMs: 5_000, requestTimeoutMs: 3_000 });
  try {
    await admin.listTopics();
  } catch (thrown) {
    return thrown as KafkaError;
  } finally {
    await admin.close();
  }
  throw new Error('the connection was accepted');
}

describe('TLS', () => {
  it('produces and consumes, trusting an authority of its own', () => roundTrip('tls', options('TLS')));

  it('shows a certificate to a listener that asks for one', () =>
    roundTrip('mutual', options('MUTUAL', { ssl: { ca: certificates.ca, ...certificates.client } })));

  it('checks the host name, which servername replaces', async () => {
    const port = kafka.ports.TLS;
    const ssl = { ca: certificates.ca, servername: 'localhost' };
    await roundTrip('servername', options('TLS', { ssl }));
    const other = { ca: certificates.ca, servername: 'elsewhere.example' };
    const error = await failure(options('TLS', { ssl: other }));
    expect(error).toMatchObject({ code: 'SSL_AUTHENTICATION_FAILED', retriable: false, fatal: true });
    expect(error.message).toContain(
      `127.0.0.1:${port} could not be opened: the broker's certificate is for another host`,
    );
    expect(error.message).toContain('"ssl.servername"');
  });

  it.each([
    ['the authority of somebody else', (): ClientOptions['ssl'] => ({ ca: certificates.strangerCa })],
    ['the authorities that come with Node', (): ClientOptions['ssl'] => undefined],
  ])('does not trust %s', async (_, ssl) => {
    const error = await failure(options('TLS', { ssl: ssl() }));
    expect(error).toMatchObject({ code: 'SSL_AUTHENTICATION_FAILED', retriable: false, fatal: true });
    expect(error.message).toContain('certificate is not trusted');
    expect(error.message).toContain('"ssl.ca"');
  });

  it('says that a client certificate is wanted', async () => {
    const error = await failure(options('MUTUAL'));
    expect(error.message).toContain('"ssl.cert" and "ssl.key"');
  });

  it('says so when TLS is spoken to a plain listener, and the reverse', async () => {
    const toPlain = await failure({ ...options('TLS'), bootstrapServers: kafka.bootstrapServers });
    expect(toPlain.message).toMatch(/"securityProtocol" to PLAINTEXT or SASL_PLAINTEXT/);
    const plainToTls = await failure({ bootstrapServers: `127.0.0.1:${kafka.ports.TLS}`, logger: silentLogger });
    expect(plainToTls.message).toMatch(/TLS.*[Ss]et "securityProtocol"/);
  });
});

describe('SASL', () => {
  it.each<[name: string, listener: 'SASL' | 'SASLTLS', sasl: () => SaslOptions]>([
    ['plain', 'SASL', plainSasl],
    ['plain-tls', 'SASLTLS', plainSasl],
    ['scram-256', 'SASL', () => ({ ...plainSasl(), mechanism: 'SCRAM-SHA-256' })],
    ['scram-512', 'SASLTLS', () => ({ ...plainSasl(), mechanism: 'SCRAM-SHA-512' })],
    ['oauthbearer', 'SASL', () => ({ mechanism: 'OAUTHBEARER', oauthBearerProvider: () => unsecuredToken() })],
    [
      'own-mechanism',
      'SASLTLS',
      () => ({
        mechanism: 'PLAIN',
        createMechanism: () => ({
          name: 'PLAIN',
          start: () => Promise.resolve(Buffer.from(`\0${USERNAME}\0${PASSWORD}`)),
          step: () => null,
        }),
      }),
    ],
  ])('produces and consumes: %s', (name, listener, sasl) => roundTrip(name, options(listener, { sasl: sasl() })));

  it.each([
    ['PLAIN', plainSasl('wrong-hunter2')],
    ['SCRAM-SHA-256', { ...plainSasl('wrong-hunter2'), mechanism: 'SCRAM-SHA-256' }],
    ['SCRAM-SHA-512', { ...plainSasl('wrong-hunter2'), mechanism: 'SCRAM-SHA-512' }],
  ])('reports a bad password by %s without telling it', async (mechanism, sasl) => {
    const error = await failure(options('SASL', { sasl }));
    expect(error).toMatchObject({ code: 'SASL_AUTHENTICATION_FAILED', retriable: false, fatal: true });
    expect(error.message).toContain(`by ${mechanism} failed`);
    expect(error.message).toContain('Check "sasl.username" and "sasl.password".');
    expect(error.message).not.toContain('hunter2');
  });

  it('reports a token that is refused', async () => {
    const oauthBearerProvider = (): { value: string } => unsecuredToken(-60_000);
    const error = await failure(options('SASL', { sasl: { mechanism: 'OAUTHBEARER', oauthBearerProvider } }));
    expect(error).toMatchObject({ code: 'SASL_AUTHENTICATION_FAILED', fatal: true });
    expect(error.message).not.toContain(oauthBearerProvider().value.slice(0, 20));
  });

  it('names the mechanisms that are offered', async () => {
    const createMechanism = (): never => {
      throw new Error('not reached');
    };
    const sasl = {
      mechanism: 'AWS_MSK_IAM',
      createMechanism: () => ({ name: 'AWS_MSK_IAM', start: createMechanism, step: createMechanism }),
    };
    const error = await failure(options('SASL', { sasl }));
    expect(error.code).toBe('UNSUPPORTED_SASL_MECHANISM');
    for (const offered of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER']) {
      expect(error.message).toContain(offered);
    }
  });

  it('says so when SASL is spoken to a listener without, and the reverse', async () => {
    const toPlain = await failure({
      ...options('SASL', { sasl: plainSasl() }),
      bootstrapServers: kafka.bootstrapServers,
    });
    expect(toPlain).toMatchObject({ code: 'ILLEGAL_SASL_STATE', fatal: true });
    expect(toPlain.message).toContain('set "securityProtocol" to PLAINTEXT or SSL');
    const withoutSasl = await failure({ bootstrapServers: `127.0.0.1:${kafka.ports.SASL}`, logger: silentLogger });
    expect(withoutSasl.message).toContain('Is it a listener with TLS or SASL? Then set "securityProtocol".');
  });

  it('renews its sessions while records flow, and loses none', async () => {
    let tokens = 0;
    const warnings: string[] = [];
    const oauthBearerProvider = (): { value: string } => {
      tokens += 1;
      return unsecuredToken();
    };
    const producer = createProducer(
      options('SASLTLS', {
        sasl: { mechanism: 'OAUTHBEARER', oauthBearerProvider },
        logger: { ...silentLogger, debug: (message, fields) => warnings.push(`${message} ${JSON.stringify(fields)}`) },
      }),
    );
    const sent: Promise<{ offset: number }>[] = [];
    const started = performance.now();
    let connections = 0;
    // Until every connection has been renewed at least twice.
    while (performance.now() - started < 2.5 * SESSION_MS) {
      for (let index = 0; index < 20; index++) sent.push(producer.send({ topic: 'renewed', value: 'x' }));
      await Promise.race(sent.slice(-20));
      connections ||= tokens;
    }
    const offsets = (await Promise.all(sent)).map(({ offset }) => offset);
    await producer.close();
    expect(offsets).toEqual(offsets.map((_, index) => index));
    expect(tokens - connections).toBeGreaterThanOrEqual(2);
    expect(warnings.filter((line) => line.includes('connection'))).toEqual([]);
  });
});
