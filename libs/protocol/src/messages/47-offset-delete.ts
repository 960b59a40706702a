/**
 * OffsetDelete: forget the committed offsets of a group in some partitions (KIP-496).
 */
import { api, array, int16, int32, string, type RequestOf, type ResponseOf } from '../schema.js';

/** The OffsetDelete API. */
export const OffsetDelete = api({
  key: 47,
  name: 'OffsetDelete',
  versions: [0, 0],
  flexible: null,

  request: {
    groupId: string,
    topics: array({ name: string, partitions: array({ partitionIndex: int32 }) }),
  },

  response: {
    errorCode: int16,
    throttleTimeMs: int32.default(0),
    topics: array({
      name: string,
      partitions: array({ partitionIndex: int32, errorCode: int16 }),
    }),
  },
});

/** A decoded OffsetDelete request. */
export type OffsetDeleteRequest = RequestOf<typeof OffsetDelete>;
/** A decoded OffsetDelete response. */
export type OffsetDeleteResponse = ResponseOf<typeof OffsetDelete>;
