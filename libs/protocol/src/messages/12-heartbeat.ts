/**
 * Heartbeat: a member is alive; the answer tells it of a rebalance.
 *
 *   v1  throttle time    v3  static members (KIP-345)    v4  flexible
 */
import { api, int16, int32, string, type RequestOf, type ResponseOf } from '../schema.js';

/** The Heartbeat API. */
export const Heartbeat = api({
  key: 12,
  name: 'Heartbeat',
  versions: [0, 4],
  flexible: 4,

  request: {
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: string.orNull().since(3).default(null),
  },

  response: {
    throttleTimeMs: int32.since(1).ignorable(),
    errorCode: int16,
  },
});

/** A decoded Heartbeat request. */
export type HeartbeatRequest = RequestOf<typeof Heartbeat>;
/** A decoded Heartbeat response. */
export type HeartbeatResponse = ResponseOf<typeof Heartbeat>;
