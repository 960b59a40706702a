/**
 * WriteTxnMarkers: the transaction coordinator tells partition leaders how a transaction ended (KIP-98).
 *
 *   v1  flexible    v2  transaction version (KIP-1228)
 */
import { api, array, bool, int8, int16, int32, longId, string, type RequestOf, type ResponseOf } from '../schema.js';

/** The WriteTxnMarkers API. */
export const WriteTxnMarkers = api({
  key: 27,
  name: 'WriteTxnMarkers',
  versions: [1, 2],
  flexible: 1,

  request: {
    markers: array({
      producerId: longId,
      producerEpoch: int16,
      /** True when committed. */
      transactionResult: bool,
      topics: array({ name: string, partitionIndexes: array(int32) }),
      coordinatorEpoch: int32,
      /** 0 or 1 before transactions v2 (KIP-890), else 2. */
      transactionVersion: int8.since(2).default(0).ignorable(),
    }),
  },

  response: {
    markers: array({
      producerId: longId,
      topics: array({
        name: string,
        partitions: array({ partitionIndex: int32, errorCode: int16 }),
      }),
    }),
  },
});

/** A decoded WriteTxnMarkers request. */
export type WriteTxnMarkersRequest = RequestOf<typeof WriteTxnMarkers>;
/** A decoded WriteTxnMarkers response. */
export type WriteTxnMarkersResponse = ResponseOf<typeof WriteTxnMarkers>;
