/**
 * WriteShareGroupState: a partition leader stores the state of its share partitions (KIP-932).
 *
 *   v1  number of finished deliveries (KIP-1226)
 */
import { api, array, int8, int16, int32, offset, string, uuid, type RequestOf, type ResponseOf } from '../schema.js';

/** The WriteShareGroupState API. */
export const WriteShareGroupState = api({
  key: 85,
  name: 'WriteShareGroupState',
  versions: [0, 1],
  flexible: 0,

  request: {
    groupId: string,
    topics: array({
      topicId: uuid,
      partitions: array({
        partition: int32,
        stateEpoch: int32,
        leaderEpoch: int32,
        /** -1 leaves it as it is. */
        startOffset: offset,
        deliveryCompleteCount: int32.since(1).default(-1).ignorable(),
        stateBatches: array({
          firstOffset: offset,
          lastOffset: offset,
          deliveryState: int8,
          deliveryCount: int16,
        }),
      }),
    }),
  },

  response: {
    results: array({
      topicId: uuid,
      partitions: array({ partition: int32, errorCode: int16, errorMessage: string.orNull().default(null) }),
    }),
  },
});

/** A decoded WriteShareGroupState request. */
export type WriteShareGroupStateRequest = RequestOf<typeof WriteShareGroupState>;
/** A decoded WriteShareGroupState response. */
export type WriteShareGroupStateResponse = ResponseOf<typeof WriteShareGroupState>;
