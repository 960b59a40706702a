/**
 * The records of `__share_group_state` as bytes and back, in the form of Kafka 4.3.
 *
 * Guarantees: key types 0 (a snapshot: everything) and 1 (an update: what has changed since). A snapshot without a value
 * deletes what its key names.
 */
import {
  decodeRecordKey,
  decodeRecordValue,
  encodeRecordKey,
  encodeRecordValue,
  recordTypeOf,
  ShareSnapshotRecord,
  ShareUpdateRecord,
} from '@kafka-template/protocol';
import type { LogRecord } from '../../runtime/gated-log.js';
import type { ShareKey, ShareState, StateBatch } from './share-state.js';

/** What has changed since the snapshot. -1 leaves a number as it is. */
export interface ShareUpdate {
  readonly snapshotEpoch: number;
  readonly leaderEpoch: number;
  readonly startOffset: number;
  readonly deliveryCompleteCount: number;
  readonly batches: readonly StateBatch[];
}

/** One record. */
export type ShareStateRecord =
  | { readonly type: 'snapshot'; readonly key: ShareKey; readonly value: ShareState | null }
  | { readonly type: 'update'; readonly key: ShareKey; readonly value: ShareUpdate | null };

const VALUE_VERSION = 0;

/** A record as bytes. */
export function encodeShareStateRecord(record: ShareStateRecord): LogRecord {
  if (record.type === 'update') {
    const key = encodeRecordKey(ShareUpdateRecord, record.key);
    if (record.value === null) return { key, value: null };
    const { batches, ...fields } = record.value;
    const value = { ...fields, stateBatches: [...batches] };
    return { key, value: encodeRecordValue(ShareUpdateRecord, VALUE_VERSION, value) };
  }
  const key = encodeRecordKey(ShareSnapshotRecord, record.key);
  if (record.value === null) return { key, value: null };
  const { createdMs: createTimestamp, writtenMs: writeTimestamp, batches, ...fields } = record.value;
  const value = { ...fields, createTimestamp, writeTimestamp, stateBatches: [...batches] };
  return { key, value: encodeRecordValue(ShareSnapshotRecord, VALUE_VERSION, value) };
}

/** A record from bytes; null for a kind this broker does not know. Throws a `ProtocolError` on damaged bytes. */
export function decodeShareStateRecord(key: Buffer, value: Buffer | null): ShareStateRecord | null {
  const type = recordTypeOf(key);
  if (type === ShareUpdateRecord.type) {
    const decoded = value && decodeRecordValue(ShareUpdateRecord, value);
    if (decoded === null) return { type: 'update', key: decodeRecordKey(ShareUpdateRecord, key), value: null };
    const { stateBatches: batches, ...fields } = decoded;
    return { type: 'update', key: decodeRecordKey(ShareUpdateRecord, key), value: { ...fields, batches } };
  }
  if (type !== ShareSnapshotRecord.type) return null;
  const decoded = value && decodeRecordValue(ShareSnapshotRecord, value);
  if (decoded === null) return { type: 'snapshot', key: decodeRecordKey(ShareSnapshotRecord, key), value: null };
  const { createTimestamp: createdMs, writeTimestamp: writtenMs, stateBatches: batches, ...fields } = decoded;
  const state = { ...fields, createdMs, writtenMs, batches };
  return { type: 'snapshot', key: decodeRecordKey(ShareSnapshotRecord, key), value: state };
}
