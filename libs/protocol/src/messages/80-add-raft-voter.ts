/**
 * AddRaftVoter: one more controller gets a vote (KIP-853).
 *
 *   v1  may answer before the change is committed (KIP-1186)
 */
import { api, array, bool, int16, uint16, int32, string, uuid, type RequestOf, type ResponseOf } from '../schema.js';

/** The AddRaftVoter API. */
export const AddRaftVoter = api({
  key: 80,
  name: 'AddRaftVoter',
  versions: [0, 1],
  flexible: 0,

  request: {
    clusterId: string.orNull(),
    timeoutMs: int32,
    voterId: int32,
    voterDirectoryId: uuid,
    listeners: array({ name: string, host: string, port: uint16 }),
    ackWhenCommitted: bool.since(1).default(true),
  },

  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16,
    errorMessage: string.orNull(),
  },
});

/** A decoded AddRaftVoter request. */
export type AddRaftVoterRequest = RequestOf<typeof AddRaftVoter>;
/** A decoded AddRaftVoter response. */
export type AddRaftVoterResponse = ResponseOf<typeof AddRaftVoter>;
