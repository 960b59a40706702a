/**
 * DeleteAcls: remove the access rights that match filters (KIP-140).
 *
 *   v1  pattern type (KIP-290)    v2  flexible    v3  resource type user (KIP-373)
 */
import { api, array, int8, int16, int32, string, type RequestOf, type ResponseOf } from '../schema.js';

/** The DeleteAcls API. Results are in the order of the filters. */
export const DeleteAcls = api({
  key: 31,
  name: 'DeleteAcls',
  versions: [1, 3],
  flexible: 2,

  request: {
    filters: array({
      resourceTypeFilter: int8,
      resourceNameFilter: string.orNull(),
      patternTypeFilter: int8.default(3),
      principalFilter: string.orNull(),
      hostFilter: string.orNull(),
      operation: int8,
      permissionType: int8,
    }),
  },

  response: {
    throttleTimeMs: int32.default(0),
    filterResults: array({
      errorCode: int16,
      errorMessage: string.orNull(),
      matchingAcls: array({
        errorCode: int16,
        errorMessage: string.orNull(),
        resourceType: int8,
        resourceName: string,
        patternType: int8.default(3),
        principal: string,
        host: string,
        operation: int8,
        permissionType: int8,
      }),
    }),
  },
});

/** A decoded DeleteAcls request. */
export type DeleteAclsRequest = RequestOf<typeof DeleteAcls>;
/** A decoded DeleteAcls response. */
export type DeleteAclsResponse = ResponseOf<typeof DeleteAcls>;
