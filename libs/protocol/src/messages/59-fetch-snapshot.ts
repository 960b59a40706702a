/**
 * FetchSnapshot: a controller reads a snapshot of the metadata from another (KIP-630).
 *
 *   v1  directory id, endpoints (KIP-853)
 */
import {
  api,
  array,
  struct,
  int16,
  uint16,
  int32,
  offset,
  byteSize,
  string,
  uuid,
  records,
  type RequestOf,
  type ResponseOf,
} from '../schema.js';

/** The FetchSnapshot API. */
export const FetchSnapshot = api({
  key: 59,
  name: 'FetchSnapshot',
  versions: [0, 1],
  flexible: 0,

  request: {
    clusterId: string.orNull().tagged(0).default(null),
    replicaId: int32.default(-1),
    maxBytes: int32.default(0x7fffffff),
    topics: array({
      name: string,
      partitions: array({
        partition: int32,
        currentLeaderEpoch: int32,
        snapshotId: struct({ endOffset: offset, epoch: int32 }),
        position: byteSize,
        replicaDirectoryId: uuid.since(1).tagged(0).ignorable(),
      }),
    }),
  },

  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16,
    topics: array({
      name: string,
      partitions: array({
        index: int32,
        errorCode: int16,
        snapshotId: struct({ endOffset: offset, epoch: int32 }),
        currentLeader: struct({ leaderId: int32, leaderEpoch: int32 }).tagged(0),
        size: byteSize,
        position: byteSize,
        unalignedRecords: records,
      }),
    }),
    nodeEndpoints: array({ nodeId: int32, host: string, port: uint16 }).since(1).tagged(0),
  },
});

/** A decoded FetchSnapshot request. */
export type FetchSnapshotRequest = RequestOf<typeof FetchSnapshot>;
/** A decoded FetchSnapshot response. */
export type FetchSnapshotResponse = ResponseOf<typeof FetchSnapshot>;
