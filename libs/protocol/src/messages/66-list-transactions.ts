/**
 * ListTransactions: the transactions one broker coordinates; ask every broker for all of them (KIP-664).
 *
 *   v1  only those that last longer (KIP-994)    v2  by pattern of the id (KIP-1152)
 */
import { api, array, int16, int32, duration, longId, string, type RequestOf, type ResponseOf } from '../schema.js';

/** The ListTransactions API. An empty filter lets everything through. */
export const ListTransactions = api({
  key: 66,
  name: 'ListTransactions',
  versions: [0, 2],
  flexible: 0,

  request: {
    stateFilters: array(string),
    producerIdFilters: array(longId),
    durationFilter: duration.since(1).default(-1),
    /** RE2 syntax. */
    transactionalIdPattern: string.orNull().since(2).default(null),
  },

  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16,
    unknownStateFilters: array(string),
    transactionStates: array({ transactionalId: string, producerId: longId, transactionState: string }),
  },
});

/** A decoded ListTransactions request. */
export type ListTransactionsRequest = RequestOf<typeof ListTransactions>;
/** A decoded ListTransactions response. */
export type ListTransactionsResponse = ResponseOf<typeof ListTransactions>;
