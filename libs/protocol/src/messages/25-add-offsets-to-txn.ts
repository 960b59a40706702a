/**
 * AddOffsetsToTxn: the offsets of a group become part of a transaction (KIP-98).
 *
 *   v2  may answer PRODUCER_FENCED    v3  flexible    v4  may answer TRANSACTION_ABORTABLE (KIP-890)
 */
import { api, int16, int32, longId, string, type RequestOf, type ResponseOf } from '../schema.js';

/** The AddOffsetsToTxn API. */
export const AddOffsetsToTxn = api({
  key: 25,
  name: 'AddOffsetsToTxn',
  versions: [0, 4],
  flexible: 3,

  request: {
    transactionalId: string,
    producerId: longId,
    producerEpoch: int16,
    groupId: string,
  },

  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16,
  },
});

/** A decoded AddOffsetsToTxn request. */
export type AddOffsetsToTxnRequest = RequestOf<typeof AddOffsetsToTxn>;
/** A decoded AddOffsetsToTxn response. */
export type AddOffsetsToTxnResponse = ResponseOf<typeof AddOffsetsToTxn>;
