/**
 * A Kafka client for Node: producer, consumer, admin. No native code.
 *
 * Everything public is exported here; nothing is imported from deeper.
 */
export { ClientErrorCode, KafkaError, type KafkaErrorCode, type KafkaErrorDetails } from './errors.js';
export type { ClientOptions } from './options.js';
export type { SaslOptions } from './security-options.js';
export type { SecurityProtocol } from './security-protocol.js';
export type { OAuthBearerProvider, OAuthBearerToken } from './network/sasl/oauth-bearer.js';
export type { SaslContext, SaslMechanism, SaslMechanismFactory } from './network/sasl/sasl-mechanism.js';
export { type ClientLogger, type LogFields, consoleLogger, silentLogger } from './io/logger.js';
export { type Clock, type Timer, systemClock } from './io/clock.js';
export { type Endpoint, type Network, type Stream, type StreamEvents, tcpNetwork } from './io/network.js';
export type { PemOption, SslOptions, TlsSettings } from './io/tls.js';
export { type Random, seededRandom, systemRandom } from './io/random.js';
export { type ClientIo, systemIo } from './io/io.js';
export type { BrokerInfo, PartitionInfo, TopicInfo } from './metadata/topic-info.js';
export { type Partitioner, partitionForKey } from './producer/partitioner.js';
export { type Producer, type SendRecordOptions, createProducer } from './producer/producer.js';
export type { ProducerInterceptor } from './producer/interceptors.js';
export type { ProducerMetrics } from './producer/producer-metrics.js';
export type { ProducerOptions } from './producer/producer-options.js';
export { type DeliveryCallback, type ProducerRecord, RecordMetadata } from './producer/producer-record.js';
export type { CompressionName, RecordHeader } from '@kafka-template/protocol';

// Consumer
export { createConsumer } from './consumer/create-consumer.js';
export type { Consumer, ConsumerGroupMetadata, OffsetForTime, PartitionOffset } from './consumer/consumer.js';
export type {
  AssignmentStrategy,
  AutoOffsetReset,
  ConsumerOptions,
  GroupProtocol,
  IsolationLevel,
} from './consumer/consumer-options.js';
export type { ConsumerMetrics } from './consumer/consumer-metrics.js';
export { ConsumerRecord, type ConsumerRecordHeader, type TimestampType } from './consumer/consumer-record.js';
export { ConsumerRecords, type PartitionRecords } from './consumer/consumer-records.js';
export type { CommittedOffset } from './consumer/offsets/committed-offsets.js';
export type { CommitCallback, OffsetCommit } from './consumer/offsets/commits.js';
export { type OffsetQuery, OffsetSpec } from './consumer/offsets/list-offsets.js';
export type { RebalanceListener } from './consumer/rebalance-listener.js';
export type { TopicPartition } from './consumer/topic-partition.js';

// Share consumer
export { createShareConsumer } from './share/create-share-consumer.js';
export type {
  AcknowledgementCommitCallback,
  AcknowledgeType,
  ShareCommitOutcome,
  ShareConsumer,
} from './share/share-consumer.js';
export type {
  ShareAcknowledgementMode,
  ShareAcquireMode,
  ShareConsumerOptions,
} from './share/share-consumer-options.js';
export { ShareRecord } from './share/share-record.js';
export { ShareRecords } from './share/share-records.js';

// Admin
export { type Admin, createAdmin } from './admin/admin.js';
export type { AdminCallOptions, ItemOutcome } from './admin/admin-context.js';
export type { AdminOptions } from './admin/admin-options.js';
export type {
  ConfigChange,
  ConfigChanges,
  ConfigDescription,
  ConfigEntry,
  ConfigOutcome,
  ConfigQuery,
  ConfigResource,
  ConfigResourceType,
  ConfigSource,
} from './admin/config-admin.js';
export type {
  GroupDescription,
  GroupListing,
  GroupMemberDescription,
  GroupOutcome,
  ListGroupsOptions,
} from './admin/group-admin.js';
export type { DeletedRecords, ListedOffset, PartitionOutcome, RecordsToDelete } from './admin/offset-admin.js';
export type {
  ClusterDescription,
  CreateTopicOutcome,
  NewPartitions,
  NewTopic,
  TopicChangeOptions,
  TopicDescription,
  TopicListing,
  TopicOutcome,
} from './admin/topic-admin.js';
export type { MemberToRemove, RemovedMember } from './admin/group-admin.js';
export type {
  Acl,
  AclFilter,
  AclOperation,
  AclOutcome,
  AclResourceType,
  ClientQuotas,
  DeletedAcls,
  QuotaChanges,
  QuotaEntity,
  QuotaFilter,
  QuotaOutcome,
  ScramChange,
  ScramMechanism,
  ScramOutcome,
  ScramUser,
} from './admin/security-admin.js';
export type {
  LogDirDescription,
  LogDirReplica,
  OngoingReassignment,
  Reassignment,
  ReplicaLogDir,
  ReplicaLogDirOutcome,
} from './admin/replica-admin.js';
export type {
  AbortTransaction,
  ActiveProducer,
  FencedProducer,
  ListTransactionsOptions,
  PartitionProducers,
  TransactionDescription,
  TransactionListing,
} from './admin/transaction-admin.js';
export type {
  DelegationToken,
  Feature,
  FeatureOutcome,
  FeatureUpdate,
  QuorumDescription,
  QuorumReplica,
} from './admin/cluster-admin.js';
export type {
  ShareGroupDescription,
  ShareGroupOffset,
  ShareMemberDescription,
  ShareOffsetOutcome,
  ShareTopicOutcome,
} from './admin/share-group-admin.js';
