/**
 * DescribeQuorum: state of the controllers' own log (KIP-642). Only clusters without ZooKeeper have one.
 *
 *   v1  fetch times (KIP-836)    v2  messages, nodes, directory ids (KIP-853)
 */
import {
  api,
  array,
  int16,
  uint16,
  int32,
  offset,
  timestamp,
  string,
  uuid,
  type RequestOf,
  type ResponseOf,
} from '../schema.js';

const replicaState = {
  replicaId: int32,
  replicaDirectoryId: uuid.since(2),
  logEndOffset: offset,
  lastFetchTimestamp: timestamp.since(1).default(-1).ignorable(),
  lastCaughtUpTimestamp: timestamp.since(1).default(-1).ignorable(),
};

/** The DescribeQuorum API. */
export const DescribeQuorum = api({
  key: 55,
  name: 'DescribeQuorum',
  versions: [0, 2],
  flexible: 0,

  request: {
    topics: array({ topicName: string, partitions: array({ partitionIndex: int32 }) }),
  },

  response: {
    errorCode: int16,
    errorMessage: string.orNull().since(2).ignorable(),
    topics: array({
      topicName: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        errorMessage: string.orNull().since(2).ignorable(),
        leaderId: int32,
        leaderEpoch: int32,
        highWatermark: offset,
        currentVoters: array(replicaState),
        observers: array(replicaState),
      }),
    }),
    nodes: array({
      nodeId: int32,
      listeners: array({ name: string, host: string, port: uint16 }),
    }).since(2),
  },
});

/** A decoded DescribeQuorum request. */
export type DescribeQuorumRequest = RequestOf<typeof DescribeQuorum>;
/** A decoded DescribeQuorum response. */
export type DescribeQuorumResponse = ResponseOf<typeof DescribeQuorum>;
