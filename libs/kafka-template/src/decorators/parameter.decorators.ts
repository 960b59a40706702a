/**
 * What a parameter of a listener receives: @Payload, @KafkaKey, @KafkaHeader, @KafkaHeaders, @KafkaRecord, @Ack.
 *
 * Pipes can be given to all of them. Parameters whose type is ConsumerRecord, Acknowledgment or Consumer need no decorator, and
 * a single parameter without one is the payload.
 */
import type { PipeTransform, Type } from '@nestjs/common';
import { ParameterKind, noteParameter } from './metadata.js';

/** A pipe: an instance or a class. */
export type PipeLike = PipeTransform | Type<PipeTransform>;

/** The value of the record, or of each record in a batch; with a name, that property of it. */
export function Payload(...pipes: PipeLike[]): ParameterDecorator;
export function Payload(property: string, ...pipes: PipeLike[]): ParameterDecorator;
export function Payload(...parameters: (string | PipeLike)[]): ParameterDecorator {
  const { data, pipes } = split(parameters);
  return noteParameter(ParameterKind.PAYLOAD, data, pipes);
}

/** The key of the record; an array of keys in a batch. */
export function KafkaKey(...pipes: PipeLike[]): ParameterDecorator {
  return noteParameter(ParameterKind.KEY, undefined, pipes);
}

/**
 * A header of the record: text, or bytes when the parameter is a Buffer; undefined when there is none. The names of
 * {@link KafkaHeaders} give topic, partition and so on. Without a name, all headers.
 */
export function KafkaHeader(...pipes: PipeLike[]): ParameterDecorator;
export function KafkaHeader(name: string, ...pipes: PipeLike[]): ParameterDecorator;
export function KafkaHeader(...parameters: (string | PipeLike)[]): ParameterDecorator {
  const { data, pipes } = split(parameters);
  return noteParameter(ParameterKind.HEADER, data, pipes);
}

/** The whole record; an array of records in a batch. */
export function KafkaRecord(...pipes: PipeLike[]): ParameterDecorator {
  return noteParameter(ParameterKind.RECORD, undefined, pipes);
}

/** The Acknowledgment, in the manual ack modes. */
export function Ack(): ParameterDecorator {
  return noteParameter(ParameterKind.ACK, undefined, []);
}

/** Names that @KafkaHeader knows besides the headers of the record. Spring's KafkaHeaders. */
export interface KafkaHeaderNames {
  /** The topic. */
  readonly RECEIVED_TOPIC: 'kafka_receivedTopic';
  /** The partition, a number. */
  readonly RECEIVED_PARTITION: 'kafka_receivedPartitionId';
  /** The key; undefined without one. */
  readonly RECEIVED_KEY: 'kafka_receivedMessageKey';
  /** Epoch milliseconds. */
  readonly RECEIVED_TIMESTAMP: 'kafka_receivedTimestamp';
  /** Who set the timestamp: CreateTime or LogAppendTime. */
  readonly TIMESTAMP_TYPE: 'kafka_timestampType';
  /** The offset, a number. */
  readonly OFFSET: 'kafka_offset';
  /** The group of the listener; undefined without one. */
  readonly GROUP_ID: 'kafka_groupId';
  /** Which delivery of the record this is, from 1. */
  readonly DELIVERY_ATTEMPT: 'kafka_deliveryAttempt';
  /** The `info` of the listener. */
  readonly LISTENER_INFO: 'kafka_listenerInfo';
}

const NAMES: KafkaHeaderNames = {
  RECEIVED_TOPIC: 'kafka_receivedTopic',
  RECEIVED_PARTITION: 'kafka_receivedPartitionId',
  RECEIVED_KEY: 'kafka_receivedMessageKey',
  RECEIVED_TIMESTAMP: 'kafka_receivedTimestamp',
  TIMESTAMP_TYPE: 'kafka_timestampType',
  OFFSET: 'kafka_offset',
  GROUP_ID: 'kafka_groupId',
  DELIVERY_ATTEMPT: 'kafka_deliveryAttempt',
  LISTENER_INFO: 'kafka_listenerInfo',
};

/**
 * As a decorator: all headers as an object of texts, the last one where a name repeats. Its properties are names for
 * @KafkaHeader: `@KafkaHeader(KafkaHeaders.OFFSET) offset: number`.
 */
export const KafkaHeaders: ((...pipes: PipeLike[]) => ParameterDecorator) & KafkaHeaderNames = Object.assign(
  (...pipes: PipeLike[]) => noteParameter(ParameterKind.HEADER, undefined, pipes),
  NAMES,
);

function split(parameters: readonly (string | PipeLike)[]): { data: string | undefined; pipes: PipeLike[] } {
  const [first] = parameters;
  const data = typeof first === 'string' ? first : undefined;
  return { data, pipes: parameters.filter((parameter): parameter is PipeLike => typeof parameter !== 'string') };
}
