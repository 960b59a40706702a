/**
 * Vote: a controller asks another for its vote (KIP-595). Kafka's controllers use it among themselves.
 *
 *   v1  voter and directory ids (KIP-853)    v2  pre-vote (KIP-996)
 */
import {
  api,
  array,
  bool,
  int16,
  uint16,
  int32,
  offset,
  string,
  uuid,
  type RequestOf,
  type ResponseOf,
} from '../schema.js';

/** The Vote API. */
export const Vote = api({
  key: 52,
  name: 'Vote',
  versions: [0, 2],
  flexible: 0,

  request: {
    clusterId: string.orNull().default(null),
    voterId: int32.since(1).default(-1).ignorable(),
    topics: array({
      topicName: string,
      partitions: array({
        partitionIndex: int32,
        replicaEpoch: int32,
        replicaId: int32,
        replicaDirectoryId: uuid.since(1).ignorable(),
        voterDirectoryId: uuid.since(1).ignorable(),
        lastOffsetEpoch: int32,
        lastOffset: offset,
        preVote: bool.since(2),
      }),
    }),
  },

  response: {
    errorCode: int16,
    topics: array({
      topicName: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        leaderId: int32,
        leaderEpoch: int32,
        voteGranted: bool,
      }),
    }),
    nodeEndpoints: array({ nodeId: int32, host: string, port: uint16 }).since(1).tagged(0),
  },
});

/** A decoded Vote request. */
export type VoteRequest = RequestOf<typeof Vote>;
/** A decoded Vote response. */
export type VoteResponse = ResponseOf<typeof Vote>;
