/**
 * A broker: the composition root, the only file that knows every layer.
 *
 * Guarantees: `createBroker` resolves when clients can connect, or rejects and leaves nothing behind; `close` answers
 * what is parked, flushes, and is done within a second; a second `close` waits for the first.
 * Leaves out what the layers do.
 */
import { createDispatch, type Dispatch } from './api/dispatch.js';
import { FetchMemory } from './api/fetch/fetch-memory.js';
import { FetchSessions } from './api/fetch/fetch-sessions.js';
import { ADVERTISED_APIS, HANDLERS_BY_KEY } from './api/registry.js';
import { readApiSettings } from './api/settings.js';
import { TransactionGate } from './api/transaction-gate.js';
import type { BrokerConfig } from './cluster/broker-config.js';
import { adoptDirectory } from './cluster/adoption.js';
import { Controller } from './cluster/controller.js';
import { COORDINATION_LOG, EmbeddedStore } from './cluster/embedded-store.js';
import { GroupCoordinator } from './coordinator/group-coordinator.js';
import { SharePartitions, type SharePartitionsOptions } from './coordinator/share/partition/share-partitions.js';
import { ShareSessions } from './coordinator/share/partition/share-sessions.js';
import {
  ShareStateCoordinator,
  type ShareStateCoordinatorOptions,
} from './coordinator/share/state/share-state-coordinator.js';
import { MarkerWriter } from './coordinator/transaction/marker-writer.js';
import { TransactionCoordinator } from './coordinator/transaction/transaction-coordinator.js';
import { type Clock, systemClock } from './io/clock.js';
import type { Disk } from './io/disk.js';
import { MemoryDisk } from './io/memory-disk.js';
import { systemNetwork, type Network } from './io/network.js';
import { systemRandom } from './io/random.js';
import { realDisk } from './io/real-disk.js';
import {
  FETCH_GRANT_BYTES_MIN,
  IN_FLIGHT_REQUESTS_PER_CONNECTION_MAX,
  UNSENT_BYTES_PER_CONNECTION_MAX,
} from './limits.js';
import { LocalTopics } from './local-topics.js';
import { Listener } from './net/listener.js';
import { isWildcardHost, resolveOptions, type BrokerOptions, type ResolvedOptions } from './options.js';
import { DataDirectory } from './replication/data-directory.js';
import { Partitions } from './replication/partitions.js';
import { Teardown } from './teardown.js';

/** A running broker. */
export interface Broker {
  /** `broker.id`. */
  readonly id: number;
  /** A host that this machine reaches the broker by. */
  readonly host: string;
  readonly port: number;
  /** `host:port`, as clients take it. */
  readonly bootstrapServers: string;
  /** Stops in order, within a second. Harmless when it was called before. */
  close(): Promise<void>;
}

/** How long `close` waits for requests that are still being answered, in milliseconds. */
const DRAIN_MS = 400;

/** The directory of a broker without one; it exists only on its disk in memory. */
const MEMORY_DIRECTORY = 'memory';

const LOOPBACK = '127.0.0.1';

/** The outside world of one broker. */
interface World {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly network: Network;
}

/** What the listener needs and what is there only later. */
interface Gate {
  dispatch: Dispatch | null;
  /** The configs as they are now. */
  config: () => BrokerConfig;
}

/** Host and port. */
interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * Starts a broker in this process. Resolves when clients can connect.
 *
 * @throws BrokerError CONFIG, PORT_IN_USE, CANNOT_LISTEN, DATA_DIR_IN_USE, DATA_DIR
 */
export async function createBroker(options: BrokerOptions = {}): Promise<Broker> {
  const resolved = resolveOptions(options);
  const teardown = new Teardown();
  try {
    return await start(resolved, worldOf(resolved), teardown);
  } catch (error) {
    // What went wrong first is what matters.
    await teardown.run().catch(() => undefined);
    throw error;
  }
}

