/**
 * The records of `__consumer_offsets` about share groups, as bytes and back, in the form of Kafka 4.3.
 *
 * Guarantees: key types 10 to 15; a null value deletes what the key names. The hash of the topics is ours, as for groups
 * of KIP-848.
 */
import {
  decodeRecordKey,
  decodeRecordValue,
  encodeRecordKey,
  encodeRecordValue,
  ShareGroupCurrentMemberAssignmentRecord,
  ShareGroupMemberMetadataRecord,
  ShareGroupMetadataRecord,
  ShareGroupStatePartitionMetadataRecord,
  ShareGroupTargetAssignmentMemberRecord,
  ShareGroupTargetAssignmentMetadataRecord,
} from '@kafka-template/protocol';
import { targetOf, targetRows, type Target } from '../../consumer-group/assignment.js';
import type { RawRecord } from '../../group/records.js';
import type { ShareMemberAssignment, ShareMemberMetadata, ShareTopics, ShareTopicStates } from './share-group.js';

/** One record. Value null: what the key names is gone. The types' names begin with `share`. */
export type ShareGroupRecord = { readonly groupId: string } & (
  | { readonly type: 'shareGroup'; readonly value: { readonly epoch: number; readonly metadataHash: bigint } | null }
  | { readonly type: 'shareMember'; readonly memberId: string; readonly value: ShareMemberMetadata | null }
  | {
      readonly type: 'shareTargetEpoch';
      readonly value: { readonly assignmentEpoch: number; readonly timestampMs: number } | null;
    }
  | { readonly type: 'shareTarget'; readonly memberId: string; readonly value: Target | null }
  | { readonly type: 'shareCurrent'; readonly memberId: string; readonly value: ShareMemberAssignment | null }
  | { readonly type: 'shareTopics'; readonly value: ShareTopicStates | null }
);

const VALUE_VERSION = 0;
const STABLE = 0;

/** Types of the record keys that belong here. */
export const SHARE_GROUP_RECORD_TYPES: ReadonlySet<number> = new Set(
  [
    ShareGroupMemberMetadataRecord,
    ShareGroupMetadataRecord,
    ShareGroupTargetAssignmentMetadataRecord,
    ShareGroupTargetAssignmentMemberRecord,
    ShareGroupCurrentMemberAssignmentRecord,
    ShareGroupStatePartitionMetadataRecord,
  ].map(({ type }) => type),
);

/** A record as bytes. */
export function encodeShareGroupRecord(record: ShareGroupRecord): RawRecord {
  const { groupId } = record;
  switch (record.type) {
    case 'shareGroup': {
      const key = encodeRecordKey(ShareGroupMetadataRecord, { groupId });
      return { key, value: record.value && encodeRecordValue(ShareGroupMetadataRecord, VALUE_VERSION, record.value) };
    }
    case 'shareMember': {
      const key = encodeRecordKey(ShareGroupMemberMetadataRecord, { groupId, memberId: record.memberId });
      if (!record.value) return { key, value: null };
      const value = { ...record.value, subscribedTopicNames: [...record.value.subscribedTopicNames] };
      return { key, value: encodeRecordValue(ShareGroupMemberMetadataRecord, VALUE_VERSION, value) };
    }
    case 'shareTargetEpoch': {
      const key = encodeRecordKey(ShareGroupTargetAssignmentMetadataRecord, { groupId });
      if (!record.value) return { key, value: null };
      const value = { assignmentEpoch: record.value.assignmentEpoch, assignmentTimestamp: record.value.timestampMs };
      return { key, value: encodeRecordValue(ShareGroupTargetAssignmentMetadataRecord, VALUE_VERSION, value) };
    }
    case 'shareTarget': {
      const key = encodeRecordKey(ShareGroupTargetAssignmentMemberRecord, { groupId, memberId: record.memberId });
      if (!record.value) return { key, value: null };
      const value = { topicPartitions: targetRows(record.value) };
      return { key, value: encodeRecordValue(ShareGroupTargetAssignmentMemberRecord, VALUE_VERSION, value) };
    }
    case 'shareCurrent': {
      const key = encodeRecordKey(ShareGroupCurrentMemberAssignmentRecord, { groupId, memberId: record.memberId });
      if (!record.value) return { key, value: null };
      const { epoch: memberEpoch, previousEpoch: previousMemberEpoch, assigned } = record.value;
      const value = { memberEpoch, previousMemberEpoch, state: STABLE, assignedPartitions: targetRows(assigned) };
      return { key, value: encodeRecordValue(ShareGroupCurrentMemberAssignmentRecord, VALUE_VERSION, value) };
    }
    case 'shareTopics': {
      const key = encodeRecordKey(ShareGroupStatePartitionMetadataRecord, { groupId });
      if (!record.value) return { key, value: null };
      const { initializing, initialized } = record.value;
      const value = {
        initializingTopics: topicRows(initializing),
        initializedTopics: topicRows(initialized),
        deletingTopics: [],
      };
      return { key, value: encodeRecordValue(ShareGroupStatePartitionMetadataRecord, VALUE_VERSION, value) };
    }
  }
}

