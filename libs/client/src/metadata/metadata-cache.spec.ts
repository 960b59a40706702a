import { ErrorCode, Metadata, type ResponseInput } from '@kafka-template/protocol';
import type { KafkaError } from '../errors.js';
import { Cluster } from '../network/cluster.js';
import { type ClientOptions, CLIENT_OPTION_TABLE, resolveOptions } from '../options.js';
import { type World, createWorld } from '../testing/world.js';
import { EMPTY_VIEW, applyLeader, applyMetadata } from './cluster-view.js';
import type { TopicInfo } from './topic-info.js';

function createCluster(world: World, options: Partial<ClientOptions> = {}): Cluster {
  return new Cluster(resolveOptions('client', CLIENT_OPTION_TABLE, { ...world.options, ...options }), world.io);
}

function watch<T>(promise: Promise<T>): { value?: T; error?: KafkaError } {
  const outcome: { value?: T; error?: KafkaError } = {};
  promise.then(
    (value) => (outcome.value = value),
    (error: KafkaError) => (outcome.error = error),
  );
  return outcome;
}

function askedNames(world: World): (string | null)[][] {
  return world.kafka
    .seen(Metadata)
    .map(({ body }) => ((body as { topics: { name: string | null }[] | null }).topics ?? []).map(({ name }) => name));
}

describe('MetadataCache', () => {
  it('asks for the topics in use only, and tells brokers, controller and leaders', async () => {
    const world = createWorld({ brokers: 3, topics: { orders: 3, other: 1 } });
    const { metadata } = createCluster(world);
    metadata.track(['orders']);
    await world.clock.run();
    expect(askedNames(world)).toEqual([['orders']]);
    expect(metadata.topic('orders')?.partitions.map(({ leader }) => leader)).toEqual([1, 2, 3]);
    expect(metadata.topic('other')).toBeUndefined();
    expect([...metadata.brokers.keys()]).toEqual([1, 2, 3]);
    expect([metadata.clusterId, metadata.controllerId]).toEqual(['fake', 1]);
    metadata.close();
  });

  it('joins topics that are new in one turn into one request', async () => {
    const world = createWorld({ topics: { a: 1, b: 1, c: 1 } });
    const { metadata } = createCluster(world);
    metadata.track(['a']);
    metadata.track(['b']);
    const c = watch(metadata.waitForTopic('c', 1000));
    await world.clock.run();
    expect(askedNames(world)).toEqual([['a', 'b', 'c']]);
    expect(c.value?.name).toBe('c');
    metadata.close();
  });

  it('asks again after metadataMaxAgeMs, and after a pause when asked to', async () => {
    const world = createWorld({ topics: { a: 1 } });
    const { metadata } = createCluster(world, { metadataMaxAgeMs: 60_000 });
    metadata.track(['a']);
    await world.clock.advance(59_999);
    expect(askedNames(world)).toHaveLength(1);
    await world.clock.advance(2);
    expect(askedNames(world)).toHaveLength(2);
    metadata.requestUpdate();
    metadata.requestUpdate();
    await world.clock.advance(0);
    expect(askedNames(world)).toHaveLength(3);
    metadata.close();
  });

  it('waits for an unknown topic and finds it when it has been created', async () => {
    const world = createWorld();
    world.kafka.autoCreate = true;
    const { metadata } = createCluster(world);
    const topic = watch(metadata.waitForTopic('new', 5_000));
    await world.clock.run();
    expect(topic.value).toBeUndefined();
    await world.clock.advance(200);
    expect(topic.value?.partitions).toHaveLength(1);
    metadata.close();
  });

  it("gives up on an unknown topic in Kafka's words, with the reason", async () => {
    const world = createWorld();
    const { metadata } = createCluster(world);
    const topic = watch(metadata.waitForTopic('nowhere', 60_000));
    await world.clock.advance(59_999);
    expect(topic.error).toBeUndefined();
    await world.clock.advance(1);
    expect(topic.error).toMatchObject({ code: 'TIMEOUT', retriable: true });
    expect(topic.error?.message).toMatch(
      /^Topic nowhere not present in metadata after 60000 ms\. Last reason: .*UNKNOWN_TOPIC_OR_PARTITION/,
    );
    // Asked for less and less often, never in a loop.
    expect(askedNames(world).length).toBeLessThan(100);
    metadata.close();
  });

  it('tells why, when no broker can be reached', async () => {
    const world = createWorld();
    const { metadata } = createCluster(world, { bootstrapServers: 'gone:1' });
    const topic = watch(metadata.waitForTopic('a', 2_000));
    await world.clock.advance(2_000);
    expect(topic.error?.message).toMatch(
      /^Topic a not present in metadata after 2000 ms\. Last reason: No broker can be reached; tried: gone:1\. The connection to gone:1 could not be opened: connect ECONNREFUSED gone:1\./,
    );
    metadata.close();
  });

  it('fails at once for a topic that can never be used', async () => {
    const world = createWorld();
    const { metadata } = createCluster(world);
    world.kafka.fault = ({ api }) =>
      api === 'Metadata'
        ? {
            kind: 'answer',
            body: {
              brokers: [{ nodeId: 1, host: 'broker-1', port: 9092 }],
              topics: [{ errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION, name: 'a b', partitions: [] }],
            },
          }
        : undefined;
    const topic = watch(metadata.waitForTopic('a b', 60_000));
    await world.clock.run();
    expect(topic.error).toMatchObject({ code: 'INVALID_TOPIC_EXCEPTION', retriable: false });
    metadata.close();
  });

  it('asks all the time, with pauses, while a partition in use has no leader', async () => {
    const world = createWorld({ brokers: 2, topics: { a: 2 } });
    const { metadata } = createCluster(world);
    world.kafka.stop(2);
    metadata.track(['a']);
    await world.clock.advance(3_000);
    expect(metadata.partition('a', 1)?.leader).toBe(-1);
    const asked = askedNames(world).length;
    expect(asked).toBeGreaterThan(3);
    expect(asked).toBeLessThan(20);
    world.kafka.start(2);
    await world.clock.advance(2_000);
    expect(metadata.partition('a', 1)?.leader).toBe(2);
    metadata.close();
  });

  it('tells listeners of each answer until they leave', async () => {
    const world = createWorld({ topics: { a: 1 } });
    const { metadata } = createCluster(world);
    let updates = 0;
    const leave = metadata.onUpdate(() => (updates += 1));
    metadata.track(['a']);
    await world.clock.run();
    expect(updates).toBe(1);
    leave();
    await Promise.all([metadata.refresh(), world.clock.run()]);
    expect(updates).toBe(1);
    metadata.close();
  });

  it('asks for all topics when a pattern needs it, and forgets them afterwards', async () => {
    const world = createWorld({ topics: { a: 1, b: 1 } });
    const { metadata } = createCluster(world);
    metadata.trackAll(true);
    await world.clock.run();
    expect([...metadata.topics.keys()]).toEqual(['a', 'b']);
    metadata.trackAll(false);
    await Promise.all([metadata.refresh(['b']), world.clock.run()]);
    expect([...metadata.topics.keys()]).toEqual(['b']);
    metadata.close();
  });

  it('ends all waiting when it is closed', async () => {
    const world = createWorld();
    const cluster = createCluster(world);
    const topic = watch(cluster.metadata.waitForTopic('a', 60_000));
    const refreshed = watch(cluster.metadata.refresh());
    cluster.close();
    await world.clock.run();
    expect(topic.error?.code).toBe('CLOSED');
    expect(refreshed.error?.code).toBe('CLOSED');
    expect(world.clock.timerCount).toBe(0);
  });
});

