/**
 * DescribeTopicPartitions: topics and partitions, page by page (KIP-966).
 */
import { api, array, struct, bool, int16, int32, string, uuid, type RequestOf, type ResponseOf } from '../schema.js';

/** The DescribeTopicPartitions API. */
export const DescribeTopicPartitions = api({
  key: 75,
  name: 'DescribeTopicPartitions',
  versions: [0, 0],
  flexible: 0,

  request: {
    /** Empty asks for all. */
    topics: array({ name: string }),
    responsePartitionLimit: int32.default(2000),
    /** Where to go on. */
    cursor: struct({ topicName: string, partitionIndex: int32 }).orNull().default(null),
  },

  response: {
    throttleTimeMs: int32.default(0),
    topics: array({
      errorCode: int16,
      name: string.orNull(),
      topicId: uuid,
      isInternal: bool.default(false),
      partitions: array({
        errorCode: int16,
        partitionIndex: int32,
        leaderId: int32,
        leaderEpoch: int32.default(-1),
        replicaNodes: array(int32),
        isrNodes: array(int32),
        eligibleLeaderReplicas: array(int32).orNull().default(null),
        lastKnownElr: array(int32).orNull().default(null),
        offlineReplicas: array(int32),
      }),
      topicAuthorizedOperations: int32.default(-2147483648),
    }),
    /** Null on the last page. */
    nextCursor: struct({ topicName: string, partitionIndex: int32 }).orNull().default(null),
  },
});

/** A decoded DescribeTopicPartitions request. */
export type DescribeTopicPartitionsRequest = RequestOf<typeof DescribeTopicPartitions>;
/** A decoded DescribeTopicPartitions response. */
export type DescribeTopicPartitionsResponse = ResponseOf<typeof DescribeTopicPartitions>;
