/**
 * DescribeDelegationToken: the tokens of owners (KIP-48).
 *
 *   v2  flexible    v3  who asked for the token (KIP-373)
 */
import { api, array, int16, int32, timestamp, string, bytes, type RequestOf, type ResponseOf } from '../schema.js';

/** The DescribeDelegationToken API. */
export const DescribeDelegationToken = api({
  key: 41,
  name: 'DescribeDelegationToken',
  versions: [1, 3],
  flexible: 2,

  request: {
    /** Null asks for all. */
    owners: array({ principalType: string, principalName: string }).orNull(),
  },

  response: {
    errorCode: int16,
    tokens: array({
      principalType: string,
      principalName: string,
      tokenRequesterPrincipalType: string.since(3),
      tokenRequesterPrincipalName: string.since(3),
      issueTimestamp: timestamp,
      expiryTimestamp: timestamp,
      maxTimestamp: timestamp,
      tokenId: string,
      hmac: bytes,
      renewers: array({ principalType: string, principalName: string }),
    }),
    throttleTimeMs: int32.default(0),
  },
});

/** A decoded DescribeDelegationToken request. */
export type DescribeDelegationTokenRequest = RequestOf<typeof DescribeDelegationToken>;
/** A decoded DescribeDelegationToken response. */
export type DescribeDelegationTokenResponse = ResponseOf<typeof DescribeDelegationToken>;
