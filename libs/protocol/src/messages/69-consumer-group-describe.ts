/**
 * ConsumerGroupDescribe: state and members of groups of the new protocol (KIP-848).
 *
 *   v1  member type (KIP-1099)
 */
import {
  api,
  array,
  struct,
  bool,
  int8,
  int16,
  int32,
  string,
  uuid,
  type RequestOf,
  type ResponseOf,
} from '../schema.js';

const assignment = {
  topicPartitions: array({ topicId: uuid, topicName: string, partitions: array(int32) }),
};

/** The ConsumerGroupDescribe API. A classic group answers GROUP_ID_NOT_FOUND: ask with DescribeGroups. */
export const ConsumerGroupDescribe = api({
  key: 69,
  name: 'ConsumerGroupDescribe',
  versions: [0, 1],
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
      assignorName: string,
      members: array({
        memberId: string,
        instanceId: string.orNull().default(null),
        rackId: string.orNull().default(null),
        memberEpoch: int32,
        clientId: string,
        clientHost: string,
        subscribedTopicNames: array(string),
        subscribedTopicRegex: string.orNull().default(null),
        assignment: struct(assignment),
        targetAssignment: struct(assignment),
        /** 0 classic, 1 consumer, -1 unknown. */
        memberType: int8.since(1).default(-1).ignorable(),
      }),
      authorizedOperations: int32.default(-2147483648),
    }),
  },
});

/** A decoded ConsumerGroupDescribe request. */
export type ConsumerGroupDescribeRequest = RequestOf<typeof ConsumerGroupDescribe>;
/** A decoded ConsumerGroupDescribe response. */
export type ConsumerGroupDescribeResponse = ResponseOf<typeof ConsumerGroupDescribe>;
