/**
 * The admin client: one value with everything that manages a cluster.
 *
 * Guarantees: a call that is about several things gives one outcome for each, in the order asked for, with `error` null
 * or a KafkaError; it rejects only when it could not be carried out at all (TIMEOUT, CLOSED, UNSUPPORTED_VERSION).
 * Leaves out streams groups, and what only brokers ask each other.
 */
import { systemIo, type ClientIo } from '../io/io.js';
import { Cluster } from '../network/cluster.js';
import type { AdminContext } from './admin-context.js';
import { type AdminOptions, resolveAdminOptions } from './admin-options.js';
import { ClusterAdmin } from './cluster-admin.js';
import { ConfigAdmin } from './config-admin.js';
import { GroupAdmin } from './group-admin.js';
import { OffsetAdmin } from './offset-admin.js';
import { ReplicaAdmin } from './replica-admin.js';
import { SecurityAdmin } from './security-admin.js';
import { ShareGroupAdmin } from './share-group-admin.js';
import { TopicAdmin } from './topic-admin.js';
import { TransactionAdmin } from './transaction-admin.js';

/** The methods of a part: its calls, without what it keeps. */
type Methods<Part> = { readonly [Name in keyof Part]: Part[Name] };

/** Manages a cluster. Made by `createAdmin`. Every method may be called by itself (`const { listTopics } = admin`). */
export interface Admin
  extends
    Pick<
      TopicAdmin,
      'createTopics' | 'deleteTopics' | 'createPartitions' | 'listTopics' | 'describeTopics' | 'describeCluster'
    >,
    Pick<ConfigAdmin, 'describeConfigs' | 'alterConfigs'>,
    Pick<GroupAdmin, 'listGroups' | 'describeGroups' | 'deleteGroups' | 'removeMembersFromConsumerGroup'>,
    Methods<SecurityAdmin>,
    Methods<ReplicaAdmin>,
    Methods<TransactionAdmin>,
    Methods<ClusterAdmin>,
    Methods<ShareGroupAdmin>,
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
    removeMembersFromConsumerGroup: (...call) => groups.removeMembersFromConsumerGroup(...call),
    ...securityMethods(new SecurityAdmin(context)),
    ...replicaMethods(new ReplicaAdmin(context)),
    ...transactionMethods(new TransactionAdmin(context)),
    ...clusterMethods(new ClusterAdmin(context)),
    ...shareGroupMethods(new ShareGroupAdmin(context)),
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

function securityMethods(security: SecurityAdmin): Methods<SecurityAdmin> {
  return {
    describeAcls: (...call) => security.describeAcls(...call),
    createAcls: (...call) => security.createAcls(...call),
    deleteAcls: (...call) => security.deleteAcls(...call),
    describeUserScramCredentials: (...call) => security.describeUserScramCredentials(...call),
    alterUserScramCredentials: (...call) => security.alterUserScramCredentials(...call),
    describeClientQuotas: (...call) => security.describeClientQuotas(...call),
    alterClientQuotas: (...call) => security.alterClientQuotas(...call),
  };
}

function replicaMethods(replica: ReplicaAdmin): Methods<ReplicaAdmin> {
  return {
    electLeaders: (...call) => replica.electLeaders(...call),
    alterPartitionReassignments: (...call) => replica.alterPartitionReassignments(...call),
    listPartitionReassignments: (...call) => replica.listPartitionReassignments(...call),
    describeLogDirs: (...call) => replica.describeLogDirs(...call),
    alterReplicaLogDirs: (...call) => replica.alterReplicaLogDirs(...call),
  };
}

function transactionMethods(transaction: TransactionAdmin): Methods<TransactionAdmin> {
  return {
    listTransactions: (...call) => transaction.listTransactions(...call),
    describeTransactions: (...call) => transaction.describeTransactions(...call),
    describeProducers: (...call) => transaction.describeProducers(...call),
    abortTransaction: (...call) => transaction.abortTransaction(...call),
    fenceProducers: (...call) => transaction.fenceProducers(...call),
  };
}

function shareGroupMethods(share: ShareGroupAdmin): Methods<ShareGroupAdmin> {
  return {
    describeShareGroups: (...call) => share.describeShareGroups(...call),
    listShareGroupOffsets: (...call) => share.listShareGroupOffsets(...call),
    alterShareGroupOffsets: (...call) => share.alterShareGroupOffsets(...call),
    deleteShareGroupOffsets: (...call) => share.deleteShareGroupOffsets(...call),
  };
}

function clusterMethods(cluster: ClusterAdmin): Methods<ClusterAdmin> {
  return {
    describeFeatures: (...call) => cluster.describeFeatures(...call),
    updateFeatures: (...call) => cluster.updateFeatures(...call),
    describeMetadataQuorum: (...call) => cluster.describeMetadataQuorum(...call),
    listConfigResources: (...call) => cluster.listConfigResources(...call),
    createDelegationToken: (...call) => cluster.createDelegationToken(...call),
    renewDelegationToken: (...call) => cluster.renewDelegationToken(...call),
    expireDelegationToken: (...call) => cluster.expireDelegationToken(...call),
    describeDelegationTokens: (...call) => cluster.describeDelegationTokens(...call),
  };
}
