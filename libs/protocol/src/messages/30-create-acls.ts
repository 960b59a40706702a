/**
 * CreateAcls: add access rights (KIP-140).
 *
 *   v1  pattern type (KIP-290)    v2  flexible    v3  resource type user (KIP-373)
 */
import { api, array, int8, int16, int32, string, type RequestOf, type ResponseOf } from '../schema.js';

/** The CreateAcls API. Results are in the order of the creations. */
export const CreateAcls = api({
  key: 30,
  name: 'CreateAcls',
  versions: [1, 3],
  flexible: 2,

  request: {
    creations: array({
      resourceType: int8,
      resourceName: string,
      resourcePatternType: int8.default(3),
      principal: string,
      host: string,
      operation: int8,
      permissionType: int8,
    }),
  },

  response: {
    throttleTimeMs: int32.default(0),
    results: array({ errorCode: int16, errorMessage: string.orNull() }),
  },
});

/** A decoded CreateAcls request. */
export type CreateAclsRequest = RequestOf<typeof CreateAcls>;
/** A decoded CreateAcls response. */
export type CreateAclsResponse = ResponseOf<typeof CreateAcls>;
