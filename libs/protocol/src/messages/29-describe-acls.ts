/**
 * DescribeAcls: the access rights that match a filter (KIP-140).
 *
 *   v1  pattern type (KIP-290)    v2  flexible    v3  resource type user (KIP-373)
 */
import { api, array, int8, int16, int32, string, type RequestOf, type ResponseOf } from '../schema.js';

/** The DescribeAcls API. In filters null and 1 ("any") match everything. */
export const DescribeAcls = api({
  key: 29,
  name: 'DescribeAcls',
  versions: [1, 3],
  flexible: 2,

  request: {
    /** 1 any, 2 topic, 3 group, 4 cluster, 5 transactional id, 6 delegation token, 7 user. */
    resourceTypeFilter: int8,
    resourceNameFilter: string.orNull(),
    /** 1 any, 2 match, 3 literal, 4 prefixed. */
    patternTypeFilter: int8.default(3),
    principalFilter: string.orNull(),
    hostFilter: string.orNull(),
    operation: int8,
    /** 1 any, 2 deny, 3 allow. */
    permissionType: int8,
  },

  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16,
    errorMessage: string.orNull(),
    resources: array({
      resourceType: int8,
      resourceName: string,
      patternType: int8.default(3),
      acls: array({ principal: string, host: string, operation: int8, permissionType: int8 }),
    }),
  },
});

/** A decoded DescribeAcls request. */
export type DescribeAclsRequest = RequestOf<typeof DescribeAcls>;
/** A decoded DescribeAcls response. */
export type DescribeAclsResponse = ResponseOf<typeof DescribeAcls>;
