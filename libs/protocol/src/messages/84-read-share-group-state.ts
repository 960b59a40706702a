/**
 * ReadShareGroupState: a partition leader reads the state of its share partitions (KIP-932).
 */
import { api, array, int8, int16, int32, offset, string, uuid, type RequestOf, type ResponseOf } from '../schema.js';

/** The ReadShareGroupState API. */
export const ReadShareGroupState = api({
  key: 84,
  name: 'ReadShareGroupState',
  versions: [0, 0],
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
        startOffset: offset,
        stateBatches: array({
          firstOffset: offset,
          lastOffset: offset,
          /** 0 available, 2 acknowledged, 4 archived. */
          deliveryState: int8,
          deliveryCount: int16,
        }),
      }),
    }),
  },
});

/** A decoded ReadShareGroupState request. */
export type ReadShareGroupStateRequest = RequestOf<typeof ReadShareGroupState>;
/** A decoded ReadShareGroupState response. */
export type ReadShareGroupStateResponse = ResponseOf<typeof ReadShareGroupState>;
