/**
 * The records of `__consumer_offsets`: groups and committed offsets, as bytes and back, byte for byte as Kafka 4.3 writes.
 *
 * Guarantees: key version 1 with value version 3 (1 with an explicit expiry) for offsets, key version 2 with value
 * version 3 for groups; a null value deletes; the records of KIP-848 are in ../consumer-group/records.ts, those of share and
 * streams groups are recognised and skipped.
 */
import {
  decodeRecordKey,
  decodeRecordValue,
  encodeRecordKey,
  encodeRecordValue,
  GroupMetadataRecord,
  LegacyOffsetCommitRecord,
  OffsetCommitRecord,
  recordTypeOf,
  type GroupMetadataValue,
} from '@kafka-template/protocol';
import type { Group, Instant, Member } from './group.js';
import { metadataFor, subscribedTopics } from './protocols.js';

/** A committed offset: the next one to read, and what the committer wanted to remember with it. Times in epoch ms. */
export interface CommittedOffset {
  readonly offset: number;
  /** -1 when the committer did not say. */
  readonly leaderEpoch: number;
  readonly metadata: string;
  readonly commitTimestampMs: number;
  /** Only from clients that choose their own retention (OffsetCommit v2 to v4); else null. */
  readonly expireTimestampMs: number | null;
}

/** One record of the internal topic. Value null: what the key names is gone. */
export type GroupRecord =
  | { readonly type: 'groupMetadata'; readonly groupId: string; readonly value: GroupMetadataValue | null }
  | {
      readonly type: 'offset';
      readonly groupId: string;
      readonly topic: string;
      readonly partition: number;
      readonly value: CommittedOffset | null;
    };

const GROUP_VALUE_VERSION = 3;
const OFFSET_VALUE_VERSION = 3;
const EXPIRING_OFFSET_VALUE_VERSION = 1;

/** Key and value of a record in the log. */
export interface RawRecord {
  readonly key: Buffer;
  readonly value: Buffer | null;
}

/** A record as bytes. */
export function encodeGroupRecord(record: GroupRecord): RawRecord {
  if (record.type === 'groupMetadata') {
    const key = encodeRecordKey(GroupMetadataRecord, { group: record.groupId });
    const { value } = record;
    return { key, value: value && encodeRecordValue(GroupMetadataRecord, GROUP_VALUE_VERSION, value) };
  }
  const { groupId: group, topic, partition, value } = record;
  const key = encodeRecordKey(OffsetCommitRecord, { group, topic, partition });
  if (!value) return { key, value: null };
  const { offset, leaderEpoch, metadata, commitTimestampMs: commitTimestamp, expireTimestampMs } = value;
  if (expireTimestampMs === null) {
    const fields = { offset, leaderEpoch, metadata, commitTimestamp };
    return { key, value: encodeRecordValue(OffsetCommitRecord, OFFSET_VALUE_VERSION, fields) };
  }
  const fields = { offset, metadata, commitTimestamp, expireTimestamp: expireTimestampMs };
  return { key, value: encodeRecordValue(OffsetCommitRecord, EXPIRING_OFFSET_VALUE_VERSION, fields) };
}

/** A record from bytes; null for a kind this broker does not keep. Throws a `ProtocolError` on damaged bytes. */
export function decodeGroupRecord(key: Buffer, value: Buffer | null): GroupRecord | null {
  const type = recordTypeOf(key);
  if (type === GroupMetadataRecord.type) {
    const { group } = decodeRecordKey(GroupMetadataRecord, key);
    const decoded = value && decodeRecordValue(GroupMetadataRecord, value);
    return { type: 'groupMetadata', groupId: group, value: decoded && withOwnBuffers(decoded) };
  }
  if (type !== OffsetCommitRecord.type && type !== LegacyOffsetCommitRecord.type) return null;
  const kind = type === OffsetCommitRecord.type ? OffsetCommitRecord : LegacyOffsetCommitRecord;
  const { group, topic, partition } = decodeRecordKey(kind, key);
  return { type: 'offset', groupId: group, topic, partition, value: value && decodeOffset(value) };
}

function decodeOffset(bytes: Buffer): CommittedOffset {
  const value = decodeRecordValue(OffsetCommitRecord, bytes);
  return {
    offset: value.offset,
    leaderEpoch: value.leaderEpoch,
    metadata: value.metadata,
    commitTimestampMs: value.commitTimestamp,
    expireTimestampMs: value.expireTimestamp === -1 ? null : value.expireTimestamp,
  };
}

/** Decoded bytes are views into what was read; a group that lives for weeks must not hold a megabyte for each of them. */
function withOwnBuffers(value: GroupMetadataValue): GroupMetadataValue {
  const members = value.members.map((member) => ({
    ...member,
    subscription: Buffer.from(member.subscription),
    assignment: Buffer.from(member.assignment),
  }));
  return { ...value, members };
}

/** What of a group is stored. */
export function groupMetadataValue(group: Group): GroupMetadataValue {
  return {
    protocolType: group.protocolType ?? '',
    generation: group.generationId,
    protocol: group.protocolName,
    leader: group.leaderId,
    currentStateTimestamp: group.stateTimestampMs,
    members: [...group.members.values()].map((member) => ({
      memberId: member.id,
      groupInstanceId: member.instanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeout: member.rebalanceTimeoutMs,
      sessionTimeout: member.sessionTimeoutMs,
      subscription: metadataFor(member, group.protocolName),
      assignment: member.assignment,
    })),
  };
}

/** A group from what is stored. Its members are as alive as if they had beaten at `now`. */
export function groupFromMetadata(id: string, value: GroupMetadataValue, now: Instant): Group {
  const members = value.members.map((stored): [string, Member] => [
    stored.memberId,
    {
      id: stored.memberId,
      instanceId: stored.groupInstanceId,
      clientId: stored.clientId,
      clientHost: stored.clientHost,
      sessionTimeoutMs: stored.sessionTimeout,
      // Version 0 had one timeout for both.
      rebalanceTimeoutMs: stored.rebalanceTimeout === -1 ? stored.sessionTimeout : stored.rebalanceTimeout,
      protocols: value.protocol === null ? [] : [{ name: value.protocol, metadata: stored.subscription }],
      assignment: stored.assignment,
      joinToken: 0,
      syncToken: 0,
      isNew: false,
      hasSynced: true,
      sessionDeadlineMs: now.monotonicMs + stored.sessionTimeout,
    },
  ]);
  const group: Group = {
    id,
    state: members.length > 0 ? 'Stable' : 'Empty',
    stateTimestampMs: value.currentStateTimestamp === -1 ? now.epochMs : value.currentStateTimestamp,
    generationId: value.generation,
    protocolType: value.protocolType === '' ? null : value.protocolType,
    protocolName: value.protocol,
    leaderId: value.leader,
    members: new Map(members),
    staticMembers: new Map(
      members.flatMap(([memberId, { instanceId }]): [string, string][] =>
        instanceId === null ? [] : [[instanceId, memberId]],
      ),
    ),
    pendingMembers: new Map(),
    subscribedTopics: null,
    joinDeadlineMs: null,
    initialDelay: null,
    syncDeadlineMs: null,
  };
  group.subscribedTopics = subscribedTopics(group);
  return group;
}
