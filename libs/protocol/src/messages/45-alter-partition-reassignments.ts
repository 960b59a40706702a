/**
 * AlterPartitionReassignments: move partitions to other brokers, or cancel that (KIP-455). Goes to the controller.
 *
 *   v1  may forbid to change the number of replicas (KIP-860)
 */
import { api, array, bool, int16, int32, string, type RequestOf, type ResponseOf } from '../schema.js';

/** The AlterPartitionReassignments API. */
export const AlterPartitionReassignments = api({
  key: 45,
  name: 'AlterPartitionReassignments',
  versions: [0, 1],
  flexible: 0,

  request: {
    timeoutMs: int32.default(60000),
    allowReplicationFactorChange: bool.since(1).default(true),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        /** Null cancels a move that is under way. */
        replicas: array(int32).orNull().default(null),
      }),
    }),
  },

  response: {
    throttleTimeMs: int32.default(0),
    allowReplicationFactorChange: bool.since(1).default(true).ignorable(),
    errorCode: int16,
    errorMessage: string.orNull(),
    responses: array({
      name: string,
      partitions: array({ partitionIndex: int32, errorCode: int16, errorMessage: string.orNull() }),
    }),
  },
});

/** A decoded AlterPartitionReassignments request. */
export type AlterPartitionReassignmentsRequest = RequestOf<typeof AlterPartitionReassignments>;
/** A decoded AlterPartitionReassignments response. */
export type AlterPartitionReassignmentsResponse = ResponseOf<typeof AlterPartitionReassignments>;
