/**
 * DeleteShareGroupState: a group coordinator deletes the state of share partitions (KIP-932).
 */
import { api, array, int16, int32, string, uuid, type RequestOf, type ResponseOf } from '../schema.js';

/** The DeleteShareGroupState API. */
export const DeleteShareGroupState = api({
  key: 86,
  name: 'DeleteShareGroupState',
  versions: [0, 0],
  flexible: 0,

  request: {
    groupId: string,
    topics: array({ topicId: uuid, partitions: array({ partition: int32 }) }),
  },

  response: {
    results: array({
      topicId: uuid,
      partitions: array({ partition: int32, errorCode: int16, errorMessage: string.orNull().default(null) }),
    }),
  },
});

/** A decoded DeleteShareGroupState request. */
export type DeleteShareGroupStateRequest = RequestOf<typeof DeleteShareGroupState>;
/** A decoded DeleteShareGroupState response. */
export type DeleteShareGroupStateResponse = ResponseOf<typeof DeleteShareGroupState>;
