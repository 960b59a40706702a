import { ApiVersions, CreateTopics, ErrorCode, FindCoordinator, ListOffsets, Metadata } from '@kafka-template/protocol';
import type { KafkaError } from '../errors.js';
import { type ClientOptions, CLIENT_OPTION_TABLE, resolveOptions } from '../options.js';
import { type World, createWorld } from '../testing/world.js';
import { Cluster } from './cluster.js';

function createCluster(world: World, options: Partial<ClientOptions> = {}): Cluster {
  return new Cluster(resolveOptions('client', CLIENT_OPTION_TABLE, { ...world.options, ...options }), world.io);
}

const METADATA_BODY = { topics: [] };

/** The outcome of a promise, for looking at it after time has passed. */
function watch<T>(promise: Promise<T>): { value?: T; error?: KafkaError } {
  const outcome: { value?: T; error?: KafkaError } = {};
  promise.then(
    (value) => (outcome.value = value),
    (error: KafkaError) => (outcome.error = error),
  );
  return outcome;
}

describe('Cluster: versions', () => {
  it('asks with the highest ApiVersions version and uses the highest common version afterwards', async () => {
    const world = createWorld();
    world.kafka.ranges.set(Metadata.key, [0, 9]);
    const cluster = createCluster(world, { clientId: 'me' });
    const outcome = watch(cluster.request('any', Metadata, METADATA_BODY));
    await world.clock.run();
    expect(outcome.value?.clusterId).toBe('fake');
    expect(world.kafka.requests.map(({ api, version }) => [api, version])).toEqual([
      ['ApiVersions', ApiVersions.versions[1]],
      ['Metadata', 9],
    ]);
    expect(world.kafka.requests[0]).toMatchObject({ clientId: 'me', body: { clientSoftwareName: 'kafka-template' } });
    cluster.close();
  });

  it.each([
    ['a broker that names its range (KIP-511)', 3, 3],
    ['a broker before 2.4, which names none', 2, 0],
  ])('falls back with %s', async (_, brokerMax, expected) => {
    const world = createWorld();
    world.kafka.ranges.set(ApiVersions.key, [0, brokerMax]);
    const cluster = createCluster(world);
    const outcome = watch(cluster.request('any', Metadata, METADATA_BODY));
    await world.clock.run();
    expect(outcome.value?.clusterId).toBe('fake');
    expect(world.kafka.seen(ApiVersions).map(({ version }) => version)).toEqual([expected]);
    expect(world.network.attempts).toHaveLength(1);
    cluster.close();
  });

  it('respects the bounds of a caller, and gives the version to a body that depends on it', async () => {
    const world = createWorld();
    const cluster = createCluster(world);
    const versions: number[] = [];
    const body = (version: number): typeof METADATA_BODY => {
      versions.push(version);
      return METADATA_BODY;
    };
    const used: number[] = [];
    cluster.send('any', Metadata, body, { maxVersion: 5 }, (_error, _response, version) => void used.push(version));
    await world.clock.run();
    expect(versions).toEqual([5]);
    expect(used).toEqual([5]);
    cluster.close();
  });

  it('fails with both ranges when there is no common version, and keeps the connection', async () => {
    const world = createWorld();
    world.kafka.ranges.set(ListOffsets.key, [1, 3]);
    world.kafka.ranges.set(CreateTopics.key, null);
    const cluster = createCluster(world);
    const body = { replicaId: -1, topics: [] };
    const old = watch(cluster.request('any', ListOffsets, body, { minVersion: 7 }));
    const absent = watch(cluster.request('any', CreateTopics, { topics: [], timeoutMs: 1 }));
    await world.clock.run();
    expect(old.error?.code).toBe('UNSUPPORTED_VERSION');
    expect(old.error?.message).toMatch(
      /^Broker broker-1:9092 speaks versions 1 to 3 of ListOffsets, this call needs 7 to \d+\./,
    );
    expect(absent.error?.message).toMatch(/^Broker broker-1:9092 does not know CreateTopics, this call needs 2 to 7\./);
    expect(world.network.open).toHaveLength(1);
    cluster.close();
  });
});

