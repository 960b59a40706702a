/**
 * DescribeShareGroupOffsets: where share groups stand (KIP-932).
 *
 *   v1  lag (KIP-1226)
 */
import { api, array, int16, int32, offset, string, uuid, type RequestOf, type ResponseOf } from '../schema.js';

/** The DescribeShareGroupOffsets API. */
export const DescribeShareGroupOffsets = api({
  key: 90,
  name: 'DescribeShareGroupOffsets',
  versions: [0, 1],
  flexible: 0,

  request: {
    groups: array({
      groupId: string,
      /** Null asks for all. */
      topics: array({ topicName: string, partitions: array(int32) }).orNull(),
    }),
  },

  response: {
    throttleTimeMs: int32.default(0),
    groups: array({
      groupId: string,
      topics: array({
        topicName: string,
        topicId: uuid,
        partitions: array({
          partitionIndex: int32,
          startOffset: offset,
          leaderEpoch: int32,
          lag: offset.since(1).default(-1).ignorable(),
          errorCode: int16,
          errorMessage: string.orNull().default(null),
        }),
      }),
      errorCode: int16,
      errorMessage: string.orNull().default(null),
    }),
  },
});

/** A decoded DescribeShareGroupOffsets request. */
export type DescribeShareGroupOffsetsRequest = RequestOf<typeof DescribeShareGroupOffsets>;
/** A decoded DescribeShareGroupOffsets response. */
export type DescribeShareGroupOffsetsResponse = ResponseOf<typeof DescribeShareGroupOffsets>;
