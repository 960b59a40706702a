/**
 * BeginQuorumEpoch: a new leader of the controllers makes itself known (KIP-595).
 *
 *   v1  flexible, voter key and endpoints (KIP-853)
 */
import { api, array, int16, uint16, int32, string, uuid, type RequestOf, type ResponseOf } from '../schema.js';

/** The BeginQuorumEpoch API. */
export const BeginQuorumEpoch = api({
  key: 53,
  name: 'BeginQuorumEpoch',
  versions: [0, 1],
  flexible: 1,

  request: {
    clusterId: string.orNull().default(null),
    voterId: int32.since(1).default(-1).ignorable(),
    topics: array({
      topicName: string,
      partitions: array({
        partitionIndex: int32,
        voterDirectoryId: uuid.since(1).ignorable(),
        leaderId: int32,
        leaderEpoch: int32,
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

/** A decoded BeginQuorumEpoch request. */
export type BeginQuorumEpochRequest = RequestOf<typeof BeginQuorumEpoch>;
/** A decoded BeginQuorumEpoch response. */
export type BeginQuorumEpochResponse = ResponseOf<typeof BeginQuorumEpoch>;
