/**
 * ReadShareGroupStateSummary: the start of share partitions, without their batches (KIP-932).
 *
 *   v1  number of finished deliveries (KIP-1226)
 */
import { api, array, int16, int32, offset, string, uuid, type RequestOf, type ResponseOf } from '../schema.js';

/** The ReadShareGroupStateSummary API. */
export const ReadShareGroupStateSummary = api({
  key: 87,
  name: 'ReadShareGroupStateSummary',
  versions: [0, 1],
  flexible: 0,

  request: {
    groupId: string,
    topics: array({
      topicId: uuid,
      partitions: array({ partition: int32, leaderEpoch: int32 }),
    }),
  },

  response: {
    results: array({
      topicId: uuid,
      partitions: array({
        partition: int32,
        errorCode: int16,
        errorMessage: string.orNull().default(null),
        stateEpoch: int32,
        leaderEpoch: int32,
        startOffset: offset,
        deliveryCompleteCount: int32.since(1).default(-1).ignorable(),
      }),
    }),
  },
});

/** A decoded ReadShareGroupStateSummary request. */
export type ReadShareGroupStateSummaryRequest = RequestOf<typeof ReadShareGroupStateSummary>;
/** A decoded ReadShareGroupStateSummary response. */
export type ReadShareGroupStateSummaryResponse = ResponseOf<typeof ReadShareGroupStateSummary>;
