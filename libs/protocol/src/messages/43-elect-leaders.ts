/**
 * ElectLeaders: elect the preferred or any living replica as leader (KIP-183). Goes to the controller.
 *
 *   v1  election type, top-level error (KIP-460)    v2  flexible
 */
import { api, array, int8, int16, int32, string, type RequestOf, type ResponseOf } from '../schema.js';

/** The ElectLeaders API. */
export const ElectLeaders = api({
  key: 43,
  name: 'ElectLeaders',
  versions: [0, 2],
  flexible: 2,

  request: {
    /** 0 preferred, 1 unclean. */
    electionType: int8.since(1),
    /** Null asks for all partitions. */
    topicPartitions: array({ topic: string, partitions: array(int32) }).orNull(),
    timeoutMs: int32.default(60000),
  },

  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16.since(1),
    replicaElectionResults: array({
      topic: string,
      partitionResult: array({ partitionId: int32, errorCode: int16, errorMessage: string.orNull() }),
    }),
  },
});

/** A decoded ElectLeaders request. */
export type ElectLeadersRequest = RequestOf<typeof ElectLeaders>;
/** A decoded ElectLeaders response. */
export type ElectLeadersResponse = ResponseOf<typeof ElectLeaders>;
