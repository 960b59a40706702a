/**
 * FindCoordinator: which broker coordinates a group, a transaction or a share partition.
 *
 *   v1  key type, throttle time    v5  may answer TRANSACTION_ABORTABLE (KIP-890)
 *   v3  flexible                   v6  share groups (KIP-932)
 *   v4  several keys at once (KIP-699)
 */
import { api, array, int8, int16, int32, string, type RequestOf, type ResponseOf } from '../schema.js';

/** The FindCoordinator API. Up to v3 one key, from v4 on `coordinatorKeys` and `coordinators`. */
export const FindCoordinator = api({
  key: 10,
  name: 'FindCoordinator',
  versions: [0, 6],
  flexible: 3,

  request: {
    key: string.until(3),
    /** 0 group, 1 transaction, 2 share group ("groupId:topicId:partition"). */
    keyType: int8.since(1).default(0),
    coordinatorKeys: array(string).since(4),
  },

  response: {
    throttleTimeMs: int32.since(1).ignorable(),
    errorCode: int16.until(3),
    errorMessage: string.orNull().since(1).until(3).ignorable(),
    nodeId: int32.until(3),
    host: string.until(3),
    port: int32.until(3),
    coordinators: array({
      key: string,
      nodeId: int32,
      host: string,
      port: int32,
      errorCode: int16,
      errorMessage: string.orNull(),
    }).since(4),
  },
});

/** A decoded FindCoordinator request. */
export type FindCoordinatorRequest = RequestOf<typeof FindCoordinator>;
/** A decoded FindCoordinator response. */
export type FindCoordinatorResponse = ResponseOf<typeof FindCoordinator>;
