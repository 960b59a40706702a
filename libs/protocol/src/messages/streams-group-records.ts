/**
 * Records of __consumer_offsets: groups of Kafka Streams applications (KIP-1071).
 *
 * A null value deletes what the key names.
 * The nullable tagged fields default to empty, not to null, as in Kafka's own classes: null is written out.
 */
import { coordinatorRecord } from '../coordinator-record.js';
import { array, int16, int32, int64, int8, string, struct, timestamp, uint16 } from '../schema.js';

/** The epoch of a streams group. */
export const StreamsGroupMetadataRecord = coordinatorRecord({
  type: 17,
  name: 'StreamsGroupMetadata',
  versions: [0, 0],
  flexible: 0,
  key: { groupId: string },
  value: {
    epoch: int32,
    metadataHash: int64,
    validatedTopologyEpoch: int32.tagged(0).default(-1),
    lastAssignmentConfigs: array({ key: string, value: string }).orNull().tagged(1),
  },
});

/** A member of a streams group. */
export const StreamsGroupMemberMetadataRecord = coordinatorRecord({
  type: 19,
  name: 'StreamsGroupMemberMetadata',
  versions: [0, 0],
  flexible: 0,
  key: { groupId: string, memberId: string },
  value: {
    instanceId: string.orNull(),
    rackId: string.orNull(),
    clientId: string,
    clientHost: string,
    rebalanceTimeoutMs: int32.default(-1),
    topologyEpoch: int32,
    processId: string,
    userEndpoint: struct({ host: string, port: uint16 }).orNull().default(null),
    clientTags: array({ key: string, value: string }),
  },
});

/** The group epoch for which the target assignment was computed. */
export const StreamsGroupTargetAssignmentMetadataRecord = coordinatorRecord({
  type: 20,
  name: 'StreamsGroupTargetAssignmentMetadata',
  versions: [0, 0],
  flexible: 0,
  key: { groupId: string },
  value: { assignmentEpoch: int32, assignmentTimestamp: timestamp.tagged(0).default(0).ignorable() },
});

const tasks = array({ subtopologyId: string, partitions: array(int32) });

/** What a member of a streams group shall have. */
export const StreamsGroupTargetAssignmentMemberRecord = coordinatorRecord({
  type: 21,
  name: 'StreamsGroupTargetAssignmentMember',
  versions: [0, 0],
  flexible: 0,
  key: { groupId: string, memberId: string },
  value: { activeTasks: tasks, standbyTasks: tasks, warmupTasks: tasks },
});

const ownedTasks = array({
  subtopologyId: string,
  partitions: array(int32),
  /** The epoch in which each task was given, in the same order; null when all are of the member's epoch. */
  assignmentEpochs: array(int32).orNull().tagged(0),
});

/** What a member of a streams group has, and what it has been asked to give up. */
export const StreamsGroupCurrentMemberAssignmentRecord = coordinatorRecord({
  type: 22,
  name: 'StreamsGroupCurrentMemberAssignment',
  versions: [0, 0],
  flexible: 0,
  key: { groupId: string, memberId: string },
  value: {
    memberEpoch: int32,
    previousMemberEpoch: int32,
    state: int8,
    activeTasks: ownedTasks,
    standbyTasks: ownedTasks,
    warmupTasks: ownedTasks,
    activeTasksPendingRevocation: ownedTasks,
    standbyTasksPendingRevocation: ownedTasks,
    warmupTasksPendingRevocation: ownedTasks,
  },
});

const topics = array({
  name: string,
  partitions: int32,
  replicationFactor: int16,
  topicConfigs: array({ key: string, value: string }),
});

/** What a streams application is made of. */
export const StreamsGroupTopologyRecord = coordinatorRecord({
  type: 23,
  name: 'StreamsGroupTopology',
  versions: [0, 0],
  flexible: 0,
  key: { groupId: string },
  value: {
    epoch: int32,
    subtopologies: array({
      subtopologyId: string,
      sourceTopics: array(string),
      sourceTopicRegex: array(string),
      stateChangelogTopics: topics,
      repartitionSinkTopics: array(string),
      repartitionSourceTopics: topics,
      copartitionGroups: array({
        sourceTopics: array(int16),
        sourceTopicRegex: array(int16),
        repartitionSourceTopics: array(int16),
      }),
    }),
  },
});
