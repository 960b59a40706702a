/**
 * EndQuorumEpoch: a leader of the controllers resigns (KIP-595).
 *
 *   v1  flexible, candidates with directory ids, endpoints (KIP-853)
 */
import { api, array, int16, uint16, int32, string, uuid, type RequestOf, type ResponseOf } from '../schema.js';

/** The EndQuorumEpoch API. */
export const EndQuorumEpoch = api({
  key: 54,
  name: 'EndQuorumEpoch',
  versions: [0, 1],
  flexible: 1,

  request: {
    clusterId: string.orNull().default(null),
    topics: array({
      topicName: string,
      partitions: array({
        partitionIndex: int32,
        leaderId: int32,
        leaderEpoch: int32,
        preferredSuccessors: array(int32).until(0).ignorable(),
        preferredCandidates: array({ candidateId: int32, candidateDirectoryId: uuid }).since(1).ignorable(),
      }),
    }),
    leaderEndpoints: array({ name: string, host: string, port: uint16 }).since(1).ignorable(),
  },

  response: {
    errorCode: int16,
    topics: array({
      topicName: string,
      partitions: array({ partitionIndex: int32, errorCode: int16, leaderId: int32, leaderEpoch: int32 }),
    }),
    nodeEndpoints: array({ nodeId: int32, host: string, port: uint16 }).since(1).tagged(0),
  },
});

/** A decoded EndQuorumEpoch request. */
export type EndQuorumEpochRequest = RequestOf<typeof EndQuorumEpoch>;
/** A decoded EndQuorumEpoch response. */
export type EndQuorumEpochResponse = ResponseOf<typeof EndQuorumEpoch>;
