/** Authentication of connections, as a cluster sees it: order on the wire, failures, renewal. */
import { inspect } from 'node:util';
import {
  type Api,
  ErrorCode,
  FindCoordinator,
  Metadata,
  SaslAuthenticate,
  SaslHandshake,
} from '@kafka-template/protocol';
import { type KafkaError } from '../../errors.js';
import { type ClientOptions, CLIENT_OPTION_TABLE, resolveClientOptions } from '../../options.js';
import type { SaslOptions } from '../../security-options.js';
import type { Fault, SeenRequest } from '../../testing/fake-kafka.js';
import { type World, createWorld } from '../../testing/world.js';
import { Cluster } from '../cluster.js';

const METADATA = { topics: [] };
const PLAIN: SaslOptions = { mechanism: 'PLAIN', username: 'alice', password: 'hunter2' };
const OAUTH: SaslOptions = { mechanism: 'OAUTHBEARER', oauthBearerProvider: () => ({ value: 'token' }) };

function createCluster(world: World, sasl: SaslOptions, options: Partial<ClientOptions> = {}): Cluster {
  const all = { ...world.options, securityProtocol: 'SASL_PLAINTEXT', sasl, ...options };
  return new Cluster(resolveClientOptions('client', CLIENT_OPTION_TABLE, all), world.io);
}

interface Outcome<T> {
  value?: T;
  error?: KafkaError;
}

function watch<T>(promise: Promise<T>): Outcome<T> {
  const outcome: Outcome<T> = {};
  promise.then(
    (value) => (outcome.value = value),
    (error: KafkaError) => (outcome.error = error),
  );
  return outcome;
}

const GRANTED = { errorCode: ErrorCode.NONE, errorMessage: null, authBytes: Buffer.alloc(0), sessionLifetimeMs: 0 };
const REFUSED = { ...GRANTED, errorCode: ErrorCode.SASL_AUTHENTICATION_FAILED, errorMessage: 'Invalid credentials' };
const WELCOME = { errorCode: ErrorCode.NONE, mechanisms: ['PLAIN'] };

type Answer = Omit<typeof GRANTED | typeof REFUSED, 'authBytes'> & { readonly authBytes: Buffer };

/** Answers the two requests of SASL. */
function saslBroker(
  answers: { handshake?: object; authenticate?: (request: SeenRequest) => Answer | Fault } = {},
): (request: SeenRequest) => Fault | undefined {
  return (request) => {
    if (request.api === SaslHandshake.name) return { kind: 'answer', body: answers.handshake ?? WELCOME };
    if (request.api !== SaslAuthenticate.name) return undefined;
    const answer = answers.authenticate?.(request) ?? GRANTED;
    return 'kind' in answer ? answer : { kind: 'answer', body: answer };
  };
}

function apis(world: World): string[] {
  return world.kafka.requests.map(({ api }) => api);
}

function sentBytes(world: World): string[] {
  return world.kafka.seen(SaslAuthenticate as Api).map(({ body }) => String((body as { authBytes: Buffer }).authBytes));
}

