/**
 * DescribeGroups: state and members of classic groups.
 *
 *   v1  throttle time                       v5  flexible
 *   v3  authorized operations (KIP-430)     v6  GROUP_ID_NOT_FOUND with a message (KIP-1043)
 *   v4  static members (KIP-345)
 */
import { api, array, bool, int16, int32, string, bytes, type RequestOf, type ResponseOf } from '../schema.js';

/** The DescribeGroups API. Before v6 an unknown group is in the state "Dead", without an error. */
export const DescribeGroups = api({
  key: 15,
  name: 'DescribeGroups',
  versions: [0, 6],
  flexible: 5,

  request: {
    groups: array(string),
    includeAuthorizedOperations: bool.since(3),
  },

  response: {
    throttleTimeMs: int32.since(1).ignorable(),
    groups: array({
      errorCode: int16,
      errorMessage: string.orNull().since(6).default(null),
      groupId: string,
      /** "Empty", "PreparingRebalance", "CompletingRebalance", "Stable" or "Dead". */
      groupState: string,
      protocolType: string,
      /** The chosen assignment strategy; empty unless the group is stable. */
      protocolData: string,
      members: array({
        memberId: string,
        groupInstanceId: string.orNull().since(4).default(null).ignorable(),
        clientId: string,
        clientHost: string,
        memberMetadata: bytes,
        memberAssignment: bytes,
      }),
      authorizedOperations: int32.since(3).default(-2147483648),
    }),
  },
});

/** A decoded DescribeGroups request. */
export type DescribeGroupsRequest = RequestOf<typeof DescribeGroups>;
/** A decoded DescribeGroups response. */
export type DescribeGroupsResponse = ResponseOf<typeof DescribeGroups>;