function worldOf({ dataDir, ports }: ResolvedOptions): World {
  const { clock = systemClock, network = systemNetwork } = ports;
  const disk = ports.disk ?? (dataDir === null ? new MemoryDisk(() => clock.now()) : realDisk);
  return { clock, disk, network };
}

async function start(options: ResolvedOptions, world: World, teardown: Teardown): Promise<Broker> {
  const { brokerId, logger, config, listen } = options;
  const { clock } = world;
  const gate: Gate = { dispatch: null, config: () => config };
  const listener = createListener(options, world, gate);
  teardown.add(() => listener.close(0));
  const bound = await listener.bind(listen);
  const advertised = advertisedAddress(options, world.network, bound);

  const { controller, partitions, topics } = await openCluster(options, world, advertised, teardown);
  gate.config = () => controller.config;
  await topics.openAll(controller.image);
  const coordinated = { brokerId, controller, partitions, clock, logger };
  const sharing = openShares(coordinated, teardown);
  await topics.startShareStates(sharing.shareStates, controller.image);
  const groups = new GroupCoordinator({ ...coordinated, ...sharing, random: systemRandom });
  teardown.add(() => groups.close());
  await topics.startGroups(groups, controller.image);
  const markers = new MarkerWriter({ brokerId, image: () => controller.image, partitions, groups });
  const transactions = new TransactionCoordinator({ brokerId, controller, partitions, markers, clock, logger });
  teardown.add(() => transactions.close());
  await topics.startTransactions(transactions, controller.image);

  gate.dispatch = createDispatch(
    {
      brokerId,
      dataDir: options.dataDir,
      clock,
      logger,
      settings: readApiSettings(config),
      controller,
      partitions,
      groups,
      ...sharing,
      transactions,
      markers,
      transactionGate: new TransactionGate(transactions),
      fetchMemory: new FetchMemory({
        clock,
        grantBytesMin: Math.max(FETCH_GRANT_BYTES_MIN, config.number('message.max.bytes')),
      }),
      fetchSessions: new FetchSessions({
        slots: config.number('max.incremental.fetch.session.cache.slots'),
        clock,
        random: systemRandom,
      }),
      advertised: ADVERTISED_APIS,
    },
    HANDLERS_BY_KEY,
  );
  listener.open();
  logger.info(`Listening on ${join(bound)}, clients are told ${join(advertised)}`, {
    brokerId,
    clusterId: controller.image.clusterId,
    data: options.dataDir ?? 'in memory, gone when the broker stops',
  });
  // What is parked is answered first; then everything stops in the reverse order of its start.
  teardown.add(async () => {
    listener.stop();
    groups.close();
    transactions.close();
    sharing.shares.close();
    partitions.waits.close();
    await listener.close(DRAIN_MS);
  });
  if (config.withoutEffect.length > 0) {
    logger.info('Configs that Kafka knows and that have no effect on this broker:', { names: config.withoutEffect });
  }
  return brokerOf(options, bound.port, teardown);
}

function createListener(
  { config, logger }: ResolvedOptions,
  { network, clock }: World,
  gate: Readonly<Gate>,
): Listener {
  return new Listener({
    network,
    clock,
    logger,
    // Nothing is read from a client before the listener is opened, and that comes after the dispatcher.
    dispatch: (frame, connection, reply) => gate.dispatch!(frame, connection, reply),
    limits: {
      maxRequestBytes: config.number('socket.request.max.bytes'),
      maxInFlightRequests: IN_FLIGHT_REQUESTS_PER_CONNECTION_MAX,
      maxUnsentBytes: UNSENT_BYTES_PER_CONNECTION_MAX,
    },
    // Both may be changed while the broker runs.
    get maxConnections() {
      return gate.config().number('max.connections');
    },
    get maxConnectionsPerIp() {
      return gate.config().number('max.connections.per.ip');
    },
    maxIdleMs: config.number('connections.max.idle.ms'),
  });
}

