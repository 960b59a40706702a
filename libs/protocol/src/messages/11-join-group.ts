/**
 * JoinGroup: enter a group, or enter its next generation.
 *
 *   v1  rebalance timeout                           v6  flexible
 *   v2  throttle time                               v7  the protocol type comes back (KIP-559)
 *   v4  MEMBER_ID_REQUIRED, join twice (KIP-394)    v8  reason (KIP-800)
 *   v5  static members (KIP-345)                    v9  the leader may be told to skip assigning (KIP-814)
 */
import { api, array, bool, int16, int32, string, bytes, type RequestOf, type ResponseOf } from '../schema.js';

/** The JoinGroup API. The answer comes when all members have joined; only the leader gets `members`. */
export const JoinGroup = api({
  key: 11,
  name: 'JoinGroup',
  versions: [0, 9],
  flexible: 6,

  request: {
    groupId: string,
    sessionTimeoutMs: int32,
    /** -1 (v0): the session timeout counts for both. */
    rebalanceTimeoutMs: int32.since(1).default(-1).ignorable(),
    memberId: string,
    groupInstanceId: string.orNull().since(5).default(null),
    protocolType: string,
    /** In the member's order of preference. */
    protocols: array({ name: string, metadata: bytes }),
    reason: string.orNull().since(8).default(null).ignorable(),
  },

  response: {
    throttleTimeMs: int32.since(2).ignorable(),
    errorCode: int16,
    generationId: int32.default(-1),
    protocolType: string.orNull().since(7).default(null).ignorable(),
    protocolName: string.orNull(7),
    leader: string,
    skipAssignment: bool.since(9).default(false),
    memberId: string,
    members: array({
      memberId: string,
      groupInstanceId: string.orNull().since(5).default(null).ignorable(),
      metadata: bytes,
    }),
  },
});

/** A decoded JoinGroup request. */
export type JoinGroupRequest = RequestOf<typeof JoinGroup>;
/** A decoded JoinGroup response. */
export type JoinGroupResponse = ResponseOf<typeof JoinGroup>;
