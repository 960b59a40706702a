/**
 * All APIs this library knows, by key.
 *
 * Guarantees that the list is complete and in ascending order (a test compares it with the folder messages/).
 * Leaves out which of them a broker offers: that is the broker's list of handlers.
 */
import { Produce } from './messages/00-produce.js';
import { Fetch } from './messages/01-fetch.js';
import { ListOffsets } from './messages/02-list-offsets.js';
import { Metadata } from './messages/03-metadata.js';
import { OffsetCommit } from './messages/08-offset-commit.js';
import { OffsetFetch } from './messages/09-offset-fetch.js';
import { FindCoordinator } from './messages/10-find-coordinator.js';
import { JoinGroup } from './messages/11-join-group.js';
import { Heartbeat } from './messages/12-heartbeat.js';
import { LeaveGroup } from './messages/13-leave-group.js';
import { SyncGroup } from './messages/14-sync-group.js';
import { DescribeGroups } from './messages/15-describe-groups.js';
import { ListGroups } from './messages/16-list-groups.js';
import { SaslHandshake } from './messages/17-sasl-handshake.js';
import { ApiVersions } from './messages/18-api-versions.js';
import { CreateTopics } from './messages/19-create-topics.js';
import { DeleteTopics } from './messages/20-delete-topics.js';
import { DeleteRecords } from './messages/21-delete-records.js';
import { InitProducerId } from './messages/22-init-producer-id.js';
import { OffsetForLeaderEpoch } from './messages/23-offset-for-leader-epoch.js';
import { AddPartitionsToTxn } from './messages/24-add-partitions-to-txn.js';
import { AddOffsetsToTxn } from './messages/25-add-offsets-to-txn.js';
import { EndTxn } from './messages/26-end-txn.js';
import { WriteTxnMarkers } from './messages/27-write-txn-markers.js';
import { TxnOffsetCommit } from './messages/28-txn-offset-commit.js';
import { DescribeAcls } from './messages/29-describe-acls.js';
import { CreateAcls } from './messages/30-create-acls.js';
import { DeleteAcls } from './messages/31-delete-acls.js';
import { DescribeConfigs } from './messages/32-describe-configs.js';
import { AlterConfigs } from './messages/33-alter-configs.js';
import { AlterReplicaLogDirs } from './messages/34-alter-replica-log-dirs.js';
import { DescribeLogDirs } from './messages/35-describe-log-dirs.js';
import { SaslAuthenticate } from './messages/36-sasl-authenticate.js';
import { CreatePartitions } from './messages/37-create-partitions.js';
import { CreateDelegationToken } from './messages/38-create-delegation-token.js';
import { RenewDelegationToken } from './messages/39-renew-delegation-token.js';
import { ExpireDelegationToken } from './messages/40-expire-delegation-token.js';
import { DescribeDelegationToken } from './messages/41-describe-delegation-token.js';
import { DeleteGroups } from './messages/42-delete-groups.js';
import { ElectLeaders } from './messages/43-elect-leaders.js';
import { IncrementalAlterConfigs } from './messages/44-incremental-alter-configs.js';
import { AlterPartitionReassignments } from './messages/45-alter-partition-reassignments.js';
import { ListPartitionReassignments } from './messages/46-list-partition-reassignments.js';
import { OffsetDelete } from './messages/47-offset-delete.js';
import { DescribeClientQuotas } from './messages/48-describe-client-quotas.js';
import { AlterClientQuotas } from './messages/49-alter-client-quotas.js';
import { DescribeUserScramCredentials } from './messages/50-describe-user-scram-credentials.js';
import { AlterUserScramCredentials } from './messages/51-alter-user-scram-credentials.js';
import { Vote } from './messages/52-vote.js';
import { BeginQuorumEpoch } from './messages/53-begin-quorum-epoch.js';
import { EndQuorumEpoch } from './messages/54-end-quorum-epoch.js';
import { DescribeQuorum } from './messages/55-describe-quorum.js';
import { AlterPartition } from './messages/56-alter-partition.js';
import { UpdateFeatures } from './messages/57-update-features.js';
import { Envelope } from './messages/58-envelope.js';
import { FetchSnapshot } from './messages/59-fetch-snapshot.js';
import { DescribeCluster } from './messages/60-describe-cluster.js';
import { DescribeProducers } from './messages/61-describe-producers.js';
import { BrokerRegistration } from './messages/62-broker-registration.js';
import { BrokerHeartbeat } from './messages/63-broker-heartbeat.js';
import { UnregisterBroker } from './messages/64-unregister-broker.js';
import { DescribeTransactions } from './messages/65-describe-transactions.js';
import { ListTransactions } from './messages/66-list-transactions.js';
import { AllocateProducerIds } from './messages/67-allocate-producer-ids.js';
import { ConsumerGroupHeartbeat } from './messages/68-consumer-group-heartbeat.js';
import { ConsumerGroupDescribe } from './messages/69-consumer-group-describe.js';
import { ControllerRegistration } from './messages/70-controller-registration.js';
import { GetTelemetrySubscriptions } from './messages/71-get-telemetry-subscriptions.js';
import { PushTelemetry } from './messages/72-push-telemetry.js';
import { AssignReplicasToDirs } from './messages/73-assign-replicas-to-dirs.js';
import { ListConfigResources } from './messages/74-list-config-resources.js';
import { DescribeTopicPartitions } from './messages/75-describe-topic-partitions.js';
import { ShareGroupHeartbeat } from './messages/76-share-group-heartbeat.js';
import { ShareGroupDescribe } from './messages/77-share-group-describe.js';
import { ShareFetch } from './messages/78-share-fetch.js';
import { ShareAcknowledge } from './messages/79-share-acknowledge.js';
import { AddRaftVoter } from './messages/80-add-raft-voter.js';
import { RemoveRaftVoter } from './messages/81-remove-raft-voter.js';
import { UpdateRaftVoter } from './messages/82-update-raft-voter.js';
import { InitializeShareGroupState } from './messages/83-initialize-share-group-state.js';
import { ReadShareGroupState } from './messages/84-read-share-group-state.js';
import { WriteShareGroupState } from './messages/85-write-share-group-state.js';
import { DeleteShareGroupState } from './messages/86-delete-share-group-state.js';
import { ReadShareGroupStateSummary } from './messages/87-read-share-group-state-summary.js';
import { StreamsGroupHeartbeat } from './messages/88-streams-group-heartbeat.js';
import { StreamsGroupDescribe } from './messages/89-streams-group-describe.js';
import { DescribeShareGroupOffsets } from './messages/90-describe-share-group-offsets.js';
import { AlterShareGroupOffsets } from './messages/91-alter-share-group-offsets.js';
import { DeleteShareGroupOffsets } from './messages/92-delete-share-group-offsets.js';
import { type Api } from './schema.js';

