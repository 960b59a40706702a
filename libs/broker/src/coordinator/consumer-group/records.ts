/**
 * The records of `__consumer_offsets` about groups of the new protocol, as bytes and back, in the form of Kafka 4.3.
 *
 * Guarantees: key types 3 and 5 to 8 and 16; a null value deletes what the key names. The hash of the topics is ours:
 * Kafka, reading it, sees another one than it would compute, and rebalances once.
 */
import {
  ConsumerGroupCurrentMemberAssignmentRecord,
  ConsumerGroupMemberMetadataRecord,
  ConsumerGroupMetadataRecord,
  ConsumerGroupPartitionMetadataRecord,
  ConsumerGroupRegularExpressionRecord,
  ConsumerGroupTargetAssignmentMemberRecord,
  ConsumerGroupTargetAssignmentMetadataRecord,
  decodeRecordKey,
  decodeRecordValue,
  encodeRecordKey,
  encodeRecordValue,
} from '@kafka-template/protocol';
import type { RawRecord } from '../group/records.js';
import { targetOf, targetRows, type Owned, type Target } from './assignment.js';
import type { MemberAssignment, MemberMetadata } from './consumer-group.js';

/** One record. Value null: what the key names is gone. */
export type ConsumerGroupRecord = { readonly groupId: string } & (
  | { readonly type: 'group'; readonly value: { readonly epoch: number; readonly metadataHash: bigint } | null }
  | { readonly type: 'member'; readonly memberId: string; readonly value: MemberMetadata | null }
  | {
      readonly type: 'targetEpoch';
      readonly value: { readonly assignmentEpoch: number; readonly timestampMs: number } | null;
    }
  | { readonly type: 'target'; readonly memberId: string; readonly value: Target | null }
  | { readonly type: 'current'; readonly memberId: string; readonly value: MemberAssignment | null }
  | {
      readonly type: 'pattern';
      readonly pattern: string;
      readonly value: { readonly topics: readonly string[]; readonly timestampMs: number } | null;
    }
  /** What Kafka up to 4.0 stored instead of the hash; only ever deleted here. */
  | { readonly type: 'topics'; readonly value: null }
);

const VALUE_VERSION = 0;

/** Types of the record keys that belong here. */
export const CONSUMER_GROUP_RECORD_TYPES: ReadonlySet<number> = new Set(
  [
    ConsumerGroupMetadataRecord,
    ConsumerGroupMemberMetadataRecord,
    ConsumerGroupTargetAssignmentMetadataRecord,
    ConsumerGroupTargetAssignmentMemberRecord,
    ConsumerGroupCurrentMemberAssignmentRecord,
    ConsumerGroupRegularExpressionRecord,
  ].map(({ type }) => type),
);

/** A record as bytes. */
export function encodeConsumerGroupRecord(record: ConsumerGroupRecord): RawRecord {
  const { groupId } = record;
  switch (record.type) {
    case 'group': {
      const key = encodeRecordKey(ConsumerGroupMetadataRecord, { groupId });
      return {
        key,
        value: record.value && encodeRecordValue(ConsumerGroupMetadataRecord, VALUE_VERSION, record.value),
      };
    }
    case 'member': {
      const key = encodeRecordKey(ConsumerGroupMemberMetadataRecord, { groupId, memberId: record.memberId });
      return { key, value: record.value && encodeMember(record.value) };
    }
    case 'targetEpoch': {
      const key = encodeRecordKey(ConsumerGroupTargetAssignmentMetadataRecord, { groupId });
      if (!record.value) return { key, value: null };
      const value = { assignmentEpoch: record.value.assignmentEpoch, assignmentTimestamp: record.value.timestampMs };
      return { key, value: encodeRecordValue(ConsumerGroupTargetAssignmentMetadataRecord, VALUE_VERSION, value) };
    }
    case 'target': {
      const key = encodeRecordKey(ConsumerGroupTargetAssignmentMemberRecord, { groupId, memberId: record.memberId });
      if (!record.value) return { key, value: null };
      const value = { topicPartitions: targetRows(record.value) };
      return { key, value: encodeRecordValue(ConsumerGroupTargetAssignmentMemberRecord, VALUE_VERSION, value) };
    }
    case 'current': {
      const key = encodeRecordKey(ConsumerGroupCurrentMemberAssignmentRecord, { groupId, memberId: record.memberId });
      return { key, value: record.value && encodeCurrent(record.value) };
    }
    case 'pattern': {
      const key = encodeRecordKey(ConsumerGroupRegularExpressionRecord, { groupId, regularExpression: record.pattern });
      if (!record.value) return { key, value: null };
      const value = { topics: [...record.value.topics], version: 0, timestamp: record.value.timestampMs };
      return { key, value: encodeRecordValue(ConsumerGroupRegularExpressionRecord, VALUE_VERSION, value) };
    }
    case 'topics':
      return { key: encodeRecordKey(ConsumerGroupPartitionMetadataRecord, { groupId }), value: null };
  }
}

