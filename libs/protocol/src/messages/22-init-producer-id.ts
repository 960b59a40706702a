/**
 * InitProducerId: a producer id and epoch for an idempotent or transactional producer.
 *
 *   v2  flexible                                     v4  may answer PRODUCER_FENCED
 *   v3  ask for the next epoch of an id (KIP-360)    v5  may answer TRANSACTION_ABORTABLE (KIP-890)
 *
 * v6 (two-phase commit, KIP-939) is unstable in Kafka 4.3 and left out.
 */
import { api, int16, int32, longId, string, type RequestOf, type ResponseOf } from '../schema.js';

/** The InitProducerId API. */
export const InitProducerId = api({
  key: 22,
  name: 'InitProducerId',
  versions: [0, 5],
  flexible: 2,

  request: {
    /** Null for a producer that is only idempotent. */
    transactionalId: string.orNull(),
    transactionTimeoutMs: int32,
    producerId: longId.since(3).default(-1),
    producerEpoch: int16.since(3).default(-1),
  },

  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16,
    producerId: longId.default(-1),
    producerEpoch: int16,
  },
});

/** A decoded InitProducerId request. */
export type InitProducerIdRequest = RequestOf<typeof InitProducerId>;
/** A decoded InitProducerId response. */
export type InitProducerIdResponse = ResponseOf<typeof InitProducerId>;
