/**
 * SaslAuthenticate: one step of a SASL exchange (KIP-152).
 *
 *   v1  session lifetime (KIP-368)    v2  flexible
 */
import { api, int16, duration, string, bytes, type RequestOf, type ResponseOf } from '../schema.js';

/** The SaslAuthenticate API. */
export const SaslAuthenticate = api({
  key: 36,
  name: 'SaslAuthenticate',
  versions: [0, 2],
  flexible: 2,

  request: {
    authBytes: bytes,
  },

  response: {
    errorCode: int16,
    errorMessage: string.orNull(),
    authBytes: bytes,
    /** When to authenticate again; 0 is never. */
    sessionLifetimeMs: duration.since(1).default(0).ignorable(),
  },
});

/** A decoded SaslAuthenticate request. */
export type SaslAuthenticateRequest = RequestOf<typeof SaslAuthenticate>;
/** A decoded SaslAuthenticate response. */
export type SaslAuthenticateResponse = ResponseOf<typeof SaslAuthenticate>;
