/**
 * Fetch: read record batches from partitions; followers replicate with it too.
 *
 *   v4   isolation level, aborted transactions      v12  flexible, truncation detection (KIP-595)
 *   v5   log start offset                           v13  topic ids replace names (KIP-516)
 *   v7   incremental fetch sessions (KIP-227)       v15  replica state replaces the replica id (KIP-903)
 *   v9   leader epoch (KIP-320)                     v16  tells the new leader's endpoint (KIP-951)
 *   v11  fetch from the closest replica (KIP-392)   v17, v18  between brokers only (KIP-853, KIP-1166)
 */
import {
  api,
  array,
  struct,
  int8,
  int16,
  int32,
  int64,
  offset,
  longId,
  string,
  uuid,
  records,
  type RequestOf,
  type ResponseOf,
} from '../schema.js';

/** The Fetch API. The order of the partitions matters: the broker fills the answer in that order. */
export const Fetch = api({
  key: 1,
  name: 'Fetch',
  versions: [4, 18],
  flexible: 12,

  request: {
    clusterId: string.orNull().since(12).tagged(0).default(null).ignorable(),
    /** -1 for a consumer, else the broker id of a follower. */
    replicaId: int32.until(14).default(-1),
    replicaState: struct({ replicaId: int32.default(-1), replicaEpoch: longId.default(-1) })
      .since(15)
      .tagged(1),
    maxWaitMs: int32,
    minBytes: int32,
    maxBytes: int32.default(0x7fffffff),
    /** 0 read_uncommitted, 1 read_committed. */
    isolationLevel: int8.default(0),
    sessionId: int32.since(7).default(0).ignorable(),
    sessionEpoch: int32.since(7).default(-1).ignorable(),
    topics: array({
      topic: string.until(12).ignorable(),
      topicId: uuid.since(13).ignorable(),
      partitions: array({
        partition: int32,
        currentLeaderEpoch: int32.since(9).default(-1).ignorable(),
        fetchOffset: offset,
        lastFetchedEpoch: int32.since(12).default(-1),
        /** The follower's own log start offset; -1 for a consumer. */
        logStartOffset: offset.since(5).default(-1).ignorable(),
        partitionMaxBytes: int32,
        replicaDirectoryId: uuid.since(17).tagged(0).ignorable(),
        /** The default is the largest int64, which a number cannot hold. */
        highWatermark: int64.since(18).tagged(1).default(0x7fff_ffff_ffff_ffffn).ignorable(),
      }),
    }),
    forgottenTopicsData: array({
      topic: string.until(12).ignorable(),
      topicId: uuid.since(13).ignorable(),
      partitions: array(int32),
    }).since(7),
    rackId: string.since(11).ignorable(),
  },

  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16.since(7).ignorable(),
    sessionId: int32.since(7).default(0),
    responses: array({
      topic: string.until(12).ignorable(),
      topicId: uuid.since(13).ignorable(),
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        highWatermark: offset,
        lastStableOffset: offset.default(-1),
        logStartOffset: offset.since(5).default(-1).ignorable(),
        divergingEpoch: struct({ epoch: int32.default(-1), endOffset: offset.default(-1) })
          .since(12)
          .tagged(0),
        currentLeader: struct({ leaderId: int32.default(-1), leaderEpoch: int32.default(-1) })
          .since(12)
          .tagged(1),
        snapshotId: struct({ endOffset: offset.default(-1), epoch: int32.default(-1) })
          .since(12)
          .tagged(2),
        /** Null when the reader did not ask for committed records only. */
        abortedTransactions: array({ producerId: longId, firstOffset: offset }).orNull(),
        preferredReadReplica: int32.since(11).default(-1),
        records: records.orNull(),
      }),
    }),
    nodeEndpoints: array({ nodeId: int32, host: string, port: int32, rack: string.orNull().default(null) })
      .since(16)
      .tagged(0),
  },
});

/** A decoded Fetch request. */
export type FetchRequest = RequestOf<typeof Fetch>;
/** A decoded Fetch response. */
export type FetchResponse = ResponseOf<typeof Fetch>;
