/**
 * StreamsGroupHeartbeat: join, stay in and leave a group of Kafka Streams applications (KIP-1071).
 */
import {
  api,
  array,
  struct,
  bool,
  int8,
  int16,
  uint16,
  int32,
  offset,
  string,
  type RequestOf,
  type ResponseOf,
} from '../schema.js';

const topicInfo = {
  name: string,
  partitions: int32,
  replicationFactor: int16,
  topicConfigs: array({ key: string, value: string }),
};
const taskIds = { subtopologyId: string, partitions: array(int32) };
const taskOffset = { subtopologyId: string, partition: int32, offset: offset };
const endpoint = { host: string, port: uint16 };
const topicPartition = { topic: string, partitions: array(int32) };

/** The StreamsGroupHeartbeat API. Null in the request means "as before". */
export const StreamsGroupHeartbeat = api({
  key: 88,
  name: 'StreamsGroupHeartbeat',
  versions: [0, 0],
  flexible: 0,

  request: {
    groupId: string,
    memberId: string,
    memberEpoch: int32,
    endpointInformationEpoch: int32,
    instanceId: string.orNull().default(null),
    rackId: string.orNull().default(null),
    rebalanceTimeoutMs: int32.default(-1),
    topology: struct({
      epoch: int32,
      subtopologies: array({
        subtopologyId: string,
        sourceTopics: array(string),
        sourceTopicRegex: array(string),
        stateChangelogTopics: array(topicInfo),
        repartitionSinkTopics: array(string),
        repartitionSourceTopics: array(topicInfo),
        /** Indexes into the three lists of topics above. */
        copartitionGroups: array({
          sourceTopics: array(int16),
          sourceTopicRegex: array(int16),
          repartitionSourceTopics: array(int16),
        }),
      }),
    })
      .orNull()
      .default(null),
    activeTasks: array(taskIds).orNull().default(null),
    standbyTasks: array(taskIds).orNull().default(null),
    warmupTasks: array(taskIds).orNull().default(null),
    processId: string.orNull().default(null),
    userEndpoint: struct(endpoint).orNull().default(null),
    clientTags: array({ key: string, value: string }).orNull().default(null),
    taskOffsets: array(taskOffset).orNull().default(null),
    taskEndOffsets: array(taskOffset).orNull().default(null),
    shutdownApplication: bool.default(false),
  },

  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16,
    errorMessage: string.orNull().default(null),
    memberId: string,
    memberEpoch: int32,
    heartbeatIntervalMs: int32,
    acceptableRecoveryLag: int32,
    taskOffsetIntervalMs: int32,
    /** What keeps the group from working: 0 stale topology, 1 to 3 topics, 4 shutting down, 5 assignment delayed. */
    status: array({ statusCode: int8, statusDetail: string }).orNull(),
    activeTasks: array(taskIds).orNull().default(null),
    standbyTasks: array(taskIds).orNull().default(null),
    warmupTasks: array(taskIds).orNull().default(null),
    endpointInformationEpoch: int32,
    partitionsByUserEndpoint: array({
      userEndpoint: struct(endpoint),
      activePartitions: array(topicPartition),
      standbyPartitions: array(topicPartition),
    })
      .orNull()
      .default(null),
  },
});

/** A decoded StreamsGroupHeartbeat request. */
export type StreamsGroupHeartbeatRequest = RequestOf<typeof StreamsGroupHeartbeat>;
/** A decoded StreamsGroupHeartbeat response. */
export type StreamsGroupHeartbeatResponse = ResponseOf<typeof StreamsGroupHeartbeat>;
