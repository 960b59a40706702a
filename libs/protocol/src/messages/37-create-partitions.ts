/**
 * CreatePartitions: give topics more partitions. Goes to the controller.
 *
 *   v2  flexible    v3  may answer THROTTLING_QUOTA_EXCEEDED (KIP-599)
 */
import { api, array, bool, int16, int32, string, type RequestOf, type ResponseOf } from '../schema.js';

/** The CreatePartitions API. */
export const CreatePartitions = api({
  key: 37,
  name: 'CreatePartitions',
  versions: [0, 3],
  flexible: 2,

  request: {
    topics: array({
      name: string,
      /** The new total, not the number to add. */
      count: int32,
      /** One entry per new partition, or null to let the controller choose. */
      assignments: array({ brokerIds: array(int32) }).orNull(),
    }),
    timeoutMs: int32,
    validateOnly: bool,
  },

  response: {
    throttleTimeMs: int32.default(0),
    results: array({
      name: string,
      errorCode: int16,
      errorMessage: string.orNull().default(null),
    }),
  },
});

/** A decoded CreatePartitions request. */
export type CreatePartitionsRequest = RequestOf<typeof CreatePartitions>;
/** A decoded CreatePartitions response. */
export type CreatePartitionsResponse = ResponseOf<typeof CreatePartitions>;