function encodeMember(value: MemberMetadata): Buffer {
  const fields = { ...value, subscribedTopicNames: [...value.subscribedTopicNames], classicMemberMetadata: null };
  return encodeRecordValue(ConsumerGroupMemberMetadataRecord, VALUE_VERSION, fields);
}

function encodeCurrent(value: MemberAssignment): Buffer {
  return encodeRecordValue(ConsumerGroupCurrentMemberAssignmentRecord, VALUE_VERSION, {
    memberEpoch: value.epoch,
    previousMemberEpoch: value.previousEpoch,
    state: value.state,
    assignedPartitions: epochRows(value.assigned),
    partitionsPendingRevocation: epochRows(value.pendingRevocation),
  });
}

function epochRows(owned: Owned): { topicId: string; partitions: number[]; assignmentEpochs: number[] }[] {
  return [...owned]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([topicId, epochs]) => {
      const rows = [...epochs].sort(([left], [right]) => left - right);
      return {
        topicId,
        partitions: rows.map(([partition]) => partition),
        assignmentEpochs: rows.map(([, epoch]) => epoch),
      };
    });
}

/** A record from bytes whose type is one of {@link CONSUMER_GROUP_RECORD_TYPES}. Throws a `ProtocolError` on damage. */
export function decodeConsumerGroupRecord(type: number, key: Buffer, value: Buffer | null): ConsumerGroupRecord | null {
  switch (type) {
    case ConsumerGroupMetadataRecord.type: {
      const { groupId } = decodeRecordKey(ConsumerGroupMetadataRecord, key);
      return { type: 'group', groupId, value: value && decodeRecordValue(ConsumerGroupMetadataRecord, value) };
    }
    case ConsumerGroupMemberMetadataRecord.type: {
      const { groupId, memberId } = decodeRecordKey(ConsumerGroupMemberMetadataRecord, key);
      return { type: 'member', groupId, memberId, value: value && decodeMember(value) };
    }
    case ConsumerGroupTargetAssignmentMetadataRecord.type: {
      const { groupId } = decodeRecordKey(ConsumerGroupTargetAssignmentMetadataRecord, key);
      if (!value) return { type: 'targetEpoch', groupId, value };
      const decoded = decodeRecordValue(ConsumerGroupTargetAssignmentMetadataRecord, value);
      const { assignmentEpoch, assignmentTimestamp: timestampMs } = decoded;
      return { type: 'targetEpoch', groupId, value: { assignmentEpoch, timestampMs } };
    }
    case ConsumerGroupTargetAssignmentMemberRecord.type: {
      const { groupId, memberId } = decodeRecordKey(ConsumerGroupTargetAssignmentMemberRecord, key);
      const decoded = value && decodeRecordValue(ConsumerGroupTargetAssignmentMemberRecord, value);
      return { type: 'target', groupId, memberId, value: decoded && targetOf(decoded.topicPartitions) };
    }
    case ConsumerGroupCurrentMemberAssignmentRecord.type: {
      const { groupId, memberId } = decodeRecordKey(ConsumerGroupCurrentMemberAssignmentRecord, key);
      return { type: 'current', groupId, memberId, value: value && decodeCurrent(value) };
    }
    case ConsumerGroupRegularExpressionRecord.type: {
      const { groupId, regularExpression } = decodeRecordKey(ConsumerGroupRegularExpressionRecord, key);
      if (!value) return { type: 'pattern', groupId, pattern: regularExpression, value };
      const { topics, timestamp: timestampMs } = decodeRecordValue(ConsumerGroupRegularExpressionRecord, value);
      return { type: 'pattern', groupId, pattern: regularExpression, value: { topics, timestampMs } };
    }
    default:
      return null;
  }
}

function decodeMember(value: Buffer): MemberMetadata {
  const { classicMemberMetadata: _classic, ...stored } = decodeRecordValue(ConsumerGroupMemberMetadataRecord, value);
  return { ...stored, subscribedTopicRegex: stored.subscribedTopicRegex ?? '' };
}

function decodeCurrent(value: Buffer): MemberAssignment {
  const stored = decodeRecordValue(ConsumerGroupCurrentMemberAssignmentRecord, value);
  const owned = (rows: typeof stored.assignedPartitions): Owned =>
    new Map(
      rows.map(({ topicId, partitions, assignmentEpochs }) => [
        topicId,
        // Before KIP-1251 nothing was stored: the epoch of the member is the latest it can be.
        new Map(partitions.map((partition, at) => [partition, assignmentEpochs?.[at] ?? stored.memberEpoch])),
      ]),
    );
  return {
    epoch: stored.memberEpoch,
    previousEpoch: stored.previousMemberEpoch,
    state: stored.state,
    assigned: owned(stored.assignedPartitions),
    pendingRevocation: owned(stored.partitionsPendingRevocation),
  };
}
