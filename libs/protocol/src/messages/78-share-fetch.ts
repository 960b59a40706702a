/**
 * ShareFetch: take records of a share group, and acknowledge earlier ones (KIP-932). v0 was a preview in Kafka 4.0.
 *
 *   v2  acquire mode, renewal of the lock (KIP-1206, KIP-1222)
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
  records,
  type RequestOf,
  type ResponseOf,
} from '../schema.js';

/** The ShareFetch API. */
export const ShareFetch = api({
  key: 78,
  name: 'ShareFetch',
  versions: [1, 2],
  flexible: 0,

  request: {
    groupId: string.orNull().default(null),
    memberId: string.orNull(),
    /** 0 opens a session, -1 closes it. */
    shareSessionEpoch: int32,
    maxWaitMs: int32,
    minBytes: int32,
    maxBytes: int32.default(0x7fffffff),
    maxRecords: int32,
    batchSize: int32,
    /** 0 whole batches, 1 not more than maxRecords. */
    shareAcquireMode: int8.since(2).default(0).ignorable(),
    isRenewAck: bool.since(2).default(false),
    topics: array({
      topicId: uuid,
      partitions: array({
        partitionIndex: int32,
        /** Types: 0 gap, 1 accept, 2 release, 3 reject, 4 renew; one for all or one per record. */
        acknowledgementBatches: array({ firstOffset: offset, lastOffset: offset, acknowledgeTypes: array(int8) }),
      }),
    }),
    forgottenTopicsData: array({ topicId: uuid, partitions: array(int32) }),
  },

  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16,
    errorMessage: string.orNull().default(null),
    acquisitionLockTimeoutMs: int32,
    responses: array({
      topicId: uuid,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        errorMessage: string.orNull().default(null),
        acknowledgeErrorCode: int16,
        acknowledgeErrorMessage: string.orNull().default(null),
        currentLeader: struct({ leaderId: int32, leaderEpoch: int32 }),
        records: records,
        acquiredRecords: array({ firstOffset: offset, lastOffset: offset, deliveryCount: int16 }),
      }),
    }),
    nodeEndpoints: array({ nodeId: int32, host: string, port: int32, rack: string.orNull().default(null) }),
  },
});

/** A decoded ShareFetch request. */
export type ShareFetchRequest = RequestOf<typeof ShareFetch>;
/** A decoded ShareFetch response. */
export type ShareFetchResponse = ResponseOf<typeof ShareFetch>;
