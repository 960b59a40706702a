/**
 * Which of the @KafkaHandler methods of a class a record is for. Pure.
 */
import { type KafkaHandlerOptions, TYPE_ID_HEADER } from '../decorators/kafka-handler.decorator.js';
import { DeserializationError } from '../errors.js';
import { recordName } from '../drivers/driver.js';
import type { ConsumerRecord } from '../record/consumer-record.js';
import type { HandlerMethod } from './listener.endpoint.js';

/** The method for a record. Throws DeserializationError, which is not retried, when there is none, or more than one. */
export function selectHandler(methods: readonly HandlerMethod[], record: ConsumerRecord): HandlerMethod {
  let found: HandlerMethod | undefined;
  for (const method of methods) {
    if (method.condition?.isDefault === true || !holds(method.condition, record)) continue;
    if (found !== undefined) throw noHandler(record, `both ${found.name} and ${method.name} are for it`);
    found = method;
  }
  found ??= methods.find(({ condition }) => condition === undefined || condition.isDefault === true);
  if (found !== undefined) return found;
  const type = record.header(TYPE_ID_HEADER)?.toString();
  throw noHandler(
    record,
    `none of ${methods.map(({ name }) => name).join(', ')} is for it ` +
      `(${type === undefined ? `it has no header ${TYPE_ID_HEADER}` : `its type is ${type}`}); isDefault: true takes the rest`,
  );
}

function holds(condition: KafkaHandlerOptions | undefined, record: ConsumerRecord): boolean {
  if (condition === undefined) return false;
  const { type, headers = {}, when } = condition;
  if (type !== undefined && !isType(record, typeof type === 'string' ? type : type.name)) return false;
  for (const [name, text] of Object.entries(headers)) if (record.header(name)?.toString() !== text) return false;
  return when === undefined || when(record);
}

function isType(record: ConsumerRecord, wanted: string): boolean {
  const type = record.header(TYPE_ID_HEADER)?.toString();
  if (type === undefined) return false;
  return type === wanted || (!wanted.includes('.') && type.split(/[.$]/).at(-1) === wanted);
}

function noHandler(record: ConsumerRecord, reason: string): DeserializationError {
  const { topic, partition, offset } = record;
  return new DeserializationError(`No method takes ${recordName(record)}: ${reason}`, {
    topic,
    partition,
    offset,
    part: 'value',
    bytes: record.rawValue,
  });
}
