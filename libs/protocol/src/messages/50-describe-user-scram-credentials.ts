/**
 * DescribeUserScramCredentials: which SCRAM mechanisms users have, without the secrets (KIP-554).
 */
import { api, array, int8, int16, int32, string, type RequestOf, type ResponseOf } from '../schema.js';

/** The DescribeUserScramCredentials API. */
export const DescribeUserScramCredentials = api({
  key: 50,
  name: 'DescribeUserScramCredentials',
  versions: [0, 0],
  flexible: 0,

  request: {
    /** Null or empty asks for all. */
    users: array({ name: string }).orNull(),
  },

  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16,
    errorMessage: string.orNull(),
    results: array({
      user: string,
      errorCode: int16,
      errorMessage: string.orNull(),
      /** 1 SCRAM-SHA-256, 2 SCRAM-SHA-512. */
      credentialInfos: array({ mechanism: int8, iterations: int32 }),
    }),
  },
});

/** A decoded DescribeUserScramCredentials request. */
export type DescribeUserScramCredentialsRequest = RequestOf<typeof DescribeUserScramCredentials>;
/** A decoded DescribeUserScramCredentials response. */
export type DescribeUserScramCredentialsResponse = ResponseOf<typeof DescribeUserScramCredentials>;
