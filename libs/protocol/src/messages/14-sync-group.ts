/**
 * SyncGroup: the leader hands in the assignments, every member gets its own.
 *
 *   v1  throttle time               v4  flexible
 *   v3  static members (KIP-345)    v5  protocol type and name are compared (KIP-559)
 */
import { api, array, int16, int32, string, bytes, type RequestOf, type ResponseOf } from '../schema.js';

/** The SyncGroup API. */
export const SyncGroup = api({
  key: 14,
  name: 'SyncGroup',
  versions: [0, 5],
  flexible: 4,

  request: {
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: string.orNull().since(3).default(null),
    protocolType: string.orNull().since(5).default(null).ignorable(),
    protocolName: string.orNull().since(5).default(null).ignorable(),
    /** Empty unless the sender is the leader. */
    assignments: array({ memberId: string, assignment: bytes }),
  },

  response: {
    throttleTimeMs: int32.since(1).ignorable(),
    errorCode: int16,
    protocolType: string.orNull().since(5).default(null).ignorable(),
    protocolName: string.orNull().since(5).default(null).ignorable(),
    assignment: bytes,
  },
});

/** A decoded SyncGroup request. */
export type SyncGroupRequest = RequestOf<typeof SyncGroup>;
/** A decoded SyncGroup response. */
export type SyncGroupResponse = ResponseOf<typeof SyncGroup>;
