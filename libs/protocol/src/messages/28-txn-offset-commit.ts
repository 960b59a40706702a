/**
 * TxnOffsetCommit: commit offsets of a group as part of a transaction (KIP-98).
 *
 *   v2  leader epoch (KIP-320)                          v4  may answer TRANSACTION_ABORTABLE (KIP-890)
 *   v3  flexible, the member proves itself (KIP-447)    v5  adds the offsets to the transaction by itself (KIP-890)
 */
import { api, array, int16, int32, offset, longId, string, type RequestOf, type ResponseOf } from '../schema.js';

/** The TxnOffsetCommit API. */
export const TxnOffsetCommit = api({
  key: 28,
  name: 'TxnOffsetCommit',
  versions: [0, 5],
  flexible: 3,

  request: {
    transactionalId: string,
    groupId: string,
    producerId: longId,
    producerEpoch: int16,
    generationId: int32.since(3).default(-1),
    memberId: string.since(3).default(''),
    groupInstanceId: string.orNull().since(3).default(null),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        committedOffset: offset,
        committedLeaderEpoch: int32.since(2).default(-1).ignorable(),
        committedMetadata: string.orNull(),
      }),
    }),
  },

  response: {
    throttleTimeMs: int32.default(0),
    topics: array({
      name: string,
      partitions: array({ partitionIndex: int32, errorCode: int16 }),
    }),
  },
});

/** A decoded TxnOffsetCommit request. */
export type TxnOffsetCommitRequest = RequestOf<typeof TxnOffsetCommit>;
/** A decoded TxnOffsetCommit response. */
export type TxnOffsetCommitResponse = ResponseOf<typeof TxnOffsetCommit>;
