/**
 * The broker's services as handlers see them, for specs: an image and partitions made of plain data.
 *
 * Everything a spec does not give is missing, so that a handler that reaches for it fails loudly.
 */
import { ErrorCode } from '@kafka-template/protocol';
import type { ClusterImage, PartitionImage, TopicImage } from '../cluster/image.js';
import type { Partition, ReadOutcome } from '../replication/partition.js';
import { Waits } from '../replication/waits.js';
import { FakeClock } from './fake-clock.js';
import { seededRandom } from '../io/random.js';
import type { BrokerServices, ClientConnection, RequestContext } from '../api/context.js';
import { FetchMemory } from '../api/fetch/fetch-memory.js';
import { FetchSessions } from '../api/fetch/fetch-sessions.js';

/** This broker's id in specs. */
export const BROKER_ID = 1;

/** A topic with one partition for each state given. */
export function fakeTopic(name: string, ...states: readonly Partial<PartitionImage>[]): TopicImage {
  const partitions = states.map((state, partition) => ({
    partition,
    leader: BROKER_ID,
    leaderEpoch: 0,
    partitionEpoch: 0,
    replicas: [BROKER_ID],
    isr: [BROKER_ID],
    ...state,
  }));
  return { name, id: `id-of-${name}`, internal: false, partitions, config: {} as TopicImage['config'], overrides: {} };
}

/** An image of brokers 1 and 2 with these topics. */
export function fakeImage(...topics: readonly TopicImage[]): ClusterImage {
  const brokers = [1, 2].map((id) => ({ id, host: `host-${id}`, port: 9000 + id, rack: null, epoch: 1 }));
  return {
    clusterId: 'cluster',
    controllerId: 1,
    brokers,
    topicCount: topics.length,
    broker: (id) => brokers.find((broker) => broker.id === id),
    topic: (name) => topics.find((topic) => topic.name === name),
    topicById: (id) => topics.find((topic) => topic.id === id),
    topics: () => topics,
  };
}

/** A readable outcome without records. */
export function fakeOutcome(outcome: Partial<ReadOutcome> = {}): ReadOutcome {
  return {
    errorCode: ErrorCode.NONE,
    highWatermark: 0,
    lastStableOffset: 0,
    logStartOffset: 0,
    records: [],
    sizeBytes: 0,
    hasMore: false,
    abortedTransactions: null,
    release: () => undefined,
    ...outcome,
  };
}

/** A partition that does what the spec says and nothing else. */
export function fakePartition(partition: Partial<Partition>): Partition {
  return { isOnline: true, leaderEpoch: 0, visibleBytes: 0, stableBytes: 0, ...partition } as Partition;
}

/** A connection that counts who holds it. */
export class FakeConnection implements ClientConnection {
  readonly id = 1;
  readonly remoteHost = '192.0.2.1';
  readonly remotePort = 1;
  softwareName = '';
  softwareVersion = '';
  isOpen = true;
  unsentMark = 0;
  holds = 0;
  readonly failures: string[] = [];
  private readonly listeners = new Set<() => void>();

  whenClosed(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  hold(): () => void {
    this.holds++;
    return () => void this.holds--;
  }

  fail(reason: string): void {
    this.failures.push(reason);
    this.close();
  }

  /** The client goes away. */
  close(): void {
    this.isOpen = false;
    for (const listener of this.listeners) listener();
  }
}

/** Everything a handler is called with. */
export interface FakeCall {
  readonly context: RequestContext;
  readonly connection: FakeConnection;
  readonly clock: FakeClock;
  readonly waits: Waits;
}

/** The context of a request at a version, on a broker with this image and these partitions by `topic-index`. */
export function fakeCall(
  apiVersion: number,
  image: ClusterImage,
  partitions: Readonly<Record<string, Partition>> = {},
): FakeCall {
  const clock = new FakeClock();
  const connection = new FakeConnection();
  const waits = new Waits(clock);
  const broker: Partial<BrokerServices> = {
    brokerId: BROKER_ID,
    clock,
    settings: {
      autoCreateTopicsEnable: false,
      deleteTopicEnable: true,
      fetchMaxBytes: 1_000_000,
      describedPartitionsMax: 2000,
    },
    controller: { image } as BrokerServices['controller'],
    partitions: {
      get: (topic, partition) => partitions[`${topic}-${partition}`],
      all: () => Object.values(partitions),
      isOnline: true,
      waits,
      pressure: { isHigh: false, onRelief: (relieved) => relieved() },
    },
    fetchMemory: new FetchMemory({ clock }),
    fetchSessions: new FetchSessions({ slots: 10, clock, random: seededRandom(1) }),
  };
  const context: RequestContext = { broker: broker as BrokerServices, connection, apiVersion, clientId: 'spec' };
  return { context, connection, clock, waits };
}
