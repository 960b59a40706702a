/**
 * OffsetFetch: read how far groups have read.
 *
 *   v2  null topics ask for all; top-level error    v7   may wait for open transactions (KIP-447)
 *   v3  throttle time                               v8   several groups at once (KIP-709)
 *   v5  leader epoch (KIP-320)                      v9   KIP-848 groups
 *   v6  flexible                                    v10  topic ids replace names
 */
import { api, array, bool, int16, int32, offset, string, uuid, type RequestOf, type ResponseOf } from '../schema.js';

/** The OffsetFetch API. Up to v7 one group in `topics`, from v8 on any number in `groups`. */
export const OffsetFetch = api({
  key: 9,
  name: 'OffsetFetch',
  versions: [1, 10],
  flexible: 6,

  request: {
    groupId: string.until(7),
    topics: array({ name: string, partitionIndexes: array(int32) })
      .orNull(2)
      .until(7),
    groups: array({
      groupId: string,
      memberId: string.orNull().since(9).default(null).ignorable(),
      memberEpoch: int32.since(9).default(-1).ignorable(),
      topics: array({
        name: string.until(9).ignorable(),
        topicId: uuid.since(10).ignorable(),
        partitionIndexes: array(int32),
      }).orNull(),
    }).since(8),
    requireStable: bool.since(7).default(false),
  },

  response: {
    throttleTimeMs: int32.since(3).ignorable(),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        /** -1 when the group has committed nothing. */
        committedOffset: offset,
        committedLeaderEpoch: int32.since(5).default(-1).ignorable(),
        metadata: string.orNull(),
        errorCode: int16,
      }),
    }).until(7),
    errorCode: int16.since(2).until(7).default(0).ignorable(),
    groups: array({
      groupId: string,
      topics: array({
        name: string.until(9).ignorable(),
        topicId: uuid.since(10).ignorable(),
        partitions: array({
          partitionIndex: int32,
          committedOffset: offset,
          committedLeaderEpoch: int32.default(-1),
          metadata: string.orNull(),
          errorCode: int16,
        }),
      }),
      errorCode: int16.default(0),
    }).since(8),
  },
});

/** A decoded OffsetFetch request. */
export type OffsetFetchRequest = RequestOf<typeof OffsetFetch>;
/** A decoded OffsetFetch response. */
export type OffsetFetchResponse = ResponseOf<typeof OffsetFetch>;
