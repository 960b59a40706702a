/**
 * Finds the value of each parameter of a listener in the arguments of a call. Nest calls it through ParamsFactory.
 */
import { ParameterKind } from '../decorators/metadata.js';
import { KafkaHeaders } from '../decorators/parameter.decorators.js';
import { UnreadableRecordError, messageOf } from '../errors.js';
import type { ListenerArguments } from './kafka-arguments-host.js';
import type { ConsumerRecord } from '../record/consumer-record.js';
import type { ParameterPlan } from './parameter-plan.js';

/** What the values depend on besides the call. */
export interface ParameterSource {
  readonly plan: ParameterPlan;
  readonly groupId: string | undefined;
  readonly info?: string | undefined;
  readonly deliveryAttempt: (record: ConsumerRecord) => number;
}

/** Nest's interface: kind of parameter, its name, the arguments of the call; out comes the value. */
export function parameterValue(
  source: ParameterSource,
  kind: number,
  data: unknown,
  parameters: ListenerArguments,
): unknown {
  const [payload, record, acknowledgment, consumer] = parameters;
  const name = typeof data === 'string' ? data : undefined;
  switch (kind) {
    case ParameterKind.PAYLOAD:
      return name === undefined
        ? payload
        : perRecord(payload, (one) => (one as Record<string, unknown> | null)?.[name]);
    case ParameterKind.RECORD:
      return record;
    case ParameterKind.KEY:
      return ofEach(record, (one) => one.keyAs(source.plan.key));
    case ParameterKind.HEADER:
      return ofEach(record, (one) => (name === undefined ? headersOf(one) : headerOf(source, one, name)));
    case ParameterKind.ACK:
      return acknowledgment;
    case ParameterKind.CONSUMER:
      return consumer;
    default:
      return undefined;
  }
}

function ofEach(
  record: ConsumerRecord | readonly ConsumerRecord[],
  valueOf: (record: ConsumerRecord) => unknown,
): unknown {
  if (!isBatch(record)) return valueOf(record);
  return record.map((one, index) => {
    try {
      return valueOf(one);
    } catch (error) {
      throw new UnreadableRecordError(messageOf(error), index, error);
    }
  });
}

function perRecord(payload: unknown, valueOf: (payload: unknown) => unknown): unknown {
  return Array.isArray(payload) ? payload.map(valueOf) : valueOf(payload);
}

function isBatch(record: ConsumerRecord | readonly ConsumerRecord[]): record is readonly ConsumerRecord[] {
  return Array.isArray(record);
}

function headersOf(record: ConsumerRecord): Record<string, string | null> {
  return Object.fromEntries(record.headers.map(({ key, value }) => [key, value === null ? null : value.toString()]));
}

function headerOf(source: ParameterSource, record: ConsumerRecord, name: string): unknown {
  switch (name) {
    case KafkaHeaders.RECEIVED_TOPIC:
      return record.topic;
    case KafkaHeaders.RECEIVED_PARTITION:
      return record.partition;
    case KafkaHeaders.OFFSET:
      return record.offset;
    case KafkaHeaders.RECEIVED_KEY:
      return record.key ?? undefined;
    case KafkaHeaders.RECEIVED_TIMESTAMP:
      return record.timestamp;
    case KafkaHeaders.TIMESTAMP_TYPE:
      return record.timestampType;
    case KafkaHeaders.GROUP_ID:
      return source.groupId;
    case KafkaHeaders.LISTENER_INFO:
      return source.info;
    case KafkaHeaders.DELIVERY_ATTEMPT:
      return source.deliveryAttempt(record);
    default: {
      const value = record.header(name);
      if (value === undefined || value === null) return value;
      return source.plan.binaryHeaders.has(name) ? value : value.toString();
    }
  }
}
