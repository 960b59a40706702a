/**
 * AllocateProducerIds: a broker gets a block of producer ids from the controller (KIP-730).
 */
import { api, int16, int32, longId, type RequestOf, type ResponseOf } from '../schema.js';

/** The AllocateProducerIds API. */
export const AllocateProducerIds = api({
  key: 67,
  name: 'AllocateProducerIds',
  versions: [0, 0],
  flexible: 0,

  request: {
    brokerId: int32,
    brokerEpoch: longId.default(-1),
  },

  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16,
    producerIdStart: longId,
    producerIdLen: int32,
  },
});

/** A decoded AllocateProducerIds request. */
export type AllocateProducerIdsRequest = RequestOf<typeof AllocateProducerIds>;
/** A decoded AllocateProducerIds response. */
export type AllocateProducerIdsResponse = ResponseOf<typeof AllocateProducerIds>;
