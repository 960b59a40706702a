/**
 * StreamsGroupDescribe: state, topology and members of groups of Kafka Streams applications (KIP-1071).
 */
import {
  api,
  array,
  struct,
  bool,
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
const taskOffset = { subtopologyId: string, partition: int32, offset: offset };
const taskIds = { subtopologyId: string, partitions: array(int32) };
const assignment = { activeTasks: array(taskIds), standbyTasks: array(taskIds), warmupTasks: array(taskIds) };

/** The StreamsGroupDescribe API. */
export const StreamsGroupDescribe = api({
  key: 89,
  name: 'StreamsGroupDescribe',
  versions: [0, 0],
  flexible: 0,

  request: {
    groupIds: array(string),
    includeAuthorizedOperations: bool,
  },

  response: {
    throttleTimeMs: int32.default(0),
    groups: array({
      errorCode: int16,
      errorMessage: string.orNull().default(null),
      groupId: string,
      groupState: string,
      groupEpoch: int32,
      assignmentEpoch: int32,
      topology: struct({
        epoch: int32,
        subtopologies: array({
          subtopologyId: string,
          sourceTopics: array(string),
          repartitionSinkTopics: array(string),
          stateChangelogTopics: array(topicInfo),
          repartitionSourceTopics: array(topicInfo),
        })
          .orNull()
          .default(null),
      })
        .orNull()
        .default(null),
      members: array({
        memberId: string,
        memberEpoch: int32,
        instanceId: string.orNull().default(null),
        rackId: string.orNull().default(null),
        clientId: string,
        clientHost: string,
        topologyEpoch: int32,
        processId: string,
        userEndpoint: struct({ host: string, port: uint16 }).orNull().default(null),
        clientTags: array({ key: string, value: string }),
        taskOffsets: array(taskOffset),
        taskEndOffsets: array(taskOffset),
        assignment: struct(assignment),
        targetAssignment: struct(assignment),
        /** True for a member of the protocol before this one. */
        isClassic: bool,
      }),
      authorizedOperations: int32.default(-2147483648),
    }),
  },
});

/** A decoded StreamsGroupDescribe request. */
export type StreamsGroupDescribeRequest = RequestOf<typeof StreamsGroupDescribe>;
/** A decoded StreamsGroupDescribe response. */
export type StreamsGroupDescribeResponse = ResponseOf<typeof StreamsGroupDescribe>;
