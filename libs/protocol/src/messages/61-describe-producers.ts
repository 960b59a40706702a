/**
 * DescribeProducers: the producers a partition knows, with their open transactions (KIP-664).
 */
import {
  api,
  array,
  int16,
  int32,
  offset,
  timestamp,
  longId,
  string,
  type RequestOf,
  type ResponseOf,
} from '../schema.js';

/** The DescribeProducers API. Goes to the leader of each partition. */
export const DescribeProducers = api({
  key: 61,
  name: 'DescribeProducers',
  versions: [0, 0],
  flexible: 0,

  request: {
    topics: array({ name: string, partitionIndexes: array(int32) }),
  },

  response: {
    throttleTimeMs: int32.default(0),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        errorMessage: string.orNull().default(null),
        activeProducers: array({
          producerId: longId,
          producerEpoch: int32,
          lastSequence: int32.default(-1),
          lastTimestamp: timestamp.default(-1),
          coordinatorEpoch: int32,
          /** -1 when no transaction is open. */
          currentTxnStartOffset: offset.default(-1),
        }),
      }),
    }),
  },
});

/** A decoded DescribeProducers request. */
export type DescribeProducersRequest = RequestOf<typeof DescribeProducers>;
/** A decoded DescribeProducers response. */
export type DescribeProducersResponse = ResponseOf<typeof DescribeProducers>;