describe('SASL: opening a connection', () => {
  it.each([
    [[0, 2], 2],
    [[0, 0], 0],
  ] as const)(
    'authenticates between ApiVersions and the first request, SaslAuthenticate %j',
    async (range, version) => {
      const world = createWorld();
      world.kafka.ranges.set(SaslAuthenticate.key, range);
      world.kafka.fault = saslBroker();
      const cluster = createCluster(world, PLAIN);
      const outcome = watch(cluster.request('any', Metadata, METADATA));
      await world.clock.run();
      expect(outcome.value?.clusterId).toBe('fake');
      expect(apis(world)).toEqual(['ApiVersions', 'SaslHandshake', 'SaslAuthenticate', 'Metadata']);
      expect(world.kafka.requests[1]).toMatchObject({ version: 1, body: { mechanism: 'PLAIN' } });
      expect(world.kafka.requests[2]).toMatchObject({ version });
      expect(sentBytes(world)).toEqual(['\0alice\0hunter2']);
      cluster.close();
    },
  );

  it('authenticates every lane, and asks the token provider for each', async () => {
    const world = createWorld();
    world.kafka.fault = saslBroker();
    let tokens = 0;
    const oauthBearerProvider = (): Promise<{ value: string }> => Promise.resolve({ value: `token${++tokens}` });
    const cluster = createCluster(world, { mechanism: 'OAUTHBEARER', oauthBearerProvider });
    watch(cluster.request('any', Metadata, METADATA));
    watch(cluster.request('any', Metadata, METADATA, { lane: 'fetch' }));
    await world.clock.run();
    expect(sentBytes(world).sort()).toEqual(['token1', 'token2'].map((each) => `n,,\x01auth=Bearer ${each}\x01\x01`));
    cluster.close();
  });

  it('lets a mechanism of the application say as much as it likes', async () => {
    const world = createWorld();
    const challenges = ['more', 'done'];
    const authBytes = (): Buffer => Buffer.from(challenges.shift() ?? '');
    world.kafka.fault = saslBroker({ authenticate: () => ({ ...GRANTED, authBytes: authBytes() }) });
    const contexts: unknown[] = [];
    const cluster = createCluster(world, {
      mechanism: 'MINE',
      createMechanism: (context) => {
        contexts.push(context);
        return {
          name: 'MINE',
          start: () => Promise.resolve(Buffer.from('first')),
          step: (challenge) => (String(challenge) === 'more' ? Promise.resolve(Buffer.from('second')) : null),
        };
      },
    });
    const outcome = watch(cluster.request('any', Metadata, METADATA));
    await world.clock.run();
    expect(outcome.value?.clusterId).toBe('fake');
    expect(contexts).toMatchObject([{ host: 'broker-1', port: 9092 }]);
    expect(world.kafka.requests[1]?.body).toMatchObject({ mechanism: 'MINE' });
    expect(sentBytes(world)).toEqual(['first', 'second']);
    cluster.close();
  });

  it('ends an exchange that has no end', async () => {
    const world = createWorld();
    world.kafka.fault = saslBroker({ authenticate: () => ({ ...GRANTED, authBytes: Buffer.from('reason') }) });
    const cluster = createCluster(world, OAUTH);
    const outcome = watch(cluster.request('any', Metadata, METADATA));
    await world.clock.run();
    expect(outcome.error).toMatchObject({ code: 'SASL_AUTHENTICATION_FAILED', fatal: true });
    expect(outcome.error?.message).toContain('not finished after 10 messages');
    cluster.close();
  });
});

