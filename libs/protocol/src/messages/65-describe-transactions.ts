/**
 * DescribeTransactions: state and partitions of transactions (KIP-664).
 */
import { api, array, int16, int32, timestamp, longId, string, type RequestOf, type ResponseOf } from '../schema.js';

/** The DescribeTransactions API. Goes to the coordinator of each transactional id. */
export const DescribeTransactions = api({
  key: 65,
  name: 'DescribeTransactions',
  versions: [0, 0],
  flexible: 0,

  request: {
    transactionalIds: array(string),
  },

  response: {
    throttleTimeMs: int32.default(0),
    transactionStates: array({
      errorCode: int16,
      transactionalId: string,
      /** "Empty", "Ongoing", "PrepareCommit", "PrepareAbort", "CompleteCommit", "CompleteAbort", "Dead" and so on. */
      transactionState: string,
      transactionTimeoutMs: int32,
      /** -1 when none is open. */
      transactionStartTimeMs: timestamp,
      producerId: longId,
      producerEpoch: int16,
      topics: array({ topic: string, partitions: array(int32) }),
    }),
  },
});

/** A decoded DescribeTransactions request. */
export type DescribeTransactionsRequest = RequestOf<typeof DescribeTransactions>;
/** A decoded DescribeTransactions response. */
export type DescribeTransactionsResponse = ResponseOf<typeof DescribeTransactions>;
