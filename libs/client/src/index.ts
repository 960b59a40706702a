/**
 * A Kafka client for Node: producer, consumer, admin. No native code.
 *
 * Everything public is exported here; nothing is imported from deeper.
 */
export { ClientErrorCode, KafkaError, type KafkaErrorCode, type KafkaErrorDetails } from './errors.js';
export type { ClientOptions } from './options.js';
export { type ClientLogger, type LogFields, consoleLogger, silentLogger } from './io/logger.js';
export { type Clock, type Timer, systemClock } from './io/clock.js';
export { type Endpoint, type Network, type Stream, type StreamEvents, tcpNetwork } from './io/network.js';
export { type Random, seededRandom, systemRandom } from './io/random.js';
export { type ClientIo, systemIo } from './io/io.js';
export type { BrokerInfo, PartitionInfo, TopicInfo } from './metadata/topic-info.js';
export { type Partitioner, partitionForKey } from './producer/partitioner.js';
export { type Producer, createProducer } from './producer/producer.js';
export type { ProducerOptions } from './producer/producer-options.js';
export { type DeliveryCallback, type ProducerRecord, RecordMetadata } from './producer/producer-record.js';
export type { CompressionName, RecordHeader } from '@kafka-template/protocol';
