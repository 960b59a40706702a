/**
 * ListOffsets: find an offset by time, or the first and last offsets of partitions.
 *
 *   v2  isolation level, throttle time      v6   flexible
 *   v4  leader epoch (KIP-320)              v7   timestamp -3: of the highest timestamp (KIP-734)
 *   v5  may answer OFFSET_NOT_AVAILABLE     v8   -4: first on local disk (KIP-405)
 *   v9  -5: last in remote storage (KIP-1005)    v10  timeout (KIP-1075)    v11  -6: first not uploaded (KIP-1023)
 */
import {
  api,
  array,
  int8,
  int16,
  int32,
  offset,
  timestamp,
  string,
  type RequestOf,
  type ResponseOf,
} from '../schema.js';

/** The ListOffsets API. */
export const ListOffsets = api({
  key: 2,
  name: 'ListOffsets',
  versions: [1, 11],
  flexible: 6,

  request: {
    /** -1 for a consumer. */
    replicaId: int32,
    isolationLevel: int8.since(2),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        currentLeaderEpoch: int32.since(4).default(-1).ignorable(),
        /** A time, or -1 latest, -2 earliest, -3 to -6 see above. */
        timestamp: timestamp,
      }),
    }),
    timeoutMs: int32.since(10).ignorable(),
  },

  response: {
    throttleTimeMs: int32.since(2).ignorable(),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        timestamp: timestamp.default(-1),
        /** -1 when no record is that young. */
        offset: offset.default(-1),
        leaderEpoch: int32.since(4).default(-1),
      }),
    }),
  },
});

/** A decoded ListOffsets request. */
export type ListOffsetsRequest = RequestOf<typeof ListOffsets>;
/** A decoded ListOffsets response. */
export type ListOffsetsResponse = ResponseOf<typeof ListOffsets>;
