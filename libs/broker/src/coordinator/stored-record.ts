/**
 * Any record of `__consumer_offsets` this broker keeps, as bytes and back.
 */
import { recordTypeOf } from '@kafka-template/protocol';
import {
  CONSUMER_GROUP_RECORD_TYPES,
  decodeConsumerGroupRecord,
  encodeConsumerGroupRecord,
  type ConsumerGroupRecord,
} from './consumer-group/records.js';
import { decodeGroupRecord, encodeGroupRecord, type GroupRecord, type RawRecord } from './group/records.js';
import {
  decodeShareGroupRecord,
  encodeShareGroupRecord,
  SHARE_GROUP_RECORD_TYPES,
  type ShareGroupRecord,
} from './share/group/records.js';

/** Offsets and classic groups, groups of the new protocol, or share groups. */
export type StoredRecord = GroupRecord | ConsumerGroupRecord | ShareGroupRecord;

/** True for records of classic groups and of offsets. */
export function isGroupRecord(record: StoredRecord): record is GroupRecord {
  return record.type === 'offset' || record.type === 'groupMetadata';
}

/** True for records of share groups. */
export function isShareGroupRecord(record: StoredRecord): record is ShareGroupRecord {
  return record.type.startsWith('share');
}

/** A record as bytes. */
export function encodeStoredRecord(record: StoredRecord): RawRecord {
  if (isGroupRecord(record)) return encodeGroupRecord(record);
  return isShareGroupRecord(record) ? encodeShareGroupRecord(record) : encodeConsumerGroupRecord(record);
}

/** A record from bytes; null for a kind this broker does not keep. Throws a `ProtocolError` on damaged bytes. */
export function decodeStoredRecord(key: Buffer, value: Buffer | null): StoredRecord | null {
  const type = recordTypeOf(key);
  if (CONSUMER_GROUP_RECORD_TYPES.has(type)) return decodeConsumerGroupRecord(type, key, value);
  if (SHARE_GROUP_RECORD_TYPES.has(type)) return decodeShareGroupRecord(type, key, value);
  return decodeGroupRecord(key, value);
}
