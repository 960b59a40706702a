/**
 * ShareGroupDescribe: state and members of share groups (KIP-932). v0 was a preview in Kafka 4.0.
 */
import { api, array, struct, bool, int16, int32, string, uuid, type RequestOf, type ResponseOf } from '../schema.js';

/** The ShareGroupDescribe API. */
export const ShareGroupDescribe = api({
  key: 77,
  name: 'ShareGroupDescribe',
  versions: [1, 1],
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
        rackId: string.orNull().default(null),
        memberEpoch: int32,
        clientId: string,
        clientHost: string,
        subscribedTopicNames: array(string),
        assignment: struct({
          topicPartitions: array({ topicId: uuid, topicName: string, partitions: array(int32) }),
        }),
      }),
      authorizedOperations: int32.default(-2147483648),
    }),
  },
});

/** A decoded ShareGroupDescribe request. */
export type ShareGroupDescribeRequest = RequestOf<typeof ShareGroupDescribe>;
/** A decoded ShareGroupDescribe response. */
export type ShareGroupDescribeResponse = ResponseOf<typeof ShareGroupDescribe>;
