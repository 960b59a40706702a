/**
 * AlterPartition: a leader asks the controller to change the in-sync replicas (KIP-497).
 *
 *   v2  topic ids (KIP-841)    v3  broker epochs of the replicas (KIP-903)
 */
import { api, array, int8, int16, int32, longId, uuid, type RequestOf, type ResponseOf } from '../schema.js';

/** The AlterPartition API. */
export const AlterPartition = api({
  key: 56,
  name: 'AlterPartition',
  versions: [2, 3],
  flexible: 0,

  request: {
    brokerId: int32,
    brokerEpoch: longId.default(-1),
    topics: array({
      topicId: uuid,
      partitions: array({
        partitionIndex: int32,
        leaderEpoch: int32,
        newIsr: array(int32).until(2),
        newIsrWithEpochs: array({ brokerId: int32, brokerEpoch: longId.default(-1) }).since(3),
        /** 1 while a leader elected from outside the in-sync replicas recovers, else 0. */
        leaderRecoveryState: int8.default(0),
        partitionEpoch: int32,
      }),
    }),
  },

  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16,
    topics: array({
      topicId: uuid,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        leaderId: int32,
        leaderEpoch: int32,
        isr: array(int32),
        leaderRecoveryState: int8.default(0),
        partitionEpoch: int32,
      }),
    }),
  },
});

/** A decoded AlterPartition request. */
export type AlterPartitionRequest = RequestOf<typeof AlterPartition>;
/** A decoded AlterPartition response. */
export type AlterPartitionResponse = ResponseOf<typeof AlterPartition>;