describe('Cluster: requests', () => {
  it('pipelines and matches the answers in order', async () => {
    const world = createWorld({ topics: { a: 1, b: 1 } });
    const cluster = createCluster(world);
    const names: (string | null | undefined)[] = [];
    for (const name of ['a', 'b', 'a']) {
      const body = { topics: [{ name }] };
      cluster.send('any', Metadata, body, {}, (_error, response) => void names.push(response?.topics[0]?.name));
    }
    await world.clock.run();
    expect(names).toEqual(['a', 'b', 'a']);
    expect(world.network.attempts).toHaveLength(1);
    cluster.close();
  });

  it('keeps the connection to a bootstrap server that is a broker at the same address', async () => {
    const world = createWorld({ brokers: 2 });
    const cluster = createCluster(world, { bootstrapServers: 'broker-2:9092' });
    await Promise.all([cluster.metadata.refresh(), world.clock.run()]);
    expect(cluster.apiVersions(2)?.supports(Metadata)).toBe(true);
    const outcome = watch(cluster.request(2, Metadata, METADATA_BODY));
    await world.clock.run();
    expect(outcome.value?.clusterId).toBe('fake');
    expect(world.network.attempts).toEqual(['broker-2:9092']);
    cluster.close();
    expect(world.network.open).toHaveLength(0);
  });

  it('opens one connection per lane', async () => {
    const world = createWorld();
    const cluster = createCluster(world);
    await Promise.all([cluster.metadata.refresh(), world.clock.run()]);
    const slow = watch(cluster.request(1, Metadata, METADATA_BODY, { lane: 'fetch' }));
    const quick = watch(cluster.request(1, Metadata, METADATA_BODY, { lane: 'coordinator' }));
    await world.clock.run();
    expect(slow.value).toBeDefined();
    expect(quick.value).toBeDefined();
    expect(cluster.apiVersions(1, 'fetch')?.supports(Metadata)).toBe(true);
    expect(cluster.apiVersions(1, 'other')).toBeNull();
    expect(world.network.open).toHaveLength(3);
    cluster.close();
    expect(world.network.open).toHaveLength(0);
  });

  it('closes the connection when a request times out; everything in flight fails retriably, in order', async () => {
    const world = createWorld();
    const cluster = createCluster(world);
    await Promise.all([cluster.metadata.refresh(), world.clock.run()]);
    world.kafka.fault = ({ api }) => (api === 'Metadata' ? { kind: 'silence' } : undefined);
    const errors: string[] = [];
    const note = (error: KafkaError | null): void => void errors.push(`${error?.code} ${error?.retriable}`);
    cluster.send(1, Metadata, METADATA_BODY, { timeoutMs: 500 }, note);
    cluster.send(1, Metadata, METADATA_BODY, { timeoutMs: 9000 }, note);
    await world.clock.advance(499);
    expect(errors).toEqual([]);
    await world.clock.advance(2);
    expect(errors).toEqual(['TIMEOUT true', 'NETWORK true']);
    cluster.close();
  });

  it('tells address, request and option of a timeout', async () => {
    const world = createWorld();
    const cluster = createCluster(world, { requestTimeoutMs: 700 });
    await Promise.all([cluster.metadata.refresh(), world.clock.run()]);
    world.kafka.fault = ({ api }) => (api === 'Metadata' ? { kind: 'silence' } : undefined);
    const outcome = watch(cluster.request(1, Metadata, METADATA_BODY));
    await world.clock.advance(701);
    expect(outcome.error?.message).toBe('Metadata to broker-1:9092 got no answer within 700 ms (requestTimeoutMs).');
    cluster.close();
  });

  it.each([
    ['bytes that are no frame', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['an answer nobody asked for', Buffer.from([0, 0, 0, 8, 0, 0, 9, 9, 0, 0, 0, 0])],
    ['a truncated answer', Buffer.from([0, 0, 0, 5, 0, 0, 0, 1, 0])],
  ])('closes the connection on %s', async (_, bytes) => {
    const world = createWorld();
    const cluster = createCluster(world);
    world.kafka.fault = ({ api }) => (api === 'Metadata' ? { kind: 'bytes', bytes } : undefined);
    const outcome = watch(cluster.request(-1, Metadata, METADATA_BODY));
    await world.clock.run();
    expect(outcome.error).toMatchObject({ code: 'PROTOCOL', retriable: true });
    expect(outcome.error?.message).toMatch(
      /^Broker broker-1:9092 sent what this client cannot read \(.+\)\. Is it a Kafka listener\?$/,
    );
    expect(world.network.open).toHaveLength(0);
    cluster.close();
  });

  it('does not let a callback that throws cost the others their answer', async () => {
    const world = createWorld();
    const cluster = createCluster(world);
    let answered = false;
    cluster.send('any', Metadata, METADATA_BODY, {}, () => {
      throw new Error('boom');
    });
    cluster.send('any', Metadata, METADATA_BODY, {}, () => (answered = true));
    await world.clock.run();
    expect(answered).toBe(true);
    expect(world.log).toMatchObject([{ level: 'error', message: 'The callback of a Metadata request threw.' }]);
    cluster.close();
  });

  it('fails what is pending with CLOSED when it is closed, and everything after', async () => {
    const world = createWorld();
    const cluster = createCluster(world);
    const pending = watch(cluster.request('any', Metadata, METADATA_BODY));
    cluster.close();
    const later = watch(cluster.request('any', Metadata, METADATA_BODY));
    await world.clock.run();
    expect(pending.error?.code).toBe('CLOSED');
    expect(later.error?.code).toBe('CLOSED');
    expect(world.clock.timerCount).toBe(0);
  });
});

describe('Cluster: connecting', () => {
  it('tries the next bootstrap server when one refuses', async () => {
    const world = createWorld({ brokers: 1 });
    const cluster = createCluster(world, { bootstrapServers: 'gone-1:1,gone-2:2,broker-1:9092' });
    const outcome = watch(cluster.request('any', Metadata, METADATA_BODY));
    await world.clock.advance(5);
    expect(outcome.value?.clusterId).toBe('fake');
    cluster.close();
  });

  it('names every address and the option when none can be reached', async () => {
    const world = createWorld();
    const cluster = createCluster(world, { bootstrapServers: 'gone-1:1,gone-2:2' });
    const outcome = watch(cluster.request('any', Metadata, METADATA_BODY, { timeoutMs: 3000 }));
    await world.clock.advance(3100);
    expect(outcome.error?.code).toBe('TIMEOUT');
    expect(outcome.error?.message).toMatch(/^No broker could be reached\. The connection to gone-/);
    expect(outcome.error?.message).not.toContain('was not sent');
    expect(outcome.error?.message).toContain('gone-1:1 could not be opened: connect ECONNREFUSED gone-1:1.');
    expect(outcome.error?.message).toContain('gone-2:2 could not be opened: connect ECONNREFUSED gone-2:2.');
    expect(outcome.error?.message).toContain('Check bootstrapServers');
    cluster.close();
  });

  it.each([
    ['an HTTP server', 'HTTP/1.1 400 Bad Request\r\n\r\n', /an HTTP server answered, not a Kafka broker\. Check/],
    ['something else', 'SSH-2.0-OpenSSH_9.6\r\n', /cannot read \(.+\)\. Is it a Kafka listener\? Check/],
  ])('goes on trying when %s answers, and says so when the time is over', async (_, answer, message) => {
    const world = createWorld();
    const cluster = createCluster(world);
    world.kafka.fault = () => ({ kind: 'bytes', bytes: Buffer.from(answer) });
    const outcome = watch(cluster.request('any', Metadata, METADATA_BODY, { timeoutMs: 3000 }));
    await world.clock.advance(2900);
    expect(outcome).toEqual({});
    await world.clock.advance(200);
    expect(outcome.error).toMatchObject({ code: 'TIMEOUT', message: expect.stringMatching(message) as string });
    expect(world.network.attempts.length).toBeGreaterThan(3);
    cluster.close();
  });

  it('backs off exponentially, with jitter, up to the limit', async () => {
    const world = createWorld();
    const options = { bootstrapServers: 'gone:1', reconnectBackoffMs: 100, reconnectBackoffMaxMs: 400 };
    const cluster = createCluster(world, options);
    watch(cluster.request('any', Metadata, METADATA_BODY, { timeoutMs: 10_000 }));
    await world.clock.advance(0);
    const counts: number[] = [];
    for (const pause of [79, 42, 238, 242, 400, 400]) {
      await world.clock.advance(pause);
      counts.push(world.network.attempts.length);
    }
    // Pauses lie within 20 % of 100, 200, 400, 400, …
    expect(counts[0]).toBe(1);
    expect(counts[1]).toBe(2);
    expect(counts[2]).toBe(3);
    expect(counts[5]).toBeGreaterThanOrEqual(5);
    expect(counts[5]).toBeLessThanOrEqual(7);
    cluster.close();
  });

  it('gives up on an address that never answers after socketConnectionSetupTimeoutMs', async () => {
    const world = createWorld();
    world.network.listen('black-hole:1', 'silent');
    const cluster = createCluster(world, { bootstrapServers: 'black-hole:1', socketConnectionSetupTimeoutMs: 800 });
    const outcome = watch(cluster.request(-1, Metadata, METADATA_BODY));
    await world.clock.advance(801);
    expect(outcome.error).toMatchObject({ code: 'NETWORK', retriable: true });
    expect(outcome.error?.message).toBe(
      'The connection to black-hole:1 was not usable within 800 ms (socketConnectionSetupTimeoutMs).',
    );
    cluster.close();
  });

  it('gives a hint when a listener hangs up on a client that speaks plain Kafka', async () => {
    const world = createWorld();
    world.network.listen('secured:1', (peer) => ({ onData: () => peer.close() }));
    const cluster = createCluster(world, { bootstrapServers: 'secured:1' });
    const outcome = watch(cluster.request(-1, Metadata, METADATA_BODY));
    await world.clock.run();
    expect(outcome.error?.message).toBe(
      'The connection to secured:1 could not be opened: the broker closed it. Is it a listener with TLS or SASL? Then set "securityProtocol".',
    );
    cluster.close();
  });

  it('closes idle connections and opens them again when needed', async () => {
    const world = createWorld();
    const cluster = createCluster(world, { connectionsMaxIdleMs: 1000 });
    watch(cluster.request('any', Metadata, METADATA_BODY));
    await world.clock.advance(900);
    expect(world.network.open).toHaveLength(1);
    await world.clock.advance(1000);
    expect(world.network.open).toHaveLength(0);
    const outcome = watch(cluster.request('any', Metadata, METADATA_BODY));
    await world.clock.run();
    expect(outcome.value?.clusterId).toBe('fake');
    cluster.close();
  });

  it('goes back to the bootstrap servers when the whole known cluster has gone (KIP-899)', async () => {
    const world = createWorld({ brokers: 2 });
    const cluster = createCluster(world, { bootstrapServers: 'broker-1:9092' });
    world.kafka.stop(1);
    world.kafka.start(1);
    await Promise.all([cluster.metadata.refresh(), world.clock.run()]);
    world.kafka.stop(1);
    world.kafka.stop(2);
    await world.clock.run();
    const outcome = watch(cluster.request('any', Metadata, METADATA_BODY));
    await world.clock.advance(5_000);
    world.kafka.start(1);
    await world.clock.advance(3_000);
    expect(outcome.value?.brokers.map(({ nodeId }) => nodeId)).toEqual([1]);
    cluster.close();
  });

  it('fails at once for a broker that is not in the cluster', async () => {
    const world = createWorld();
    const cluster = createCluster(world);
    const outcome = watch(cluster.request(7, Metadata, METADATA_BODY));
    await world.clock.run();
    expect(outcome.error).toMatchObject({ code: 'NETWORK', retriable: true });
    expect(outcome.error?.message).toBe(
      'Broker 7 is not among the live brokers of the cluster; Metadata was not sent.',
    );
    cluster.close();
  });

  it('sends to the controller, learning first who that is', async () => {
    const world = createWorld({ brokers: 3 });
    world.kafka.stop(1);
    const cluster = createCluster(world);
    const outcome = watch(cluster.request('controller', Metadata, METADATA_BODY));
    await world.clock.advance(1000);
    expect(outcome.value?.controllerId).toBe(2);
    expect(world.kafka.requests[world.kafka.requests.length - 1]?.brokerId).toBe(2);
    cluster.close();
  });
});

describe('Cluster: coordinators', () => {
  it.each([3, 4])('looks one up once with FindCoordinator v%i and remembers it', async (version) => {
    const world = createWorld();
    world.kafka.ranges.set(FindCoordinator.key, [0, version]);
    const cluster = createCluster(world);
    const both = watch(Promise.all([cluster.coordinator('group', 'g'), cluster.coordinator('group', 'g')]));
    await world.clock.run();
    expect(both.value).toEqual([1, 1]);
    const again = watch(cluster.coordinator('group', 'g'));
    await world.clock.run();
    expect(again.value).toBe(1);
    expect(world.kafka.seen(FindCoordinator)).toHaveLength(1);
    cluster.invalidateCoordinator('group', 'g');
    watch(cluster.coordinator('group', 'g'));
    await world.clock.run();
    expect(world.kafka.seen(FindCoordinator)).toHaveLength(2);
    cluster.close();
  });

  it('tries again while there is none yet, and reports the last reason when the time is over', async () => {
    const world = createWorld();
    world.kafka.ranges.set(FindCoordinator.key, [0, 3]);
    const cluster = createCluster(world);
    const body = { errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE, nodeId: -1, host: '', port: -1 };
    let answers = 0;
    world.kafka.fault = ({ api }) =>
      api === 'FindCoordinator' && answers++ < 2 ? { kind: 'answer', body } : undefined;
    const found = watch(cluster.coordinator('group', 'g', 5_000));
    await world.clock.advance(1_000);
    expect(found.value).toBe(1);
    expect(world.kafka.seen(FindCoordinator)).toHaveLength(3);

    world.kafka.fault = ({ api }) => (api === 'FindCoordinator' ? { kind: 'answer', body } : undefined);
    const late = watch(cluster.coordinator('group', 'other', 2_000));
    await world.clock.advance(2_001);
    expect(late.error?.code).toBe('TIMEOUT');
    expect(late.error?.message).toMatch(
      /^The coordinator of group other was not found within 2000 ms\. Last reason: .*COORDINATOR_NOT_AVAILABLE/,
    );
    cluster.close();
  });

  it('fails at once for what will not pass', async () => {
    const world = createWorld();
    world.kafka.ranges.set(FindCoordinator.key, [0, 3]);
    const cluster = createCluster(world);
    const body = { errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED, nodeId: -1, host: '', port: -1 };
    world.kafka.fault = ({ api }) => (api === 'FindCoordinator' ? { kind: 'answer', body } : undefined);
    const outcome = watch(cluster.coordinator('group', 'g'));
    await world.clock.run();
    expect(outcome.error).toMatchObject({ code: 'GROUP_AUTHORIZATION_FAILED', retriable: false });
    cluster.close();
  });
});
