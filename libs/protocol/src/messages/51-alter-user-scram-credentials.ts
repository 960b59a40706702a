/**
 * AlterUserScramCredentials: set or delete SCRAM credentials (KIP-554). The password itself never travels.
 */
import { api, array, int8, int16, int32, string, bytes, type RequestOf, type ResponseOf } from '../schema.js';

/** The AlterUserScramCredentials API. */
export const AlterUserScramCredentials = api({
  key: 51,
  name: 'AlterUserScramCredentials',
  versions: [0, 0],
  flexible: 0,

  request: {
    deletions: array({ name: string, mechanism: int8 }),
    upsertions: array({
      name: string,
      mechanism: int8,
      iterations: int32,
      salt: bytes,
      saltedPassword: bytes,
    }),
  },

  response: {
    throttleTimeMs: int32.default(0),
    results: array({ user: string, errorCode: int16, errorMessage: string.orNull() }),
  },
});

/** A decoded AlterUserScramCredentials request. */
export type AlterUserScramCredentialsRequest = RequestOf<typeof AlterUserScramCredentials>;
/** A decoded AlterUserScramCredentials response. */
export type AlterUserScramCredentialsResponse = ResponseOf<typeof AlterUserScramCredentials>;
