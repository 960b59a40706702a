/**
 * A cluster for the controller's specs: brokers that share one embedded store on a disk in memory.
 */
import { silentLogger } from '../io/logger.js';
import { MemoryDisk } from '../io/memory-disk.js';
import { seededRandom } from '../io/random.js';
import { FakeClock } from '../testing/fake-clock.js';
import { BrokerConfig } from './broker-config.js';
import { Controller, type ControllerOptions } from './controller.js';
import { EmbeddedStore } from './embedded-store.js';
import type { CreateTopic, TopicChange } from './topic-request.js';

/** Where the store is on its disk. */
export const DIR = '/data';

/** A disk and the store on it. */
export interface Cluster {
  disk: MemoryDisk;
  store: EmbeddedStore;
}

/** Opens the store of a disk, a new one unless told otherwise. */
export async function newCluster(disk = new MemoryDisk()): Promise<Cluster> {
  await disk.mkdir(DIR);
  return { disk, store: await EmbeddedStore.open({ disk, dataDir: DIR, logger: silentLogger }) };
}

/** Starts a broker's controller and keeps what its hooks were told. */
export async function open(
  cluster: Cluster,
  options: { id?: number; config?: Record<string, string>; onTopic?: ControllerOptions['hooks']['onTopic'] } = {},
): Promise<{ controller: Controller; changes: TopicChange[] }> {
  const changes: TopicChange[] = [];
  const controller = await Controller.open({
    store: cluster.store,
    broker: { id: options.id ?? 0, host: 'localhost', port: 9092, rack: null },
    config: BrokerConfig.of(options.config ?? {}),
    clock: new FakeClock(),
    logger: silentLogger,
    random: seededRandom(7),
    hooks: {
      onTopic: async (change) => {
        changes.push(change);
        await options.onTopic?.(change);
      },
    },
  });
  return { controller, changes };
}

/** A request for a topic with one partition. */
export const topic = (name: string, more: Partial<CreateTopic> = {}): CreateTopic => ({
  name,
  numPartitions: 1,
  replicationFactor: 1,
  configs: [],
  ...more,
});
/** Replicas chosen by the client. */
export const assigned = (...brokerIds: number[][]): Partial<CreateTopic> => ({
  numPartitions: -1,
  replicationFactor: -1,
  assignments: brokerIds.map((ids, partitionIndex) => ({ partitionIndex, brokerIds: ids })),
});
