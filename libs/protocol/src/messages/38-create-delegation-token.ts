/**
 * CreateDelegationToken: a token in place of a password (KIP-48).
 *
 *   v2  flexible    v3  on behalf of another owner (KIP-373)
 */
import {
  api,
  array,
  int16,
  int32,
  timestamp,
  duration,
  string,
  bytes,
  type RequestOf,
  type ResponseOf,
} from '../schema.js';

/** The CreateDelegationToken API. */
export const CreateDelegationToken = api({
  key: 38,
  name: 'CreateDelegationToken',
  versions: [1, 3],
  flexible: 2,

  request: {
    /** Null: the owner is the user who asks. */
    ownerPrincipalType: string.orNull().since(3),
    ownerPrincipalName: string.orNull().since(3),
    renewers: array({ principalType: string, principalName: string }),
    /** -1 is the broker's maximum. */
    maxLifetimeMs: duration,
  },

  response: {
    errorCode: int16,
    principalType: string,
    principalName: string,
    tokenRequesterPrincipalType: string.since(3),
    tokenRequesterPrincipalName: string.since(3),
    issueTimestampMs: timestamp,
    expiryTimestampMs: timestamp,
    maxTimestampMs: timestamp,
    tokenId: string,
    hmac: bytes,
    throttleTimeMs: int32.default(0),
  },
});

/** A decoded CreateDelegationToken request. */
export type CreateDelegationTokenRequest = RequestOf<typeof CreateDelegationToken>;
/** A decoded CreateDelegationToken response. */
export type CreateDelegationTokenResponse = ResponseOf<typeof CreateDelegationToken>;
