/**
 * RemoveRaftVoter: a controller loses its vote (KIP-853).
 */
import { api, int16, int32, string, uuid, type RequestOf, type ResponseOf } from '../schema.js';

/** The RemoveRaftVoter API. */
export const RemoveRaftVoter = api({
  key: 81,
  name: 'RemoveRaftVoter',
  versions: [0, 0],
  flexible: 0,

  request: {
    clusterId: string.orNull(),
    voterId: int32,
    voterDirectoryId: uuid,
  },

  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16,
    errorMessage: string.orNull(),
  },
});

/** A decoded RemoveRaftVoter request. */
export type RemoveRaftVoterRequest = RequestOf<typeof RemoveRaftVoter>;
/** A decoded RemoveRaftVoter response. */
export type RemoveRaftVoterResponse = ResponseOf<typeof RemoveRaftVoter>;
