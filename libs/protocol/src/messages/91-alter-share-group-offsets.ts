/**
 * AlterShareGroupOffsets: move the start of a share group that has no members (KIP-932).
 */
import { api, array, int16, int32, offset, string, uuid, type RequestOf, type ResponseOf } from '../schema.js';

/** The AlterShareGroupOffsets API. */
export const AlterShareGroupOffsets = api({
  key: 91,
  name: 'AlterShareGroupOffsets',
  versions: [0, 0],
  flexible: 0,

  request: {
    groupId: string,
    topics: array({
      topicName: string,
      partitions: array({ partitionIndex: int32, startOffset: offset }),
    }),
  },

  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16,
    errorMessage: string.orNull().default(null),
    responses: array({
      topicName: string,
      topicId: uuid,
      partitions: array({ partitionIndex: int32, errorCode: int16, errorMessage: string.orNull().default(null) }),
    }),
  },
});

/** A decoded AlterShareGroupOffsets request. */
export type AlterShareGroupOffsetsRequest = RequestOf<typeof AlterShareGroupOffsets>;
/** A decoded AlterShareGroupOffsets response. */
export type AlterShareGroupOffsetsResponse = ResponseOf<typeof AlterShareGroupOffsets>;
