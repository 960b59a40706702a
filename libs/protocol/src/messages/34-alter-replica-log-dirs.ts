/**
 * AlterReplicaLogDirs: move replicas to other directories of the same broker (KIP-113).
 *
 *   v2  flexible
 */
import { api, array, int16, int32, string, type RequestOf, type ResponseOf } from '../schema.js';

/** The AlterReplicaLogDirs API. */
export const AlterReplicaLogDirs = api({
  key: 34,
  name: 'AlterReplicaLogDirs',
  versions: [1, 2],
  flexible: 2,

  request: {
    dirs: array({
      path: string,
      topics: array({ name: string, partitions: array(int32) }),
    }),
  },

  response: {
    throttleTimeMs: int32.default(0),
    results: array({
      topicName: string,
      partitions: array({ partitionIndex: int32, errorCode: int16 }),
    }),
  },
});

/** A decoded AlterReplicaLogDirs request. */
export type AlterReplicaLogDirsRequest = RequestOf<typeof AlterReplicaLogDirs>;
/** A decoded AlterReplicaLogDirs response. */
export type AlterReplicaLogDirsResponse = ResponseOf<typeof AlterReplicaLogDirs>;
