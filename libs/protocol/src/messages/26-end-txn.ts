/**
 * EndTxn: commit or abort a transaction (KIP-98).
 *
 *   v2  may answer PRODUCER_FENCED    v4  may answer TRANSACTION_ABORTABLE (KIP-890)
 *   v3  flexible                      v5  every end raises the epoch and returns it (KIP-890)
 */
import { api, bool, int16, int32, longId, string, type RequestOf, type ResponseOf } from '../schema.js';

/** The EndTxn API. */
export const EndTxn = api({
  key: 26,
  name: 'EndTxn',
  versions: [0, 5],
  flexible: 3,

  request: {
    transactionalId: string,
    producerId: longId,
    producerEpoch: int16,
    /** True to commit, false to abort. */
    committed: bool,
  },

  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16,
    producerId: longId.since(5).default(-1).ignorable(),
    producerEpoch: int16.since(5).default(-1).ignorable(),
  },
});

/** A decoded EndTxn request. */
export type EndTxnRequest = RequestOf<typeof EndTxn>;
/** A decoded EndTxn response. */
export type EndTxnResponse = ResponseOf<typeof EndTxn>;
