/**
 * Metadata: the brokers of the cluster, and the partitions of topics with their leaders.
 *
 *   v1   null asks for all topics (v0: empty)    v7   leader epoch (KIP-320)
 *   v2   cluster id                              v8   authorized operations (KIP-430)
 *   v3   throttle time                           v9   flexible
 *   v4   may forbid to create the topic          v10  topic ids; asking by id works from v12 on (KIP-516)
 *   v5   offline replicas                        v13  an error for the whole answer (KIP-1102)
 */
import { api, array, bool, int16, int32, string, uuid, type RequestOf, type ResponseOf } from '../schema.js';

/** The Metadata API. */
export const Metadata = api({
  key: 3,
  name: 'Metadata',
  versions: [0, 13],
  flexible: 9,

  request: {
    topics: array({
      topicId: uuid.since(10).ignorable(),
      name: string.orNull(10),
    }).orNull(1),
    allowAutoTopicCreation: bool.since(4).default(true),
    includeClusterAuthorizedOperations: bool.since(8).until(10),
    includeTopicAuthorizedOperations: bool.since(8),
  },

  response: {
    throttleTimeMs: int32.since(3).ignorable(),
    brokers: array({
      nodeId: int32,
      host: string,
      port: int32,
      rack: string.orNull(1).since(1).default(null).ignorable(),
    }),
    clusterId: string.orNull(2).since(2).default(null).ignorable(),
    controllerId: int32.since(1).default(-1).ignorable(),
    topics: array({
      errorCode: int16,
      name: string.orNull(12),
      topicId: uuid.since(10).ignorable(),
      isInternal: bool.since(1).default(false).ignorable(),
      partitions: array({
        errorCode: int16,
        partitionIndex: int32,
        /** -1 when there is none. */
        leaderId: int32,
        leaderEpoch: int32.since(7).default(-1).ignorable(),
        replicaNodes: array(int32),
        isrNodes: array(int32),
        offlineReplicas: array(int32).since(5).ignorable(),
      }),
      /** Bits by operation; the default says "not asked for". */
      topicAuthorizedOperations: int32.since(8).default(-2147483648),
    }),
    clusterAuthorizedOperations: int32.since(8).until(10).default(-2147483648),
    errorCode: int16.since(13).ignorable(),
  },
});

/** A decoded Metadata request. */
export type MetadataRequest = RequestOf<typeof Metadata>;
/** A decoded Metadata response. */
export type MetadataResponse = ResponseOf<typeof Metadata>;