describe('SASL: failures', () => {
  it('is fatal when the broker refuses, at once, with its words and ours', async () => {
    const world = createWorld();
    world.kafka.fault = saslBroker({ authenticate: () => REFUSED });
    const cluster = createCluster(world, PLAIN);
    const outcome = watch(cluster.request('any', Metadata, METADATA));
    await world.clock.run();
    expect(outcome.error).toMatchObject({ code: 'SASL_AUTHENTICATION_FAILED', retriable: false, fatal: true });
    expect(outcome.error?.message).toMatch(
      /^Authentication at broker-\d:9092 by PLAIN failed: SASL_AUTHENTICATION_FAILED: Invalid credentials\. Check "sasl\.username" and "sasl\.password"\.$/,
    );
    expect(world.network.attempts).toHaveLength(1);
    cluster.close();
  });

  it('does not try again before the longest pause is over', async () => {
    const world = createWorld();
    world.kafka.fault = saslBroker({ authenticate: () => REFUSED });
    const cluster = createCluster(world, PLAIN, { reconnectBackoffMaxMs: 5_000, metadataMaxAgeMs: 600_000 });
    const outcomes: Outcome<unknown>[] = [];
    for (let second = 0; second < 20; second++) {
      outcomes.push(watch(cluster.request('any', Metadata, METADATA)));
      await world.clock.advance(1_000);
    }
    await world.clock.advance(5_000);
    expect(outcomes.map(({ error }) => error?.code)).toEqual(outcomes.map(() => 'SASL_AUTHENTICATION_FAILED'));
    expect(world.network.attempts.length).toBeLessThanOrEqual(6);
    cluster.close();
  });

  it('names the mechanisms the broker has', async () => {
    const world = createWorld();
    const handshake = { errorCode: ErrorCode.UNSUPPORTED_SASL_MECHANISM, mechanisms: ['SCRAM-SHA-512', 'OAUTHBEARER'] };
    world.kafka.fault = saslBroker({ handshake });
    const cluster = createCluster(world, PLAIN);
    const outcome = watch(cluster.request('any', Metadata, METADATA));
    await world.clock.run();
    expect(outcome.error).toMatchObject({ code: 'UNSUPPORTED_SASL_MECHANISM', fatal: true, retriable: false });
    expect(outcome.error?.message).toContain(
      'does not offer the SASL mechanism PLAIN. It offers: SCRAM-SHA-512, OAUTHBEARER. Set "sasl.mechanism"',
    );
    cluster.close();
  });

  it('says so when the listener takes no SASL', async () => {
    const world = createWorld();
    world.kafka.fault = saslBroker({ handshake: { errorCode: ErrorCode.ILLEGAL_SASL_STATE, mechanisms: [] } });
    const cluster = createCluster(world, PLAIN);
    const outcome = watch(cluster.request('any', Metadata, METADATA));
    await world.clock.run();
    expect(outcome.error).toMatchObject({ code: 'ILLEGAL_SASL_STATE', fatal: true });
    expect(outcome.error?.message).toContain('This listener takes no SASL: set "securityProtocol" to PLAINTEXT or SSL');
    cluster.close();
  });

  it('says so when a broker is too old for SaslAuthenticate', async () => {
    const world = createWorld();
    world.kafka.ranges.set(SaslHandshake.key, [0, 1]);
    world.kafka.ranges.set(SaslAuthenticate.key, null);
    world.kafka.fault = saslBroker();
    const cluster = createCluster(world, PLAIN);
    const outcome = watch(cluster.request('any', Metadata, METADATA));
    await world.clock.run();
    expect(outcome.error).toMatchObject({ code: 'UNSUPPORTED_VERSION' });
    cluster.close();
  });

  it('tries again when the token provider fails: that may pass', async () => {
    const world = createWorld();
    world.kafka.fault = saslBroker();
    let asked = 0;
    const oauthBearerProvider = (): Promise<{ value: string }> =>
      ++asked < 3 ? Promise.reject(new Error('identity provider answers 503')) : Promise.resolve({ value: 'token' });
    const cluster = createCluster(world, { mechanism: 'OAUTHBEARER', oauthBearerProvider });
    const direct = watch(cluster.request(-1, Metadata, METADATA));
    await world.clock.run();
    expect(direct.error).toMatchObject({ code: 'NETWORK', retriable: true, fatal: false });
    expect(direct.error?.message).toContain('"sasl.oauthBearerProvider" failed: identity provider answers 503.');
    const outcome = watch(cluster.request('any', Metadata, METADATA));
    await world.clock.advance(2_000);
    expect(outcome.value?.clusterId).toBe('fake');
    cluster.close();
  });

  it('gives up on a token provider that never answers', async () => {
    const world = createWorld();
    world.kafka.fault = saslBroker();
    const oauthBearerProvider = (): Promise<never> => new Promise(() => undefined);
    const options = { socketConnectionSetupTimeoutMs: 700 };
    const cluster = createCluster(world, { mechanism: 'OAUTHBEARER', oauthBearerProvider }, options);
    const outcome = watch(cluster.request(-1, Metadata, METADATA));
    await world.clock.advance(701);
    expect(outcome.error?.message).toContain('was not usable within 700 ms (socketConnectionSetupTimeoutMs).');
    cluster.close();
  });

  it('fails when the mechanism does not accept the broker', async () => {
    const world = createWorld();
    world.kafka.fault = saslBroker();
    const sasl: SaslOptions = {
      mechanism: 'MINE',
      createMechanism: () => ({
        name: 'MINE',
        start: () => Buffer.from('hello'),
        step: () => {
          throw new Error('this is not my broker');
        },
      }),
    };
    const cluster = createCluster(world, sasl);
    const outcome = watch(cluster.request('any', Metadata, METADATA));
    await world.clock.run();
    expect(outcome.error).toMatchObject({ code: 'SASL_AUTHENTICATION_FAILED', fatal: true });
    expect(outcome.error?.message).toContain('failed: this is not my broker. Check the credentials of the mechanism.');
    cluster.close();
  });

  it('writes no credential into a log line or an error', async () => {
    const world = createWorld();
    const lines: unknown[] = [];
    const record = (...parts: unknown[]): void => void lines.push(parts);
    const logger = { debug: record, info: record, warn: record, error: record };
    const faults: ((request: SeenRequest) => Fault | undefined)[] = [
      saslBroker({ authenticate: () => REFUSED }),
      saslBroker({ authenticate: () => ({ kind: 'close' }) }),
      saslBroker({ authenticate: () => ({ kind: 'bytes', bytes: Buffer.from([0, 0, 0, 2, 1, 1]) }) }),
      saslBroker({ authenticate: () => ({ kind: 'silence' }) }),
    ];
    const secrets: SaslOptions[] = [
      PLAIN,
      { ...PLAIN, mechanism: 'SCRAM-SHA-256' },
      { mechanism: 'OAUTHBEARER', oauthBearerProvider: () => ({ value: 'hunter2' }) },
    ];
    for (const fault of faults) {
      for (const sasl of secrets) {
        world.kafka.fault = fault;
        const cluster = createCluster(world, sasl, { logger, socketConnectionSetupTimeoutMs: 100 });
        const outcome = watch(cluster.request(-1, Metadata, METADATA));
        await world.clock.advance(200);
        expect(outcome.error).toBeDefined();
        lines.push(outcome.error, cluster);
        cluster.close();
      }
    }
    expect(lines.length).toBeGreaterThan(faults.length * secrets.length);
    expect(inspect(lines, { depth: 20, showHidden: true })).not.toContain('hunter2');
  });
});

