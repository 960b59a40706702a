/**
 * UnregisterBroker: forget a broker that will not come back (KIP-631).
 */
import { api, int16, int32, string, type RequestOf, type ResponseOf } from '../schema.js';

/** The UnregisterBroker API. */
export const UnregisterBroker = api({
  key: 64,
  name: 'UnregisterBroker',
  versions: [0, 0],
  flexible: 0,

  request: {
    brokerId: int32,
  },

  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16,
    errorMessage: string.orNull(),
  },
});

/** A decoded UnregisterBroker request. */
export type UnregisterBrokerRequest = RequestOf<typeof UnregisterBroker>;
/** A decoded UnregisterBroker response. */
export type UnregisterBrokerResponse = ResponseOf<typeof UnregisterBroker>;
