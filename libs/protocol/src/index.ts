/**
 * Kafka's wire format: messages, record batches, errors. No I/O, and nothing of this project's other libraries.
 *
 * Named exports only, grouped as a reader looks for them: notation and codecs, frames, records, errors, the messages.
 */
export {
  ZERO_UUID,
  type Api,
  type DecodedOf,
  type InputOf,
  type Message,
  type RequestInput,
  type RequestOf,
  type ResponseInput,
  type ResponseOf,
  flexibleAt,
} from './schema.js';
export { type Codec, messageCodec, requestCodec, responseCodec } from './codec.js';
export { ProtocolError, type ProtocolErrorCode } from './protocol-error.js';
export { DECODED_ELEMENTS_MAX, Reader } from './reader.js';
export { Writer } from './writer.js';
export {
  type DecodeLimits,
  type RequestHeader,
  checkFrameLength,
  decodeRequestBody,
  decodeRequestHeader,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  peekRequestHeader,
  responseCorrelationId,
} from './header.js';
export { FrameSplitter } from './frame.js';
export {
  BATCH_HEADER_BYTES,
  BATCH_LENGTH_PREFIX_BYTES,
  BATCH_MAGIC,
  batchAttributes,
  batchBaseOffset,
  batchBaseSequence,
  batchBaseTimestamp,
  batchCompression,
  batchCrc,
  batchLastOffset,
  batchLastOffsetDelta,
  batchLeaderEpoch,
  batchMagic,
  batchMaxTimestamp,
  batchProducerEpoch,
  batchProducerId,
  batchRecordCount,
  batchSizeBytes,
  isControlBatch,
  isLogAppendTime,
  isTransactionalBatch,
  sealBatch,
  setBatchBaseOffset,
  setBatchLeaderEpoch,
  setBatchLogAppendTime,
  setBatchProducer,
  verifyBatchCrc,
  wholeBatchBytes,
} from './records/batch.js';
export { BatchBuilder, type BatchFinish, type RecordHeader, recordSizeBound } from './records/batch-builder.js';
export {
  COMPRESSION_NAMES,
  type CompressionName,
  DECOMPRESSED_BYTES_MAX,
  compress,
  compressionType,
  decompress,
} from './records/compression.js';
export { type SplitOptions, splitBatch } from './records/split-batch.js';
export { crc32c } from './records/crc32c.js';
export {
  type DecodedHeader,
  type DecodedRecord,
  type RecordLimits,
  RecordReader,
  decodeHeaders,
  decodeRecords,
} from './records/record-reader.js';
export { ErrorCode, type ErrorName, errorName, isRetriable, isMetadataError, errorMessage } from './errors.js';
export { APIS, apiByKey } from './apis.js';
export { murmur2 } from './murmur2.js';
export { javaStringHash } from './java-hash.js';
export { VERSION_BYTES, encodeVersioned, leadingInt16, decodeVersioned } from './versioned.js';
export {
  type CoordinatorRecord,
  coordinatorRecord,
  type RecordKeyOf,
  type RecordValueOf,
  recordTypeOf,
  encodeRecordKey,
  encodeRecordValue,
  decodeRecordKey,
  decodeRecordValue,
} from './coordinator-record.js';
export { Produce, type ProduceRequest, type ProduceResponse } from './messages/00-produce.js';
export { Fetch, type FetchRequest, type FetchResponse } from './messages/01-fetch.js';
export { ListOffsets, type ListOffsetsRequest, type ListOffsetsResponse } from './messages/02-list-offsets.js';
export { Metadata, type MetadataRequest, type MetadataResponse } from './messages/03-metadata.js';
export { OffsetCommit, type OffsetCommitRequest, type OffsetCommitResponse } from './messages/08-offset-commit.js';
export { OffsetFetch, type OffsetFetchRequest, type OffsetFetchResponse } from './messages/09-offset-fetch.js';
export {
  FindCoordinator,
  type FindCoordinatorRequest,
  type FindCoordinatorResponse,
} from './messages/10-find-coordinator.js';
export { JoinGroup, type JoinGroupRequest, type JoinGroupResponse } from './messages/11-join-group.js';
export { Heartbeat, type HeartbeatRequest, type HeartbeatResponse } from './messages/12-heartbeat.js';
export { LeaveGroup, type LeaveGroupRequest, type LeaveGroupResponse } from './messages/13-leave-group.js';
export { SyncGroup, type SyncGroupRequest, type SyncGroupResponse } from './messages/14-sync-group.js';
export {
  DescribeGroups,
  type DescribeGroupsRequest,
  type DescribeGroupsResponse,
} from './messages/15-describe-groups.js';
export { ListGroups, type ListGroupsRequest, type ListGroupsResponse } from './messages/16-list-groups.js';
export { SaslHandshake, type SaslHandshakeRequest, type SaslHandshakeResponse } from './messages/17-sasl-handshake.js';
export { ApiVersions, type ApiVersionsRequest, type ApiVersionsResponse } from './messages/18-api-versions.js';
export { CreateTopics, type CreateTopicsRequest, type CreateTopicsResponse } from './messages/19-create-topics.js';
export { DeleteTopics, type DeleteTopicsRequest, type DeleteTopicsResponse } from './messages/20-delete-topics.js';
export { DeleteRecords, type DeleteRecordsRequest, type DeleteRecordsResponse } from './messages/21-delete-records.js';
export {
  InitProducerId,
  type InitProducerIdRequest,
  type InitProducerIdResponse,
} from './messages/22-init-producer-id.js';
export {
  OffsetForLeaderEpoch,
  type OffsetForLeaderEpochRequest,
  type OffsetForLeaderEpochResponse,
} from './messages/23-offset-for-leader-epoch.js';
export {
  AddPartitionsToTxn,
  type AddPartitionsToTxnRequest,
  type AddPartitionsToTxnResponse,
} from './messages/24-add-partitions-to-txn.js';
export {
  AddOffsetsToTxn,
  type AddOffsetsToTxnRequest,
  type AddOffsetsToTxnResponse,
} from './messages/25-add-offsets-to-txn.js';
export { EndTxn, type EndTxnRequest, type EndTxnResponse } from './messages/26-end-txn.js';
export {
  WriteTxnMarkers,
  type WriteTxnMarkersRequest,
  type WriteTxnMarkersResponse,
} from './messages/27-write-txn-markers.js';
export {
  TxnOffsetCommit,
  type TxnOffsetCommitRequest,
  type TxnOffsetCommitResponse,
} from './messages/28-txn-offset-commit.js';
export { DescribeAcls, type DescribeAclsRequest, type DescribeAclsResponse } from './messages/29-describe-acls.js';
export { CreateAcls, type CreateAclsRequest, type CreateAclsResponse } from './messages/30-create-acls.js';
export { DeleteAcls, type DeleteAclsRequest, type DeleteAclsResponse } from './messages/31-delete-acls.js';
export {
  DescribeConfigs,
  type DescribeConfigsRequest,
  type DescribeConfigsResponse,
} from './messages/32-describe-configs.js';
export { AlterConfigs, type AlterConfigsRequest, type AlterConfigsResponse } from './messages/33-alter-configs.js';
export {
  AlterReplicaLogDirs,
  type AlterReplicaLogDirsRequest,
  type AlterReplicaLogDirsResponse,
} from './messages/34-alter-replica-log-dirs.js';
export {
  DescribeLogDirs,
  type DescribeLogDirsRequest,
  type DescribeLogDirsResponse,
} from './messages/35-describe-log-dirs.js';
export {
  SaslAuthenticate,
  type SaslAuthenticateRequest,
  type SaslAuthenticateResponse,
} from './messages/36-sasl-authenticate.js';
export {
  CreatePartitions,
  type CreatePartitionsRequest,
  type CreatePartitionsResponse,
} from './messages/37-create-partitions.js';
export {
  CreateDelegationToken,
  type CreateDelegationTokenRequest,
  type CreateDelegationTokenResponse,
} from './messages/38-create-delegation-token.js';
export {
  RenewDelegationToken,
  type RenewDelegationTokenRequest,
  type RenewDelegationTokenResponse,
} from './messages/39-renew-delegation-token.js';
export {
  ExpireDelegationToken,
  type ExpireDelegationTokenRequest,
  type ExpireDelegationTokenResponse,
} from './messages/40-expire-delegation-token.js';
export {
  DescribeDelegationToken,
  type DescribeDelegationTokenRequest,
  type DescribeDelegationTokenResponse,
} from './messages/41-describe-delegation-token.js';
export { DeleteGroups, type DeleteGroupsRequest, type DeleteGroupsResponse } from './messages/42-delete-groups.js';
export { ElectLeaders, type ElectLeadersRequest, type ElectLeadersResponse } from './messages/43-elect-leaders.js';
export {
  IncrementalAlterConfigs,
  type IncrementalAlterConfigsRequest,
  type IncrementalAlterConfigsResponse,
} from './messages/44-incremental-alter-configs.js';
export {
  AlterPartitionReassignments,
  type AlterPartitionReassignmentsRequest,
  type AlterPartitionReassignmentsResponse,
} from './messages/45-alter-partition-reassignments.js';
export {
  ListPartitionReassignments,
  type ListPartitionReassignmentsRequest,
  type ListPartitionReassignmentsResponse,
} from './messages/46-list-partition-reassignments.js';
export { OffsetDelete, type OffsetDeleteRequest, type OffsetDeleteResponse } from './messages/47-offset-delete.js';
export {
  DescribeClientQuotas,
  type DescribeClientQuotasRequest,
  type DescribeClientQuotasResponse,
} from './messages/48-describe-client-quotas.js';
export {
  AlterClientQuotas,
  type AlterClientQuotasRequest,
  type AlterClientQuotasResponse,
} from './messages/49-alter-client-quotas.js';
export {
  DescribeUserScramCredentials,
  type DescribeUserScramCredentialsRequest,
  type DescribeUserScramCredentialsResponse,
} from './messages/50-describe-user-scram-credentials.js';
export {
  AlterUserScramCredentials,
  type AlterUserScramCredentialsRequest,
  type AlterUserScramCredentialsResponse,
} from './messages/51-alter-user-scram-credentials.js';
export { Vote, type VoteRequest, type VoteResponse } from './messages/52-vote.js';
export {
  BeginQuorumEpoch,
  type BeginQuorumEpochRequest,
  type BeginQuorumEpochResponse,
} from './messages/53-begin-quorum-epoch.js';
export {
  EndQuorumEpoch,
  type EndQuorumEpochRequest,
  type EndQuorumEpochResponse,
} from './messages/54-end-quorum-epoch.js';
export {
  DescribeQuorum,
  type DescribeQuorumRequest,
  type DescribeQuorumResponse,
} from './messages/55-describe-quorum.js';
export {
  AlterPartition,
  type AlterPartitionRequest,
  type AlterPartitionResponse,
} from './messages/56-alter-partition.js';
export {
  UpdateFeatures,
  type UpdateFeaturesRequest,
  type UpdateFeaturesResponse,
} from './messages/57-update-features.js';
export { Envelope, type EnvelopeRequest, type EnvelopeResponse } from './messages/58-envelope.js';
export { FetchSnapshot, type FetchSnapshotRequest, type FetchSnapshotResponse } from './messages/59-fetch-snapshot.js';
export {
  DescribeCluster,
  type DescribeClusterRequest,
  type DescribeClusterResponse,
} from './messages/60-describe-cluster.js';
export {
  DescribeProducers,
  type DescribeProducersRequest,
  type DescribeProducersResponse,
} from './messages/61-describe-producers.js';
export {
  BrokerRegistration,
  type BrokerRegistrationRequest,
  type BrokerRegistrationResponse,
} from './messages/62-broker-registration.js';
export {
  BrokerHeartbeat,
  type BrokerHeartbeatRequest,
  type BrokerHeartbeatResponse,
} from './messages/63-broker-heartbeat.js';
export {
  UnregisterBroker,
  type UnregisterBrokerRequest,
  type UnregisterBrokerResponse,
} from './messages/64-unregister-broker.js';
export {
  DescribeTransactions,
  type DescribeTransactionsRequest,
  type DescribeTransactionsResponse,
} from './messages/65-describe-transactions.js';
export {
  ListTransactions,
  type ListTransactionsRequest,
  type ListTransactionsResponse,
} from './messages/66-list-transactions.js';
export {
  AllocateProducerIds,
  type AllocateProducerIdsRequest,
  type AllocateProducerIdsResponse,
} from './messages/67-allocate-producer-ids.js';
export {
  ConsumerGroupHeartbeat,
  type ConsumerGroupHeartbeatRequest,
  type ConsumerGroupHeartbeatResponse,
} from './messages/68-consumer-group-heartbeat.js';
export {
  ConsumerGroupDescribe,
  type ConsumerGroupDescribeRequest,
  type ConsumerGroupDescribeResponse,
} from './messages/69-consumer-group-describe.js';
export {
  ControllerRegistration,
  type ControllerRegistrationRequest,
  type ControllerRegistrationResponse,
} from './messages/70-controller-registration.js';
export {
  GetTelemetrySubscriptions,
  type GetTelemetrySubscriptionsRequest,
  type GetTelemetrySubscriptionsResponse,
} from './messages/71-get-telemetry-subscriptions.js';
export { PushTelemetry, type PushTelemetryRequest, type PushTelemetryResponse } from './messages/72-push-telemetry.js';
export {
  AssignReplicasToDirs,
  type AssignReplicasToDirsRequest,
  type AssignReplicasToDirsResponse,
} from './messages/73-assign-replicas-to-dirs.js';
export {
  ListConfigResources,
  type ListConfigResourcesRequest,
  type ListConfigResourcesResponse,
} from './messages/74-list-config-resources.js';
export {
  DescribeTopicPartitions,
  type DescribeTopicPartitionsRequest,
  type DescribeTopicPartitionsResponse,
} from './messages/75-describe-topic-partitions.js';
export {
  ShareGroupHeartbeat,
  type ShareGroupHeartbeatRequest,
  type ShareGroupHeartbeatResponse,
} from './messages/76-share-group-heartbeat.js';
export {
  ShareGroupDescribe,
  type ShareGroupDescribeRequest,
  type ShareGroupDescribeResponse,
} from './messages/77-share-group-describe.js';
export { ShareFetch, type ShareFetchRequest, type ShareFetchResponse } from './messages/78-share-fetch.js';
export {
  ShareAcknowledge,
  type ShareAcknowledgeRequest,
  type ShareAcknowledgeResponse,
} from './messages/79-share-acknowledge.js';
export { AddRaftVoter, type AddRaftVoterRequest, type AddRaftVoterResponse } from './messages/80-add-raft-voter.js';
export {
  RemoveRaftVoter,
  type RemoveRaftVoterRequest,
  type RemoveRaftVoterResponse,
} from './messages/81-remove-raft-voter.js';
export {
  UpdateRaftVoter,
  type UpdateRaftVoterRequest,
  type UpdateRaftVoterResponse,
} from './messages/82-update-raft-voter.js';
export {
  InitializeShareGroupState,
  type InitializeShareGroupStateRequest,
  type InitializeShareGroupStateResponse,
} from './messages/83-initialize-share-group-state.js';
export {
  ReadShareGroupState,
  type ReadShareGroupStateRequest,
  type ReadShareGroupStateResponse,
} from './messages/84-read-share-group-state.js';
export {
  WriteShareGroupState,
  type WriteShareGroupStateRequest,
  type WriteShareGroupStateResponse,
} from './messages/85-write-share-group-state.js';
export {
  DeleteShareGroupState,
  type DeleteShareGroupStateRequest,
  type DeleteShareGroupStateResponse,
} from './messages/86-delete-share-group-state.js';
export {
  ReadShareGroupStateSummary,
  type ReadShareGroupStateSummaryRequest,
  type ReadShareGroupStateSummaryResponse,
} from './messages/87-read-share-group-state-summary.js';
export {
  StreamsGroupHeartbeat,
  type StreamsGroupHeartbeatRequest,
  type StreamsGroupHeartbeatResponse,
} from './messages/88-streams-group-heartbeat.js';
export {
  StreamsGroupDescribe,
  type StreamsGroupDescribeRequest,
  type StreamsGroupDescribeResponse,
} from './messages/89-streams-group-describe.js';
export {
  DescribeShareGroupOffsets,
  type DescribeShareGroupOffsetsRequest,
  type DescribeShareGroupOffsetsResponse,
} from './messages/90-describe-share-group-offsets.js';
export {
  AlterShareGroupOffsets,
  type AlterShareGroupOffsetsRequest,
  type AlterShareGroupOffsetsResponse,
} from './messages/91-alter-share-group-offsets.js';
export {
  DeleteShareGroupOffsets,
  type DeleteShareGroupOffsetsRequest,
  type DeleteShareGroupOffsetsResponse,
} from './messages/92-delete-share-group-offsets.js';
export {
  ConsumerProtocolSubscription,
  ConsumerProtocolAssignment,
  type Subscription,
  type Assignment,
  encodeSubscription,
  decodeSubscription,
  encodeAssignment,
  decodeAssignment,
} from './messages/consumer-protocol.js';
export {
  StickyAssignorUserData,
  CooperativeStickyAssignorUserData,
  type StickyUserData,
  type CooperativeStickyUserData,
  encodeStickyUserData,
  decodeStickyUserData,
  encodeCooperativeStickyUserData,
  decodeCooperativeStickyUserData,
} from './messages/sticky-assignor.js';
export {
  ControlRecordType,
  ControlRecordTypeSchema,
  EndTxnMarker,
  type TransactionEnd,
  buildTransactionEnd,
  encodeControlRecordKey,
  decodeControlRecordKey,
  encodeEndTxnMarker,
  decodeEndTxnMarker,
} from './messages/control-records.js';
export {
  LegacyOffsetCommitRecord,
  OffsetCommitRecord,
  GroupMetadataRecord,
  type OffsetCommitKey,
  type OffsetCommitValue,
  type GroupMetadataKey,
  type GroupMetadataValue,
} from './messages/group-records.js';
export {
  ConsumerGroupMetadataRecord,
  ConsumerGroupPartitionMetadataRecord,
  ConsumerGroupMemberMetadataRecord,
  ConsumerGroupTargetAssignmentMetadataRecord,
  ConsumerGroupTargetAssignmentMemberRecord,
  ConsumerGroupCurrentMemberAssignmentRecord,
  ConsumerGroupRegularExpressionRecord,
} from './messages/consumer-group-records.js';
export {
  ShareGroupMemberMetadataRecord,
  ShareGroupMetadataRecord,
  ShareGroupTargetAssignmentMetadataRecord,
  ShareGroupTargetAssignmentMemberRecord,
  ShareGroupCurrentMemberAssignmentRecord,
  ShareGroupStatePartitionMetadataRecord,
  ShareSnapshotRecord,
  ShareUpdateRecord,
} from './messages/share-group-records.js';
export {
  StreamsGroupMetadataRecord,
  StreamsGroupMemberMetadataRecord,
  StreamsGroupTargetAssignmentMetadataRecord,
  StreamsGroupTargetAssignmentMemberRecord,
  StreamsGroupCurrentMemberAssignmentRecord,
  StreamsGroupTopologyRecord,
} from './messages/streams-group-records.js';
export {
  TransactionLogRecord,
  type TransactionLogKey,
  type TransactionLogValue,
} from './messages/transaction-records.js';
