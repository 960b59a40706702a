/**
 * EndTxn: v0–v5.
 *
 * Commits or aborts. Answered when the decision is in the log; the partitions are told after that. From v5 on every end
 * raises the epoch and returns it (KIP-890).
 */
import { EndTxn } from '@kafka-template/protocol';
import { TRANSACTIONS_V2 } from '../../coordinator/transaction/transaction.js';
import type { TransactionReply } from '../../coordinator/transaction/decision.js';
import { fromCallback } from '../groups.js';
import { handler } from '../handler.js';
import { codeAt } from '../transaction-codes.js';

const V2_SINCE_VERSION = 5;
const CODES = { fencedSince: 2, abortableSince: 4 };

/** See the head of this file. */
export const endTxn = handler(EndTxn, { versions: [0, 5] }, async (request, { broker, apiVersion }) => {
  const { transactionalId: id, producerId, producerEpoch, committed } = request;
  const clientVersion = apiVersion >= V2_SINCE_VERSION ? TRANSACTIONS_V2 : 0;
  const reply = await fromCallback<TransactionReply>((done) =>
    broker.transactions.end({ id, producerId, producerEpoch, committed, clientVersion }, done),
  );
  return { ...reply, errorCode: codeAt(reply.errorCode, apiVersion, CODES) };
});
