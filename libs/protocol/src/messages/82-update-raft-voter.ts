/**
 * UpdateRaftVoter: a controller with a vote changes its endpoints or versions (KIP-853).
 */
import { api, array, struct, int16, uint16, int32, string, uuid, type RequestOf, type ResponseOf } from '../schema.js';

/** The UpdateRaftVoter API. */
export const UpdateRaftVoter = api({
  key: 82,
  name: 'UpdateRaftVoter',
  versions: [0, 0],
  flexible: 0,

  request: {
    clusterId: string.orNull(),
    currentLeaderEpoch: int32,
    voterId: int32,
    voterDirectoryId: uuid,
    listeners: array({ name: string, host: string, port: uint16 }),
    kRaftVersionFeature: struct({ minSupportedVersion: int16, maxSupportedVersion: int16 }),
  },

  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16,
    currentLeader: struct({
      leaderId: int32.default(-1),
      leaderEpoch: int32.default(-1),
      host: string,
      port: int32,
    }).tagged(0),
  },
});

/** A decoded UpdateRaftVoter request. */
export type UpdateRaftVoterRequest = RequestOf<typeof UpdateRaftVoter>;
/** A decoded UpdateRaftVoter response. */
export type UpdateRaftVoterResponse = ResponseOf<typeof UpdateRaftVoter>;
