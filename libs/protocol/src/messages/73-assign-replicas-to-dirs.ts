/**
 * AssignReplicasToDirs: a broker tells Kafka's controllers in which directories its replicas are (KIP-858).
 */
import { api, array, int16, int32, longId, uuid, type RequestOf, type ResponseOf } from '../schema.js';

/** The AssignReplicasToDirs API. */
export const AssignReplicasToDirs = api({
  key: 73,
  name: 'AssignReplicasToDirs',
  versions: [0, 0],
  flexible: 0,

  request: {
    brokerId: int32,
    brokerEpoch: longId.default(-1),
    directories: array({
      id: uuid,
      topics: array({ topicId: uuid, partitions: array({ partitionIndex: int32 }) }),
    }),
  },

  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16,
    directories: array({
      id: uuid,
      topics: array({
        topicId: uuid,
        partitions: array({ partitionIndex: int32, errorCode: int16 }),
      }),
    }),
  },
});

/** A decoded AssignReplicasToDirs request. */
export type AssignReplicasToDirsRequest = RequestOf<typeof AssignReplicasToDirs>;
/** A decoded AssignReplicasToDirs response. */
export type AssignReplicasToDirsResponse = ResponseOf<typeof AssignReplicasToDirs>;
