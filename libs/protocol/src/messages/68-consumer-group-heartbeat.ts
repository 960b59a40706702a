/**
 * ConsumerGroupHeartbeat: join, stay in and leave a group of the new protocol (KIP-848).
 *
 *   v1  subscription by pattern; the member chooses its own id (KIP-1082)
 */
import { api, array, struct, int16, int32, string, uuid, type RequestOf, type ResponseOf } from '../schema.js';

/** The ConsumerGroupHeartbeat API. Null in the request means "as before". */
export const ConsumerGroupHeartbeat = api({
  key: 68,
  name: 'ConsumerGroupHeartbeat',
  versions: [0, 1],
  flexible: 0,

  request: {
    groupId: string,
    memberId: string,
    /** 0 join, -1 leave, -2 leave for a while (static members). */
    memberEpoch: int32,
    instanceId: string.orNull().default(null),
    rackId: string.orNull().default(null),
    rebalanceTimeoutMs: int32.default(-1),
    subscribedTopicNames: array(string).orNull().default(null),
    subscribedTopicRegex: string.orNull().since(1).default(null),
    serverAssignor: string.orNull().default(null),
    /** The partitions the member owns. */
    topicPartitions: array({ topicId: uuid, partitions: array(int32) })
      .orNull()
      .default(null),
  },

  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16,
    errorMessage: string.orNull().default(null),
    memberId: string.orNull().default(null),
    memberEpoch: int32,
    heartbeatIntervalMs: int32,
    /** Null means "as before". */
    assignment: struct({ topicPartitions: array({ topicId: uuid, partitions: array(int32) }) })
      .orNull()
      .default(null),
  },
});

/** A decoded ConsumerGroupHeartbeat request. */
export type ConsumerGroupHeartbeatRequest = RequestOf<typeof ConsumerGroupHeartbeat>;
/** A decoded ConsumerGroupHeartbeat response. */
export type ConsumerGroupHeartbeatResponse = ResponseOf<typeof ConsumerGroupHeartbeat>;