/** What share groups need beside their coordinator. */
function openShares(
  options: ShareStateCoordinatorOptions & Omit<SharePartitionsOptions, 'states'>,
  teardown: Teardown,
) {
  const shareStates = new ShareStateCoordinator(options);
  const shares = new SharePartitions({ ...options, states: shareStates });
  teardown.add(() => shares.close());
  teardown.add(() => shareStates.close());
  const shareSessions = new ShareSessions({
    sessionsMax: () => options.controller.config.number('group.share.max.share.sessions'),
    release: (groupId, memberId) => shares.release(groupId, memberId),
  });
  return { shareStates, shares, shareSessions };
}

/** Takes the data directory, joins the cluster, recovers the logs. */
async function openCluster(options: ResolvedOptions, world: World, advertised: Address, teardown: Teardown) {
  const { brokerId, config, logger, rack, dataDir } = options;
  const { clock, disk } = world;
  const directory = await DataDirectory.open(dataDir ?? MEMORY_DIRECTORY, disk);
  // Closing the partitions gives the directory up; before there are any, nobody else does.
  let partitions: Partitions | null = null;
  teardown.add(() => partitions?.close() ?? directory.release());
  const orphan = await directory.checkOwner(brokerId, COORDINATION_LOG, options.adopt);
  const store = await EmbeddedStore.open({ disk, dataDir: directory.path, logger });
  teardown.add(() => store.close());
  if (orphan !== null) {
    const adoption = { store, disk, directory: directory.path, clusterId: orphan, brokerId, config };
    const adopted = await adoptDirectory({ ...adoption, random: systemRandom });
    logger.info('Adopted what another program left in the data directory', { clusterId: orphan, topics: adopted });
  }
  let topics: LocalTopics | null = null;
  const controller = await Controller.open({
    store,
    broker: { id: brokerId, host: advertised.host, port: advertised.port, rack },
    config,
    clock,
    logger,
    random: systemRandom,
    // Changes are reported once the controller is open, and the first one can come only from a client.
    hooks: { onTopic: (change) => topics!.onTopic(change) },
  });
  teardown.add(() => controller.close());
  partitions = await Partitions.open({
    dataDir,
    directory,
    disk,
    clock,
    logger,
    brokerId,
    clusterId: controller.image.clusterId,
    intervals: {
      retentionCheckIntervalMs: config.number('log.retention.check.interval.ms'),
      flushOffsetCheckpointIntervalMs: config.number('log.flush.offset.checkpoint.interval.ms'),
      highWatermarkCheckpointIntervalMs: config.number('replica.high.watermark.checkpoint.interval.ms'),
      producerIdExpirationMs: config.number('producer.id.expiration.ms'),
      cleanerBackoffMs: config.number('log.cleaner.backoff.ms'),
    },
    cleaner: config.boolean('log.cleaner.enable')
      ? {
          dedupeBufferBytes: config.number('log.cleaner.dedupe.buffer.size'),
          loadFactor: config.number('log.cleaner.io.buffer.load.factor'),
          maxBytesPerSecond: config.number('log.cleaner.io.max.bytes.per.second'),
        }
      : null,
  });
  topics = new LocalTopics({ brokerId, partitions, logger });
  return { controller, partitions, topics };
}

function advertisedAddress({ listen, advertised }: ResolvedOptions, network: Network, bound: Address): Address {
  const host = isWildcardHost(listen.host) ? network.hostName() : listen.host;
  return { host: advertised.host ?? host, port: advertised.port ?? bound.port };
}

function brokerOf({ brokerId, listen, logger }: ResolvedOptions, port: number, teardown: Teardown): Broker {
  const host = isWildcardHost(listen.host) ? LOOPBACK : listen.host;
  let stopping: Promise<void> | null = null;
  return {
    id: brokerId,
    host,
    port,
    bootstrapServers: join({ host, port }),
    close: () => (stopping ??= teardown.run().then(() => logger.info('Stopped', { brokerId }))),
  };
}

function join({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
