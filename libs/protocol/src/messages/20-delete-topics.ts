/**
 * DeleteTopics: delete topics. Goes to the controller.
 *
 *   v1  throttle time    v3  may answer TOPIC_DELETION_DISABLED    v4  flexible
 *   v5  error message, may answer THROTTLING_QUOTA_EXCEEDED (KIP-599)    v6  by name or by id (KIP-516)
 */
import { api, array, int16, int32, string, uuid, type RequestOf, type ResponseOf } from '../schema.js';

/** The DeleteTopics API. Up to v5 `topicNames`, from v6 on `topics`. */
export const DeleteTopics = api({
  key: 20,
  name: 'DeleteTopics',
  versions: [1, 6],
  flexible: 4,

  request: {
    topics: array({ name: string.orNull().default(null), topicId: uuid }).since(6),
    topicNames: array(string).until(5).ignorable(),
    timeoutMs: int32,
  },

  response: {
    throttleTimeMs: int32.default(0),
    responses: array({
      name: string.orNull(6),
      topicId: uuid.since(6).ignorable(),
      errorCode: int16,
      errorMessage: string.orNull().since(5).default(null).ignorable(),
    }),
  },
});

/** A decoded DeleteTopics request. */
export type DeleteTopicsRequest = RequestOf<typeof DeleteTopics>;
/** A decoded DeleteTopics response. */
export type DeleteTopicsResponse = ResponseOf<typeof DeleteTopics>;
