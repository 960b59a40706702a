/**
 * Envelope: a broker forwards a client's request to the controller (KIP-590).
 */
import { api, int16, bytes, type RequestOf, type ResponseOf } from '../schema.js';

/** The Envelope API. */
export const Envelope = api({
  key: 58,
  name: 'Envelope',
  versions: [0, 0],
  flexible: 0,

  request: {
    /** Header and body of the client's request. */
    requestData: bytes,
    requestPrincipal: bytes.orNull(),
    /** 4 or 16 bytes. */
    clientHostAddress: bytes,
  },

  response: {
    /** Header and body of the answer. */
    responseData: bytes.orNull().default(null),
    errorCode: int16,
  },
});

/** A decoded Envelope request. */
export type EnvelopeRequest = RequestOf<typeof Envelope>;
/** A decoded Envelope response. */
export type EnvelopeResponse = ResponseOf<typeof Envelope>;
