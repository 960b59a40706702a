/**
 * LeaveGroup: members leave their group.
 *
 *   v1  throttle time                                v4  flexible
 *   v3  several members at once, static ones too     v5  reason (KIP-800)
 */
import { api, array, int16, int32, string, type RequestOf, type ResponseOf } from '../schema.js';

/** The LeaveGroup API. Up to v2 one `memberId`, from v3 on `members` with an error each. */
export const LeaveGroup = api({
  key: 13,
  name: 'LeaveGroup',
  versions: [0, 5],
  flexible: 4,

  request: {
    groupId: string,
    memberId: string.until(2),
    members: array({
      memberId: string,
      groupInstanceId: string.orNull().default(null),
      reason: string.orNull().since(5).default(null).ignorable(),
    }).since(3),
  },

  response: {
    throttleTimeMs: int32.since(1).ignorable(),
    errorCode: int16,
    members: array({
      memberId: string,
      groupInstanceId: string.orNull(),
      errorCode: int16,
    }).since(3),
  },
});

/** A decoded LeaveGroup request. */
export type LeaveGroupRequest = RequestOf<typeof LeaveGroup>;
/** A decoded LeaveGroup response. */
export type LeaveGroupResponse = ResponseOf<typeof LeaveGroup>;
