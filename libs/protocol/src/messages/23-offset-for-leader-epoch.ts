/**
 * OffsetForLeaderEpoch: where a leader epoch ends, which shows a reader whether its log was truncated (KIP-101, KIP-320).
 *
 *   v3  replica id    v4  flexible
 */
import { api, array, int16, int32, offset, string, type RequestOf, type ResponseOf } from '../schema.js';

/** The OffsetForLeaderEpoch API. */
export const OffsetForLeaderEpoch = api({
  key: 23,
  name: 'OffsetForLeaderEpoch',
  versions: [2, 4],
  flexible: 4,

  request: {
    /** The broker id of a follower, -1 a consumer, -2 a consumer that may look beyond the high watermark. */
    replicaId: int32.since(3).default(-2).ignorable(),
    topics: array({
      topic: string,
      partitions: array({
        partition: int32,
        currentLeaderEpoch: int32.default(-1),
        leaderEpoch: int32,
      }),
    }),
  },

  response: {
    throttleTimeMs: int32.default(0),
    topics: array({
      topic: string,
      partitions: array({
        errorCode: int16,
        partition: int32,
        /** The largest epoch that is not above the one asked for; -1 when there is none. */
        leaderEpoch: int32.default(-1),
        endOffset: offset.default(-1),
      }),
    }),
  },
});

/** A decoded OffsetForLeaderEpoch request. */
export type OffsetForLeaderEpochRequest = RequestOf<typeof OffsetForLeaderEpoch>;
/** A decoded OffsetForLeaderEpoch response. */
export type OffsetForLeaderEpochResponse = ResponseOf<typeof OffsetForLeaderEpoch>;
