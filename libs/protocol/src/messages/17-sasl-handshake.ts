/**
 * SaslHandshake: choose a SASL mechanism.
 *
 *   v0  bare tokens follow    v1  SaslAuthenticate requests follow (KIP-152)
 */
import { api, array, int16, string, type RequestOf, type ResponseOf } from '../schema.js';

/** The SaslHandshake API. It never becomes flexible: old clients could not negotiate it (KAFKA-9577). */
export const SaslHandshake = api({
  key: 17,
  name: 'SaslHandshake',
  versions: [0, 1],
  flexible: null,

  request: {
    mechanism: string,
  },

  response: {
    errorCode: int16,
    mechanisms: array(string),
  },
});

/** A decoded SaslHandshake request. */
export type SaslHandshakeRequest = RequestOf<typeof SaslHandshake>;
/** A decoded SaslHandshake response. */
export type SaslHandshakeResponse = ResponseOf<typeof SaslHandshake>;
