/**
 * ListTransactions: v0–v2.
 *
 * The transactional ids this broker coordinates, filtered by state, producer id, duration (v1) and pattern (v2). A client
 * asks every broker for its own.
 */
import { ListTransactions } from '@kafka-template/protocol';
import { handler } from '../handler.js';

/** See the head of this file. */
export const listTransactions = handler(ListTransactions, { versions: [0, 2] }, (request, { broker }) =>
  broker.transactions.list(request),
);
