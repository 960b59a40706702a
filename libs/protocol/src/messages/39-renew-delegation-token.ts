/**
 * RenewDelegationToken: let a token live longer (KIP-48).
 *
 *   v2  flexible
 */
import { api, int16, int32, timestamp, duration, bytes, type RequestOf, type ResponseOf } from '../schema.js';

/** The RenewDelegationToken API. */
export const RenewDelegationToken = api({
  key: 39,
  name: 'RenewDelegationToken',
  versions: [1, 2],
  flexible: 2,

  request: {
    hmac: bytes,
    renewPeriodMs: duration,
  },

  response: {
    errorCode: int16,
    expiryTimestampMs: timestamp,
    throttleTimeMs: int32.default(0),
  },
});

/** A decoded RenewDelegationToken request. */
export type RenewDelegationTokenRequest = RequestOf<typeof RenewDelegationToken>;
/** A decoded RenewDelegationToken response. */
export type RenewDelegationTokenResponse = ResponseOf<typeof RenewDelegationToken>;
