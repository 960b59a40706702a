/**
 * ShareGroupHeartbeat: join, stay in and leave a share group (KIP-932). v0 was a preview in Kafka 4.0.
 */
import { api, array, struct, int16, int32, string, uuid, type RequestOf, type ResponseOf } from '../schema.js';

/** The ShareGroupHeartbeat API. Null in the request means "as before". */
export const ShareGroupHeartbeat = api({
  key: 76,
  name: 'ShareGroupHeartbeat',
  versions: [1, 1],
  flexible: 0,

  request: {
    groupId: string,
    memberId: string,
    /** 0 join, -1 leave. */
    memberEpoch: int32,
    rackId: string.orNull().default(null),
    subscribedTopicNames: array(string).orNull().default(null),
  },

  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16,
    errorMessage: string.orNull().default(null),
    memberId: string.orNull().default(null),
    memberEpoch: int32,
    heartbeatIntervalMs: int32,
    assignment: struct({ topicPartitions: array({ topicId: uuid, partitions: array(int32) }) })
      .orNull()
      .default(null),
  },
});

/** A decoded ShareGroupHeartbeat request. */
export type ShareGroupHeartbeatRequest = RequestOf<typeof ShareGroupHeartbeat>;
/** A decoded ShareGroupHeartbeat response. */
export type ShareGroupHeartbeatResponse = ResponseOf<typeof ShareGroupHeartbeat>;