describe('cluster view', () => {
  function answer(
    leaderId: number,
    leaderEpoch: number,
    topicId = 'AAAAAAAAAAAAAAAAAAAAAQ',
  ): ResponseInput<typeof Metadata> {
    const partition = {
      errorCode: 0,
      partitionIndex: 0,
      leaderId,
      leaderEpoch,
      replicaNodes: [1, 2],
      isrNodes: [1, 2],
    };
    return {
      brokers: [],
      topics: [{ errorCode: 0, name: 'a', topicId, partitions: [partition] }],
    };
  }

  function leaderAfter(...answers: ResponseInput<typeof Metadata>[]): TopicInfo['partitions'][number] | undefined {
    let view = EMPTY_VIEW;
    for (const each of answers) view = applyMetadata(view, { ...DEFAULTS, ...each } as never, []);
    return view.topics.get('a')?.partitions[0];
  }

  const DEFAULTS = { throttleTimeMs: 0, clusterId: null, controllerId: -1, errorCode: 0 };

  it('never goes back to an older leader epoch', () => {
    expect(leaderAfter(answer(1, 5), answer(2, 6))).toMatchObject({ leader: 2, leaderEpoch: 6 });
    expect(leaderAfter(answer(2, 6), answer(1, 5))).toMatchObject({ leader: 2, leaderEpoch: 6 });
  });

  it('believes a lower epoch of a topic that was made again', () => {
    const again = answer(1, 0, 'AAAAAAAAAAAAAAAAAAAAAg');
    expect(leaderAfter(answer(2, 6), again)).toMatchObject({ leader: 1, leaderEpoch: 0 });
  });

  it('believes brokers that are too old to tell epochs', () => {
    expect(leaderAfter(answer(1, -1), answer(2, -1))).toMatchObject({ leader: 2, leaderEpoch: -1 });
  });

  it('learns a newer leader from another answer, not an older one', () => {
    const view = applyMetadata(EMPTY_VIEW, { ...DEFAULTS, ...answer(1, 5) } as never, []);
    const newer = applyLeader(view, 'a', 0, { leader: 2, leaderEpoch: 6 });
    expect(newer.topics.get('a')?.partitions[0]).toMatchObject({ leader: 2, leaderEpoch: 6, replicas: [1, 2] });
    expect(applyLeader(newer, 'a', 0, { leader: 1, leaderEpoch: 5 })).toBe(newer);
    expect(applyLeader(newer, 'a', 9, { leader: 1, leaderEpoch: 9 })).toBe(newer);
  });
});