describe('SASL: renewing a session (KIP-368)', () => {
  const LIFETIME_MS = 10_000;
  const session = { ...GRANTED, sessionLifetimeMs: LIFETIME_MS };

  async function connected(authenticate?: (request: SeenRequest) => Answer | Fault): Promise<[World, Cluster]> {
    const world = createWorld();
    world.kafka.fault = saslBroker({ authenticate: authenticate ?? (() => session) });
    const cluster = createCluster(world, OAUTH, { metadataMaxAgeMs: 3_600_000 });
    watch(cluster.request(-1, Metadata, METADATA));
    await world.clock.run();
    return [world, cluster];
  }

  it('happens between 85 and 95 % of its lifetime, on the same connection', async () => {
    const [world, cluster] = await connected();
    const renewals = (): number => world.kafka.seen(SaslHandshake).length - 1;
    await world.clock.advance(0.84 * LIFETIME_MS);
    watch(cluster.request(-1, Metadata, METADATA));
    await world.clock.run();
    expect(renewals()).toBe(0);
    await world.clock.advance(0.12 * LIFETIME_MS);
    watch(cluster.request(-1, Metadata, METADATA));
    await world.clock.run();
    expect(renewals()).toBe(1);
    await world.clock.advance(0.84 * LIFETIME_MS);
    watch(cluster.request(-1, Metadata, METADATA));
    await world.clock.run();
    expect(renewals()).toBe(1);
    expect(world.network.attempts).toHaveLength(1);
    cluster.close();
  });

  it('spreads the moment, so that not all clients come at once', async () => {
    const moments = new Set<number>();
    for (let seed = 1; seed <= 8; seed++) {
      const world = createWorld({ seed });
      world.kafka.fault = saslBroker({ authenticate: () => session });
      const cluster = createCluster(world, OAUTH, { metadataMaxAgeMs: 3_600_000 });
      watch(cluster.request(-1, Metadata, METADATA));
      await world.clock.run();
      await world.clock.advance(0.85 * LIFETIME_MS);
      let elapsed = 0;
      while (world.kafka.seen(SaslHandshake).length === 1 && elapsed <= 1_000) {
        watch(cluster.request(-1, Metadata, METADATA));
        await world.clock.advance(100);
        elapsed += 100;
      }
      moments.add(elapsed);
      cluster.close();
    }
    expect(moments.size).toBeGreaterThan(2);
    expect(Math.max(...moments)).toBeLessThanOrEqual(1_100);
  });

  it('keeps what is in flight and what comes meanwhile, in order', async () => {
    const [world, cluster] = await connected();
    const answer = saslBroker({ authenticate: () => session });
    let isLate = true;
    // The request in flight is answered late, as a long poll.
    world.kafka.fault = (request) => {
      // A broker answers one after the other, so the handshake waits for it.
      if (request.api === SaslHandshake.name) return { kind: 'answer', body: WELCOME, afterMs: 5_000 };
      if (request.api !== Metadata.name || !isLate) return answer(request);
      isLate = false;
      return { kind: 'delay', milliseconds: 5_000 };
    };
    const order: string[] = [];
    await world.clock.advance(0.8 * LIFETIME_MS);
    void cluster.request(-1, Metadata, METADATA).then(() => order.push('poll'));
    await world.clock.advance(0.16 * LIFETIME_MS);
    for (const name of ['a', 'b', 'c']) void cluster.request(-1, Metadata, METADATA).then(() => order.push(name));
    await world.clock.advance(6_000);
    expect(order).toEqual(['poll', 'a', 'b', 'c']);
    expect(apis(world).slice(4)).toEqual([
      ...['Metadata', 'SaslHandshake', 'SaslAuthenticate', 'Metadata', 'Metadata', 'Metadata'],
    ]);
    cluster.close();
  });

  it('waits behind a request that takes long and is within its time', async () => {
    const [world, cluster] = await connected();
    const answer = saslBroker({ authenticate: () => session });
    let isLate = true;
    world.kafka.fault = (request) => {
      if (request.api === SaslHandshake.name) return { kind: 'answer', body: WELCOME, afterMs: 60_000 };
      if (request.api !== Metadata.name || !isLate) return answer(request);
      isLate = false;
      return { kind: 'delay', milliseconds: 60_000 };
    };
    await world.clock.advance(0.8 * LIFETIME_MS);
    const join = watch(cluster.request(-1, Metadata, METADATA, { timeoutMs: 120_000 }));
    await world.clock.advance(0.16 * LIFETIME_MS);
    const next = watch(cluster.request(-1, Metadata, METADATA, { timeoutMs: 120_000 }));
    await world.clock.advance(61_000);
    expect([join.value?.clusterId, next.value?.clusterId]).toEqual(['fake', 'fake']);
    expect(world.network.attempts).toHaveLength(1);
    cluster.close();
  });

  it('closes the connection when it is refused; what waited was never sent', async () => {
    let authentications = 0;
    const [world, cluster] = await connected(() => (++authentications === 2 ? REFUSED : session));
    await world.clock.advance(0.96 * LIFETIME_MS);
    const versions: number[] = [];
    const outcome: Outcome<unknown> = {};
    cluster.send(-1, Metadata, METADATA, {}, (error, _response, version) => {
      outcome.error = error ?? undefined;
      versions.push(version);
    });
    await world.clock.run();
    expect(outcome.error).toMatchObject({ code: 'SASL_AUTHENTICATION_FAILED', fatal: true });
    expect(versions).toEqual([-1]);
    const again = watch(cluster.request(-1, Metadata, METADATA));
    await world.clock.advance(1_100);
    expect(again.value?.clusterId).toBe('fake');
    cluster.close();
  });

  it('fails a request whose own time is over first, and the connection when the broker stays silent', async () => {
    let authentications = 0;
    const [world, cluster] = await connected(() => (++authentications === 2 ? { kind: 'silence' } : session));
    await world.clock.advance(0.96 * LIFETIME_MS);
    const hasty = watch(cluster.request(-1, FindCoordinator, { key: 'g', keyType: 0 }, { timeoutMs: 500 }));
    const patient = watch(cluster.request(-1, Metadata, METADATA));
    await world.clock.advance(501);
    expect(hasty.error).toMatchObject({ code: 'TIMEOUT' });
    expect(world.network.open).toHaveLength(1);
    await world.clock.advance(10_000);
    expect(patient.error).toMatchObject({ code: 'NETWORK', retriable: true });
    expect(patient.error?.message).toContain('was not authenticated again within 10000 ms');
    cluster.close();
  });
});
