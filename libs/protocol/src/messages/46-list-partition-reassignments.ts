/**
 * ListPartitionReassignments: the moves that are under way (KIP-455).
 */
import { api, array, int16, int32, string, type RequestOf, type ResponseOf } from '../schema.js';

/** The ListPartitionReassignments API. */
export const ListPartitionReassignments = api({
  key: 46,
  name: 'ListPartitionReassignments',
  versions: [0, 0],
  flexible: 0,

  request: {
    timeoutMs: int32.default(60000),
    /** Null asks for all. */
    topics: array({ name: string, partitionIndexes: array(int32) })
      .orNull()
      .default(null),
  },

  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16,
    errorMessage: string.orNull(),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        replicas: array(int32),
        addingReplicas: array(int32),
        removingReplicas: array(int32),
      }),
    }),
  },
});

/** A decoded ListPartitionReassignments request. */
export type ListPartitionReassignmentsRequest = RequestOf<typeof ListPartitionReassignments>;
/** A decoded ListPartitionReassignments response. */
export type ListPartitionReassignmentsResponse = ResponseOf<typeof ListPartitionReassignments>;