function topicRows(topics: ShareTopics): { topicId: string; topicName: string; partitions: number[] }[] {
  return [...topics].map(([topicId, { name, partitions }]) => ({
    topicId,
    topicName: name,
    partitions: [...partitions],
  }));
}

function topicsOf(rows: readonly { topicId: string; topicName: string; partitions: readonly number[] }[]): ShareTopics {
  return new Map(rows.map(({ topicId, topicName, partitions }) => [topicId, { name: topicName, partitions }]));
}

/** A record from bytes whose type is one of {@link SHARE_GROUP_RECORD_TYPES}. Throws a `ProtocolError` on damage. */
export function decodeShareGroupRecord(type: number, key: Buffer, value: Buffer | null): ShareGroupRecord | null {
  switch (type) {
    case ShareGroupMetadataRecord.type: {
      const { groupId } = decodeRecordKey(ShareGroupMetadataRecord, key);
      return { type: 'shareGroup', groupId, value: value && decodeRecordValue(ShareGroupMetadataRecord, value) };
    }
    case ShareGroupMemberMetadataRecord.type: {
      const { groupId, memberId } = decodeRecordKey(ShareGroupMemberMetadataRecord, key);
      const decoded = value && decodeRecordValue(ShareGroupMemberMetadataRecord, value);
      return { type: 'shareMember', groupId, memberId, value: decoded };
    }
    case ShareGroupTargetAssignmentMetadataRecord.type: {
      const { groupId } = decodeRecordKey(ShareGroupTargetAssignmentMetadataRecord, key);
      if (!value) return { type: 'shareTargetEpoch', groupId, value };
      const decoded = decodeRecordValue(ShareGroupTargetAssignmentMetadataRecord, value);
      const { assignmentEpoch, assignmentTimestamp: timestampMs } = decoded;
      return { type: 'shareTargetEpoch', groupId, value: { assignmentEpoch, timestampMs } };
    }
    case ShareGroupTargetAssignmentMemberRecord.type: {
      const { groupId, memberId } = decodeRecordKey(ShareGroupTargetAssignmentMemberRecord, key);
      const decoded = value && decodeRecordValue(ShareGroupTargetAssignmentMemberRecord, value);
      return { type: 'shareTarget', groupId, memberId, value: decoded && targetOf(decoded.topicPartitions) };
    }
    case ShareGroupCurrentMemberAssignmentRecord.type: {
      const { groupId, memberId } = decodeRecordKey(ShareGroupCurrentMemberAssignmentRecord, key);
      if (!value) return { type: 'shareCurrent', groupId, memberId, value };
      const decoded = decodeRecordValue(ShareGroupCurrentMemberAssignmentRecord, value);
      const { memberEpoch: epoch, previousMemberEpoch: previousEpoch, assignedPartitions } = decoded;
      const assigned = targetOf(assignedPartitions);
      return { type: 'shareCurrent', groupId, memberId, value: { epoch, previousEpoch, assigned } };
    }
    case ShareGroupStatePartitionMetadataRecord.type: {
      const { groupId } = decodeRecordKey(ShareGroupStatePartitionMetadataRecord, key);
      if (!value) return { type: 'shareTopics', groupId, value };
      const decoded = decodeRecordValue(ShareGroupStatePartitionMetadataRecord, value);
      const initializing = topicsOf(decoded.initializingTopics);
      return {
        type: 'shareTopics',
        groupId,
        value: { initializing, initialized: topicsOf(decoded.initializedTopics) },
      };
    }
    default:
      return null;
  }
}
