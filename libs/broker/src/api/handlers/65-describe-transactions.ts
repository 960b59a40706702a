/**
 * DescribeTransactions: v0.
 *
 * State, owner and partitions of transactional ids that this broker coordinates.
 */
import { DescribeTransactions } from '@kafka-template/protocol';
import { handler } from '../handler.js';

/** See the head of this file. */
export const describeTransactions = handler(DescribeTransactions, { versions: [0, 0] }, (request, { broker }) => ({
  transactionStates: broker.transactions.describe(request.transactionalIds),
}));
