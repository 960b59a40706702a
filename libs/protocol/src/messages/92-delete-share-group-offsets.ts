/**
 * DeleteShareGroupOffsets: forget a share group's state in topics (KIP-932).
 */
import { api, array, int16, int32, string, uuid, type RequestOf, type ResponseOf } from '../schema.js';

/** The DeleteShareGroupOffsets API. */
export const DeleteShareGroupOffsets = api({
  key: 92,
  name: 'DeleteShareGroupOffsets',
  versions: [0, 0],
  flexible: 0,

  request: {
    groupId: string,
    topics: array({ topicName: string }),
  },

  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16,
    errorMessage: string.orNull().default(null),
    responses: array({
      topicName: string,
      topicId: uuid,
      errorCode: int16,
      errorMessage: string.orNull().default(null),
    }),
  },
});

/** A decoded DeleteShareGroupOffsets request. */
export type DeleteShareGroupOffsetsRequest = RequestOf<typeof DeleteShareGroupOffsets>;
/** A decoded DeleteShareGroupOffsets response. */
export type DeleteShareGroupOffsetsResponse = ResponseOf<typeof DeleteShareGroupOffsets>;
