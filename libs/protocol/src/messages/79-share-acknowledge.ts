/**
 * ShareAcknowledge: say what became of the records a share group handed out (KIP-932). v0 was a preview in Kafka 4.0.
 *
 *   v2  renewal of the lock (KIP-1222)
 */
import {
  api,
  array,
  struct,
  bool,
  int8,
  int16,
  int32,
  offset,
  string,
  uuid,
  type RequestOf,
  type ResponseOf,
} from '../schema.js';

/** The ShareAcknowledge API. */
export const ShareAcknowledge = api({
  key: 79,
  name: 'ShareAcknowledge',
  versions: [1, 2],
  flexible: 0,

  request: {
    groupId: string.orNull().default(null),
    memberId: string.orNull(),
    shareSessionEpoch: int32,
    isRenewAck: bool.since(2).default(false),
    topics: array({
      topicId: uuid,
      partitions: array({
        partitionIndex: int32,
        /** Types: 0 gap, 1 accept, 2 release, 3 reject, 4 renew; one for all or one per record. */
        acknowledgementBatches: array({ firstOffset: offset, lastOffset: offset, acknowledgeTypes: array(int8) }),
      }),
    }),
  },

  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16,
    errorMessage: string.orNull().default(null),
    acquisitionLockTimeoutMs: int32.since(2).ignorable(),
    responses: array({
      topicId: uuid,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        errorMessage: string.orNull().default(null),
        currentLeader: struct({ leaderId: int32, leaderEpoch: int32 }),
      }),
    }),
    nodeEndpoints: array({ nodeId: int32, host: string, port: int32, rack: string.orNull().default(null) }),
  },
});

/** A decoded ShareAcknowledge request. */
export type ShareAcknowledgeRequest = RequestOf<typeof ShareAcknowledge>;
/** A decoded ShareAcknowledge response. */
export type ShareAcknowledgeResponse = ResponseOf<typeof ShareAcknowledge>;
