/**
 * Records of __consumer_offsets: groups of the new consumer protocol (KIP-848).
 *
 * A group is a number of records: its epoch, one record per member, the target assignment per member, what each member
 * has now, and what patterns of its subscriptions match. A null value deletes what the key names.
 * The nullable tagged fields default to empty, not to null, as in Kafka's own classes: null is written out.
 */
import { coordinatorRecord } from '../coordinator-record.js';
import { array, bytes, int32, int64, int8, longId, string, struct, timestamp, uuid } from '../schema.js';

/** The epoch of a group; it grows with every change of members, subscriptions or topics. */
export const ConsumerGroupMetadataRecord = coordinatorRecord({
  type: 3,
  name: 'ConsumerGroupMetadata',
  versions: [0, 0],
  flexible: 0,
  key: { groupId: string },
  value: {
    epoch: int32,
    /** Hash of the subscribed topics and their partitions. */
    metadataHash: int64.tagged(0).default(0n),
  },
});

/** The topics of a group, as Kafka 3.7 to 4.0 wrote them; replaced by the hash above. */
export const ConsumerGroupPartitionMetadataRecord = coordinatorRecord({
  type: 4,
  name: 'ConsumerGroupPartitionMetadata',
  versions: [0, 0],
  flexible: 0,
  key: { groupId: string },
  value: {
    topics: array({
      topicId: uuid,
      topicName: string,
      numPartitions: int32,
      partitionMetadata: array({ partition: int32, racks: array(string) }),
    }),
  },
});

/** A member: where it is, what it subscribes to, and its classic protocols if it still speaks those. */
export const ConsumerGroupMemberMetadataRecord = coordinatorRecord({
  type: 5,
  name: 'ConsumerGroupMemberMetadata',
  versions: [0, 0],
  flexible: 0,
  key: { groupId: string, memberId: string },
  value: {
    instanceId: string.orNull(),
    rackId: string.orNull(),
    clientId: string,
    clientHost: string,
    subscribedTopicNames: array(string),
    subscribedTopicRegex: string.orNull(),
    rebalanceTimeoutMs: int32.default(-1),
    serverAssignor: string.orNull(),
    classicMemberMetadata: struct({
      sessionTimeoutMs: int32,
      supportedProtocols: array({ name: string, metadata: bytes }),
    })
      .orNull()
      .tagged(0),
  },
});

/** The group epoch for which the target assignment was computed. */
export const ConsumerGroupTargetAssignmentMetadataRecord = coordinatorRecord({
  type: 6,
  name: 'ConsumerGroupTargetAssignmentMetadata',
  versions: [0, 0],
  flexible: 0,
  key: { groupId: string },
  value: { assignmentEpoch: int32, assignmentTimestamp: timestamp.tagged(0).default(0).ignorable() },
});

/** What a member shall have. */
export const ConsumerGroupTargetAssignmentMemberRecord = coordinatorRecord({
  type: 7,
  name: 'ConsumerGroupTargetAssignmentMember',
  versions: [0, 0],
  flexible: 0,
  key: { groupId: string, memberId: string },
  value: { topicPartitions: array({ topicId: uuid, partitions: array(int32) }) },
});

const ownedPartitions = {
  topicId: uuid,
  partitions: array(int32),
  /** The epoch in which each partition was given, in the same order; null when all are of the member's epoch. */
  assignmentEpochs: array(int32).orNull().tagged(0),
};

/** What a member has, and what it has been asked to give up. */
export const ConsumerGroupCurrentMemberAssignmentRecord = coordinatorRecord({
  type: 8,
  name: 'ConsumerGroupCurrentMemberAssignment',
  versions: [0, 0],
  flexible: 0,
  key: { groupId: string, memberId: string },
  value: {
    memberEpoch: int32,
    previousMemberEpoch: int32,
    /** 0 stable, 1 unrevoked partitions, 2 unreleased partitions, 127 unknown. */
    state: int8,
    assignedPartitions: array(ownedPartitions),
    partitionsPendingRevocation: array(ownedPartitions),
  },
});

/** The topics a pattern matched when it was last looked at. */
export const ConsumerGroupRegularExpressionRecord = coordinatorRecord({
  type: 16,
  name: 'ConsumerGroupRegularExpression',
  versions: [0, 0],
  flexible: 0,
  key: { groupId: string, regularExpression: string },
  value: { topics: array(string), version: longId, timestamp: timestamp },
});
