/**
 * DeleteRecords: move the start of partitions forward, so that everything before it can be deleted (KIP-107).
 *
 *   v2  flexible
 */
import { api, array, int16, int32, offset, string, type RequestOf, type ResponseOf } from '../schema.js';

/** The DeleteRecords API. Goes to the leader of each partition. */
export const DeleteRecords = api({
  key: 21,
  name: 'DeleteRecords',
  versions: [0, 2],
  flexible: 2,

  request: {
    topics: array({
      name: string,
      /** The first offset to keep; -1 is the high watermark. */
      partitions: array({ partitionIndex: int32, offset: offset }),
    }),
    timeoutMs: int32,
  },

  response: {
    throttleTimeMs: int32.default(0),
    topics: array({
      name: string,
      partitions: array({ partitionIndex: int32, lowWatermark: offset, errorCode: int16 }),
    }),
  },
});

/** A decoded DeleteRecords request. */
export type DeleteRecordsRequest = RequestOf<typeof DeleteRecords>;
/** A decoded DeleteRecords response. */
export type DeleteRecordsResponse = ResponseOf<typeof DeleteRecords>;
