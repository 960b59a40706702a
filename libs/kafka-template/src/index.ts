/**
 * KafkaTemplate and @KafkaListener for NestJS: the public API, name by name.
 */
export { AckMode, CommitStyle } from './commit/ack-mode.js';
export type { Unfinished } from './commit/ack-window.js';
export { Acknowledgment, type CommitAnswer } from './commit/acknowledgment.js';
export { type CommitLimits, type CommitPolicy, policyFactory } from './commit/commit-policy.js';
export type { CommitStrategy, Offsets, RecordRef } from './commit/commit-strategy.js';
export type { CommitStrategyFactory } from './commit/create-strategy.js';
export { QueuedStrategy } from './commit/queued-strategy.js';
export { InjectKafkaTemplate, getKafkaTemplateToken } from './decorators/inject-kafka-template.decorator.js';
export { KafkaHandler, type KafkaHandlerOptions, TYPE_ID_HEADER } from './decorators/kafka-handler.decorator.js';
export {
  KafkaListener,
  type KafkaListenerDecoratorOptions,
  type KafkaListenerOptionsFactory,
  type ProviderGetter,
} from './decorators/kafka-listener.decorator.js';
export { SendTo, type SendToOptions, type SendToTarget } from './decorators/send-to.decorator.js';
export {
  Ack,
  KafkaHeader,
  type KafkaHeaderNames,
  KafkaHeaders,
  KafkaKey,
  KafkaRecord,
  Payload,
  type PipeLike,
} from './decorators/parameter.decorators.js';
export {
  ALL_CAPABILITIES,
  CAPABILITY_MEANINGS,
  type DriverCapabilities,
  type DriverCapability,
} from './drivers/driver-capabilities.js';
export type {
  AdminProperties,
  BearerToken,
  ClientProperties,
  ConsumerProperties,
  PemProperty,
  ProducerProperties,
  SaslExchange,
  SaslProperties,
  SslProperties,
} from './drivers/driver-options.js';
export type {
  CommittedOffset,
  ConsumerGroupMetadata,
  Driver,
  DriverAdmin,
  DriverConsumer,
  DriverError,
  DriverNewTopic,
  DriverProducer,
  DriverProducerRecord,
  DriverRecord,
  DriverRecords,
  DriverTransactions,
  OffsetCommit,
  PartitionInfo,
  RebalanceListener,
  ReceivedHeader,
  RecordHeader,
  RecordMetadata,
  SendCallback,
  TopicDescription,
  TopicPartition,
} from './drivers/driver.js';
export { type KafkaJsDriverOptions, kafkajsDriver } from './drivers/kafkajs/kafkajs.driver.js';
export { PRODUCER_PROFILES, type ProducerProfile } from './drivers/producer-profile.js';
export { nativeDriver } from './drivers/native/native.driver.js';
export {
  type BackOff,
  ExponentialBackOff,
  type ExponentialBackOffOptions,
  FixedBackOff,
  UNLIMITED_ATTEMPTS,
} from './error-handling/back-off.js';
export { type ClassificationOptions, type ErrorKind, NOT_RETRYABLE_BY_DEFAULT } from './error-handling/classifier.js';
export {
  type DeadLetterDestination,
  type DeadLetterOptions,
  DeadLetterPublishingRecoverer,
  type DeadLetterSender,
} from './error-handling/dead-letter.recoverer.js';
export {
  DefaultErrorHandler,
  type DefaultErrorHandlerOptions,
  type RecordRecoverer,
  type RetryListener,
} from './error-handling/default-error-handler.js';
export type { BatchFailure, ErrorDecision, ErrorHandler, RecordFailure } from './error-handling/error-handler.js';
export {
  BatchListenerFailedError,
  DeserializationError,
  type DeserializationErrorDetails,
  KafkaOptionsError,
  KafkaTemplateError,
  KafkaTemplateErrorCode,
  SerializationError,
} from './errors.js';
export {
  type ContainerEvent,
  type ContainerEventListener,
  EVENT_NAMES,
  type StopReason,
} from './events/container-event.js';
export type { IdempotencyStore } from './idempotence/idempotency-store.js';
export { Idempotent, type IdempotentOptions } from './idempotence/idempotent.decorator.js';
export { InMemoryIdempotencyStore, type InMemoryIdempotencyOptions } from './idempotence/in-memory.store.js';
export { type SqlExecutor, SqlIdempotencyStore, type SqlIdempotencyOptions } from './idempotence/sql.store.js';
export type { Clock, Timer } from './io/clock.js';
export type { Log } from './io/log.js';
export type { ConcurrentContainer, ContainerStatus } from './listener/concurrent-container.js';
export { Consumer } from './listener/consumer.js';
export type { ContainerRebalanceListener } from './listener/container-rebalance-listener.js';
export type { AssignmentCommit, CommitCallback, ContainerSettings } from './listener/container-settings.js';
export { isKafkaContext } from './discovery/kafka-arguments-host.js';
export type { HandlingOptions, RecordFilterStrategy, RecordInterceptor } from './listener/handling-options.js';
export type { ErrorHandlerFactory, KafkaListenerOptions, ListenerOptions } from './listener/listener-options.js';
export type { FlowOptions, RestartPolicy } from './listener/flow-options.js';
export type { BatchListener, RecordListener } from './listener/message-listener.js';
export { KafkaListenerEndpointRegistry, type RegistryCluster } from './listener/listener.registry.js';
export type { PartitionOffsetOption, TopicPartitionsOption } from './listener/manual-assignment.js';
export type { KafkaSeekAware, SeekCallback } from './listener/seek-aware.js';
export { KafkaAdmin } from './module/kafka-admin.js';
export {
  KafkaListenerEndpointRegistrar,
  type ListenerRegistration,
} from './module/kafka-listener-endpoint.registrar.js';
export { KafkaModule } from './module/kafka.module.js';
export type {
  KafkaAdminOptions,
  KafkaFeatureOptions,
  KafkaModuleAsyncOptions,
  KafkaModuleOptions,
  KafkaOptionsFactory,
} from './module/kafka.options.js';
export {
  KAFKA_DRIVER,
  KAFKA_OPTIONS,
  getKafkaAdminToken,
  getKafkaDriverToken,
  getKafkaOptionsToken,
} from './module/kafka.tokens.js';
export { nestLog } from './module/nest-log.js';
export { type NewTopic, type NewTopicOptions, newTopic } from './module/new-topic.js';
export { ConsumerRecord, type TimestampType } from './record/consumer-record.js';
export {
  HeaderSerde,
  type HeaderSerdeOptions,
  SERDE_HEADER,
  type TopicChoice,
  TopicSerde,
} from './serde/delegating.js';
export type { RecordSerdes, SerializerOptions } from './serde/record-serdes.js';
export { type DecodeTarget, JsonSerde, type JsonSerdeOptions, type Serde, type SerdeName } from './serde/serde.js';
export {
  type SchemaInput,
  type SchemaIssue,
  type SchemaOutput,
  type SchemaResult,
  SchemaSerde,
  type StandardSchema,
} from './serde/standard-schema.js';
export {
  type InputOf,
  type KeyOf,
  TopicContract,
  type TopicContractOptions,
  type ValueOf,
  defineTopic,
} from './serde/topic-contract.js';
export { KafkaSendError } from './template/kafka-send-error.js';
export {
  KafkaTemplate,
  type RequestOptions,
  type SendOptions,
  type TemplateMetrics,
  type TemplateOptions,
} from './template/kafka-template.js';
export { Outcome } from './template/outcome.js';
export type { ProducerInterceptor } from './template/producer-interceptor.js';
export { type ContractRecord, MESSAGE_HEADERS, type OutgoingMessage } from './template/record-forms.js';
export type { RecordPlace } from './template/record-reader.js';
export { KafkaReplyTimeoutError, ReplyFuture } from './template/reply-future.js';
export { type ReplyOptions, REQUEST_HEADERS } from './template/reply-receiver.js';
export { KafkaSendAllError, SendAllFuture, type SendFailure } from './template/send-all-future.js';
export {
  CompositeProducerListener,
  LoggingProducerListener,
  type LoggingProducerListenerOptions,
  type ProducerListener,
} from './template/producer-listener.js';
export type { HeaderToSend, HeaderValue, HeadersToSend, ProducerRecord } from './template/producer-record.js';
export { SendFuture } from './template/send-future.js';
export { SendResult } from './template/send-result.js';
