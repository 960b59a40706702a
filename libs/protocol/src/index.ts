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
export { Reader } from './reader.js';
export { Writer } from './writer.js';
export {
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
  compress,
  compressionType,
  decompress,
} from './records/compression.js';
export { crc32c } from './records/crc32c.js';
export {
  type DecodedHeader,
  type DecodedRecord,
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
export {
  InitProducerId,
  type InitProducerIdRequest,
  type InitProducerIdResponse,
} from './messages/22-init-producer-id.js';
export {
  DescribeConfigs,
  type DescribeConfigsRequest,
  type DescribeConfigsResponse,
} from './messages/32-describe-configs.js';
export {
  CreatePartitions,
  type CreatePartitionsRequest,
  type CreatePartitionsResponse,
} from './messages/37-create-partitions.js';
export { DeleteGroups, type DeleteGroupsRequest, type DeleteGroupsResponse } from './messages/42-delete-groups.js';
export {
  DescribeCluster,
  type DescribeClusterRequest,
  type DescribeClusterResponse,
} from './messages/60-describe-cluster.js';
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
  LegacyOffsetCommitRecord,
  OffsetCommitRecord,
  GroupMetadataRecord,
  type OffsetCommitKey,
  type OffsetCommitValue,
  type GroupMetadataKey,
  type GroupMetadataValue,
} from './messages/group-records.js';
