/**
 * Records of __consumer_offsets: committed offsets, and classic groups.
 *
 *   OffsetCommit value   v1 expiry time, v3 leader epoch, v4 flexible and topic id
 *   GroupMetadata value  v1 rebalance timeout, v2 time of the state, v3 static members, v4 flexible
 *
 * Kafka 4.3 writes version 3 of both. A null value deletes the offset or the group.
 */
import { coordinatorRecord, type RecordKeyOf, type RecordValueOf } from '../coordinator-record.js';
import { array, bytes, int32, offset, string, timestamp, uuid } from '../schema.js';

/** A committed offset, as Kafka 0.8 wrote it. */
export const LegacyOffsetCommitRecord = coordinatorRecord({
  type: 0,
  name: 'LegacyOffsetCommit',
  versions: [0, 0],
  flexible: null,
  key: { group: string, topic: string, partition: int32 },
  value: { offset: offset, metadata: string, commitTimestamp: timestamp },
});

/** A committed offset of a group in a partition. */
export const OffsetCommitRecord = coordinatorRecord({
  type: 1,
  name: 'OffsetCommit',
  versions: [0, 4],
  flexible: 4,
  key: { group: string, topic: string, partition: int32 },
  value: {
    offset: offset,
    leaderEpoch: int32.since(3).default(-1).ignorable(),
    metadata: string,
    commitTimestamp: timestamp,
    expireTimestamp: timestamp.since(1).until(1).default(-1).ignorable(),
    topicId: uuid.since(4).tagged(0).ignorable(),
  },
});

/** A classic group: its generation, members, and their assignments. */
export const GroupMetadataRecord = coordinatorRecord({
  type: 2,
  name: 'GroupMetadata',
  versions: [0, 4],
  flexible: 4,
  key: { group: string },
  value: {
    protocolType: string,
    generation: int32,
    protocol: string.orNull(),
    leader: string.orNull(),
    currentStateTimestamp: timestamp.since(2).default(-1).ignorable(),
    members: array({
      memberId: string,
      groupInstanceId: string.orNull().since(3).default(null).ignorable(),
      clientId: string,
      clientHost: string,
      rebalanceTimeout: int32.since(1).default(-1).ignorable(),
      sessionTimeout: int32,
      /** Metadata and assignment as the member sent and got them. */
      subscription: bytes,
      assignment: bytes,
    }),
  },
});

/** A decoded key of {@link OffsetCommitRecord}. */
export type OffsetCommitKey = RecordKeyOf<typeof OffsetCommitRecord>;
/** A decoded value of {@link OffsetCommitRecord}. */
export type OffsetCommitValue = RecordValueOf<typeof OffsetCommitRecord>;
/** A decoded key of {@link GroupMetadataRecord}. */
export type GroupMetadataKey = RecordKeyOf<typeof GroupMetadataRecord>;
/** A decoded value of {@link GroupMetadataRecord}. */
export type GroupMetadataValue = RecordValueOf<typeof GroupMetadataRecord>;
