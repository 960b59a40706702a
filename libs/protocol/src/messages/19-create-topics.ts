/**
 * CreateTopics: make new topics. Goes to the controller.
 *
 *   v4  -1 for partitions and replicas means the broker's default (KIP-464)
 *   v5  flexible, the effective settings come back (KIP-525)
 *   v6  may answer THROTTLING_QUOTA_EXCEEDED (KIP-599)
 *   v7  topic id (KIP-516)
 */
import { api, array, bool, int8, int16, int32, string, uuid, type RequestOf, type ResponseOf } from '../schema.js';

/** The CreateTopics API. */
export const CreateTopics = api({
  key: 19,
  name: 'CreateTopics',
  versions: [2, 7],
  flexible: 5,

  request: {
    topics: array({
      name: string,
      /** -1 with assignments, or (v4) for the default. */
      numPartitions: int32,
      replicationFactor: int16,
      assignments: array({ partitionIndex: int32, brokerIds: array(int32) }),
      configs: array({ name: string, value: string.orNull() }),
    }),
    timeoutMs: int32.default(60000),
    validateOnly: bool.default(false),
  },

  response: {
    throttleTimeMs: int32.default(0),
    topics: array({
      name: string,
      topicId: uuid.since(7).ignorable(),
      errorCode: int16,
      errorMessage: string.orNull(),
      topicConfigErrorCode: int16.since(5).tagged(0).ignorable(),
      numPartitions: int32.since(5).default(-1).ignorable(),
      replicationFactor: int16.since(5).default(-1).ignorable(),
      configs: array({
        name: string,
        value: string.orNull(),
        readOnly: bool,
        configSource: int8.default(-1),
        isSensitive: bool,
      })
        .orNull()
        .since(5)
        .ignorable(),
    }),
  },
});

/** A decoded CreateTopics request. */
export type CreateTopicsRequest = RequestOf<typeof CreateTopics>;
/** A decoded CreateTopics response. */
export type CreateTopicsResponse = ResponseOf<typeof CreateTopics>;
