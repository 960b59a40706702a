/**
 * The admin client: one value with everything that manages a cluster.
 *
 * Guarantees: a call that is about several things gives one outcome for each, in the order asked for, with `error` null
 * or a KafkaError; it rejects only when it could not be carried out at all (TIMEOUT, CLOSED, UNSUPPORTED_VERSION).
 * Leaves out ACLs, SCRAM users, reassignments and transactions.
 */
import { systemIo, type ClientIo } from '../io/io.js';
import { Cluster } from '../network/cluster.js';
import type { AdminContext } from './admin-context.js';
import { type AdminOptions, resolveAdminOptions } from './admin-options.js';
import { ConfigAdmin } from './config-admin.js';
import { GroupAdmin } from './group-admin.js';
import { OffsetAdmin } from './offset-admin.js';
import { TopicAdmin } from './topic-admin.js';

/** Manages a cluster. Made by `createAdmin`. Every method may be called by itself (`const { listTopics } = admin`). */
export interface Admin
  extends
    Pick<
      TopicAdmin,
      'createTopics' | 'deleteTopics' | 'createPartitions' | 'listTopics' | 'describeTopics' | 'describeCluster'
    >,
    Pick<ConfigAdmin, 'describeConfigs' | 'alterConfigs'>,
    Pick<GroupAdmin, 'listGroups' | 'describeGroups' | 'deleteGroups'>,
    Pick<
      OffsetAdmin,
      | 'listConsumerGroupOffsets'
      | 'alterConsumerGroupOffsets'
      | 'deleteConsumerGroupOffsets'
      | 'listOffsets'
      | 'deleteRecords'
    > {
  /** Disconnects. Calls under way reject with CLOSED. */
  close(): Promise<void>;
}

/**
 * An admin client. Connects to nothing before the first call; close it when it is not needed any more.
 *
 * @throws KafkaError CONFIG when an option is unknown or missing
 */
export function createAdmin(options: AdminOptions): Admin {
  return createAdminWith(options, systemIo);
}

/** {@link createAdmin} over other ports, for specs. */
export function createAdminWith(options: AdminOptions, io: ClientIo): Admin {
  const resolved = resolveAdminOptions(options);
  // Asking whether a topic exists must not make it exist.
  const cluster = new Cluster({ ...resolved, allowAutoCreateTopics: false }, io);
  const context: AdminContext = { options: resolved, cluster, io };
  const topics = new TopicAdmin(context);
  const configs = new ConfigAdmin(context);
  const groups = new GroupAdmin(context);
  const offsets = new OffsetAdmin(context);
  return {
    createTopics: (...call) => topics.createTopics(...call),
    deleteTopics: (...call) => topics.deleteTopics(...call),
    createPartitions: (...call) => topics.createPartitions(...call),
    listTopics: (...call) => topics.listTopics(...call),
    describeTopics: (...call) => topics.describeTopics(...call),
    describeCluster: (...call) => topics.describeCluster(...call),
    describeConfigs: (...call) => configs.describeConfigs(...call),
    alterConfigs: (...call) => configs.alterConfigs(...call),
    listGroups: (...call) => groups.listGroups(...call),
    describeGroups: (...call) => groups.describeGroups(...call),
    deleteGroups: (...call) => groups.deleteGroups(...call),
    listConsumerGroupOffsets: (...call) => offsets.listConsumerGroupOffsets(...call),
    alterConsumerGroupOffsets: (...call) => offsets.alterConsumerGroupOffsets(...call),
    deleteConsumerGroupOffsets: (...call) => offsets.deleteConsumerGroupOffsets(...call),
    listOffsets: (...call) => offsets.listOffsets(...call),
    deleteRecords: (...call) => offsets.deleteRecords(...call),
    close: () => {
      cluster.close();
      return Promise.resolve();
    },
  };
}
