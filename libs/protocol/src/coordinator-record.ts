/**
 * The records of Kafka's internal topics, in which coordinators keep their state.
 *
 * A key is an int16 that says which kind of record it is, then the key's fields; a value is an int16 version, then the
 * value's fields; a null value (a tombstone) deletes what the key names. The kinds themselves are in messages/.
 */
import { ProtocolError } from './protocol-error.js';
import { type DecodedStruct, type Fields, type InputStruct, type Message, message } from './schema.js';
import { decodeVersioned, encodeVersioned, leadingInt16 } from './versioned.js';

/** One kind of record: the number in front of its keys, and its two messages. Keys have the one version 0. */
export interface CoordinatorRecord<K extends Fields = Fields, V extends Fields = Fields> {
  readonly type: number;
  readonly name: string;
  readonly key: Message<K>;
  readonly value: Message<V>;
}

/** Declares a kind of record; `versions` and `flexible` are those of the value. */
export function coordinatorRecord<const K extends Fields, const V extends Fields>(declaration: {
  readonly type: number;
  readonly name: string;
  readonly versions: readonly [min: number, max: number];
  readonly flexible: number | null;
  readonly key: K;
  readonly value: V;
}): CoordinatorRecord<K, V> {
  const { type, name, versions, flexible } = declaration;
  return {
    type,
    name,
    key: message({ name: `${name}Key`, versions: [0, 0], flexible: null, fields: declaration.key }),
    value: message({ name: `${name}Value`, versions, flexible, fields: declaration.value }),
  };
}

/** What decoding the key of a record of this kind gives. */
export type RecordKeyOf<R> = R extends CoordinatorRecord<infer K, Fields> ? DecodedStruct<K> : never;
/** What decoding the value of a record of this kind gives. */
export type RecordValueOf<R> = R extends CoordinatorRecord<Fields, infer V> ? DecodedStruct<V> : never;

/**
 * Which kind of record a key belongs to: {@link CoordinatorRecord.type}, or a number of a newer Kafka.
 *
 * @throws ProtocolError TRUNCATED when there are fewer than two bytes.
 */
export function recordTypeOf(key: Buffer): number {
  return leadingInt16(key);
}

/** The key of a record, with its type in front. */
export function encodeRecordKey<K extends Fields, V extends Fields>(
  record: CoordinatorRecord<K, V>,
  key: InputStruct<K>,
): Buffer {
  return encodeVersioned(record.key, 0, key, record.type);
}

/**
 * The value of a record at a version, with the version in front.
 *
 * @throws ProtocolError UNSUPPORTED_VERSION when there is no such version, or it lacks a given field.
 */
export function encodeRecordValue<K extends Fields, V extends Fields>(
  record: CoordinatorRecord<K, V>,
  version: number,
  value: InputStruct<V>,
): Buffer {
  return encodeVersioned(record.value, version, value);
}

/**
 * Reads a key of this kind.
 *
 * @throws ProtocolError INVALID_VALUE when the key belongs to another kind; others when it is malformed.
 */
export function decodeRecordKey<K extends Fields, V extends Fields>(
  record: CoordinatorRecord<K, V>,
  key: Buffer,
): DecodedStruct<K> {
  const type = leadingInt16(key);
  if (type !== record.type) {
    throw new ProtocolError('INVALID_VALUE', `a key of ${record.name} has type ${record.type}, this one has ${type}`);
  }
  return decodeVersioned(record.key, 0, key);
}

/**
 * Reads a value of this kind, at the version it carries.
 *
 * @throws ProtocolError UNSUPPORTED_VERSION when a newer Kafka wrote it; others when it is malformed.
 */
export function decodeRecordValue<K extends Fields, V extends Fields>(
  record: CoordinatorRecord<K, V>,
  value: Buffer,
): DecodedStruct<V> {
  return decodeVersioned(record.value, leadingInt16(value), value);
}