/** Every declared API, by ascending key. */
export const APIS: readonly Api[] = [
  Produce,
  Fetch,
  ListOffsets,
  Metadata,
  OffsetCommit,
  OffsetFetch,
  FindCoordinator,
  JoinGroup,
  Heartbeat,
  LeaveGroup,
  SyncGroup,
  DescribeGroups,
  ListGroups,
  SaslHandshake,
  ApiVersions,
  CreateTopics,
  DeleteTopics,
  DeleteRecords,
  InitProducerId,
  OffsetForLeaderEpoch,
  AddPartitionsToTxn,
  AddOffsetsToTxn,
  EndTxn,
  WriteTxnMarkers,
  TxnOffsetCommit,
  DescribeAcls,
  CreateAcls,
  DeleteAcls,
  DescribeConfigs,
  AlterConfigs,
  AlterReplicaLogDirs,
  DescribeLogDirs,
  SaslAuthenticate,
  CreatePartitions,
  CreateDelegationToken,
  RenewDelegationToken,
  ExpireDelegationToken,
  DescribeDelegationToken,
  DeleteGroups,
  ElectLeaders,
  IncrementalAlterConfigs,
  AlterPartitionReassignments,
  ListPartitionReassignments,
  OffsetDelete,
  DescribeClientQuotas,
  AlterClientQuotas,
  DescribeUserScramCredentials,
  AlterUserScramCredentials,
  Vote,
  BeginQuorumEpoch,
  EndQuorumEpoch,
  DescribeQuorum,
  AlterPartition,
  UpdateFeatures,
  Envelope,
  FetchSnapshot,
  DescribeCluster,
  DescribeProducers,
  BrokerRegistration,
  BrokerHeartbeat,
  UnregisterBroker,
  DescribeTransactions,
  ListTransactions,
  AllocateProducerIds,
  ConsumerGroupHeartbeat,
  ConsumerGroupDescribe,
  ControllerRegistration,
  GetTelemetrySubscriptions,
  PushTelemetry,
  AssignReplicasToDirs,
  ListConfigResources,
  DescribeTopicPartitions,
  ShareGroupHeartbeat,
  ShareGroupDescribe,
  ShareFetch,
  ShareAcknowledge,
  AddRaftVoter,
  RemoveRaftVoter,
  UpdateRaftVoter,
  InitializeShareGroupState,
  ReadShareGroupState,
  WriteShareGroupState,
  DeleteShareGroupState,
  ReadShareGroupStateSummary,
  StreamsGroupHeartbeat,
  StreamsGroupDescribe,
  DescribeShareGroupOffsets,
  AlterShareGroupOffsets,
  DeleteShareGroupOffsets,
];

const BY_KEY: readonly (Api | undefined)[] = indexByKey();

function indexByKey(): (Api | undefined)[] {
  const byKey: (Api | undefined)[] = [];
  for (const api of APIS) byKey[api.key] = api;
  return byKey;
}

/** The API of a key as it stands in a request header; undefined for a key this library does not know. */
export function apiByKey(key: number): Api | undefined {
  return BY_KEY[key];
}
