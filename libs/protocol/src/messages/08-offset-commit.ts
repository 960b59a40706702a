/**
 * OffsetCommit: store how far a group has read.
 *
 *   v3  throttle time                          v8   flexible
 *   v5  the broker alone decides on retention  v9   KIP-848 groups, STALE_MEMBER_EPOCH
 *   v6  leader epoch (KIP-320)                 v10  topic ids replace names
 *   v7  static members (KIP-345)
 */
import {
  api,
  array,
  int16,
  int32,
  offset,
  duration,
  string,
  uuid,
  type RequestOf,
  type ResponseOf,
} from '../schema.js';

/** The OffsetCommit API. */
export const OffsetCommit = api({
  key: 8,
  name: 'OffsetCommit',
  versions: [2, 10],
  flexible: 8,

  request: {
    groupId: string,
    /** -1, with an empty member id, for a consumer that is no member. */
    generationIdOrMemberEpoch: int32.default(-1),
    memberId: string.default(''),
    groupInstanceId: string.orNull().since(7).default(null),
    retentionTimeMs: duration.until(4).default(-1).ignorable(),
    topics: array({
      name: string.until(9).ignorable(),
      topicId: uuid.since(10).ignorable(),
      partitions: array({
        partitionIndex: int32,
        /** The next offset to read. */
        committedOffset: offset,
        committedLeaderEpoch: int32.since(6).default(-1).ignorable(),
        committedMetadata: string.orNull(),
      }),
    }),
  },

  response: {
    throttleTimeMs: int32.since(3).ignorable(),
    topics: array({
      name: string.until(9).ignorable(),
      topicId: uuid.since(10).ignorable(),
      partitions: array({ partitionIndex: int32, errorCode: int16 }),
    }),
  },
});

/** A decoded OffsetCommit request. */
export type OffsetCommitRequest = RequestOf<typeof OffsetCommit>;
/** A decoded OffsetCommit response. */
export type OffsetCommitResponse = ResponseOf<typeof OffsetCommit>;
