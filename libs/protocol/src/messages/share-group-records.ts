/**
 * Records of __consumer_offsets (share groups) and of __share_group_state (what was delivered), KIP-932.
 *
 * A null value deletes what the key names. Records of __share_group_state number their types from 0 again.
 */
import { coordinatorRecord } from '../coordinator-record.js';
import { array, int16, int32, int64, int8, offset, string, timestamp, uuid } from '../schema.js';

/** A member of a share group. */
export const ShareGroupMemberMetadataRecord = coordinatorRecord({
  type: 10,
  name: 'ShareGroupMemberMetadata',
  versions: [0, 0],
  flexible: 0,
  key: { groupId: string, memberId: string },
  value: { rackId: string.orNull(), clientId: string, clientHost: string, subscribedTopicNames: array(string) },
});

/** The epoch of a share group. */
export const ShareGroupMetadataRecord = coordinatorRecord({
  type: 11,
  name: 'ShareGroupMetadata',
  versions: [0, 0],
  flexible: 0,
  key: { groupId: string },
  value: { epoch: int32, metadataHash: int64 },
});

/** The group epoch for which the target assignment was computed. */
export const ShareGroupTargetAssignmentMetadataRecord = coordinatorRecord({
  type: 12,
  name: 'ShareGroupTargetAssignmentMetadata',
  versions: [0, 0],
  flexible: 0,
  key: { groupId: string },
  value: { assignmentEpoch: int32, assignmentTimestamp: timestamp.tagged(0).default(0).ignorable() },
});

/** What a member of a share group shall have. */
export const ShareGroupTargetAssignmentMemberRecord = coordinatorRecord({
  type: 13,
  name: 'ShareGroupTargetAssignmentMember',
  versions: [0, 0],
  flexible: 0,
  key: { groupId: string, memberId: string },
  value: { topicPartitions: array({ topicId: uuid, partitions: array(int32) }) },
});

/** What a member of a share group has. */
export const ShareGroupCurrentMemberAssignmentRecord = coordinatorRecord({
  type: 14,
  name: 'ShareGroupCurrentMemberAssignment',
  versions: [0, 0],
  flexible: 0,
  key: { groupId: string, memberId: string },
  value: {
    memberEpoch: int32,
    previousMemberEpoch: int32,
    state: int8,
    assignedPartitions: array({ topicId: uuid, partitions: array(int32) }),
  },
});

/** The topics whose state a share group is creating, has created, or is deleting. */
export const ShareGroupStatePartitionMetadataRecord = coordinatorRecord({
  type: 15,
  name: 'ShareGroupStatePartitionMetadata',
  versions: [0, 0],
  flexible: 0,
  key: { groupId: string },
  value: {
    initializingTopics: array({ topicId: uuid, topicName: string, partitions: array(int32) }),
    initializedTopics: array({ topicId: uuid, topicName: string, partitions: array(int32) }),
    deletingTopics: array({ topicId: uuid, topicName: string }),
  },
});

const stateBatches = array({ firstOffset: offset, lastOffset: offset, deliveryState: int8, deliveryCount: int16 });

/** __share_group_state: the whole state of a share partition. */
export const ShareSnapshotRecord = coordinatorRecord({
  type: 0,
  name: 'ShareSnapshot',
  versions: [0, 0],
  flexible: 0,
  key: { groupId: string, topicId: uuid, partition: int32 },
  value: {
    snapshotEpoch: int32,
    stateEpoch: int32,
    leaderEpoch: int32,
    startOffset: offset,
    deliveryCompleteCount: int32.tagged(0).default(-1),
    createTimestamp: timestamp,
    writeTimestamp: timestamp,
    stateBatches,
  },
});

/** __share_group_state: what has changed since the snapshot. */
export const ShareUpdateRecord = coordinatorRecord({
  type: 1,
  name: 'ShareUpdate',
  versions: [0, 0],
  flexible: 0,
  key: { groupId: string, topicId: uuid, partition: int32 },
  value: {
    snapshotEpoch: int32,
    leaderEpoch: int32,
    startOffset: offset,
    deliveryCompleteCount: int32.tagged(0).default(-1),
    stateBatches,
  },
});
