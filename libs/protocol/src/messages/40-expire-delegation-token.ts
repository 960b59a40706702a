/**
 * ExpireDelegationToken: let a token end sooner (KIP-48).
 *
 *   v2  flexible
 */
import { api, int16, int32, timestamp, duration, bytes, type RequestOf, type ResponseOf } from '../schema.js';

/** The ExpireDelegationToken API. */
export const ExpireDelegationToken = api({
  key: 40,
  name: 'ExpireDelegationToken',
  versions: [1, 2],
  flexible: 2,

  request: {
    hmac: bytes,
    /** From now on; negative is at once. */
    expiryTimePeriodMs: duration,
  },

  response: {
    errorCode: int16,
    expiryTimestampMs: timestamp,
    throttleTimeMs: int32.default(0),
  },
});

/** A decoded ExpireDelegationToken request. */
export type ExpireDelegationTokenRequest = RequestOf<typeof ExpireDelegationToken>;
/** A decoded ExpireDelegationToken response. */
export type ExpireDelegationTokenResponse = ResponseOf<typeof ExpireDelegationToken>;
