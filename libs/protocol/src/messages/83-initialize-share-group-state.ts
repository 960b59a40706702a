/**
 * InitializeShareGroupState: a group coordinator creates the state of share partitions (KIP-932).
 */
import { api, array, int16, int32, offset, string, uuid, type RequestOf, type ResponseOf } from '../schema.js';

/** The InitializeShareGroupState API. Goes to the share coordinator, as all from 83 to 87. */
export const InitializeShareGroupState = api({
  key: 83,
  name: 'InitializeShareGroupState',
  versions: [0, 0],
  flexible: 0,

  request: {
    groupId: string,
    topics: array({
      topicId: uuid,
      partitions: array({ partition: int32, stateEpoch: int32, startOffset: offset }),
    }),
  },

  response: {
    results: array({
      topicId: uuid,
      partitions: array({ partition: int32, errorCode: int16, errorMessage: string.orNull().default(null) }),
    }),
  },
});

/** A decoded InitializeShareGroupState request. */
export type InitializeShareGroupStateRequest = RequestOf<typeof InitializeShareGroupState>;
/** A decoded InitializeShareGroupState response. */
export type InitializeShareGroupStateResponse = ResponseOf<typeof InitializeShareGroupState>;
